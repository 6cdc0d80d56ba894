package transport

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tstrans/tstrans/core/tsterr"
)

// MaxURL bounds the length of a URL in bytes.
const MaxURL = 8192

// KV is one decoded key and value of a query, in the order given.
type KV struct {
	Key, Value string
}

// URL is a transport address: scheme://[user@]host:port[/path][?query]. The
// path is dropped.
type URL struct {
	Scheme  string
	User    string
	HasUser bool // an "@" was there, even with nothing before it
	Host    string
	Port    uint16
	Query   []KV
}

// ParseURL splits raw. Schemes are lower case and case-sensitive, the port is
// mandatory. Errors are of kind k.
func ParseURL(raw string, k tsterr.Kind, schemes ...string) (*URL, error) {
	if len(raw) > MaxURL {
		return nil, tsterr.New(k, "URL longer than %d bytes", MaxURL)
	}
	scheme, rest, ok := strings.Cut(raw, "://")
	if !ok {
		return nil, tsterr.New(k, "no scheme in URL, wanted %s://host:port", schemes[0])
	}
	known := false
	for _, s := range schemes {
		known = known || s == scheme
	}
	if !known {
		return nil, tsterr.New(k, "scheme %q, wanted %s", scheme, strings.Join(schemes, " or "))
	}
	u := &URL{Scheme: scheme}
	authority, query := rest, ""
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		authority = rest[:i]
		_, query, _ = strings.Cut(rest[i:], "?")
	}
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		u.HasUser, u.User, authority = true, authority[:i], authority[i+1:]
	}
	host, port, err := splitHostPort(authority, k)
	if err != nil {
		return nil, err
	}
	u.Host, u.Port = host, port
	if u.Query, err = parseQuery(query, k); err != nil {
		return nil, err
	}
	return u, nil
}

func splitHostPort(s string, k tsterr.Kind) (string, uint16, error) {
	var host, port string
	if strings.HasPrefix(s, "[") {
		i := strings.IndexByte(s, ']')
		if i < 0 {
			return "", 0, tsterr.New(k, "no closing bracket in %q", s)
		}
		if !strings.HasPrefix(s[i+1:], ":") {
			return "", 0, tsterr.New(k, "no port in %q", s)
		}
		host, port = s[1:i], s[i+2:]
	} else {
		i := strings.LastIndexByte(s, ':')
		if i < 0 {
			return "", 0, tsterr.New(k, "no port in %q", s)
		}
		host, port = s[:i], s[i+1:]
		if strings.IndexByte(host, ':') >= 0 {
			return "", 0, tsterr.New(k, "an IPv6 address needs brackets: %q", s)
		}
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || port[0] == '+' {
		return "", 0, tsterr.New(k, "port %q is not a number of 0 to 65535", port)
	}
	return host, uint16(n), nil
}

// SplitHostPort splits "host:port" or "[v6]:port". Errors are of kind k.
func SplitHostPort(s string, k tsterr.Kind) (string, uint16, error) {
	return splitHostPort(s, k)
}

// parseQuery decodes %XX. "+" stays what it is: secrets and stream ids have it as it stands.
func parseQuery(q string, k tsterr.Kind) ([]KV, error) {
	var out []KV
	for q != "" {
		var part string
		part, q, _ = strings.Cut(q, "&")
		if part == "" {
			continue
		}
		key, value, _ := strings.Cut(part, "=")
		dk, err := url.PathUnescape(key)
		if err != nil {
			return nil, tsterr.New(k, "query key %q is not well escaped", key)
		}
		dv, err := url.PathUnescape(value)
		if err != nil {
			return nil, tsterr.New(k, "value of %q is not well escaped", dk)
		}
		out = append(out, KV{dk, dv})
	}
	return out, nil
}

// Int reads v as a plain decimal of lo to hi: no suffix, and no sign but one "+".
func (kv KV) Int(k tsterr.Kind, lo, hi int64) (int64, error) {
	if digits := strings.TrimPrefix(kv.Value, "+"); digits == "" || strings.TrimLeft(digits, "0123456789") != "" {
		return 0, tsterr.New(k, "%s=%s is not a decimal number", kv.Key, kv.Value)
	}
	n, err := strconv.ParseInt(kv.Value, 10, 64)
	if err != nil || n < lo || n > hi {
		return 0, tsterr.New(k, "%s=%s is outside %d to %d", kv.Key, kv.Value, lo, hi)
	}
	return n, nil
}

// Millis reads v as milliseconds of lo to hi.
func (kv KV) Millis(k tsterr.Kind, lo, hi int64) (time.Duration, error) {
	n, err := kv.Int(k, lo, hi)
	return time.Duration(n) * time.Millisecond, err
}

// Size reads a number of bytes with an optional suffix K or M (1024, 1024²).
func (kv KV) Size(k tsterr.Kind, hi int64) (int, error) {
	mul, v := int64(1), kv.Value
	switch {
	case strings.HasSuffix(v, "K"), strings.HasSuffix(v, "k"):
		mul, v = 1<<10, v[:len(v)-1]
	case strings.HasSuffix(v, "M"), strings.HasSuffix(v, "m"):
		mul, v = 1<<20, v[:len(v)-1]
	}
	n, err := KV{kv.Key, v}.Int(k, 0, hi)
	if err != nil {
		return 0, err
	}
	if n > hi/mul {
		return 0, tsterr.New(k, "%s=%s is more than %d bytes", kv.Key, kv.Value, hi)
	}
	return int(n * mul), nil
}

// Bool reads 0, 1, true, false, yes, no, on or off.
func (kv KV) Bool(k tsterr.Kind) (bool, error) {
	switch kv.Value {
	case "1", "true", "yes", "on":
		return true, nil
	case "0", "false", "no", "off":
		return false, nil
	}
	return false, tsterr.New(k, "%s=%s is neither true nor false", kv.Key, kv.Value)
}
