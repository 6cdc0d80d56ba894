package rtsp

import (
	"bytes"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tstrans/tstrans/core/mpegts"
	"github.com/tstrans/tstrans/core/rtp"
	"github.com/tstrans/tstrans/core/transport"
)

const fuzzSDP = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\na=control:*\r\n" +
	"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1; sprop-parameter-sets=Z0IAHo1oUA==,aM44gA==\r\n" +
	"a=control:trackID=0\r\nm=audio 0 RTP/AVP 98\r\na=rtpmap:98 mpeg4-generic/48000/2\r\na=fmtp:98 config=1190; sizelength=13\r\n" +
	"m=application 0 RTP/AVP 97\r\na=rtpmap:97 SMPTE336M/90000\r\na=control:trackID=1\r\n"

// FuzzServer gives the server a connection's bytes.
func FuzzServer(f *testing.F) {
	const u = "rtsp://127.0.0.1/live"
	crlf := func(s string) []byte { return []byte(strings.ReplaceAll(s, "\n", "\r\n")) }
	f.Add(crlf("OPTIONS * RTSP/1.0\nCSeq: 1\n\nDESCRIBE " + u + " RTSP/1.0\nCSeq: 2\n\n"))
	f.Add(crlf("SETUP " + u + "/trackID=0 RTSP/1.0\nCSeq: 1\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\n\n" +
		"PLAY " + u + " RTSP/1.0\nCSeq: 2\n\nPAUSE " + u + " RTSP/1.0\nCSeq: 3\n\nPLAY " + u + " RTSP/1.0\nCSeq: 4\n\n$\x01\x00\x08\x80\xc9\x00\x01\x00\x00\x00\x00"))
	f.Add(append(crlf("ANNOUNCE rtsp://127.0.0.1/in RTSP/1.0\nCSeq: 1\nContent-Type: application/sdp\nContent-Length: 97\n\n"+
		"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 0 RTP/AVP 33\na=control:t\n"+
		"SETUP rtsp://127.0.0.1/in/t RTSP/1.0\nCSeq: 2\nTransport: RTP/AVP/TCP;interleaved=0-1;mode=record\n\n"+
		"RECORD rtsp://127.0.0.1/in RTSP/1.0\nCSeq: 3\n\n"), "$\x00\x00\x10\x80\x21\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01\x47\x00\x00\x10"...))
	f.Add(crlf("DESCRIBE " + u + " RTSP/1.0\nCSeq: 2\nAuthorization: Digest username=\"u\", nonce=\"x\\\"\", uri=" + u + "\n\n"))
	for _, scheme := range []Scheme{NoAuth, DigestMD5} {
		s, err := Start(f.Context(), ServerConfig{
			BindAddr: "127.0.0.1:0", AcceptUnregistered: true, SessionTimeout: 50 * time.Millisecond, MessageTimeout: 50 * time.Millisecond,
			Credentials: Credentials{Scheme: scheme, User: "u", Password: "p", Realm: "r"},
		})
		if err != nil {
			f.Fatal(err)
		}
		f.Cleanup(func() { _ = s.Close() })
		fuzzServers = append(fuzzServers, s)
		if _, err := s.AddUnicastMount("/live", MountConfig{Program: program(mpegts.MuxVideo)}); err != nil {
			f.Fatal(err)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, s := range fuzzServers {
			near, far := net.Pipe()
			c := newServerConn(s, far)
			s.loops.Add(1)
			done := make(chan struct{})
			go func() { c.run(); close(done) }()
			go func() { _, _ = io.Copy(io.Discard, near) }()
			_ = near.SetWriteDeadline(time.Now().Add(time.Second))
			_, _ = near.Write(b)
			_ = near.Close()
			select {
			case <-done:
			case <-time.After(20 * time.Second):
				t.Fatal("the connection does not end")
			}
		}
	})
}

var fuzzServers []*Server

// FuzzClient gives the client a server's bytes.
func FuzzClient(f *testing.F) {
	ok := func(h, body string) string {
		return "RTSP/1.0 200 OK\r\nCSeq: 1\r\n" + h + "\r\n" + body
	}
	f.Add([]byte(ok("", "")))
	f.Add([]byte("$\x00\x00\x04abcd" + ok("", "") + "ANNOUNCE rtsp://x/ RTSP/1.0\r\nCSeq: 1\r\nNotice: 5402\r\n\r\n"))
	f.Add([]byte("RTSP/1.0 401 No\r\nCSeq: 1\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n\r\n"))
	f.Add([]byte(ok("Content-Length: 3\r\n", "abc")))
	f.Fuzz(func(t *testing.T, b []byte) {
		w := newWire(&memoryConn{r: bytes.NewReader(b)}, clientBuffer)
		for {
			m, err := w.read(time.Time{})
			if err != nil {
				return
			}
			if m.res == nil {
				continue
			}
			if v := m.res.Header["WWW-Authenticate"]; len(v) > 0 {
				parseChallenge(v)
			}
			s := Session{}
			if th, err := s.accepted(m.res, "RTP/AVP"); err == nil && th.Destination != nil {
				_ = th.Ports
			}
			if d, err := parseSDP(m.res.Body); err == nil {
				_, _ = choose(d, ModeTS)
			}
		}
	})
}

// memoryConn is a connection that only reads.
type memoryConn struct {
	net.Conn
	r io.Reader
}

func (c *memoryConn) Read(b []byte) (int, error)    { return c.r.Read(b) }
func (*memoryConn) SetReadDeadline(time.Time) error { return nil }

const soundSDP = "v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=x\r\nt=0 0\r\n" +
	"m=audio 0 RTP/AVP 0\r\nm=audio 0 RTP/AVP 8\r\nm=audio 0 RTP/AVP 14\r\n" +
	"m=audio 0 RTP/AVP 110\r\na=rtpmap:110 opus/48000/2\r\n" +
	"m=audio 0 RTP/AVP 111\r\na=rtpmap:111 MP4A-LATM/16000\r\na=fmtp:111 cpresent=0; config=40002810\r\n" +
	"m=audio 0 RTP/AVP 112\r\na=rtpmap:112 MP4A-LATM/16000\r\na=fmtp:112 cpresent=1\r\n"

func FuzzSDP(f *testing.F) {
	f.Add([]byte(fuzzSDP))
	f.Add([]byte(soundSDP))
	f.Add(describe(netip.MustParseAddr("239.1.2.3"), 5004, 3, []Media{{Kind: KindMP2T, PayloadType: 33}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := parseSDP(b)
		if err != nil {
			return
		}
		medias, err := choose(d, ModeTS)
		if err != nil {
			return
		}
		g, err := newIngest(medias, 0, netip.Addr{}, func([]byte) {}, nil)
		if err != nil {
			return
		}
		for i := range medias {
			p := rtp.Packet{PayloadType: medias[i].PayloadType, Marker: true, SSRC: 1}
			h := make([]byte, rtp.HeaderSize+4)
			p.PutHeader(h)
			g.packet(i, h, netip.Addr{}, time.Now())
		}
		// What a mount can have is written so that it reads the same.
		medias = slices.DeleteFunc(medias, func(m Media) bool { return m.Kind > KindKLV })
		if len(medias) == 0 {
			return
		}
		again, err := parseSDP(describe(netip.MustParseAddr("127.0.0.1"), 0, 0, medias))
		if err != nil || len(again.Medias) != len(medias) {
			t.Fatalf("%v: %d media of %d", err, len(again.Medias), len(medias))
		}
		for i := range medias {
			if again.Medias[i].Kind != medias[i].Kind || again.Medias[i].PayloadType != medias[i].PayloadType {
				t.Fatalf("%+v became %+v", medias[i], again.Medias[i])
			}
		}
	})
}

// FuzzIngest feeds the packets of a session, each after track, kind and length.
func FuzzIngest(f *testing.F) {
	h264 := append([]byte{0x80, 0xE0, 0, 1, 0, 0, 0, 9, 0, 0, 0, 5}, 0x65, 1, 2, 3)
	f.Add(append([]byte{0, 0, byte(len(h264))}, h264...))
	sr := []byte{0x80, 200, 0, 6, 0, 0, 0, 5, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 9}
	f.Add(append([]byte{0, 1, byte(len(sr))}, sr...))
	d, err := parseSDP([]byte(fuzzSDP + strings.SplitAfter(soundSDP, "t=0 0\r\n")[1]))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		out := 0
		g, err := newIngest(d.Medias, rtp.DefaultHold, netip.Addr{}, func(ts []byte) {
			out += len(ts)
			for at := 0; at < len(ts); at += 188 {
				if ts[at] != 0x47 {
					t.Fatal("no TS packet")
				}
			}
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		now := time.Unix(1_700_000_000, 0)
		for len(b) > 3 {
			n := min(int(b[2]), len(b)-3)
			i := int(b[0]) % len(g.tracks)
			now = now.Add(time.Duration(b[0]) * time.Millisecond)
			if b[1]&1 == 1 {
				g.control(i, b[3:3+n], netip.Addr{}, now)
			} else {
				g.packet(i, b[3:3+n], netip.Addr{}, now)
			}
			b = b[3+n:]
		}
		g.alignment(now)
		g.assembly()
	})
}

func FuzzQueue(f *testing.F) {
	f.Add([]byte{5, 200, 1, 0, 9, 255})
	f.Fuzz(func(t *testing.T, b []byte) {
		q := newQueue()
		q.limit = 4000
		arena, spans := make([]byte, 3000), make([]transport.Span, 3)
		var want [][]byte
		for i, c := range b {
			if c%3 == 0 {
				n, err := q.ReadBatch(arena, spans, 0)
				if (err == nil) != (len(want) > 0) {
					t.Fatal(n, err, len(want))
				}
				for k := range n {
					if got := arena[spans[k].Off:][:spans[k].Len]; !bytes.Equal(got, want[k]) {
						t.Fatalf("message %d differs", k)
					}
				}
				want = want[n:]
				continue
			}
			m := bytes.Repeat([]byte{byte(i)}, int(c)*4) //nolint:gosec // any byte
			size := len(m)
			for _, w := range want {
				size += len(w)
			}
			for size > q.limit && len(want) > 0 {
				size -= len(want[0])
				want = want[1:]
			}
			q.put(m[:len(m)/3], m[len(m)/3:], nil)
			want = append(want, m)
		}
	})
}

func FuzzAuthParams(f *testing.F) {
	f.Add(`realm="a\"b", nonce=x, qop="auth,auth-int"`)
	f.Fuzz(func(t *testing.T, s string) {
		authParams(s)
		if v, _ := unquote(quote(s)[1:]); v != s && !strings.ContainsAny(s, "\r\n") {
			t.Fatalf("%q became %q", s, v)
		}
	})
}
