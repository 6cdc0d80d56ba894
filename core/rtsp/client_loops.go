package rtsp

import (
	"context"
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/base"

	"github.com/tstrans/tstrans/core/rtp"
	"github.com/tstrans/tstrans/core/tsterr"
)

// keepAliveAnswer is the most that the answer to a keep-alive is waited for.
const keepAliveAnswer = 5 * time.Second

// read takes what the server sends until the connection ends.
func (s *Session) read() {
	defer s.loops.Done()
	defer s.closeLinks()
	defer close(s.closed)
	for {
		m, err := s.w.read(time.Time{})
		switch {
		case err != nil && s.TornDown():
			s.finish(EndCleanTeardown, "")
		case errors.Is(err, errSyntax):
			s.finish(EndProtocolError, err.Error())
		case err != nil:
			s.finish(EndTransportFailed, err.Error())
		case m.isFrame:
			s.frame(m.channel, m.frame)
			continue
		case m.res != nil:
			s.answer(m.res)
			continue
		default:
			if s.request(m.req) {
				continue
			}
			s.finish(EndCleanTeardown, "")
		}
		_ = s.w.nc.Close()
		return
	}
}

func (s *Session) closeLinks() {
	s.pmu.Lock()
	s.stopping = true
	links := s.links
	s.pmu.Unlock()
	for _, l := range links {
		if l.udp != nil {
			l.udp.close()
		}
	}
}

// frame takes what came on a channel. Some cameras use others than they said, or
// one for two media: then the payload type tells which it is.
func (s *Session) frame(channel byte, b []byte) {
	s.pmu.Lock()
	k, g := int(s.channels[channel]), s.ingest
	s.pmu.Unlock()
	if len(b) < 2 {
		return
	}
	pt, now := b[1]&0x7F, time.Now()
	if k < 0 || k&1 == 1 || g.tracks[k/2].media.PayloadType != pt {
		if rtp.IsRTCP(b) {
			if k >= 0 {
				g.control(k/2, b, netip.Addr{}, now)
			}
			return
		}
		if i := g.only(pt); i >= 0 {
			k = 2 * i
		}
	}
	if k >= 0 && k&1 == 0 {
		g.packet(k/2, b, netip.Addr{}, now)
	}
}

func (s *Session) answer(res *base.Response) {
	s.pmu.Lock()
	defer s.pmu.Unlock()
	var seq int
	if v := res.Header["CSeq"]; len(v) == 1 {
		seq, _ = strconv.Atoi(strings.TrimSpace(v[0]))
	}
	ch := s.pending[seq]
	if ch == nil && seq == 0 && len(s.pending) == 1 { // no number: there is one it can be
		for _, ch = range s.pending { //nolint:revive // takes the only one
		}
	}
	if ch != nil {
		select {
		case ch <- res:
		default:
		}
	}
}

// request answers what the server asks; false means that it ended the session.
func (s *Session) request(req *base.Request) bool {
	res := base.Response{StatusCode: base.StatusOK, Header: base.Header{"CSeq": req.Header["CSeq"]}}
	goOn := true
	switch req.Method {
	case base.Options, base.GetParameter, base.SetParameter:
	case base.Teardown:
		goOn = false
	case base.Announce:
		// 5402: the server ends the session.
		if v := req.Header["Notice"]; len(v) == 1 && strings.HasPrefix(strings.TrimSpace(v[0]), "5402") {
			goOn = false
		}
	default:
		res.StatusCode = base.StatusNotImplemented
	}
	_ = s.w.send(res, farewellTimeout) // a connection that fails is noticed by the reader
	return goOn
}

// tend sends keep-alives and receiver reports until the connection ends.
func (s *Session) tend() {
	defer s.loops.Done()
	s.pmu.Lock()
	period := s.timeout / 2
	s.pmu.Unlock()
	var alive <-chan time.Time
	if !s.cfg.NoKeepAlive {
		t := time.NewTicker(max(period, 100*time.Millisecond))
		defer t.Stop()
		alive = t.C
	}
	var reports <-chan time.Time
	if !s.cfg.NoRTCP {
		t := time.NewTicker(rtp.ReportInterval)
		defer t.Stop()
		reports = t.C
	}
	var silence <-chan time.Time
	if s.watches() {
		t := time.NewTicker(max(s.cfg.UDPTimeout/8, 5*time.Millisecond))
		defer t.Stop()
		silence = t.C
	}
	for {
		select {
		case <-s.closed:
			return
		case now := <-silence:
			switch {
			case s.heard():
				silence = nil
			case s.overdue(now):
				silence = nil
				s.fallBack()
			}
		case <-reports:
			s.report()
		case <-alive:
			if !s.keepAlive() {
				_ = s.w.nc.Close()
				return
			}
		}
	}
}

// answerTime is how long the answer to a keep-alive is waited for.
func (s *Session) answerTime() time.Duration { return min(keepAliveAnswer, s.cfg.Timeout) }

func (s *Session) keepAlive() bool {
	if s.TornDown() {
		return true
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.answerTime())
	defer cancel()
	if s.stalled.Load() && s.data.waits() {
		// The answer would lie behind media that the application has not taken:
		// tell the server that we live and do not wait.
		req := &base.Request{Method: base.Options, URL: s.controlURL, Header: base.Header{}}
		s.pmu.Lock()
		s.cseq++
		req.Header["CSeq"] = base.HeaderValue{strconv.Itoa(s.cseq)}
		req.Header["Session"] = base.HeaderValue{s.id}
		if s.auth != nil && s.target.credentials != nil {
			s.auth.authorize(req, s.target.credentials)
		}
		s.pmu.Unlock()
		return s.w.send(req, keepAliveAnswer) == nil
	}
	method := base.Options
	if s.asks {
		method = base.GetParameter
	}
	res, err := s.do(ctx, method, s.controlURL, nil)
	select {
	case <-s.closed:
		return true // the reader knows better why
	default:
	}
	switch {
	case s.TornDown():
	case tsterr.KindOf(err) == tsterr.Cancelled || tsterr.KindOf(err) == tsterr.RTSPTimeout:
		s.finish(EndKeepAliveFailed, "no answer within "+s.answerTime().String())
		return false
	case err != nil:
		s.finish(EndKeepAliveFailed, err.Error())
		return false
	case res.StatusCode == base.StatusSessionNotFound:
		s.finish(EndSessionExpired, "")
		return false
	case res.StatusCode >= base.StatusBadRequest && method == base.Options:
		s.asks = true // a server that keeps sessions alive by GET_PARAMETER alone
		return s.keepAlive()
	}
	return true
}

// report sends a receiver report for each media.
func (s *Session) report() {
	now := time.Now()
	for i, l := range s.links {
		b := s.ingest.tracks[i].in.Report(s.ssrc, cname, now)
		switch {
		case b == nil:
		case l.tcp:
			_ = s.w.sendFrame(l.control, b, farewellTimeout) // the next report says the same
		case l.rtcpTo.IsValid():
			_ = l.udp.rtcp.Send(b, l.rtcpTo) // see above
		}
	}
}
