package webrtc

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"math/big"
	"strings"
	"time"
)

// certificateLife is how long a certificate of a connection is valid.
const certificateLife = 30 * 24 * time.Hour

// certificate is a self-signed one; its fingerprints go into descriptions.
type certificate struct {
	chain   []tls.Certificate
	prints  []fingerprint
	expires time.Time
}

func newCertificate() (*certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 63))
	if err != nil {
		return nil, err
	}
	name := pkix.Name{CommonName: randomText(16)}
	now := time.Now()
	t := &x509.Certificate{
		SerialNumber: serial, Subject: name, Issuer: name, NotBefore: now.Add(-24 * time.Hour), NotAfter: now.Add(certificateLife),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return nil, err
	}
	c := &certificate{chain: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, expires: t.NotAfter}
	for _, a := range []string{"sha-256", "sha-384", "sha-512"} {
		c.prints = append(c.prints, fingerprint{a, digest(a, der)})
	}
	return c, nil
}

// digest gives a fingerprint as descriptions have it, "" for algorithms that are
// unknown or too weak.
func digest(algorithm string, der []byte) string {
	var sum []byte
	switch algorithm {
	case "sha-256":
		s := sha256.Sum256(der)
		sum = s[:]
	case "sha-384":
		s := sha512.Sum384(der)
		sum = s[:]
	case "sha-512":
		s := sha512.Sum512(der)
		sum = s[:]
	default:
		return ""
	}
	h := strings.ToUpper(hex.EncodeToString(sum))
	var b strings.Builder
	for i := 0; i < len(h); i += 2 {
		if i > 0 {
			b.WriteByte(':')
		}
		b.WriteString(h[i : i+2])
	}
	return b.String()
}

// verify holds the other side's certificate against its description's fingerprints
// (RFC 8122 §5).
func (t *transportLayer) verify(raw [][]byte, _ [][]*x509.Certificate) error {
	if len(raw) == 0 {
		return errors.New("no certificate")
	}
	t.p.mu.Lock()
	prints := t.prints
	t.p.mu.Unlock()
	for _, f := range prints {
		if d := digest(f.algorithm, raw[0]); d != "" && d == f.value {
			return nil
		}
	}
	return errors.New("the certificate is not that of the description")
}

// randomText gives n characters of 6 bits each, of those that ICE allows.
func randomText(n int) string {
	b := make([]byte, (n*6+7)/8+1)
	_, _ = rand.Read(b) // never fails
	return strings.NewReplacer("-", "+", "_", "/").Replace(base64.RawURLEncoding.EncodeToString(b))[:n]
}

func randomUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	b[6], b[8] = b[6]&0x0F|0x40, b[8]&0x3F|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

func random32() uint32 {
	var b [4]byte
	_, _ = rand.Read(b[:])
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}
