package main

/*
#include "detail.h"
*/
import "C"

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/tstrans/tstrans/core/rtp/rtph264"
	"github.com/tstrans/tstrans/core/rtsp"
	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
)

// rtspStream and publishStream give data planes the texts of a link.
type rtspStream struct {
	*rtsp.Stream
	s *rtsp.Session
}

func (r rtspStream) text(what uint32) string {
	switch what {
	case C.TST_LINK_LOCAL:
		if a := r.s.LocalAddr(); a.IsValid() {
			return a.String()
		}
	case C.TST_LINK_END_DETAIL:
		_, detail := r.End()
		return detail
	}
	return ""
}

type publishStream struct{ *rtsp.PublishedStream }

func (publishStream) text(uint32) string { return "" }

// job runs one long call at a time in the background, so that its caller can
// wait for it in slices.
type job struct {
	mu   sync.Mutex
	key  uint32
	done chan struct{}
	err  error
}

// run starts f, or goes on waiting for the one with the same key.
func (j *job) run(key uint32, timeout time.Duration, f func() error) error {
	j.mu.Lock()
	if j.done == nil || j.key != key {
		prev := j.done
		done := make(chan struct{})
		j.key, j.done = key, done
		go func() {
			if prev != nil {
				<-prev
			}
			err := f()
			j.mu.Lock()
			j.err = err
			j.mu.Unlock()
			close(done)
		}()
	}
	done := j.done
	j.mu.Unlock()
	var limit <-chan time.Time
	if timeout >= 0 { // where both are ready, the next call tells the outcome
		t := time.NewTimer(timeout)
		defer t.Stop()
		limit = t.C
	}
	select {
	case <-done:
	case <-limit:
		return transport.Timeout("call")
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	err := j.err
	if j.done == done {
		j.done = nil
	}
	return err
}

// session is what a tst_rtsp_session handle stands for. It comes up in the background.
type session struct {
	ready  chan struct{} // closed once s or err is set
	s      *rtsp.Session
	err    error
	cancel context.CancelFunc
	calls  job
}

// Interrupt ends a connection that is coming up and parked control calls.
func (x *session) Interrupt() {
	x.cancel()
	select {
	case <-x.ready:
		if x.s != nil {
			x.s.Interrupt()
		}
	default:
	}
}

// Close says goodbye and frees the session.
func (x *session) Close() error {
	x.cancel()
	go func() { // a server that does not answer is not waited for
		<-x.ready
		if x.s != nil {
			_ = x.s.Close()
		}
	}()
	return nil
}

// up gives the session once it plays.
func (x *session) up(timeout time.Duration) (*rtsp.Session, error) {
	select {
	case <-x.ready:
		return x.s, x.err
	default:
	}
	var limit <-chan time.Time
	if timeout >= 0 {
		t := time.NewTimer(timeout)
		defer t.Stop()
		limit = t.C
	}
	select {
	case <-x.ready:
		return x.s, x.err
	case <-limit:
		return nil, transport.Timeout("connect")
	}
}

func sessionOf(id C.tst_rtsp_session) (*rtsp.Session, error) {
	x, err := share[*session](id)
	if err != nil {
		return nil, err
	}
	return x.up(0)
}

//export tst_rtsp_connect
func tst_rtsp_connect(out *C.tst_rtsp_session, config C.tst_config) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	r := readConfig(config, tsterr.InvalidArg)
	cfg := rtsp.ClientConfig{URL: address(r, "url")}
	if _, given := r.values["user"]; given {
		cfg.Credentials = &rtsp.Credentials{}
		r.text("user", &cfg.Credentials.User)
		r.text("password", &cfg.Credentials.Password)
	}
	integer(r, "transport", &cfg.Transport, 0, 2, "")
	integer(r, "mode", &cfg.Mode, 0, 1, "")
	rtcp, keep := true, true
	r.boolean("rtcp", &rtcp)
	r.boolean("keepalive", &keep)
	cfg.NoRTCP, cfg.NoKeepAlive = !rtcp, !keep
	r.bytes("root_certs", &cfg.RootCertsPEM)
	var ms int64
	integer(r, "timeout_ms", &ms, 1, math.MaxInt32, "ms")
	cfg.Timeout = time.Duration(ms) * time.Millisecond
	if err := r.done(); err != nil {
		return status(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	x := &session{ready: make(chan struct{}), cancel: cancel}
	go func() {
		defer close(x.ready)
		defer cancel()
		x.s, x.err = rtsp.Dial(ctx, cfg)
	}()
	id, err := handles.add(x)
	if err != nil {
		_ = x.Close() // the first error is the one to report
		return status(err)
	}
	*out = C.tst_rtsp_session(id)
	return C.TST_OK
}

//export tst_rtsp_wait
func tst_rtsp_wait(id C.tst_rtsp_session, ms C.int32_t) (st C.tst_status) {
	defer guard(&st)
	x, err := share[*session](id)
	if err != nil {
		return status(err)
	}
	_, err = x.up(millis(ms))
	return outcome(err)
}

//export tst_rtsp_control
func tst_rtsp_control(id C.tst_rtsp_session, call C.uint32_t, ms C.int32_t) (st C.tst_status) {
	defer guard(&st)
	x, err := share[*session](id)
	if err != nil {
		return status(err)
	}
	s, err := x.up(0)
	if err != nil {
		return outcome(err)
	}
	var f func() error
	switch call {
	case C.TST_RTSP_PLAY:
		f = s.Play
	case C.TST_RTSP_PAUSE:
		f = s.Pause
	case C.TST_RTSP_TEARDOWN:
		f = s.Teardown
	default:
		return fail(tsterr.InvalidArg, "unknown control call %d", uint32(call))
	}
	return outcome(x.calls.run(uint32(call), millis(ms), f))
}

//export tst_rtsp_get_stats
func tst_rtsp_get_stats(out *C.tst_rtsp_stats, id C.tst_rtsp_session) (st C.tst_status) {
	defer guard(&st)
	if err := needSized(out); err != nil {
		return status(err)
	}
	s, err := sessionOf(id)
	if err != nil {
		return outcome(err)
	}
	v := s.Stats()
	reason, _ := s.End()
	*out = C.tst_rtsp_stats{
		struct_size: out.struct_size, rr_received: C.uint64_t(v.RRReceived), sr_received: C.uint64_t(v.SRReceived),
		rr_sent: C.uint64_t(v.RRSent), sr_sent: C.uint64_t(v.SRSent), jitter_us: C.uint64_t(v.JitterMicros),
		fraction_lost_q8: C.uint32_t(v.FractionLost), end_reason: C.uint32_t(reason),
		medias: C.uint32_t(len(s.Medias())), alignment: C.uint32_t(s.Alignment()),
	}
	if s.TornDown() {
		out.torn_down = 1
	}
	return C.TST_OK
}

//export tst_rtsp_clock
func tst_rtsp_clock(ntp *C.uint64_t, ts, rate *C.uint32_t, id C.tst_rtsp_session, media C.uint32_t) (st C.tst_status) {
	defer guard(&st)
	if ntp == nil || ts == nil || rate == nil {
		return fail(tsterr.InvalidArg, "an out-parameter is NULL")
	}
	s, err := sessionOf(id)
	if err != nil {
		return outcome(err)
	}
	*ntp, *ts, *rate = 0, 0, 0
	if m := s.Clock(int(media & math.MaxInt32)); m.Valid {
		*ntp, *ts, *rate = C.uint64_t(m.NTP), C.uint32_t(m.Timestamp), C.uint32_t(m.Rate)
	}
	return C.TST_OK
}

//export tst_rtsp_take
func tst_rtsp_take(out *C.tst_link, id C.tst_rtsp_session) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	s, err := sessionOf(id)
	if err != nil {
		return outcome(err)
	}
	stream, err := s.Take()
	if err != nil {
		return status(err)
	}
	return openedLink(out, rtspStream{stream, s})
}

//export tst_rtsp_take_h264
func tst_rtsp_take_h264(out *C.tst_h264, id C.tst_rtsp_session) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "out"); err != nil {
		return status(err)
	}
	s, err := sessionOf(id)
	if err != nil {
		return outcome(err)
	}
	p, err := s.TakePackets()
	if err != nil {
		return status(err)
	}
	cfg := rtph264.Config{Injection: rtph264.InjectBeforeIDR, ParameterSets: s.Medias()[0].Sets}
	return status(hand(out, &h264Receiver{r: rtph264.NewReceiver(p, cfg), in: p, obj: p, local: s.LocalAddr()}))
}

//export tst_rtsp_cancel
func tst_rtsp_cancel(id C.tst_rtsp_session) (st C.tst_status) {
	defer guard(&st)
	x, err := share[*session](id)
	if err != nil {
		return status(err)
	}
	x.cancel()
	select {
	case <-x.ready:
		if x.s != nil {
			x.s.Cancel()
		}
	default:
	}
	return C.TST_OK
}

//export tst_rtsp_close
func tst_rtsp_close(id C.tst_rtsp_session) (st C.tst_status) {
	defer guard(&st)
	return status(closeHandle[*session](id))
}
