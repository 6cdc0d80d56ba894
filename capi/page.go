package main

/*
#include "detail.h"
*/
import "C"

import (
	"bytes"
	"math"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/tstrans/tstrans/core/hls"
	webpage "github.com/tstrans/tstrans/core/hls/page"
	"github.com/tstrans/tstrans/core/tsterr"
)

// shared counts who holds an object: its own handle, and the sites that use it.
type shared struct{ n *atomic.Int32 }

func newShared() shared {
	s := shared{new(atomic.Int32)}
	s.n.Store(1)
	return s
}

// hold takes part; false where the last one has let go already.
func (s shared) hold() bool {
	for {
		n := s.n.Load()
		if n == 0 {
			return false
		}
		if s.n.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// release lets go; the last one closes.
func (s shared) release(last func() error) error {
	if s.n.Add(-1) == 0 {
		return last()
	}
	return nil
}

// site is what a tst_site handle stands for; servers share it.
type site struct {
	s *webpage.Site
	m *markers
	t *telemetry
	shared
}

// Close lets go.
func (x *site) Close() error {
	return x.release(func() error {
		if x.m != nil {
			_ = x.m.Close() // a database that fails now has nothing left to lose
		}
		if x.t != nil {
			_ = x.t.Close() // likewise
		}
		return nil
	})
}

type siteServer struct {
	srv *webpage.Server
	of  *site
}

// Close stops serving.
func (x *siteServer) Close() error {
	err := x.srv.Close()
	_ = x.of.Close() // never fails
	return err
}

//export tst_site_new
func tst_site_new(out *C.tst_site, tl C.tst_timeline, tr C.tst_track, config C.tst_config) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	r := readConfig(config, tsterr.InvalidArg)
	var cfg webpage.Config
	r.text("title", &cfg.Title)
	r.text("playlist", &cfg.Playlist)
	r.number("target_s", &cfg.Target, 1e-3, 3600, "s")
	r.boolean("low_latency", &cfg.LowLatency)
	r.text("whep", &cfg.WHEP)
	r.text("video_dir", &cfg.Video)
	r.text("static_dir", &cfg.Static)
	r.boolean("cors", &cfg.CORS)
	r.boolean("read_only", &cfg.MarkerRoutes.ReadOnly)
	integer(r, "max_feeds", &cfg.MarkerRoutes.MaxFeeds, 1, math.MaxInt32, "clients")
	if err := r.done(); err != nil {
		return status(err)
	}
	x := &site{shared: newShared()}
	if tl != 0 {
		m, err := share[*markers](tl)
		if err != nil {
			return status(err)
		}
		if !m.hold() {
			return status(errHandle)
		}
		x.m, cfg.Markers = m, m.s
	}
	if tr != 0 {
		t, err := share[*telemetry](tr)
		if err != nil || !t.hold() {
			_ = x.Close() // never fails
			return status(errHandle)
		}
		x.t, cfg.Telemetry = t, t.t
	}
	var err error
	if x.s, err = webpage.New(cfg); err != nil {
		_ = x.Close() // never fails
		return status(err)
	}
	return status(hand(out, x))
}

//export tst_site_close
func tst_site_close(id C.tst_site) (st C.tst_status) {
	defer guard(&st)
	return status(closeHandle[*site](id))
}

//export tst_site_listen
func tst_site_listen(out *C.tst_site_server, id C.tst_site, addr *C.tst_cchar, n C.size_t) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	a, err := text(addr, n)
	if err != nil {
		return status(err)
	}
	x, err := share[*site](id)
	if err != nil {
		return status(err)
	}
	if !x.hold() {
		return status(errHandle)
	}
	srv, err := webpage.Listen(a, x.s)
	if err != nil {
		_ = x.Close() // never fails
		return status(err)
	}
	o := &siteServer{srv, x}
	return status(hand(out, o))
}

// attach ties the site to a publisher, which keeps it for as long as its server runs.
func attach(id C.tst_site, p *hls.Publisher) C.tst_status {
	x, err := share[*site](id)
	if err != nil {
		return status(err)
	}
	if !x.hold() {
		return status(errHandle)
	}
	if err := x.s.Attach(p); err != nil {
		_ = x.Close() // never fails
		return status(err)
	}
	if srv := p.Server(); srv != nil {
		go func() {
			<-srv.Done()
			_ = x.Close() // never fails
		}()
	}
	return C.TST_OK
}

//export tst_site_attach
func tst_site_attach(id C.tst_site, pub C.tst_hls) (st C.tst_status) {
	defer guard(&st)
	p, err := hlsOf(pub)
	if err != nil {
		return status(err)
	}
	return attach(id, p)
}

//export tst_site_attach_mux
func tst_site_attach_mux(id C.tst_site, mux C.tst_hls_mux) (st C.tst_status) {
	defer guard(&st)
	m, err := share[*hlsMux](mux)
	if err != nil {
		return status(err)
	}
	p := m.m.Publisher()
	if p == nil {
		return status(errHandle)
	}
	return attach(id, p)
}

//export tst_site_edge
func tst_site_edge(out *C.double, id C.tst_site) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "edge_s"); err != nil {
		return status(err)
	}
	x, err := share[*site](id)
	if err != nil {
		return status(err)
	}
	v, ok := x.s.Edge()
	if !ok {
		return C.TST_E_AGAIN
	}
	*out = C.double(v)
	return C.TST_OK
}

//export tst_site_server_addr
func tst_site_server_addr(out *C.uint8_t, capacity C.size_t, n *C.size_t, id C.tst_site_server) (st C.tst_status) {
	defer guard(&st)
	x, err := share[*siteServer](id)
	if err != nil {
		return status(err)
	}
	return giveText(out, capacity, n, x.srv.Addr())
}

//export tst_site_server_close
func tst_site_server_close(id C.tst_site_server) (st C.tst_status) {
	defer guard(&st)
	return status(closeHandle[*siteServer](id))
}

// siteAnswer is what a site answered without a socket. It is written by one goroutine,
// and read once it is whole.
type siteAnswer struct {
	code   int
	header http.Header
	head   []byte
	body   bytes.Buffer
}

// Header is the header being made.
func (a *siteAnswer) Header() http.Header { return a.header }

// WriteHeader sets the status, once.
func (a *siteAnswer) WriteHeader(code int) {
	if a.code == 0 {
		a.code = code
	}
}

// Write adds to the body.
func (a *siteAnswer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(b)
}

//export tst_site_request
func tst_site_request(out *C.tst_site_answer, code *C.uint32_t, hn, bn *C.size_t, id C.tst_site,
	method *C.tst_cchar, mn C.size_t, target *C.tst_cchar, tn C.size_t, headers *C.tst_cchar, inh C.size_t, body *C.tst_cu8, inb C.size_t,
) (st C.tst_status) {
	defer guard(&st)
	if out == nil || code == nil || hn == nil || bn == nil {
		return fail(tsterr.InvalidArg, "an out-parameter is NULL")
	}
	x, err := share[*site](id)
	if err != nil {
		return status(err)
	}
	verb, err := text(method, mn)
	if err != nil {
		return status(err)
	}
	where, err := text(target, tn)
	if err != nil {
		return status(err)
	}
	lines, err := text(headers, inh)
	if err != nil {
		return status(err)
	}
	b, err := input(body, inb)
	if err != nil {
		return status(err)
	}
	if path, _, _ := strings.Cut(where, "?"); path == "/timeline/events" {
		return fail(tsterr.NotSupported, "the event feed has no end")
	}
	req, err := http.NewRequest(verb, where, bytes.NewReader(b))
	if err != nil {
		return status(tsterr.Wrap(tsterr.InvalidArg, err, "request"))
	}
	req.RequestURI = where
	for _, line := range strings.Split(lines, "\n") {
		if k, v, ok := strings.Cut(line, ":"); ok {
			req.Header.Add(strings.TrimSpace(k), strings.TrimSpace(v))
		}
	}
	a := &siteAnswer{header: http.Header{}}
	x.s.ServeHTTP(a, req)
	a.WriteHeader(http.StatusOK)
	var head strings.Builder
	for k, vs := range a.header {
		for _, v := range vs {
			head.WriteString(k + ": " + v + "\n")
		}
	}
	a.head = []byte(head.String())
	aid, err := handles.add(a)
	if err != nil {
		return status(err)
	}
	*out, *code, *hn, *bn = C.tst_site_answer(aid), C.uint32_t(a.code), C.size_t(len(a.head)), C.size_t(a.body.Len())
	return C.TST_OK
}

//export tst_site_answer_read
func tst_site_answer_read(head *C.uint8_t, hcap C.size_t, body *C.uint8_t, bcap C.size_t, id C.tst_site_answer) (st C.tst_status) {
	defer guard(&st)
	a, err := share[*siteAnswer](id)
	if err != nil {
		return status(err)
	}
	if uint64(hcap) < uint64(len(a.head)) || uint64(bcap) < uint64(a.body.Len()) {
		return fail(tsterr.BufferTooSmall, "%d bytes of headers, %d of body", len(a.head), a.body.Len())
	}
	h, err := output(head, hcap)
	if err != nil {
		return status(err)
	}
	b, err := output(body, bcap)
	if err != nil {
		return status(err)
	}
	copy(h, a.head)
	copy(b, a.body.Bytes())
	return C.TST_OK
}

//export tst_site_answer_close
func tst_site_answer_close(id C.tst_site_answer) (st C.tst_status) {
	defer guard(&st)
	return status(closeHandle[*siteAnswer](id))
}
