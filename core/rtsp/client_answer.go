package rtsp

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/headers"

	"github.com/tstrans/tstrans/core/tsterr"
)

// What servers answer to SETUP is read with patience: a session plays if the
// answer can be understood at all, and what is odd in it is passed over.

// maxSessionTimeout is the most that a session's time is believed to be.
const maxSessionTimeout = 1 << 20 // seconds

// accepted reads the answer to SETUP, which asked for a transport.
func (s *Session) accepted(res *base.Response, asked string) (*headers.Transport, error) {
	id, timeout := sessionOf(res.Header["Session"])
	s.pmu.Lock()
	if id != "" {
		s.id = id
	}
	id = s.id
	if timeout > 0 {
		s.timeout = timeout
	}
	s.pmu.Unlock()
	if id == "" {
		return nil, errState("SETUP: the answer names no session")
	}
	v := asked // an answer without one takes what was asked for
	if h := res.Header["Transport"]; len(h) > 0 {
		v = cleanTransport(h[0])
	}
	var th headers.Transport
	if err := th.Unmarshal(base.HeaderValue{v}); err != nil {
		return nil, tsterr.Wrap(tsterr.RTSPProtocol, err, "SETUP: the answer's transport")
	}
	return &th, nil
}

// sessionOf reads a Session header (RFC 2326 §12.37); a timeout that is none is 0.
func sessionOf(h base.HeaderValue) (id string, timeout time.Duration) {
	if len(h) == 0 {
		return "", 0
	}
	id, params, _ := strings.Cut(h[0], ";")
	for _, p := range strings.Split(params, ";") {
		k, v, _ := strings.Cut(p, "=")
		if !strings.EqualFold(strings.TrimSpace(k), "timeout") {
			continue
		}
		if n, err := strconv.Atoi(strings.Trim(v, " \"")); err == nil && n > 0 && n <= maxSessionTimeout {
			timeout = time.Duration(n) * time.Second
		}
	}
	return strings.TrimSpace(id), timeout
}

// cleanTransport gives the parts of a Transport header (RFC 2326 §12.39) that
// matter to a client and are well-formed, without the blanks that some servers
// put between them. A source that is a name is none: nothing is looked up.
func cleanTransport(v string) string {
	v, _, _ = strings.Cut(v, ",") // one of several offers
	var keep []string
	for _, part := range strings.Split(v, ";") {
		key, value, has := strings.Cut(part, "=")
		key, value = strings.TrimSpace(key), strings.Trim(value, " \"")
		lower := strings.ToLower(key)
		switch {
		case strings.HasPrefix(lower, "rtp/"):
			keep = append(keep, strings.ToUpper(key))
		case lower == "unicast" || lower == "multicast":
			keep = append(keep, lower)
		case !has:
		case lower == "source" || lower == "destination":
			if _, err := netip.ParseAddr(value); err == nil {
				keep = append(keep, lower+"="+value)
			}
		case lower == "interleaved" || strings.HasSuffix(lower, "port") || lower == "ttl":
			if isRange(value) {
				keep = append(keep, lower+"="+value)
			}
		}
	}
	return strings.Join(keep, ";")
}

// isRange tells whether a value is a number or two with a hyphen.
func isRange(v string) bool {
	a, b, two := strings.Cut(v, "-")
	_, errA := strconv.ParseUint(a, 10, 16)
	_, errB := strconv.ParseUint(b, 10, 16)
	return errA == nil && (errB == nil || !two)
}
