package mpegts_test

import (
	"io"
	"os"
	"testing"
	"time"

	"github.com/tstrans/tstrans/core/mpegts"
	"github.com/tstrans/tstrans/core/tsterr"
)

// benchStream is 8 MB of one video and one KLV stream, 100 kB pictures, so that
// the benchmarks run without any file. TSTRANS_BENCH_FILE names a real one.
func benchStream(b *testing.B) []byte {
	b.Helper()
	if path := os.Getenv("TSTRANS_BENCH_FILE"); path != "" {
		data, err := os.ReadFile(path)
		if err != nil {
			b.Fatal(err)
		}
		return data
	}
	data := tables(0, h264(), syncKLV())
	vcc, kcc := 0, 0
	for i := range int64(80) {
		p := carry(videoPID, vcc, pcrField(i*1_080_000, 0x10), pesPacket(0xE0, i*3600, 0, make([]byte, 100_000)))
		vcc += len(p) / mpegts.PacketSize
		data = append(data, p...)
		for range 4 {
			data = append(data, carry(otherPID, kcc, nil, pesPacket(0xFC, i*3600, -1, cell(byte(kcc), mpegts.CellComplete, record(120))))...)
			kcc++
		}
	}
	return data
}

// drainBench takes all events out and drops them.
func drainBench(d *mpegts.Demuxer, recs []mpegts.Record, arena []byte) {
	for {
		n, _, chunk, _ := d.Read(recs, arena)
		if chunk != nil {
			chunk.Release()
		}
		if n == 0 {
			return
		}
	}
}

// Feeding in steady state: allocations are those of a chunk, none a packet.
func BenchmarkFeed(b *testing.B) {
	data := benchStream(b)
	d, err := mpegts.NewDemuxer(mpegts.DemuxerConfig{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	recs, arena := make([]mpegts.Record, 1024), make([]byte, 1<<20)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		for rest := data; len(rest) > 0; {
			n := min(len(rest), 64<<10)
			if err := d.Feed(rest[:n]); err != nil {
				b.Fatal(err)
			}
			rest = rest[n:]
			drainBench(d, recs, arena)
		}
	}
}

// The same, with every payload gathered.
func BenchmarkFeedGather(b *testing.B) {
	data := benchStream(b)
	d, err := mpegts.NewDemuxer(mpegts.DemuxerConfig{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	recs, arena, out := make([]mpegts.Record, 1024), make([]byte, 1<<20), make([]byte, 4<<20)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		for rest := data; len(rest) > 0; {
			n := min(len(rest), 64<<10)
			if err := d.Feed(rest[:n]); err != nil {
				b.Fatal(err)
			}
			rest = rest[n:]
			for {
				n, _, chunk, _ := d.Read(recs, arena)
				if n == 0 {
					break
				}
				for i := range recs[:n] {
					if recs[i].Flags&mpegts.FlagLazy != 0 {
						if _, err := chunk.Gather(out, recs[i].Payload); err != nil {
							b.Fatal(err)
						}
					}
				}
				if chunk != nil {
					chunk.Release()
				}
			}
		}
	}
}

// What the machine can do: the same bytes copied once.
func BenchmarkMemcpy(b *testing.B) {
	data := benchStream(b)
	to := make([]byte, 512<<10)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		for rest := data; len(rest) > 0; {
			rest = rest[copy(to, rest):]
		}
	}
}

func benchFile(b *testing.B) string {
	b.Helper()
	path := os.Getenv("TSTRANS_BENCH_FILE")
	if path == "" {
		path = b.TempDir() + "/bench.ts"
		if err := os.WriteFile(path, benchStream(b), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	st, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(st.Size())
	return path
}

// A file from opening to its last event.
func BenchmarkReader(b *testing.B) {
	path := benchFile(b)
	b.ReportAllocs()
	recs, arena := make([]mpegts.Record, 1024), make([]byte, 1<<20)
	for b.Loop() {
		r, err := mpegts.OpenReader(path, mpegts.DemuxerConfig{})
		if err != nil {
			b.Fatal(err)
		}
		for {
			_, _, chunk, _, err := r.Read(recs, arena, -time.Second)
			if chunk != nil {
				chunk.Release()
			}
			if err != nil {
				if tsterr.KindOf(err) != tsterr.EOS {
					b.Fatal(err)
				}
				break
			}
		}
		if err := r.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// What the machine can do: the same file read once, in order.
func BenchmarkPlainRead(b *testing.B) {
	path := benchFile(b)
	buf := make([]byte, 256<<10)
	for b.Loop() {
		f, err := os.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		for {
			if _, err := f.Read(buf); err != nil {
				if err != io.EOF { //nolint:errorlint // os.File returns io.EOF itself
					b.Fatal(err)
				}
				break
			}
		}
		if err := f.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
