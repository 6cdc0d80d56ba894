package rtsp

import (
	"bufio"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tstrans/tstrans/core/internal/leak"
	"github.com/tstrans/tstrans/core/tsterr"
)

// Clients that send their requests, frames or bodies a byte at a time are cut
// off after the time for a message, and keep nobody else waiting.
func TestSlowRequests(t *testing.T) {
	leak.Check(t)
	const message = 300 * time.Millisecond
	s, _ := liveServer(t, ServerConfig{MessageTimeout: message, SessionTimeout: time.Minute, MaxSessions: 100})
	var wg sync.WaitGroup
	for _, begin := range []string{
		"OPTIONS * RTSP/1.0\r\nX: ",
		"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 100000\r\n\r\n",
		"$\x00\xff\xff",
		"O",
	} {
		for range 10 {
			c := rawDial(t, s)
			wg.Add(1)
			go func() {
				defer wg.Done()
				begun := time.Now()
				_, err := io.WriteString(c.c, begin)
				for err == nil && time.Since(begun) < patience {
					time.Sleep(message / 20)
					_, err = io.WriteString(c.c, "x")
				}
				if took := time.Since(begun); took > message+5*time.Second {
					t.Errorf("%q: cut off after %v", begin, took)
				}
			}()
		}
	}
	for range 20 { // meanwhile
		begun := time.Now()
		if code, _, _ := rawDial(t, s).ask("DESCRIBE " + s.url("/live") + " RTSP/1.0\nCSeq: 1"); code != 200 {
			t.Error(code)
		}
		if took := time.Since(begun); took > 2*time.Second {
			t.Errorf("an answer took %v", took)
		}
	}
	wg.Wait()
}

// A client gets an error within its time from servers that answer without end,
// beyond all measure, slowly or with something else.
func TestHostileServers(t *testing.T) {
	leak.Check(t)
	for name, answer := range map[string]func(w io.Writer){
		"long status":     func(w io.Writer) { _, _ = io.WriteString(w, "RTSP/1.0 200 "+strings.Repeat("A", 1<<20)) },
		"long header":     func(w io.Writer) { _, _ = io.WriteString(w, "RTSP/1.0 200 OK\r\nX: "+strings.Repeat("A", 1<<20)) },
		"endless headers": func(w io.Writer) { _, _ = io.WriteString(w, "RTSP/1.0 200 OK\r\n"+strings.Repeat("X: y\r\n", 1<<16)) },
		"huge body": func(w io.Writer) {
			_, _ = io.WriteString(w, "RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 999999999\r\n\r\n")
		},
		"binary":           func(w io.Writer) { _, _ = io.WriteString(w, strings.Repeat("\x00\xff", 1000)) },
		"another protocol": func(w io.Writer) { _, _ = io.WriteString(w, "HTTP/1.1 200 OK\r\n\r\n") },
		"silence":          func(io.Writer) {},
		"slowness": func(w io.Writer) {
			_, err := io.WriteString(w, "RTSP/1.0 200 OK\r\nX: ")
			for begun := time.Now(); err == nil && time.Since(begun) < patience; time.Sleep(20 * time.Millisecond) {
				_, err = io.WriteString(w, "y")
			}
		},
		"endless frames": func(w io.Writer) {
			var err error
			for begun := time.Now(); err == nil && time.Since(begun) < patience; {
				_, err = io.WriteString(w, strings.Repeat("$\x00\x00\x04abcd", 1000))
			}
		},
	} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		wg.Add(1)
		go func() {
			defer wg.Done()
			c, acceptErr := l.Accept()
			if acceptErr != nil {
				return
			}
			defer func() { _ = c.Close() }()
			_, _ = bufio.NewReader(c).ReadString('\n')
			go func() { _, _ = io.Copy(io.Discard, c) }()
			answer(c)
			_, _ = io.Copy(io.Discard, c) // until the client gives up
		}()
		begun := time.Now()
		_, err = Dial(t.Context(), ClientConfig{URL: "rtsp://" + l.Addr().String() + "/x", Timeout: 300 * time.Millisecond})
		switch k := tsterr.KindOf(err); k { //nolint:exhaustive // the rest is wrong
		case tsterr.RTSPProtocol, tsterr.RTSPTimeout, tsterr.RTSPIO:
		default:
			t.Errorf("%s: %v (kind %d)", name, err, k)
		}
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("%s: an error after %v", name, took)
		}
		_ = l.Close()
		wg.Wait()
	}
}
