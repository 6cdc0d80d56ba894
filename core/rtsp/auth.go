package rtsp

import (
	"crypto/md5" //nolint:gosec // RFC 2617 asks for it
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/bluenviron/gortsplib/v4/pkg/base"

	"github.com/tstrans/tstrans/core/tsterr"
)

// Scheme is an authentication scheme.
type Scheme int

// Authentication schemes; stronger ones are greater.
const (
	NoAuth Scheme = iota
	Basic
	DigestMD5
	DigestSHA256
)

// Credentials are a user's name and password. A client answers any scheme with
// them; a server asks for Scheme in Realm.
type Credentials struct {
	Scheme   Scheme
	User     string
	Password string
	Realm    string
}

// validate checks what a server needs.
func (c Credentials) validate() error {
	switch {
	case c.Scheme < NoAuth || c.Scheme > DigestSHA256:
		return tsterr.At(tsterr.InvalidArg, "auth_scheme", tsterr.NoOffset, "unknown authentication scheme %d", c.Scheme)
	case c.Scheme != NoAuth && c.Realm == "":
		return tsterr.At(tsterr.InvalidArg, "realm", tsterr.NoOffset, "a server's credentials need a realm")
	case strings.ContainsAny(c.Realm, "\"\\\r\n"):
		return tsterr.At(tsterr.InvalidArg, "realm", tsterr.NoOffset, "the realm has a quote, a backslash or a line break")
	}
	return nil
}

func digest(s Scheme, parts ...string) string {
	b := []byte(strings.Join(parts, ":"))
	if s == DigestSHA256 {
		h := sha256.Sum256(b)
		return hex.EncodeToString(h[:])
	}
	h := md5.Sum(b) //nolint:gosec // RFC 2617 asks for it
	return hex.EncodeToString(h[:])
}

// response is the proof of the password (RFC 7616 §3.4.1).
func (c *challenge) response(user, password, method, uri, nc, cnonce string) string {
	ha1 := digest(c.scheme, user, c.realm, password)
	ha2 := digest(c.scheme, method, uri)
	if !c.qop {
		return digest(c.scheme, ha1, c.nonce, ha2)
	}
	return digest(c.scheme, ha1, c.nonce, nc, cnonce, "auth", ha2)
}

// challenge is what a server asks for in a WWW-Authenticate header.
type challenge struct {
	scheme Scheme
	realm  string
	nonce  string
	opaque string
	stale  bool
	qop    bool // it offers qop="auth"
	uses   uint32
}

// parseChallenge takes the strongest scheme out of the headers of a 401.
func parseChallenge(values base.HeaderValue) (*challenge, bool) {
	var best *challenge
	for _, v := range values {
		name, rest, _ := strings.Cut(strings.TrimSpace(v), " ")
		p := authParams(rest)
		c := &challenge{
			realm: p["realm"], nonce: p["nonce"], opaque: p["opaque"], stale: strings.EqualFold(p["stale"], "true"),
		}
		switch strings.ToLower(name) {
		case "basic":
			c.scheme = Basic
		case "digest":
			switch strings.ToUpper(p["algorithm"]) {
			case "", "MD5":
				c.scheme = DigestMD5
			case "SHA-256":
				c.scheme = DigestSHA256
			default:
				continue
			}
			for _, q := range strings.Split(p["qop"], ",") {
				c.qop = c.qop || strings.TrimSpace(q) == "auth"
			}
			if c.nonce == "" || (p["qop"] != "" && !c.qop) {
				continue
			}
		default:
			continue
		}
		if best == nil || c.scheme > best.scheme {
			best = c
		}
	}
	return best, best != nil
}

// authParams reads key=value pairs, values with or without quotes.
func authParams(s string) map[string]string {
	out := map[string]string{}
	for len(s) > 0 {
		s = strings.TrimLeft(s, " \t,")
		key, rest, ok := strings.Cut(s, "=")
		if !ok {
			break
		}
		key = strings.ToLower(strings.TrimSpace(key))
		rest = strings.TrimLeft(rest, " ")
		var val string
		if strings.HasPrefix(rest, `"`) {
			val, s = unquote(rest[1:])
		} else {
			val, s, _ = strings.Cut(rest, ",")
			val = strings.TrimSpace(val)
		}
		out[key] = val
	}
	return out
}

// unquote reads to the closing quote; a backslash takes the next byte as it is.
func unquote(s string) (val, rest string) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case s[i] == '"':
			return b.String(), s[i+1:]
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String(), ""
}

func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// authorize adds the Authorization header to a request.
func (c *challenge) authorize(req *base.Request, cr *Credentials) {
	if c.scheme == Basic {
		req.Header["Authorization"] = base.HeaderValue{
			"Basic " + base64.StdEncoding.EncodeToString([]byte(cr.User+":"+cr.Password)),
		}
		return
	}
	uri := req.URL.CloneWithoutCredentials().String()
	c.uses++
	nc, cnonce := fmt.Sprintf("%08x", c.uses), randomHex(8)
	v := "Digest username=" + quote(cr.User) + ", realm=" + quote(c.realm) + ", nonce=" + quote(c.nonce) +
		", uri=" + quote(uri) + ", response=" + quote(c.response(cr.User, cr.Password, string(req.Method), uri, nc, cnonce))
	if c.scheme == DigestSHA256 {
		v += ", algorithm=SHA-256"
	}
	if c.opaque != "" {
		v += ", opaque=" + quote(c.opaque)
	}
	if c.qop {
		v += ", qop=auth, nc=" + nc + ", cnonce=" + quote(cnonce)
	}
	req.Header["Authorization"] = base.HeaderValue{v}
}

func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// maxNonces is how many challenges a connection may answer: each 401 makes one.
const maxNonces = 4

// verifier asks one connection for credentials and checks what it sends.
type verifier struct {
	want   Credentials
	nonces []string // the latest ones given out
}

// challenge is the WWW-Authenticate header of the next 401.
func (v *verifier) challenge() base.HeaderValue {
	if v.want.Scheme == Basic {
		return base.HeaderValue{"Basic realm=" + quote(v.want.Realm)}
	}
	if len(v.nonces) == maxNonces {
		v.nonces = v.nonces[1:]
	}
	nonce := randomHex(16)
	v.nonces = append(v.nonces, nonce)
	name := "MD5"
	if v.want.Scheme == DigestSHA256 {
		name = "SHA-256"
	}
	return base.HeaderValue{
		"Digest realm=" + quote(v.want.Realm) + ", nonce=" + quote(nonce) + ", algorithm=" + name + `, qop="auth"`,
	}
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// ok tells whether a request bears good credentials. Basic ones never satisfy
// a server that asks for Digest.
func (v *verifier) ok(req *base.Request) bool {
	if v.want.Scheme == NoAuth {
		return true
	}
	h := req.Header["Authorization"]
	if len(h) != 1 {
		return false
	}
	name, rest, _ := strings.Cut(strings.TrimSpace(h[0]), " ")
	if v.want.Scheme == Basic {
		if !strings.EqualFold(name, "Basic") {
			return false
		}
		b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(rest))
		return err == nil && same(string(b), v.want.User+":"+v.want.Password)
	}
	if !strings.EqualFold(name, "Digest") {
		return false
	}
	p := authParams(rest)
	known := false
	for _, n := range v.nonces {
		known = known || same(n, p["nonce"])
	}
	alg := strings.ToUpper(p["algorithm"])
	if (v.want.Scheme == DigestSHA256) != (alg == "SHA-256") || (alg != "" && alg != "MD5" && alg != "SHA-256") {
		return false
	}
	if !known || p["username"] != v.want.User || p["realm"] != v.want.Realm || !uriMatches(p["uri"], req) {
		return false
	}
	c := challenge{scheme: v.want.Scheme, realm: p["realm"], nonce: p["nonce"], qop: p["qop"] == "auth"}
	want := c.response(v.want.User, v.want.Password, string(req.Method), p["uri"], p["nc"], p["cnonce"])
	return same(want, strings.ToLower(p["response"]))
}

// uriMatches compares the digest's URI with the request's. VLC signs the
// stream's URL where it sets up a track.
func uriMatches(uri string, req *base.Request) bool {
	if req.URL == nil {
		return uri == "*"
	}
	full := req.URL.CloneWithoutCredentials().String()
	if uri == full {
		return true
	}
	if u, err := base.ParseURL(uri); err == nil {
		a, b := strings.TrimSuffix(u.Path, "/"), strings.TrimSuffix(req.URL.Path, "/")
		return a == b || (req.Method == base.Setup && a != "" && strings.HasPrefix(b, a+"/"))
	}
	return uri == req.URL.Path
}
