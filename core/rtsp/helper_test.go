package rtsp

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/tstrans/tstrans/core/mpegts"
	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
)

// patience bounds every wait of the tests; what is waited for comes at once.
const patience = 30 * time.Second

func program(classes ...mpegts.MuxClass) mpegts.MuxProgram {
	p := mpegts.MuxProgram{Number: 1, PMTPID: 0x1000}
	for i, c := range classes {
		s := mpegts.MuxStream{PID: 0x100 + uint16(i), Class: c} //nolint:gosec // few
		switch c {
		case mpegts.MuxVideo:
			s.Codec = mpegts.CodecH264
		case mpegts.MuxAudio:
			s.Codec = mpegts.CodecAAC
		case mpegts.MuxKLV:
			s.CarriesPTS = true
		case mpegts.MuxSubtitle, mpegts.MuxData:
		}
		p.Streams = append(p.Streams, s)
	}
	return p
}

func start(t testing.TB, cfg ServerConfig) *Server {
	t.Helper()
	if cfg.BindAddr == "" {
		cfg.BindAddr = "127.0.0.1:0"
	}
	s, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func (s *Server) url(path string) string { return fmt.Sprintf("rtsp://%v%s", s.Addr(), path) }

func dial(t testing.TB, cfg ClientConfig) *Session {
	t.Helper()
	s, err := Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func take(t testing.TB, s *Session) *Stream {
	t.Helper()
	st, err := s.Take()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	return st
}

// picture i is a key frame that bears its number.
func picture(i, size int) []byte {
	b := []byte{0, 0, 0, 1, 0x67, 0x42, 0, 0x1E, 0x8D, 0x68, 0x50, 0, 0, 0, 1, 0x68, 0xCE, 0x38, 0x80, 0, 0, 0, 1, 0x65}
	b = append(b, fmt.Sprintf("picture %08d ", i)...)
	return append(b, bytes.Repeat([]byte{0x88}, size)...)
}

func metadata(i, size int) []byte {
	b := append([]byte("\x06\x0e\x2b\x34\x02\x0b\x01\x01\x0e\x01\x03\x01\x01\x00\x00\x00"), 0x82, byte(size>>8), byte(size)) //nolint:gosec // sixteen bits
	b = append(b, make([]byte, size)...)
	binary.BigEndian.PutUint32(b[19:], uint32(i)) //nolint:gosec // small
	return b
}

// sample is an event of a demuxer.
type sample struct {
	typ     mpegts.EventType
	codec   mpegts.Codec
	pts     int64
	payload []byte
}

// collect demultiplexes a data plane until enough says so.
func collect(t testing.TB, r transport.Reader, enough func(got []sample) bool) (got []sample) {
	t.Helper()
	d, err := mpegts.NewDemuxer(mpegts.DemuxerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	arena, spans := make([]byte, 1<<20), make([]transport.Span, 64)
	recs, out := make([]mpegts.Record, 256), make([]byte, 1<<20)
	drain := func() {
		for {
			n, _, chunk, _ := d.Read(recs, out)
			if n == 0 {
				return
			}
			for _, r := range recs[:n] {
				b := make([]byte, r.PayloadLen)
				if r.Flags&mpegts.FlagLazy != 0 {
					if _, err := chunk.Gather(b, r.Payload); err != nil {
						t.Fatal(err)
					}
				} else {
					copy(b, out[r.Payload:])
				}
				got = append(got, sample{r.Type, r.Codec, r.PTS, b})
			}
			if chunk != nil {
				chunk.Release()
			}
		}
	}
	end := time.Now().Add(patience)
	for !enough(got) {
		n, err := r.ReadBatch(arena, spans, time.Second)
		switch tsterr.KindOf(err) { //nolint:exhaustive // the rest is a failure
		case tsterr.OK:
		case tsterr.EOS:
			d.Flush()
			drain()
			return got
		case tsterr.Timeout:
			if time.Now().After(end) {
				t.Fatalf("not enough after %v: %d events", patience, len(got))
			}
			continue
		default:
			t.Fatal(err)
		}
		for _, s := range spans[:n] {
			if err := d.Feed(arena[s.Off : s.Off+s.Len]); err != nil {
				t.Fatal(err)
			}
		}
		drain()
	}
	return got
}

func only(got []sample, typ mpegts.EventType) (out []sample) {
	for _, s := range got {
		if s.typ == typ {
			out = append(out, s)
		}
	}
	return out
}

// count tells collect to stop at n samples of a type.
func count(typ mpegts.EventType, n int) func([]sample) bool {
	return func(got []sample) bool { return len(only(got, typ)) >= n }
}

// pump pushes pictures until the test ends.
func pump(t testing.TB, m *Mount, size int, klv bool) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
			if err := m.PushVideo(Only, picture(i, size), mpegts.VideoPush{PTS: int64(i) * 900, KeyFrame: true}); err != nil {
				t.Error(err)
				return
			}
			if klv {
				if err := m.PushKLV(Only, metadata(i, 100), int64(i)*900, 0); err != nil {
					t.Error(err)
					return
				}
			}
		}
	}()
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			cancel()
			<-done
		}
	}
	t.Cleanup(stop)
	return stop
}

func await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// freeGroup is a group of this process alone on a port that was free: tests of
// other processes do not send to it.
func freeGroup(t testing.TB) MulticastConfig {
	t.Helper()
	p, err := listenPair(t.Context(), netip.IPv4Unspecified(), netip.Addr{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	pid := os.Getpid()
	return MulticastConfig{
		Group: netip.AddrFrom4([4]byte{239, 255, byte(pid >> 8), byte(pid)}), //nolint:gosec // of a number
		Port:  p.rtp.LocalAddr().Port(), TTL: 1,
	}
}

func mustAddr(s string) netip.Addr { return netip.MustParseAddr(s) }
