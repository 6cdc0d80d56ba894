package srt

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	gosrt "github.com/datarhei/gosrt"

	"github.com/tstrans/tstrans/core/transport"
)

// gosrt is written without libsrt: what the two agree on is the protocol.

func peerConfig(passphrase string, keylen int) gosrt.Config {
	c := gosrt.DefaultConfig()
	c.ReceiverLatency, c.PeerLatency = 120*time.Millisecond, 120*time.Millisecond
	c.Passphrase, c.PBKeylen = passphrase, keylen
	c.StreamId = "from-gosrt"
	return c
}

// TestIndependentPeer moves 500 messages each way at 20 Mb/s, or with TSTRANS_SOAK a minute of them.
func TestIndependentPeer(t *testing.T) {
	n := 500
	if os.Getenv("TSTRANS_SOAK") != "" {
		n = 114_000
	}
	// 20 Mb/s, with a rest after each message also where time is to be made up: gosrt's receive queue is short.
	pace := func(begun time.Time, i int) {
		time.Sleep(max(100*time.Microsecond, time.Until(begun.Add(time.Duration(i)*526*time.Microsecond))))
	}
	for _, c := range []struct {
		name, query, passphrase string
		keylen                  int
	}{
		{"plain", "", "", 16},
		{"encrypted", "&passphrase=correct-horse&pbkeylen=32", "correct-horse", 32},
	} {
		t.Run("to gosrt, "+c.name, func(t *testing.T) {
			l, err := gosrt.Listen("srt", "127.0.0.1:0", peerConfig(c.passphrase, c.keylen))
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			var wg sync.WaitGroup
			defer wg.Wait()
			wg.Go(func() {
				req, peerErr := l.Accept2()
				if peerErr != nil {
					t.Error(peerErr)
					return
				}
				if c.passphrase != "" {
					if peerErr = req.SetPassphrase(c.passphrase); peerErr != nil {
						t.Error(peerErr)
					}
				}
				conn, peerErr := req.Accept()
				if peerErr != nil {
					t.Error(peerErr)
					return
				}
				defer func() { _ = conn.Close() }()
				buf := make([]byte, 2048)
				for i := range n {
					k, readErr := conn.Read(buf)
					if readErr != nil || !bytes.Equal(buf[:k], message(i)) {
						t.Errorf("message %d: %d bytes, %v", i, k, readErr)
						return
					}
				}
			})
			port := l.Addr().String()[len("127.0.0.1:"):]
			a, err := Dial(context.Background(), config(t, "srt://127.0.0.1:"+port+"?streamid=x"+c.query))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = a.Close() }()
			begun := time.Now()
			for i := range n {
				if _, err := a.WriteBatch(message(i), whole(message(i)), time.Second); err != nil {
					t.Fatal(err)
				}
				pace(begun, i)
			}
			wg.Wait()
		})
		t.Run("from gosrt, "+c.name, func(t *testing.T) {
			l := listener(t, c.query)
			conn, err := gosrt.Dial("srt", fmt.Sprintf("127.0.0.1:%d", l.LocalAddr().Port()), peerConfig(c.passphrase, c.keylen))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			b, err := l.Accept(10 * time.Second)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = b.Close() }()
			if b.StreamID() != "from-gosrt" {
				t.Errorf("stream id %q", b.StreamID())
			}
			go func() {
				begun := time.Now()
				for i := range n {
					if _, err := conn.Write(message(i)); err != nil {
						return
					}
					pace(begun, i)
				}
			}()
			arena, spans := make([]byte, 1<<16), make([]transport.Span, 64)
			for got := 0; got < n; {
				k, err := b.ReadBatch(arena, spans, 10*time.Second)
				if err != nil {
					t.Fatalf("after %d: %v", got, err)
				}
				for _, s := range spans[:k] {
					if !bytes.Equal(arena[s.Off:s.Off+s.Len], message(got)) {
						t.Fatalf("message %d differs", got)
					}
					got++
				}
			}
		})
	}
}
