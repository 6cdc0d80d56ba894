package mpegts_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/tstrans/tstrans/core/mpegts"
	"github.com/tstrans/tstrans/core/mpegts/descriptor"
	"github.com/tstrans/tstrans/core/tsterr"
)

// What decodes must encode again, and decode equal.

func FuzzPacket(f *testing.F) {
	f.Add(packet(videoPID, 3, true, []byte{0x50, 0, 0, 0, 0, 0x7E, 0}, []byte{1, 2, 3}))
	f.Add(packet(videoPID, 3, true, []byte{0xFF, 0, 0, 0, 0, 0x7E, 0, 0, 0, 0, 0, 0x7E, 0, 5, 2, 1, 2, 1, 0}, nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		var h mpegts.Header
		n, err := h.Unmarshal(b)
		if err != nil {
			return
		}
		out := make([]byte, h.MarshalSize())
		if _, err = h.MarshalTo(out); err != nil || !bytes.Equal(out, b[:n]) {
			t.Fatalf("%x %x %v", out, b[:n], err)
		}
		var a, again mpegts.AdaptationField
		n, err = a.Unmarshal(b[n:])
		if err != nil || n > mpegts.MaxPayload {
			return
		}
		out = make([]byte, a.MarshalSize())
		if k, err := a.MarshalTo(out); err != nil || k != n {
			t.Fatalf("%+v: %d bytes of %d: %v", a, k, n, err)
		}
		if k, err := again.Unmarshal(out); err != nil || k != n || a.PCRBase != again.PCRBase || a.PCRExtension != again.PCRExtension ||
			a.HasOPCR != again.HasOPCR || !bytes.Equal(a.PrivateData, again.PrivateData) || !bytes.Equal(a.Extension, again.Extension) {
			t.Fatalf("%+v %+v %v", a, again, err)
		}
	})
}

func FuzzSection(f *testing.F) {
	f.Add(pat(3, mpegts.PATEntry{ProgramNumber: 1, PID: 0x100}, mpegts.PATEntry{ProgramNumber: 0, PID: 0x10}))
	f.Add(pmt(1, 4, 0x101, h264(), asyncKLV()))
	f.Fuzz(func(t *testing.T, b []byte) {
		var p, p2 mpegts.PAT
		if n, err := p.Unmarshal(b); err == nil {
			out := make([]byte, p.MarshalSize())
			if _, err := p.MarshalTo(out); err != nil || len(out) > n {
				t.Fatal(err, len(out), n)
			}
			if _, err := p2.Unmarshal(out); err != nil || len(p2.Programs) != len(p.Programs) || mpegts.CRC32(out) != 0 {
				t.Fatal(err)
			}
		}
		var m, m2 mpegts.PMT
		if n, err := m.Unmarshal(b); err == nil {
			out := make([]byte, m.MarshalSize())
			if _, err := m.MarshalTo(out); err != nil || len(out) != n {
				t.Fatal(err, len(out), n)
			}
			if _, err := m2.Unmarshal(out); err != nil || len(m2.Streams) != len(m.Streams) || m2.PCRPID != m.PCRPID {
				t.Fatal(err)
			}
		}
	})
}

func FuzzDescriptor(f *testing.F) {
	f.Add([]byte{5, 4, 'K', 'L', 'V', 'A'})
	f.Add([]byte{0x26, 11, 1, 0, 0xFF, 'K', 'L', 'V', 'A', 0, 0x0F, 1, 1})
	f.Add([]byte{0x27, 9, 0xC0, 0, 1, 0xC0, 0, 2, 0xC0, 0, 3})
	f.Add([]byte{0x0A, 4, 'e', 'n', 'g', 0})
	f.Add([]byte{0x59, 8, 'e', 'n', 'g', 0x10, 0, 1, 0, 2})
	f.Add([]byte{0x56, 5, 'e', 'n', 'g', 9, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, d := range []interface {
			Unmarshal(b []byte) (int, error)
			MarshalSize() int
			MarshalTo(b []byte) (int, error)
		}{
			&descriptor.Registration{}, &descriptor.Metadata{}, &descriptor.MetadataSTD{},
			&descriptor.ISO639Language{}, &descriptor.Subtitling{}, &descriptor.Teletext{},
		} {
			if _, err := d.Unmarshal(b); err != nil {
				continue
			}
			out := make([]byte, d.MarshalSize())
			if n, err := d.MarshalTo(out); err != nil || n != len(out) {
				t.Fatalf("%+v: %v", d, err)
			}
			twice := make([]byte, len(out))
			if _, err := d.Unmarshal(out); err != nil {
				t.Fatal(err)
			}
			if _, err := d.MarshalTo(twice); err != nil || !bytes.Equal(out, twice) {
				t.Fatalf("%x %x %v", out, twice, err)
			}
		}
		if descriptor.ValidLoop(b) {
			n := 0
			for d, rest, ok := descriptor.Next(b); ok; d, rest, ok = descriptor.Next(rest) {
				n += d.MarshalSize()
			}
			if n != len(b) {
				t.Fatal(n, len(b))
			}
		}
		mpegts.Classify(6, b)
	})
}

func FuzzPESHeader(f *testing.F) {
	f.Add(pesPacket(0xE0, 90000, 0, []byte{1}))
	f.Add([]byte{0, 0, 1, 0xBF, 0, 1, 9})
	f.Fuzz(func(t *testing.T, b []byte) {
		var h, h2 mpegts.PESHeader
		n, err := h.Unmarshal(b)
		if err != nil {
			return
		}
		out := make([]byte, h.MarshalSize())
		if k, err := h.MarshalTo(out); err != nil || k != n {
			t.Fatalf("%+v: %d of %d: %v", h, k, n, err)
		}
		if _, err := h2.Unmarshal(out); err != nil || h2 != h {
			t.Fatalf("%+v %+v %v", h, h2, err)
		}
	})
}

func FuzzAUCell(f *testing.F) {
	f.Add(join(cell(0, mpegts.CellFirst, []byte{1}), cell(1, mpegts.CellLast, []byte{2})), int64(1<<20))
	f.Add(join(cell(0, mpegts.CellMiddle, record(3)), cell(1, mpegts.CellComplete, record(9))), int64(10))
	f.Fuzz(func(t *testing.T, b []byte, limit int64) {
		var c, c2 mpegts.AUCell
		if n, err := c.Unmarshal(b); err == nil {
			out := make([]byte, n)
			if _, err := c.MarshalTo(out); err != nil {
				t.Fatal(err)
			}
			if _, err := c2.Unmarshal(out); err != nil || c2 != c {
				t.Fatalf("%+v %+v", c, c2)
			}
		}
		// As the payload of a stream of cells: never more bytes out than in.
		if len(b) > 60000 || limit < 1 {
			return
		}
		data := join(tables(0, h264(), syncKLV()), carry(otherPID, 0, nil, pesPacket(0xFC, 1, -1, b)))
		total := 0
		for _, e := range demux(t, mpegts.DemuxerConfig{AUCellCapPerPID: limit}, data) {
			total += len(e.payload) * b2i(e.Type == mpegts.EventKLV)
		}
		if total > len(b) {
			t.Fatal(total, len(b))
		}
	})
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// The demuxer as a whole: fed whole or cut by the second argument's choice it
// gives the same events, and payload bytes are bounded by what came in.
func FuzzDemuxer(f *testing.F) {
	for _, data := range corpus(f) {
		f.Add(data[:min(len(data), 12*188)], uint64(1))
	}
	f.Add(join(make([]byte, 10), tables(0, h264()), picture(0, 1), picture(1, 2), picture(2, 3)), uint64(2))
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		rnd := rand.New(rand.NewPCG(seed, 0))
		cfg := mpegts.DemuxerConfig{
			NoCFITolerance: seed&1 != 0, LenientPSIReassembly: seed&2 != 0, UnwrapTimestamps: seed&4 != 0,
		}
		if seed&8 != 0 {
			cfg.HoldBeforePMT = 2000
		}
		if seed&16 != 0 {
			cfg.PESCapPerPID, cfg.PESCapTotal = 500, 900
		}
		run := func(whole bool) []event {
			d := newDemuxer(t, cfg)
			for rest := data; len(rest) > 0; {
				n := len(rest)
				if !whole {
					n = min(n, 1+rnd.IntN(400))
				}
				if err := d.Feed(rest[:n]); err != nil && tsterr.KindOf(err) != tsterr.DemuxUnrecoverable {
					t.Fatal(err)
				}
				rest = rest[n:]
			}
			d.Flush()
			return drain(t, d)
		}
		whole := run(true)
		if diff := same(whole, run(false)); diff != "" {
			t.Fatal(diff)
		}
		total := 0
		for _, e := range whole {
			if e.Type != mpegts.EventProgramMap {
				total += len(e.payload)
			}
		}
		if total > len(data) {
			t.Fatal(total, len(data))
		}
	})
}
