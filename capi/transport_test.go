package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/tstrans/tstrans/core/rist"
	"github.com/tstrans/tstrans/core/rtp"
	"github.com/tstrans/tstrans/core/tcp"
	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
	"github.com/tstrans/tstrans/core/udp"
)

func opened[C any, W transport.Writer](t testing.TB, url string, parse func(string) (C, error),
	dial func(context.Context, C) (W, error),
) transport.Writer {
	t.Helper()
	c, err := parse(url)
	if err != nil {
		t.Fatal(err)
	}
	w, err := dial(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

// TestOneSendAllocatesNothing sends single messages as tst_link_send does.
func TestOneSendAllocatesNothing(t *testing.T) {
	sink, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sink.Close() }()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	go func() {
		if c, err := l.Accept(); err == nil {
			_, _ = io.Copy(io.Discard, c)
			_ = c.Close()
		}
	}()
	port := sink.LocalAddr().(*net.UDPAddr).Port //nolint:forcetypeassert // a UDP socket
	writers := map[string]transport.Writer{
		"udp": opened(t, fmt.Sprintf("udp://127.0.0.1:%d", port), udp.ParseSenderURL, udp.Dial),
		"rtp": opened(t, fmt.Sprintf("rtp://127.0.0.1:%d", port), rtp.ParseSenderURL, rtp.Dial),
		"tcp": opened(t, "tcp://"+l.Addr().String(), tcp.ParseURL, tcp.Dial),
	}
	group := func(url string) (rist.Config, error) { return rist.ParseURL(url, false) } // nothing is held for a group
	if _, err := rist.LibraryVersion(); tsterr.KindOf(err) != tsterr.RISTFFI {
		writers["rist"] = opened(t, "rist://239.1.2.4:5000", group, rist.Dial)
	}
	for name, w := range writers {
		m := make([]byte, 1316-rtp.HeaderSize)
		if n := testing.AllocsPerRun(500, func() {
			if err := sendOne(w, m, transport.Forever); err != nil {
				t.Error(name, err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations a message", name, n)
		}
	}
}

func BenchmarkOneSend(b *testing.B) {
	sink, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = sink.Close() }()
	w, m := opened(b, "udp://"+sink.LocalAddr().String(), udp.ParseSenderURL, udp.Dial), make([]byte, 1316)
	b.SetBytes(1316)
	b.ReportAllocs()
	for b.Loop() {
		if err := sendOne(w, m, transport.Forever); err != nil {
			b.Fatal(err)
		}
	}
}
