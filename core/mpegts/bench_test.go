package mpegts_test

import (
	"os"
	"testing"
	"time"

	"github.com/tstrans/tstrans/core/mpegts"
	"github.com/tstrans/tstrans/core/tsterr"
)

func BenchmarkReaderFile(b *testing.B) {
	path := os.Getenv("TSTRANS_BENCH_FILE")
	st, err := os.Stat(path)
	if err != nil {
		b.Skip("TSTRANS_BENCH_FILE names no file")
	}
	b.SetBytes(st.Size())
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
