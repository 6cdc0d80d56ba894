package mpegts_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/asticode/go-astits"

	"github.com/tstrans/tstrans/core/mpegts"
)

// astitsPES reads the PES of a stream with an independent demuxer.
func astitsPES(t *testing.T, data []byte) map[uint16][]*astits.PESData {
	t.Helper()
	d := astits.NewDemuxer(context.Background(), bytes.NewReader(data), astits.DemuxerOptPacketSize(mpegts.PacketSize))
	out := map[uint16][]*astits.PESData{}
	for {
		p, err := d.NextData()
		if errors.Is(err, astits.ErrNoMorePackets) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		if p.PES != nil {
			out[p.PID] = append(out[p.PID], p.PES)
		}
	}
}

// Payloads and time stamps of each PID are those that another implementation
// finds, in streams of ours and in captures.
func TestAgainstAstits(t *testing.T) {
	for name, data := range corpus(t) {
		switch name {
		case "tsduck-test-143.ts", "phpbg-18_mpegts_packets_with_adaptation_field.ts", "tsduck-test-109.ts", "tsduck-test-120.ts":
			continue // no intact PMT, or sections only
		}
		t.Run(name, func(t *testing.T) {
			want := astitsPES(t, data)
			got := map[uint16][]event{}
			for _, e := range demux(t, mpegts.DemuxerConfig{HoldBeforePMT: 4 << 20, SyncBufCap: 1 << 30}, data) {
				switch e.Type {
				case mpegts.EventVideo, mpegts.EventAudio:
					got[e.PID] = append(got[e.PID], e)
				}
			}
			compared, several := 0, false
			for pid, events := range got {
				w := want[pid]
				// The other one keeps a cut PES at the end, and one it entered in the middle.
				n := min(len(w), len(events))
				if n == 0 || len(w)-n > 1 || len(events)-n > 1 {
					t.Errorf("PID 0x%04X: %d PES, astits %d", pid, len(events), len(w))
					continue
				}
				several = several || n > 1
				for i := range n - 1 {
					h := w[i].Header.OptionalHeader
					if h == nil || h.PTS == nil {
						continue
					}
					compared++
					if !bytes.Equal(events[i].payload, w[i].Data) || events[i].PTS != h.PTS.Base {
						t.Fatalf("PID 0x%04X PES %d: %d bytes at %d, astits %d at %d", pid, i,
							len(events[i].payload), events[i].PTS, len(w[i].Data), h.PTS.Base)
					}
				}
			}
			if several && compared == 0 {
				t.Error("nothing was compared")
			}
		})
	}
}
