package rtp

import (
	"net/netip"
	"sync"
	"time"

	"github.com/pion/rtcp"

	"github.com/tstrans/tstrans/core/transport"
)

// InboundConfig says what a stream accepts and how it treats order.
type InboundConfig struct {
	// PayloadType is the one taken; others are counted and dropped.
	PayloadType uint8
	// Source pins the sender's address. The zero value takes any.
	Source netip.Addr
	// Hold is how long a missing packet is waited for. 0 passes packets on as
	// they come, out of order and repeated ones too.
	Hold time.Duration
	// ClockRate is the rate of the time stamps in Hz. It defaults to 90000.
	ClockRate int
}

// InboundStats count one arriving stream.
type InboundStats struct {
	Packets      uint64 // accepted, repeats included
	Bytes        uint64 // of accepted packets, headers included
	PayloadBytes uint64
	Lost         uint64 // missing now; a late packet takes its loss back
	Duplicates   uint64
	Reordered    uint64 // came after a later one
	TooLate      uint64 // came when the buffer had given them up, or twice
	Malformed    uint64 // no RTP, or another payload type
	Rejected     uint64 // from an address that is not the pinned one
	SSRCChanges  uint64
	JitterTicks  uint32 // interarrival jitter (RFC 3550 §6.4.1), in ticks of ClockRate
	SRReceived   uint64
	RRReceived   uint64
	RRSent       uint64
	FractionLost uint8 // of the last report sent, in 1/256
	Bye          bool  // the sender said goodbye
}

// Inbound is one arriving RTP stream: it checks, counts and orders packets. All
// methods are safe for concurrent use; Push and Pop belong to one thread.
type Inbound struct {
	cfg InboundConfig

	mu      sync.Mutex
	order   *Reorder
	cur     Packet
	has     bool
	refused Packet // waits until what is held was drained
	waiting bool

	started   bool
	ssrc      uint32
	seq       Sequence
	jitter    float64
	transit   int64
	hasTrans  bool
	epoch     time.Time
	clock     ClockMap
	clockSSRC uint32 // whose clock it is
	lastSR    uint32 // middle of its NTP time
	lastSRAt  time.Time
	stats     InboundStats
	lostTotal uint64 // of earlier sources
	dupTotal  uint64
	lateTotal uint64

	arrivals *transport.Shared // packets that C handed out and nobody counted yet, nil without
	began    uint64            // epoch on C's clock
}

// NewInbound makes the state of a stream.
func NewInbound(cfg InboundConfig) *Inbound {
	if cfg.ClockRate <= 0 {
		cfg.ClockRate = ClockRate
	}
	in := &Inbound{cfg: cfg, epoch: time.Now(), began: transport.Monotonic()}
	if cfg.Hold > 0 {
		in.order = NewReorder(cfg.Hold)
	}
	return in
}

// lock takes the lock, and counts what arrived before.
func (in *Inbound) lock() {
	in.mu.Lock()
	for {
		a, ok := in.arrivals.Arrived()
		if !ok {
			return
		}
		p := Packet{Sequence: a.Sequence, Timestamp: a.Timestamp, SSRC: a.SSRC}
		in.count(&p, int(a.Size)-HeaderSize, int(a.Size), time.Duration(a.At-in.began)) //nolint:gosec // C saw it after the epoch
	}
}

// Count counts what C handed out.
func (in *Inbound) Count() {
	in.lock()
	in.mu.Unlock()
}

// Push takes a datagram and where it came from. Take all packets with Pop
// before the next Push: their payloads may lie in it.
func (in *Inbound) Push(b []byte, from netip.Addr, now time.Time) {
	in.lock()
	defer in.mu.Unlock()
	if in.cfg.Source.IsValid() && from != in.cfg.Source {
		in.stats.Rejected++
		return
	}
	var p Packet
	if p.Unmarshal(b) != nil || p.PayloadType != in.cfg.PayloadType {
		in.stats.Malformed++
		return
	}
	in.count(&p, len(p.Payload), len(b), now.Sub(in.epoch))
	if in.order == nil {
		in.cur, in.has = p, true
		return
	}
	if !in.order.Push(p, now) {
		in.refused, in.waiting = p, true
	}
}

// count counts a packet of size bytes that came so long after the epoch.
func (in *Inbound) count(p *Packet, payload, size int, after time.Duration) {
	in.stats.Packets++
	in.stats.Bytes += uint64(size)           //nolint:gosec // not negative
	in.stats.PayloadBytes += uint64(payload) //nolint:gosec // not negative
	if !in.started || p.SSRC != in.ssrc {
		if in.started {
			in.stats.SSRCChanges++
			in.lostTotal += in.seq.Lost()
			in.dupTotal += in.seq.dups
			in.lateTotal += in.seq.late
		}
		in.started, in.ssrc, in.seq = true, p.SSRC, Sequence{}
		in.jitter, in.hasTrans = 0, false
		if in.clockSSRC != p.SSRC { // a report may come before the first packet
			in.clock.Valid, in.lastSR = false, 0
		}
		in.stats.Bye = false
	}
	if a := in.seq.Add(p.Sequence); a == Duplicate {
		return
	}
	// RFC 3550 A.8: the difference of transit times, smoothed by a sixteenth.
	arrival := int64(after.Seconds() * float64(in.cfg.ClockRate))
	transit := arrival - int64(p.Timestamp)
	if in.hasTrans {
		d := float64(int32(transit - in.transit)) //nolint:gosec // time stamps wrap at 32 bits
		in.jitter += (max(d, -d) - in.jitter) / 16
	}
	in.transit, in.hasTrans = transit, true
}

// Pop gives the next packet, valid until the next Push.
func (in *Inbound) Pop(now time.Time) (Packet, bool) {
	in.lock()
	defer in.mu.Unlock()
	if in.order == nil {
		ok := in.has
		in.has = false
		return in.cur, ok
	}
	if in.waiting {
		if p, ok := in.order.Drain(); ok {
			return p, true
		}
		in.waiting = false
		in.order.Push(in.refused, now)
	}
	return in.order.Pop(now)
}

// Wait is how long until Pop gives a packet without a further Push; negative
// when none is held.
func (in *Inbound) Wait(now time.Time) time.Duration {
	if in.order == nil {
		return -1
	}
	in.lock()
	defer in.mu.Unlock()
	return in.order.Wait(now)
}

// Control takes an RTCP datagram. Damaged ones are counted and dropped.
func (in *Inbound) Control(b []byte, from netip.Addr, now time.Time) {
	in.lock()
	defer in.mu.Unlock()
	if in.cfg.Source.IsValid() && from.IsValid() && from != in.cfg.Source {
		in.stats.Rejected++
		return
	}
	packets, err := rtcp.Unmarshal(b)
	if err != nil {
		in.stats.Malformed++
		return
	}
	for _, p := range packets {
		switch p := p.(type) {
		case *rtcp.SenderReport:
			if in.started && p.SSRC != in.ssrc {
				continue
			}
			in.stats.SRReceived++
			in.clockSSRC = p.SSRC
			in.clock = ClockMap{NTP: p.NTPTime, Timestamp: p.RTPTime, Rate: in.cfg.ClockRate, Valid: true}
			in.lastSR, in.lastSRAt = uint32(p.NTPTime>>16), now //nolint:gosec // its middle 32 bits
		case *rtcp.ReceiverReport:
			in.stats.RRReceived++
		case *rtcp.Goodbye:
			for _, s := range p.Sources {
				if in.started && s == in.ssrc {
					in.stats.Bye = true
				}
			}
		}
	}
}

// Report makes a receiver report with a source description (RFC 3550 §6.4.2,
// §6.5) in the name of ssrc. It returns nil while nothing has arrived.
func (in *Inbound) Report(ssrc uint32, cname string, now time.Time) []byte {
	in.lock()
	defer in.mu.Unlock()
	if !in.started {
		return nil
	}
	in.stats.FractionLost = in.seq.fraction()
	rr := rtcp.ReceptionReport{
		SSRC: in.ssrc, FractionLost: in.stats.FractionLost,
		TotalLost:          uint32(min(in.seq.Lost(), 1<<23-1)), //nolint:gosec // bounded
		LastSequenceNumber: in.seq.Extended(),
		Jitter:             uint32(in.jitter),
		LastSenderReport:   in.lastSR,
	}
	if in.lastSR != 0 {
		rr.Delay = uint32(now.Sub(in.lastSRAt).Seconds() * 65536)
	}
	b, err := rtcp.Marshal([]rtcp.Packet{
		&rtcp.ReceiverReport{SSRC: ssrc, Reports: []rtcp.ReceptionReport{rr}}, describe(ssrc, cname),
	})
	if err != nil {
		return nil
	}
	in.stats.RRSent++
	return b
}

func describe(ssrc uint32, cname string) *rtcp.SourceDescription {
	return &rtcp.SourceDescription{Chunks: []rtcp.SourceDescriptionChunk{{
		Source: ssrc, Items: []rtcp.SourceDescriptionItem{{Type: rtcp.SDESCNAME, Text: cname}},
	}}}
}

// Clock is the last sender report's mapping of RTP ticks to wall-clock time.
func (in *Inbound) Clock() ClockMap {
	in.lock()
	defer in.mu.Unlock()
	return in.clock
}

// Reject counts a datagram from an address that the caller does not take.
func (in *Inbound) Reject() {
	in.lock()
	in.stats.Rejected++
	in.mu.Unlock()
}

// SSRC is the present source.
func (in *Inbound) SSRC() (uint32, bool) {
	in.lock()
	defer in.mu.Unlock()
	return in.ssrc, in.started
}

// Stats reads the counters.
func (in *Inbound) Stats() InboundStats {
	in.lock()
	defer in.mu.Unlock()
	s := in.stats
	s.Lost = in.lostTotal + in.seq.Lost()
	s.Duplicates = in.dupTotal + in.seq.dups
	s.Reordered = in.lateTotal + in.seq.late
	s.JitterTicks = uint32(in.jitter)
	if in.order != nil {
		s.TooLate = in.order.late
	}
	return s
}
