package mpegts_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/tstrans/tstrans/core/mpegts"
)

func TestPacerFollowsTheClockReferences(t *testing.T) {
	t.Parallel()
	m, err := mpegts.NewMuxer(mpegts.NewMuxConfig(program(mpegts.MuxStream{PID: 0x200, Class: mpegts.MuxVideo, Codec: mpegts.CodecH264})))
	if err != nil {
		t.Fatal(err)
	}
	// A second of pictures over the wrap of 33 bits, then the same again.
	ts := make([]byte, 0, 51*4000)
	for i := range 51 {
		at := int64(1)<<33 - 45_000 + int64(i%26)*3600
		if err := m.PushVideo(append([]byte{0, 0, 0, 1, 0x65}, bytes.Repeat([]byte{0x88}, 3000)...), mpegts.VideoPush{PTS: at, KeyFrame: true}); err != nil {
			t.Fatal(err)
		}
		ts = append(ts, m.Pending()...)
		m.Discard(len(m.Pending()))
	}
	p := mpegts.NewPacer()
	now := time.Unix(1_700_000_000, 0)
	begun, sent, waits := now, 0, 0
	for sent < len(ts) {
		n, wait := p.Next(ts[sent:], now)
		if n%mpegts.PacketSize != 0 || (n < len(ts)-sent) != (wait > 0) {
			t.Fatal(n, wait)
		}
		sent += n
		now = now.Add(wait)
		if wait > 0 {
			waits++
		}
	}
	if took := now.Sub(begun); took < 1900*time.Millisecond || took > 2100*time.Millisecond || waits < 40 {
		t.Errorf("two seconds took %v in %d waits", took, waits)
	}
	if n, wait := p.Next(make([]byte, 300), now); n != mpegts.PacketSize || wait != 0 {
		t.Error(n, wait)
	}
}
