package mpegts

import (
	"time"

	"github.com/tstrans/tstrans/core/clock"
)

// maxPCRStep is the largest step of a clock reference that is waited for;
// beyond it, and backwards, the stream's clock counts as begun anew.
const maxPCRStep = 2 * clock.PCRRate

// Pacer says when the packets of a recorded transport stream are due, by the
// clock references of the first PID that has some (ISO/IEC 13818-1 §2.4.2.2).
type Pacer struct {
	pid   int // -1 before the first reference
	begun bool
	last  int64     // the last reference, in 27 MHz ticks
	due   time.Time // when it was due
}

// NewPacer makes a pacer for one stream.
func NewPacer() *Pacer { return &Pacer{pid: -1} }

// Next gives how many bytes of ts, whole packets, are due at now, and how long
// the rest has to wait.
func (p *Pacer) Next(ts []byte, now time.Time) (n int, wait time.Duration) {
	for at := 0; at+PacketSize <= len(ts); at += PacketSize {
		pkt := ts[at : at+PacketSize]
		// adaptation_field_control with a field of at least 7 bytes and PCR_flag
		if pkt[0] != 0x47 || pkt[3]&0x20 == 0 || pkt[4] < 7 || pkt[5]&0x10 == 0 {
			continue
		}
		pid := int(pkt[1]&0x1F)<<8 | int(pkt[2])
		if p.pid < 0 {
			p.pid = pid
		}
		if pid != p.pid {
			continue
		}
		base := int64(pkt[6])<<25 | int64(pkt[7])<<17 | int64(pkt[8])<<9 | int64(pkt[9])<<1 | int64(pkt[10]>>7)
		pcr := base*300 + int64(pkt[10]&1)<<8 + int64(pkt[11])
		step := clock.DiffPCR(p.last, pcr)
		if !p.begun || step < 0 || step > maxPCRStep {
			p.begun, p.last, p.due = true, pcr, now
			continue
		}
		due := p.due.Add(time.Duration(step) * 1000 / 27)
		if d := due.Sub(now); d > 0 {
			return at, d
		}
		p.last, p.due = pcr, due
	}
	return len(ts) / PacketSize * PacketSize, 0
}
