package rist

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
)

const (
	// reportPeriod is how often a receiver speaks at least (VSF TR-06-1).
	reportPeriod = 100 * time.Millisecond
	// silenceLimit is how long a receiver that lives is not heard at most.
	silenceLimit = 2*reportPeriod + heardReport
	// meetTime is how long a new link waits for its receiver, and settleTime how long the old one must stay
	// silent beside it where nothing else says that its receiver is gone.
	meetTime   = time.Second
	settleTime = 400 * time.Millisecond
	// sendLag is how long librist holds a message before it sends it, on average, and
	// readerLag how long after a message is due its receiver's user has it.
	sendLag   = 2 * time.Millisecond
	readerLag = 3 * time.Millisecond
)

// watch infers what the receiver has of the messages sent to it, as librist has no
// acknowledgements: from when it was heard last, and from the first message that came
// back because nobody listens any more. The sender's mutex guards it.
type watch struct {
	told    *refusals
	marks   transport.Marks
	passed  uint64 // messages given to librist
	refused time.Time
	arrived uint64 // of those passed, before the first that was refused
	early   bool   // a packet was refused before a receiver was met
}

// beginWatch watches over the receiver from copies of librist's sockets, which it takes over.
func (s *Sender) beginWatch(sockets []int) (err error) {
	if s.watch.told, err = watchRefusals(sockets, s.refusal); err != nil {
		return tsterr.Wrap(tsterr.RISTIO, err, "descriptor")
	}
	return nil
}

// refusal is told of a packet that came back: in the simple profile the first socket is for
// messages and the second for RTCP, in the others one is for both.
func (s *Sender) refusal(socket int, packet []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.use.RLock()
	defer s.use.RUnlock()
	if s.lib == nil {
		return
	}
	_, rtt := heard(s.lib)
	w := &s.watch
	switch {
	case !met(s.lib):
		w.early = true
	case socket == 0 && w.refused.IsZero():
		seq, message := messageNumber(packet)
		behind := uint64(nextNumber(s.lib) - seq) //nolint:gosec // modulo 2^16
		now := time.Now()
		switch {
		case !s.cfg.numbered() || len(packet) == 0: // it says no more than when
			w.arrived = w.marks.SentAt(now.Add(-rtt-sendLag), now, w.passed)
		case message && behind <= w.passed && behind < 1<<15:
			w.arrived = w.passed - behind
		default:
			return // a message sent again
		}
		w.refused = now
	}
}

// messageNumber reads the sequence number of an RTP packet (RFC 3550 section 5.1) sent for the first time:
// in the SSRC of one sent again the lowest bit is set (VSF TR-06-1).
func messageNumber(p []byte) (uint16, bool) {
	const head = 12
	if len(p) < head || p[head-1]&1 != 0 {
		return 0, false
	}
	return binary.BigEndian.Uint16(p[2:]), true
}

// lost tells why the link is at its end, nil while it is not; mu and use are held.
func (s *Sender) lost() error {
	if !s.cfg.managed {
		return nil
	}
	if !s.watch.refused.IsZero() {
		return tsterr.New(tsterr.RISTIO, "nobody listens at the receiver's port any more")
	}
	if silent, _ := heard(s.lib); s.cfg.IdleTimeout > 0 && silent > max(s.cfg.IdleTimeout, silenceLimit) {
		return tsterr.New(tsterr.RISTIO, "the receiver was silent for %v", silent.Round(time.Millisecond))
	}
	return nil
}

// Silence implements transport.Silent.
func (s *Sender) Silence() time.Duration {
	s.use.RLock()
	defer s.use.RUnlock()
	if s.lib == nil || !s.cfg.managed {
		return 0
	}
	silent, _ := heard(s.lib)
	return max(0, silent)
}

// Unacked implements transport.Unacked: messages that may not have reached the receiver.
func (s *Sender) Unacked() int {
	n, _ := s.outstanding()
	return n
}

// Undelivered implements transport.Unacked.
func (s *Sender) Undelivered() int {
	_, n := s.outstanding()
	return n
}

func (s *Sender) outstanding() (unacked, undelivered int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.use.RLock()
	defer s.use.RUnlock()
	if s.lib == nil || !s.cfg.managed {
		return 0, 0
	}
	w, now := &s.watch, time.Now()
	silent, rtt := heard(s.lib)
	arrived, end := w.arrived, w.refused
	switch {
	case !end.IsZero():
	case silent < 0:
		end = now
	case silent > silenceLimit:
		// It spoke half of heardReport before the report, and half a period later would have spoken again: between the two
		// it ended.
		end = now.Add(-silent + (reportPeriod-heardReport)/2)
		arrived = w.marks.SentAt(end.Add(-rtt/2), now, w.passed)
	default: // it lives, and has what was sent a round trip before it was heard
		end = time.Time{}
		arrived = w.marks.SentAt(now.Add(-silent-heardReport-rtt), now, w.passed)
	}
	arrived = min(arrived, w.passed)
	unacked = len(s.queue) + int(w.passed-arrived) //nolint:gosec // a difference of what gap buffers hold
	if end.IsZero() {
		return unacked, 0
	}
	delay := s.cfg.Buffer
	if delay == 0 {
		delay = DefaultBuffer
	}
	due := w.marks.SentAt(end.Add(-delay-sendLag-rtt/2-readerLag), now, w.passed)
	return unacked, int(arrived - min(arrived, due)) //nolint:gosec // as above
}

// meet waits for a receiver, which a link that replaces another needs. While old is silent but was not
// refused it may live on: then both must see what the other sees for a while.
func (s *Sender) meet(ctx context.Context, old *Sender) error {
	limit := time.NewTimer(meetTime)
	defer limit.Stop()
	tick := time.NewTicker(holdStep)
	defer tick.Stop()
	var since time.Time
	for {
		select {
		case <-ctx.Done():
			return tsterr.Wrap(tsterr.Cancelled, ctx.Err(), "reconnect")
		case <-limit.C:
			return tsterr.New(tsterr.RISTIO, "no receiver answers")
		case now := <-tick.C:
			met, early, _ := s.meeting()
			switch {
			case met && since.IsZero():
				since = now
			case !met && early:
				return tsterr.New(tsterr.RISTIO, "nobody listens at the receiver's port")
			}
			if _, _, refused := old.meeting(); met && (refused || now.Sub(since) > settleTime) {
				return nil
			}
		}
	}
}

func (s *Sender) meeting() (hasMet, early, refused bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.use.RLock()
	defer s.use.RUnlock()
	return s.lib != nil && met(s.lib), s.watch.early, s.lib == nil || !s.watch.refused.IsZero()
}
