package webrtc

import (
	"encoding/binary"
	"math"
)

// silence is the level of no sound at all, in -dBov (RFC 6465).
const silence = 127

// audioLevel measures native signed samples of 16 bits: the root of their mean square
// over the largest there is, in -dBov from 0 to 127 (RFC 6465 appendix A).
func audioLevel(pcm []byte) int {
	n := len(pcm) / 2
	if n == 0 {
		return silence
	}
	sum := 0.0
	for i := range n {
		v := float64(int16(binary.NativeEndian.Uint16(pcm[2*i:]))) //nolint:gosec // a signed sample
		sum += v * v
	}
	if sum == 0 {
		return silence
	}
	db := -10 * math.Log10(sum/float64(n)/(math.MaxInt16*math.MaxInt16))
	return int(math.Round(min(max(db, 0), silence)))
}

// SetAudioLevel measures samples, and what is sent next says how loud it is, where
// that was negotiated (RFC 6464).
func (p *Peer) SetAudioLevel(n uint64, pcm []byte) error {
	p.mu.Lock()
	tr, err := p.transceiver(n)
	p.mu.Unlock()
	if err != nil {
		return err
	}
	level := audioLevel(pcm)
	tr.sender.mu.Lock()
	tr.sender.level = level
	tr.sender.mu.Unlock()
	return nil
}
