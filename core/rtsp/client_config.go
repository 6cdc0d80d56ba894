package rtsp

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/base"

	"github.com/tstrans/tstrans/core/rtp"
	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
)

// Transport is how media comes.
type Transport int

// How media comes; the numbers are those of the Python enumeration.
const (
	TransportAuto Transport = iota // UDP, or TCP where the server or the way refuses it
	TransportUDP
	TransportTCP // interleaved on the connection
)

// Mode says what is made of a stream.
type Mode int

// What is made of a stream.
const (
	// ModeTS gives MPEG-TS: the stream's own or, where it has none, its
	// elementary media multiplexed.
	ModeTS Mode = iota
	// ModeH264 gives the RTP packets of its first H.264 media.
	ModeH264
)

// ClientConfig says what to play and how.
type ClientConfig struct {
	// URL is rtsp://[user[:password]@]host[:port]/path, or rtsps://. The keys
	// transport=udp|tcp, recv_timeout=, udp_timeout= and reorder= (ms) of its query
	// are options; the rest of the query is the server's.
	URL string
	// Credentials answer any scheme a server asks for. They default to those of the URL.
	Credentials *Credentials
	Transport   Transport
	Mode        Mode
	// NoRTCP sends no receiver reports.
	NoRTCP bool
	// NoKeepAlive sends nothing to keep a session alive.
	NoKeepAlive bool
	// RootCertsPEM are the trust anchors of rtsps. They default to the system's.
	RootCertsPEM []byte
	// Hold is how long a packet that UDP lost or delayed is waited for. It
	// defaults to 50 ms; negative passes packets on as they come.
	Hold time.Duration
	// UDPTimeout is how long TransportAuto waits for a first packet by UDP, which
	// many ways do not let through, before it tries TCP. It defaults to 5 s;
	// negative waits for ever.
	UDPTimeout time.Duration
	// Timeout bounds the connection and each request. It defaults to 10 s.
	Timeout time.Duration
}

// DefaultUDPTimeout is how long a first packet by UDP is waited for.
const DefaultUDPTimeout = 5 * time.Second

// target is where a URL leads.
type target struct {
	url         *base.URL // without credentials and our options
	host        string    // with port
	tls         bool
	credentials *Credentials
	recvTimeout time.Duration
}

// parse reads the URL and puts its options into the configuration.
func (c *ClientConfig) parse() (*target, error) {
	bad := func(format string, args ...any) error { return tsterr.New(tsterr.RTSPProtocol, format, args...) }
	if len(c.URL) > transport.MaxURL {
		return nil, bad("URL longer than %d bytes", transport.MaxURL)
	}
	raw := c.URL
	if i := strings.Index(raw, "://"); i > 0 {
		raw = strings.ToLower(raw[:i]) + raw[i:]
	}
	raw, _, _ = strings.Cut(raw, "#") // a fragment is the client's own affair (RFC 3986 §3.5)
	if strings.ContainsAny(raw, "\r\n\x00 ") {
		return nil, bad("the URL has a space or a control character")
	}
	u, err := base.ParseURL(raw)
	if err != nil || u.Hostname() == "" {
		return nil, bad("URL is not rtsp://host/path or rtsps://host/path")
	}
	if p := u.Port(); p != "" {
		if _, err = strconv.ParseUint(p, 10, 16); err != nil {
			return nil, bad("port %s is beyond 65535", p)
		}
	}
	t := &target{tls: u.Scheme == "rtsps", host: u.Host}
	if u.Port() == "" {
		t.host = strings.TrimSuffix(t.host, ":") + ":554"
	}
	if u.User != nil {
		pw, _ := u.User.Password()
		t.credentials = &Credentials{User: u.User.Username(), Password: pw}
	}
	if c.Credentials != nil {
		t.credentials = c.Credentials
	}
	rest, err := c.options(u.RawQuery, t)
	if err != nil {
		return nil, err
	}
	t.url = u.CloneWithoutCredentials()
	t.url.RawQuery, t.url.ForceQuery = rest, false
	if c.Hold == 0 {
		c.Hold = rtp.DefaultHold
	}
	if c.Timeout <= 0 {
		c.Timeout = requestTimeout
	}
	if c.UDPTimeout == 0 {
		c.UDPTimeout = DefaultUDPTimeout
	}
	return t, nil
}

// options takes our keys out of a query and gives back the rest as it is: many
// cameras choose their stream by a query of their own.
func (c *ClientConfig) options(query string, t *target) (rest string, err error) {
	var keep []string
	for _, part := range strings.Split(query, "&") {
		key, raw, _ := strings.Cut(part, "=")
		kv := transport.KV{Key: key}
		if kv.Value, err = url.QueryUnescape(raw); err != nil {
			kv.Value = raw
		}
		err = nil
		switch key {
		case "transport":
			switch kv.Value {
			case "udp":
				c.Transport = TransportUDP
			case "tcp":
				c.Transport = TransportTCP
			default:
				err = tsterr.New(tsterr.RTSPProtocol, "transport=%s is neither udp nor tcp", kv.Value)
			}
		case "recv_timeout":
			t.recvTimeout, err = kv.Millis(tsterr.RTSPProtocol, 1, 1<<31-1)
		case "udp_timeout":
			if c.UDPTimeout, err = kv.Millis(tsterr.RTSPProtocol, 0, 1<<31-1); c.UDPTimeout == 0 {
				c.UDPTimeout = -1
			}
		case "reorder":
			if c.Hold, err = kv.Millis(tsterr.RTSPProtocol, 0, 10_000); c.Hold == 0 {
				c.Hold = -1
			}
		default:
			if part != "" {
				keep = append(keep, part)
			}
		}
		if err != nil {
			return "", err
		}
	}
	return strings.Join(keep, "&"), nil
}

func absolute(control string) bool {
	return strings.HasPrefix(control, "rtsp://") || strings.HasPrefix(control, "rtsps://")
}

// resolve makes the URI of a control attribute (RFC 2326 §C.1.1).
func resolve(baseURL *base.URL, control string) (*base.URL, error) {
	if control == "" || control == "*" {
		return baseURL, nil
	}
	raw := control
	if !absolute(control) {
		raw = baseURL.String()
		if !strings.HasSuffix(raw, "/") && control[0] != '/' && control[0] != '?' {
			raw += "/"
		}
		raw += control
	}
	u, err := base.ParseURL(raw)
	if err != nil {
		return nil, tsterr.Wrap(tsterr.RTSPProtocol, err, "control attribute %q", control)
	}
	return u, nil
}
