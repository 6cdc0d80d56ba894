package rtsp

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/base"

	"github.com/tstrans/tstrans/core/internal/leak"
	"github.com/tstrans/tstrans/core/tsterr"
)

// camera is a scripted server: it answers what a camera would, or what script
// says, and remembers what it was asked.
type camera struct {
	addr   string
	sdp    string
	base   string // Content-Base; HOST stands for the address
	script func(n int, req *base.Request) *base.Response
	sends  []media // after PLAY, until the client is gone

	mu    sync.Mutex
	asked []string // method and URI
	times map[base.Method]int
}

const cameraSDP = "v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=cam\r\nt=0 0\r\n%sm=video 0 RTP/AVP 33\r\n%s"

func newCamera(t *testing.T, session, media string) *camera {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &camera{addr: ln.Addr().String(), times: map[base.Method]int{}}
	attribute := func(v string) string {
		if v == "" {
			return ""
		}
		return "a=control:" + strings.ReplaceAll(v, "HOST", c.addr) + "\r\n"
	}
	c.sdp = fmt.Sprintf(cameraSDP, attribute(session), attribute(media))
	var loops sync.WaitGroup
	loops.Add(1)
	go func() {
		defer loops.Done()
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			loops.Add(1)
			go func() {
				defer loops.Done()
				c.serve(nc)
			}()
		}
	}()
	t.Cleanup(func() {
		_ = ln.Close()
		loops.Wait()
	})
	return c
}

func (c *camera) serve(nc net.Conn) {
	var loop sync.WaitGroup
	defer loop.Wait()
	defer func() { _ = nc.Close() }()
	w := newWire(nc, 1<<16)
	for {
		m, err := w.read(time.Time{})
		if err == nil && m.isFrame { // a receiver's report
			continue
		}
		if err != nil || m.req == nil {
			return
		}
		res := c.answer(m.req)
		if res.Header == nil {
			res.Header = base.Header{}
		}
		res.Header["CSeq"] = m.req.Header["CSeq"]
		if w.send(res, patience) != nil {
			return
		}
		if m.req.Method == base.Play && len(c.sends) > 0 {
			loop.Add(1)
			go func() {
				defer loop.Done()
				for round := 0; c.send(w, round, c.sends) == nil; round++ {
					time.Sleep(time.Millisecond)
				}
			}()
		}
	}
}

func (c *camera) answer(req *base.Request) *base.Response {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked = append(c.asked, string(req.Method)+" "+strings.ReplaceAll(req.URL.String(), c.addr, "HOST"))
	c.times[req.Method]++
	if c.script != nil {
		if res := c.script(c.times[req.Method], req); res != nil {
			return res
		}
	}
	res := &base.Response{StatusCode: base.StatusOK, Header: base.Header{}}
	switch req.Method { //nolint:exhaustive // the others need nothing
	case base.Describe:
		res.Header["Content-Type"] = base.HeaderValue{"application/sdp"}
		if c.base != "" {
			res.Header["Content-Base"] = base.HeaderValue{strings.ReplaceAll(c.base, "HOST", c.addr)}
		}
		res.Body = []byte(c.sdp)
	case base.Setup:
		res.Header["Session"] = base.HeaderValue{"4711;timeout=1"}
		res.Header["Transport"] = req.Header["Transport"]
	}
	return res
}

func (c *camera) requests(methods ...base.Method) (out []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, a := range c.asked {
		for _, m := range methods {
			if strings.HasPrefix(a, string(m)+" ") {
				out = append(out, a)
			}
		}
	}
	return out
}

// How cameras name their tracks, and what they then want to be asked for.
func TestControlURLs(t *testing.T) {
	leak.Check(t)
	for _, c := range []struct {
		name, url, base, session, media string
		setup, play                     string
	}{
		{
			"query", "/cam/realmonitor?channel=1&subtype=0", "rtsp://HOST/cam/realmonitor?channel=1&subtype=0/", "", "trackID=0",
			"rtsp://HOST/cam/realmonitor?channel=1&subtype=0/trackID=0", "rtsp://HOST/cam/realmonitor?channel=1&subtype=0/",
		},
		{
			"query without base", "/cam?channel=1&subtype=0&transport=tcp", "", "*", "trackID=0",
			"rtsp://HOST/cam?channel=1&subtype=0/trackID=0", "rtsp://HOST/cam?channel=1&subtype=0",
		},
		{
			"escapes stay", "/cam?name=a%20b%26c&reorder=5&x", "", "", "t",
			"rtsp://HOST/cam?name=a%20b%26c&x/t", "rtsp://HOST/cam?name=a%20b%26c&x",
		},
		{
			"absolute track", "/live", "rtsp://HOST/live/", "*", "rtsp://HOST/other/track1?x=1",
			"rtsp://HOST/other/track1?x=1", "rtsp://HOST/live/",
		},
		{
			"absolute session", "/live", "rtsp://HOST/live/", "rtsp://HOST/Streaming/Channels/101/", "trackID=1",
			"rtsp://HOST/Streaming/Channels/101/trackID=1", "rtsp://HOST/Streaming/Channels/101/",
		},
		{"no base", "/live", "", "", "stream=0", "rtsp://HOST/live/stream=0", "rtsp://HOST/live"},
		{"no control", "/live", "", "", "", "rtsp://HOST/live", "rtsp://HOST/live"},
		{"base without slash", "/live", "rtsp://HOST/live", "", "stream=0", "rtsp://HOST/live/stream=0", "rtsp://HOST/live"},
	} {
		cam := newCamera(t, c.session, c.media)
		cam.base = c.base
		s := dial(t, ClientConfig{URL: "rtsp://" + cam.addr + c.url, Transport: TransportTCP})
		_ = s.Close()
		got := cam.requests(base.Setup, base.Play, base.Teardown)
		want := []string{"SETUP " + c.setup, "PLAY " + c.play, "TEARDOWN " + c.play}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

func TestKeepAlives(t *testing.T) {
	leak.Check(t)
	for _, c := range []struct {
		name    string
		options base.StatusCode // of the answers to keep-alives
		wants   base.Method
		end     EndReason
	}{
		{"OPTIONS", base.StatusOK, base.Options, EndNone},
		{"GET_PARAMETER", base.StatusNotImplemented, base.GetParameter, EndNone},
		{"expired", base.StatusSessionNotFound, base.Options, EndSessionExpired},
	} {
		cam := newCamera(t, "", "t")
		cam.script = func(n int, req *base.Request) *base.Response {
			if req.Method == base.Options && n > 1 {
				return &base.Response{StatusCode: c.options}
			}
			return nil
		}
		s := dial(t, ClientConfig{URL: "rtsp://" + cam.addr + "/live", Transport: TransportTCP})
		await(t, c.name, func() bool {
			n := len(cam.requests(c.wants))
			if c.wants == base.Options {
				n-- // the first is no keep-alive
			}
			r, _ := s.End()
			return n >= 2 || r != EndNone
		})
		if r, d := s.End(); r != c.end {
			t.Error(c.name, r, d)
		}
		_ = s.Close()
	}
}

// Every request is authorised; a nonce that went stale is replaced, whether the
// server says so or not.
func TestDigestOfCameras(t *testing.T) {
	leak.Check(t)
	for _, challenge := range []string{
		`Digest realm="cam", nonce="%d", qop="auth", algorithm=SHA-256`,
		`Digest realm="cam", nonce="%d", qop="auth,auth-int", stale=true`,
		`Digest realm="cam",nonce="%d",algorithm="MD5"`,
	} {
		cam := newCamera(t, "", "t")
		nonce, left := 0, 0
		cam.script = func(_ int, req *base.Request) *base.Response {
			if req.Method == base.Options {
				return nil
			}
			v := verifier{want: Credentials{Scheme: DigestMD5, User: "u", Password: "p", Realm: "cam"}, nonces: []string{strconv.Itoa(nonce)}}
			if strings.Contains(challenge, "SHA") {
				v.want.Scheme = DigestSHA256
			}
			if left > 0 && v.ok(req) {
				left-- // each nonce is good for two requests
				return nil
			}
			nonce, left = nonce+1, 2
			return &base.Response{StatusCode: base.StatusUnauthorized, Header: base.Header{
				"WWW-Authenticate": base.HeaderValue{fmt.Sprintf(challenge, nonce), `Basic realm="cam"`},
			}}
		}
		url := "rtsp://" + cam.addr + "/live"
		s := dial(t, ClientConfig{URL: url, Transport: TransportTCP, Credentials: &Credentials{User: "u", Password: "p"}})
		for range 5 {
			if err := s.Pause(); err != nil {
				t.Fatal(challenge, err)
			}
		}
		_ = s.Close()
		for _, cr := range []*Credentials{nil, {User: "u", Password: "wrong"}} {
			_, err := Dial(t.Context(), ClientConfig{URL: url, Transport: TransportTCP, Credentials: cr})
			if tsterr.KindOf(err) != tsterr.RTSPAuthFailed {
				t.Error(challenge, err)
			}
			var e *tsterr.Error
			if errors.As(err, &e) && strings.Contains(e.Error(), "wrong") {
				t.Error("the password is in the message")
			}
		}
	}
}
