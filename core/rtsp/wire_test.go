package rtsp

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tstrans/tstrans/core/internal/leak"
	"github.com/tstrans/tstrans/core/mpegts"
)

// rawClient speaks to a server byte by byte.
type rawClient struct {
	t testing.TB
	c net.Conn
	r *bufio.Reader
}

func rawDial(t testing.TB, s *Server) *rawClient {
	t.Helper()
	c, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return &rawClient{t, c, bufio.NewReader(c)}
}

// ask sends a request and gives the status, headers and body of the answer.
// Interleaved frames before it are passed over.
func (r *rawClient) ask(request string) (int, textproto.MIMEHeader, string) {
	r.t.Helper()
	if _, err := io.WriteString(r.c, strings.ReplaceAll(request, "\n", "\r\n")+"\r\n\r\n"); err != nil {
		r.t.Fatal(err)
	}
	return r.answer()
}

func (r *rawClient) answer() (int, textproto.MIMEHeader, string) {
	r.t.Helper()
	for {
		b, err := r.r.Peek(4)
		if err != nil {
			return 0, nil, err.Error()
		}
		if b[0] != '$' {
			break
		}
		_, _ = r.r.Discard(4 + int(b[2])<<8 + int(b[3]))
	}
	tp := textproto.NewReader(r.r)
	line, err := tp.ReadLine()
	if err != nil {
		return 0, nil, err.Error()
	}
	f := strings.SplitN(line, " ", 3)
	code, err := strconv.Atoi(f[1])
	if err != nil {
		r.t.Fatalf("%q", line)
	}
	h, err := tp.ReadMIMEHeader()
	if err != nil {
		r.t.Fatal(err)
	}
	n, _ := strconv.Atoi(h.Get("Content-Length"))
	body := make([]byte, n)
	if _, err := io.ReadFull(r.r, body); err != nil {
		r.t.Fatal(err)
	}
	return code, h, string(body)
}

func liveServer(t testing.TB, cfg ServerConfig) (*Server, *Mount) {
	t.Helper()
	s := start(t, cfg)
	m, err := s.AddUnicastMount("/live", MountConfig{Program: program(mpegts.MuxVideo)})
	if err != nil {
		t.Fatal(err)
	}
	return s, m
}

func TestAnswers(t *testing.T) {
	leak.Check(t)
	s, _ := liveServer(t, ServerConfig{SessionTimeout: 7 * time.Second})
	u := s.url("/live")
	c := rawDial(t, s)
	for i, q := range []struct {
		request string
		code    int
		header  string
		want    string
	}{
		{"OPTIONS * RTSP/1.0\nCSeq: 77", 200, "Public", public},
		{"OPTIONS " + u + " RTSP/1.0\nCSeq: 1", 200, "Cseq", "1"},
		{"DESCRIBE " + u + " RTSP/1.0", 400, "", ""},
		{"BREW " + u + " RTSP/1.0\nCSeq: 2", 501, "Cseq", "2"},
		{"DESCRIBE " + s.url("/no") + " RTSP/1.0\nCSeq: 3", 404, "", ""},
		{"PLAY " + u + " RTSP/1.0\nCSeq: 4\nSession: 1234", 454, "", ""},
		{"PAUSE " + u + " RTSP/1.0\nCSeq: 4", 454, "", ""},
		{"TEARDOWN " + u + " RTSP/1.0\nCSeq: 4", 454, "", ""},
		{"RECORD " + u + " RTSP/1.0\nCSeq: 4", 455, "", ""},
		{"SETUP " + u + " RTSP/1.0\nCSeq: 5", 400, "", ""},
		{"SETUP " + u + " RTSP/1.0\nCSeq: 5\nTransport: RTP/SAVP;unicast;client_port=4000-4001", 461, "", ""},
		{"SETUP " + u + " RTSP/1.0\nCSeq: 5\nTransport: nonsense", 461, "", ""},
		{"SETUP " + u + " RTSP/1.0\nCSeq: 5\nTransport: RTP/AVP;unicast;client_port=0-0", 461, "", ""},
		{"SETUP " + s.url("/no/trackID=0") + " RTSP/1.0\nCSeq: 5\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1", 404, "", ""},
		{"ANNOUNCE " + u + " RTSP/1.0\nCSeq: 6", 400, "", ""},
		{"DESCRIBE " + u + "/ RTSP/1.0\nCSeq: 7\nAccept: text/plain", 200, "Content-Base", u + "/"},
		{"GET_PARAMETER " + u + " RTSP/1.0\nCSeq: 8", 200, "", ""},
	} {
		code, h, body := c.ask(q.request)
		if code != q.code || (q.header != "" && h.Get(q.header) != q.want) {
			t.Errorf("%d: %q: %d %v %q", i, q.request, code, h, body)
		}
	}
	code, h, body := c.ask("DESCRIBE " + u + " RTSP/1.0\nCSeq: 9")
	for _, want := range []string{"c=IN IP4 127.0.0.1\r\n", "m=video 0 RTP/AVP 33\r\n", "a=control:*\r\n", "a=control:trackID=0\r\n"} {
		if code != 200 || h.Get("Content-Type") != "application/sdp" || !strings.Contains(body, want) {
			t.Errorf("%d %v %q lacks %q", code, h, body, want)
		}
	}
	// Any track number means the one media; the session's name is 16 hex digits.
	code, h, _ = c.ask("SETUP " + u + "/trackID=5 RTSP/1.0\nCSeq: 10\nTransport: RTP/AVP/TCP;unicast;interleaved=8-9")
	id, timeout, _ := strings.Cut(h.Get("Session"), ";")
	if code != 200 || len(id) != 16 || timeout != "timeout=7" || !strings.Contains(h.Get("Transport"), "interleaved=0-1") {
		t.Errorf("%d %v", code, h)
	}
	if code, h, _ = c.ask("PLAY " + u + " RTSP/1.0\nCSeq: 11\nSession: " + id + "\nRange: npt=0.000-"); code != 200 ||
		!strings.Contains(h.Get("Rtp-Info"), "url="+u+"/trackID=0;seq=") {
		t.Errorf("%d %v", code, h)
	}
	if code, _, _ = c.ask("TEARDOWN " + u + " RTSP/1.0\nCSeq: 12\nSession: " + id); code != 200 {
		t.Error(code)
	}
	if _, err := c.r.ReadByte(); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
	// The next session of the server has the next channels.
	c = rawDial(t, s)
	if _, h, _ = c.ask("SETUP " + u + " RTSP/1.0\nCSeq: 1\nTransport: RTP/AVP/TCP;unicast"); !strings.Contains(h.Get("Transport"), "interleaved=2-3") {
		t.Error(h)
	}
	c = rawDial(t, s)
	if _, h, _ = c.ask("SETUP " + u + " RTSP/1.0\nCSeq: 1\nTransport: RTP/AVP;multicast,RTP/AVP/UDP;unicast;client_port=41000-41001;source=no-such.invalid"); !strings.Contains(h.Get("Transport"), "client_port=41000-41001;server_port=") {
		t.Error(h)
	}
}

func TestChallenges(t *testing.T) {
	leak.Check(t)
	for scheme, want := range map[Scheme]string{Basic: `Basic realm="home"`, DigestMD5: "algorithm=MD5", DigestSHA256: "algorithm=SHA-256"} {
		s, _ := liveServer(t, ServerConfig{Credentials: Credentials{Scheme: scheme, User: "u", Password: "p", Realm: "home"}})
		c := rawDial(t, s)
		seen := map[string]bool{}
		for _, m := range []string{"DESCRIBE", "SETUP", "PLAY", "ANNOUNCE", "RECORD"} {
			code, h, _ := c.ask(m + " " + s.url("/live") + " RTSP/1.0\nCSeq: 1\nTransport: RTP/AVP/TCP;interleaved=0-1\nAuthorization: Basic dTpwYQ==")
			v := h.Get("Www-Authenticate")
			if code != 401 || !strings.Contains(v, want) || seen[v] != (scheme == Basic && m != "DESCRIBE") {
				t.Errorf("%s: %d %q", m, code, v)
			}
			seen[v] = true
		}
		if code, _, _ := c.ask("OPTIONS * RTSP/1.0\nCSeq: 1"); code != 200 {
			t.Error(code)
		}
		// Good Basic credentials satisfy Basic alone.
		code, _, _ := c.ask("DESCRIBE " + s.url("/live") + " RTSP/1.0\nCSeq: 1\nAuthorization: Basic dTpw")
		if (code == 200) != (scheme == Basic) {
			t.Errorf("scheme %d: %d", scheme, code)
		}
		_ = s.Close()
	}
}

// The examples of RFC 7616 §3.9.1: the same request with both algorithms.
func TestDigestExamplesOfTheRFC(t *testing.T) {
	t.Parallel()
	for scheme, want := range map[Scheme]string{
		DigestMD5:    "8ca523f5e9506fed4657c9700eebdbec",
		DigestSHA256: "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
	} {
		c := challenge{scheme: scheme, realm: "http-auth@example.org", nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", qop: true}
		if got := c.response("Mufasa", "Circle of Life", "GET", "/dir/index.html", "00000001", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"); got != want {
			t.Errorf("%d: %s", scheme, got)
		}
	}
}

func TestPublisherAnswers(t *testing.T) {
	leak.Check(t)
	s, _ := liveServer(t, ServerConfig{})
	if _, err := s.AddPublishMount("/in"); err != nil {
		t.Fatal(err)
	}
	announce := func(path, media string) int {
		sdp := "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n" + media
		c := rawDial(t, s)
		_, err := fmt.Fprintf(c.c, "ANNOUNCE %s RTSP/1.0\r\nCSeq: 1\r\nContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s", s.url(path), len(sdp), sdp)
		if err != nil {
			t.Fatal(err)
		}
		code, _, _ := c.answer()
		_ = c.c.Close()
		await(t, "the connection's end", func() bool { return s.Stats().ActiveSessions == 0 })
		return code
	}
	const h264, klv = "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n", "m=application 0 RTP/AVP 97\r\na=rtpmap:97 smpte336m/90000\r\n"
	const ts, aac = "m=video 0 RTP/AVP 33\r\n", "m=audio 0 RTP/AVP 98\r\na=rtpmap:98 mpeg4-generic/48000/2\r\na=fmtp:98 config=1190\r\n"
	for i, c := range []struct {
		path, media string
		want        int
	}{
		{"/in", ts, 200},
		{"/in", "m=application 0 RTP/AVP 99\r\na=rtpmap:99 MP2T/90000\r\n", 200},
		{"/in", h264, 200},
		{"/in", h264 + klv, 200},
		{"/in", klv, 415},
		{"/in", aac, 415},
		{"/in", h264 + aac, 415},
		{"/in", ts + ts, 415},
		{"/in", "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=2\r\n", 415},
		{"/in", "", 400},
		{"/live", h264, 461},
		{"/nowhere", h264, 404},
	} {
		if got := announce(c.path, c.media); got != c.want {
			t.Errorf("%d: %d, wanted %d", i, got, c.want)
		}
	}
	// A publish mount can be described while nobody fills it.
	if code, _, body := rawDial(t, s).ask("DESCRIBE " + s.url("/in") + " RTSP/1.0\nCSeq: 1"); code != 200 || !strings.Contains(body, "RTP/AVP 33") {
		t.Error(code, body)
	}
}

func TestHostileConnections(t *testing.T) {
	leak.Check(t)
	s, _ := liveServer(t, ServerConfig{SessionTimeout: 100 * time.Millisecond, MessageTimeout: 200 * time.Millisecond})
	for name, b := range map[string]string{
		"long method":      strings.Repeat("A", 1<<20),
		"long URL":         "DESCRIBE rtsp://" + strings.Repeat("a", 1<<20),
		"long header":      "OPTIONS * RTSP/1.0\r\nX: " + strings.Repeat("a", 1<<20),
		"endless headers":  "OPTIONS * RTSP/1.0\r\n" + strings.Repeat("X: y\r\n", 1<<16),
		"huge body":        "OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 999999999\r\n\r\n",
		"negative body":    "OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: -1\r\n\r\n",
		"binary":           strings.Repeat("\x00\xff", 1000),
		"another protocol": "GET / HTTP/1.1\r\n\r\n",
		"silence":          "",
		"half a request":   "OPTIONS * RT",
		"half a frame":     "$\x00\xff\xff",
	} {
		c := rawDial(t, s)
		_, _ = io.WriteString(c.c, b) // the server may have ended it
		for {                         // an answer or not: it has to end
			if _, err := c.r.ReadByte(); err != nil {
				var ne net.Error
				if errors.As(err, &ne) && ne.Timeout() {
					t.Errorf("%s: the connection stays open", name)
				}
				break
			}
		}
	}
	// Connections over the limit are closed without a word.
	s, _ = liveServer(t, ServerConfig{MaxSessions: 3})
	for range 3 {
		if code, _, _ := rawDial(t, s).ask("OPTIONS * RTSP/1.0\nCSeq: 1"); code != 200 {
			t.Error(code)
		}
	}
	c := rawDial(t, s)
	if b, err := c.r.ReadByte(); !errors.Is(err, io.EOF) && !strings.Contains(fmt.Sprint(err), "reset") {
		t.Error(b, err)
	}
}
