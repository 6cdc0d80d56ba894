package rtp

import (
	"crypto/rand"
	"encoding/binary"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"

	"github.com/tstrans/tstrans/core/transport"
)

// Outbound numbers the packets of one stream that is sent and reports on it.
// Next belongs to one thread, the rest to any.
type Outbound struct {
	PayloadType uint8
	SSRC        uint32
	Rate        int // Hz

	shared  *transport.Shared // numbers the packets where C sends some of them, nil without
	seq     uint16
	base    uint32 // time stamp at epoch
	epoch   time.Time
	packets atomic.Uint64
	octets  atomic.Uint64
	srSent  atomic.Uint64
}

// random32 is a number that other senders do not have (RFC 3550 §8).
func random32() uint32 {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.BigEndian.Uint32(b[:])
}

// NewOutbound starts a stream with a random sequence number, and random SSRC
// where ssrc is nil. Its clock shows base at epoch.
func NewOutbound(payloadType uint8, ssrc *uint32, rate int, base uint32, epoch time.Time) *Outbound {
	o := &Outbound{PayloadType: payloadType, Rate: rate, seq: uint16(random32()), base: base, epoch: epoch} //nolint:gosec // any 16 bits
	if ssrc != nil {
		o.SSRC = *ssrc
	} else {
		o.SSRC = random32()
	}
	return o
}

// RandomBase is a random first time stamp (RFC 3550 §5.1).
func RandomBase() uint32 { return random32() }

// Now is the time stamp of the stream's clock at t.
func (o *Outbound) Now(t time.Time) uint32 {
	d := t.Sub(o.epoch)
	ticks := int64(d/time.Second)*int64(o.Rate) + int64(d%time.Second)*int64(o.Rate)/int64(time.Second)
	return o.base + uint32(ticks) //nolint:gosec // the wrap is the point
}

// Sequence is the number of the next packet.
func (o *Outbound) Sequence() uint16 { return o.seq }

// share has C code send packets of the stream too.
func (o *Outbound) share(s *transport.Shared, now time.Time) {
	var head [HeaderSize]byte
	(&Packet{PayloadType: o.PayloadType, SSRC: o.SSRC}).PutHeader(head[:])
	s.Number(head, o.Now(now), o.Rate, o.seq)
	o.shared = s
}

// Next writes the header of the next packet into h.
func (o *Outbound) Next(h []byte, ts uint32, marker bool, payload int) {
	o.packets.Add(1)
	if o.shared != nil {
		o.seq = o.shared.NextSequence(payload)
	} else {
		o.octets.Add(uint64(payload)) //nolint:gosec // not negative
	}
	p := Packet{Marker: marker, PayloadType: o.PayloadType, Sequence: o.seq, Timestamp: ts, SSRC: o.SSRC}
	p.PutHeader(h)
	o.seq++
}

// TakeBack forgets the last packets, which did not go out.
func (o *Outbound) TakeBack(packets, payload int) {
	o.seq -= uint16(packets)                        //nolint:gosec // it wraps
	o.packets.Add(^uint64(0) - uint64(packets) + 1) //nolint:gosec // subtracts
	o.octets.Add(^uint64(0) - uint64(payload) + 1)  //nolint:gosec // subtracts
}

// Sent is what went out: packets and payload bytes.
func (o *Outbound) Sent() (packets, octets uint64) {
	packets, octets = o.packets.Load(), o.octets.Load()
	if o.shared != nil {
		packets, octets = packets+o.shared.Sent(), octets+o.shared.Octets()
	}
	return packets, octets
}

// Reports is how many sender reports were made.
func (o *Outbound) Reports() uint64 { return o.srSent.Load() }

// Report makes a sender report with a source description (RFC 3550 §6.4.1).
// ts is the stream's time stamp at now.
func (o *Outbound) Report(cname string, now time.Time, ts uint32) []byte {
	packets, octets := o.Sent()
	b, err := rtcp.Marshal([]rtcp.Packet{
		&rtcp.SenderReport{
			SSRC: o.SSRC, NTPTime: NTP(now), RTPTime: ts,
			PacketCount: uint32(packets), OctetCount: uint32(octets), //nolint:gosec // they wrap
		},
		describe(o.SSRC, cname),
	})
	if err != nil {
		return nil
	}
	o.srSent.Add(1)
	return b
}

// Bye makes a report that ends the stream (RFC 3550 §6.6).
func (o *Outbound) Bye(cname string, now time.Time, ts uint32) []byte {
	b, err := rtcp.Marshal([]rtcp.Packet{
		&rtcp.SenderReport{
			SSRC: o.SSRC, NTPTime: NTP(now), RTPTime: ts,
			PacketCount: uint32(o.packets.Load()), OctetCount: uint32(o.octets.Load()), //nolint:gosec // they wrap
		},
		describe(o.SSRC, cname),
		&rtcp.Goodbye{Sources: []uint32{o.SSRC}},
	})
	if err != nil {
		return nil
	}
	return b
}
