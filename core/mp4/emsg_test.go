package mp4

import (
	"bytes"
	"testing"

	"github.com/Eyevinn/mp4ff/mp4"
)

var casesEmsg = []EventMessage{
	{Version: 0, SchemeURI: "urn:scte:scte35:2013:bin", Value: "1", Timescale: 90_000, Time: 45_000, Duration: 0, ID: 7, Data: []byte{0xFC, 1}},
	{
		Version: 1, SchemeURI: "urn:misb:KLV:bin:1910.1", Value: "KLV0:01FC", Timescale: 90_000, Time: 1 << 40, Duration: UnknownDuration,
		ID: 9, Data: []byte("\x06\x0e\x2b\x34"),
	},
	{Version: 1, Timescale: 1},
}

// TestEmsg compares with the boxes of another implementation.
func TestEmsg(t *testing.T) {
	for i, c := range casesEmsg {
		got := c.Append(nil)
		other := &mp4.EmsgBox{
			Version: c.Version, SchemeIDURI: c.SchemeURI, Value: c.Value, TimeScale: c.Timescale, EventDuration: c.Duration,
			ID: c.ID, MessageData: c.Data,
		}
		if c.Version == 0 {
			other.PresentationTimeDelta = uint32(c.Time)
		} else {
			other.PresentationTime = c.Time
		}
		if want := encodeBox(other); !bytes.Equal(got, want) || len(got) != c.MarshalSize() {
			t.Errorf("%d: % x, wanted % x", i, got, want)
		}
		var e EventMessage
		if n, err := e.Unmarshal(append(got, 1, 2, 3)); err != nil || n != len(got) || !bytes.Equal(e.Append(nil), got) {
			t.Errorf("%d: %d, %v, %+v", i, n, err, e)
		}
		for k := range got {
			if _, err := e.Unmarshal(got[:k]); err == nil {
				t.Errorf("%d: cut at %d is taken", i, k)
			}
		}
	}
}

// FuzzEmsg: what is read is written back the same.
func FuzzEmsg(f *testing.F) {
	for _, c := range casesEmsg {
		f.Add(c.Append(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var e EventMessage
		n, err := e.Unmarshal(b)
		if err != nil {
			return
		}
		got := e.Append(nil)
		want := bytes.Clone(b[:n])
		copy(want[9:12], []byte{0, 0, 0}) // flags are not kept
		if !bytes.Equal(got, want) {
			t.Fatalf("% x became % x", want, got)
		}
	})
}
