package tcp

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/tstrans/tstrans/core/internal/leak"
	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
)

func listen(t testing.TB, cfg Config) *Listener {
	t.Helper()
	cfg.Host = "127.0.0.1"
	l, err := Listen(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func dial(t testing.TB, cfg Config) *Conn {
	t.Helper()
	c, err := Dial(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func pair(t testing.TB, client, server Config) (*Conn, *Conn) {
	t.Helper()
	l := listen(t, server)
	client.Host, client.Port = "127.0.0.1", l.Port()
	accepted := make(chan *Conn, 1)
	go func() {
		defer close(accepted)
		if c, err := l.Accept(10 * time.Second); err == nil {
			accepted <- c
		}
	}()
	a := dial(t, client)
	b, ok := <-accepted
	if !ok {
		t.Fatal("nothing accepted")
	}
	t.Cleanup(func() { _ = b.Close() })
	return a, b
}

// authority makes a certificate authority and a leaf it signed.
func authority(t testing.TB, dns string) (caPEM, certPEM, keyPEM []byte) {
	t.Helper()
	make509 := func(tmpl, parent *x509.Certificate, key, parentKey *ecdsa.PrivateKey) []byte {
		der, err := x509.CreateCertificate(rand.Reader, tmpl, parent, &key.PublicKey, parentKey)
		if err != nil {
			t.Fatal(err)
		}
		return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	}
	caKey, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, IsCA: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: dns}, DNSNames: []string{dns},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if dns == "" {
		leaf.DNSNames, leaf.IPAddresses = nil, []net.IP{net.IPv4(127, 0, 0, 1)}
	}
	k, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return make509(ca, ca, caKey, caKey), make509(leaf, ca, key, caKey),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: k})
}

func identity(t testing.TB, cert, key []byte) *tls.Certificate {
	t.Helper()
	id, err := Identity(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func roots(t testing.TB, ca []byte) *x509.CertPool {
	t.Helper()
	r, err := Roots(ca)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestStreamBothWays(t *testing.T) {
	ca, cert, key := authority(t, "")
	for name, cfg := range map[string][2]Config{
		"plain": {{}, {}},
		"tls":   {{TLS: true, Roots: roots(t, ca)}, {Identity: identity(t, cert, key)}},
	} {
		t.Run(name, func(t *testing.T) {
			leak.Check(t)
			a, b := pair(t, cfg[0], cfg[1])
			var wg sync.WaitGroup
			for _, way := range [][2]*Conn{{a, b}, {b, a}} {
				wg.Go(func() { sendAndCompare(t, way[0], way[1]) })
			}
			wg.Wait()
			_ = a.Close()
			_ = b.Close()
		})
	}
}

// sendAndCompare moves 4 MiB in odd pieces with short waits and compares digests.
func sendAndCompare(t *testing.T, from, to *Conn) {
	data := make([]byte, 4<<20)
	_, _ = rand.Read(data)
	var wg sync.WaitGroup
	wg.Go(func() {
		for rest := data; len(rest) > 0; {
			p := rest[:min(len(rest), 64123)]
			n, err := from.Write(p, 5*time.Millisecond)
			if err != nil && !transport.IsTimeout(err) {
				t.Error("send", err)
				return
			}
			rest = rest[n:]
		}
	})
	h, buf := sha256.New(), make([]byte, 30000)
	for got := 0; got < len(data); {
		n, err := to.Read(buf, 5*time.Millisecond)
		if err != nil && !transport.IsTimeout(err) {
			t.Error("receive", err)
			return
		}
		got += n
		h.Write(buf[:n])
	}
	wg.Wait()
	if want := sha256.Sum256(data); !bytes.Equal(h.Sum(nil), want[:]) {
		t.Error("digests differ")
	}
}

// A burst's last bytes are not held back, and every byte of it arrives.
func TestBurstsArriveWhole(t *testing.T) {
	leak.Check(t)
	a, b := pair(t, Config{}, Config{})
	buf := make([]byte, 1<<20)
	for round := range 20 {
		const sends, size = 300, 188
		go func() {
			for range sends {
				if _, err := a.Write(make([]byte, size), transport.Forever); err != nil {
					t.Error(err)
				}
			}
		}()
		for got := 0; got < sends*size; {
			n, err := b.Read(buf, 10*time.Second)
			if err != nil {
				t.Fatalf("round %d: %d of %d bytes: %v", round, got, sends*size, err)
			}
			got += n
		}
	}
	_ = a.Close()
	_ = b.Close()
}

func TestPeerCloses(t *testing.T) {
	leak.Check(t)
	a, b := pair(t, Config{}, Config{})
	if n, err := a.Write([]byte("last words"), time.Second); n != 10 || err != nil {
		t.Fatal(n, err)
	}
	_ = a.Close()
	buf := make([]byte, 4)
	got := make([]byte, 0, 3*len(buf))
	for range 3 {
		n, err := b.Read(buf, 5*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, buf[:n]...)
	}
	if string(got) != "last words" {
		t.Errorf("%q", got)
	}
	if _, err := b.Read(buf, 5*time.Second); tsterr.KindOf(err) != tsterr.TCPBroken {
		t.Error(err)
	}
}

func TestTooLongAndEmpty(t *testing.T) {
	size := 10
	a, b := pair(t, Config{PacketSize: &size}, Config{})
	if n, err := a.Write(nil, 0); n != 0 || err != nil {
		t.Error(n, err)
	}
	if _, err := a.Write(make([]byte, 11), 0); tsterr.KindOf(err) != tsterr.TCPPayloadTooLarge {
		t.Error(err)
	}
	if _, err := b.Read(nil, 0); tsterr.KindOf(err) != tsterr.InvalidArg {
		t.Error(err)
	}
	if st := a.Stats(); st.SendCalls != 1 || st.SendErrors != 1 {
		t.Errorf("%+v", st)
	}
}

func TestParkedCallsEnd(t *testing.T) {
	ca, cert, key := authority(t, "")
	for name, cfg := range map[string][2]Config{
		"plain": {{}, {}},
		"tls":   {{TLS: true, Roots: roots(t, ca)}, {Identity: identity(t, cert, key)}},
	} {
		for end, want := range map[string]tsterr.Kind{"cancel": tsterr.Cancelled, "close": tsterr.Closed} {
			t.Run(name+" "+end, func(t *testing.T) {
				leak.Check(t)
				a, b := pair(t, cfg[0], cfg[1])
				errs := make(chan error, 2)
				go func() { _, err := a.Read(make([]byte, 10), transport.Forever); errs <- err }()
				go func() {
					for p := make([]byte, 65536); ; {
						if _, err := a.Write(p, transport.Forever); err != nil { // b reads nothing: this parks
							errs <- err
							return
						}
					}
				}()
				for a.Stats().BytesSent == 0 {
					time.Sleep(time.Millisecond)
				}
				if end == "cancel" {
					a.Cancel()
				} else {
					_ = a.Close()
				}
				for range 2 {
					if err := <-errs; tsterr.KindOf(err) != want {
						t.Error(err)
					}
				}
				_ = a.Close()
				_ = b.Close()
			})
		}
	}
}

func TestListenerEnds(t *testing.T) {
	leak.Check(t)
	for end, want := range map[string]tsterr.Kind{"cancel": tsterr.Cancelled, "close": tsterr.Closed} {
		l := listen(t, Config{})
		if _, err := l.Accept(0); !transport.IsTimeout(err) {
			t.Error(err)
		}
		errs := make(chan error)
		go func() { _, err := l.Accept(transport.Forever); errs <- err }()
		if end == "cancel" {
			l.Cancel()
		} else {
			_ = l.Close()
		}
		if err := <-errs; tsterr.KindOf(err) != want {
			t.Errorf("%s: %v", end, err)
		}
	}
}

func TestIdleTimeout(t *testing.T) {
	leak.Check(t)
	a, _ := pair(t, Config{IdleTimeout: 50 * time.Millisecond, SendBuffer: 4096}, Config{ReceiveBuffer: 4096})
	if _, err := a.Read(make([]byte, 1), transport.Forever); tsterr.KindOf(err) != tsterr.TCPBroken {
		t.Error("silent peer:", err)
	}
	for p := make([]byte, 65536); ; { // the peer takes nothing
		if _, err := a.Write(p, transport.Forever); err != nil {
			if tsterr.KindOf(err) != tsterr.TCPBroken {
				t.Error("stalled peer:", err)
			}
			return
		}
	}
}

func TestTLSRefusals(t *testing.T) {
	ca, cert, key := authority(t, "")
	otherCA, otherCert, otherKey := authority(t, "example.net")
	server := Config{Identity: identity(t, cert, key)}
	mutual := server
	mutual.ClientRoots = roots(t, ca)
	for _, c := range []struct {
		name   string
		server Config
		client Config
		dial   tsterr.Kind // what the dialler sees; OK: only its first read fails
	}{
		{"unknown authority", server, Config{TLS: true, Roots: roots(t, otherCA)}, tsterr.TCPTLS},
		{"other host", Config{Identity: identity(t, otherCert, otherKey)}, Config{TLS: true, Roots: roots(t, otherCA)}, tsterr.TCPTLS},
		{"no client certificate", mutual, Config{TLS: true, Roots: roots(t, ca)}, tsterr.OK},
		{"foreign client certificate", mutual, Config{TLS: true, Roots: roots(t, ca), Identity: identity(t, otherCert, otherKey)}, tsterr.OK},
		{"plain client", server, Config{}, tsterr.OK},
	} {
		t.Run(c.name, func(t *testing.T) {
			leak.Check(t)
			l := listen(t, c.server)
			go func() {
				for {
					s, err := l.Accept(transport.Forever)
					if err != nil {
						return
					}
					if n, err := s.Read(make([]byte, 10), 5*time.Second); n > 0 || tsterr.KindOf(err) != tsterr.TCPBroken {
						t.Errorf("the server got %d bytes, %v", n, err)
					}
					_ = s.Close()
				}
			}()
			c.client.Host, c.client.Port = "127.0.0.1", l.Port()
			conn, err := Dial(context.Background(), c.client)
			if tsterr.KindOf(err) != c.dial {
				t.Fatal(err)
			}
			if err == nil {
				_, _ = conn.Write([]byte("hello out there"), time.Second)
				if _, err = conn.Read(make([]byte, 10), 5*time.Second); tsterr.KindOf(err) != tsterr.TCPBroken {
					t.Error(err)
				}
				_ = conn.Close()
			}
			_ = l.Close()
		})
	}
	t.Run("client certificate", func(t *testing.T) {
		a, b := pair(t, Config{TLS: true, Roots: roots(t, ca), Identity: identity(t, cert, key)}, mutual)
		sendAndCompare(t, a, b)
	})
	t.Run("any host", func(t *testing.T) {
		a, b := pair(t, Config{TLS: true, Roots: roots(t, otherCA), AnyHost: true}, Config{Identity: identity(t, otherCert, otherKey)})
		sendAndCompare(t, a, b)
	})
}

func TestDialErrors(t *testing.T) {
	l := listen(t, Config{})
	port := l.Port()
	_ = l.Close()
	plain := listen(t, Config{})
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		url  string
		kind tsterr.Kind
	}{
		{fmt.Sprintf("tcp://127.0.0.1:%d", port), tsterr.TCPIO},
		{"tcp://no-such-host.invalid:1", tsterr.TCPIO},
		{"tcp://127.0.0.1:1?keepalive=0", tsterr.TCPIO},
		{"tcp://127.0.0.1:1?connect_timeout=0", tsterr.TCPIO},
		{"tcp://127.0.0.1:1?rcvbuf=1G", tsterr.TCPURL},
		{"tcp://127.0.0.1:1?nodelay=perhaps", tsterr.TCPURL},
		{"udp://127.0.0.1:1", tsterr.TCPURL},
		{"tcp://:1", tsterr.TCPURL},
		{"tcps://127.0.0.1:1?ca=/does/not/exist", tsterr.TCPIO},
		{"tcps://127.0.0.1:1?ca=" + ca, tsterr.TCPTLS},
		{fmt.Sprintf("tcps://127.0.0.1:%d?connect_timeout=1", plain.Port()), tsterr.TCPConnectTimeout}, // accepts, says nothing
	} {
		cfg, err := ParseURL(c.url)
		if err == nil {
			var conn *Conn
			if conn, err = Dial(context.Background(), cfg); err == nil {
				_ = conn.Close()
			}
		}
		if tsterr.KindOf(err) != c.kind {
			t.Errorf("%s: %v", c.url, err)
		}
	}
}

func FuzzParseURL(f *testing.F) {
	f.Add("tcp://127.0.0.1:9?nodelay=1&keepalive=3&rcvbuf=1K&connect_timeout=2&idle_timeout=5")
	f.Add("tcps://[::1]:9?sndbuf=1M")
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 0 && bytes.Contains([]byte(s), []byte("ca=")) {
			return // reads files
		}
		_, err := ParseURL(s)
		if k := tsterr.KindOf(err); err != nil && k != tsterr.TCPURL && k != tsterr.TCPIO {
			t.Fatalf("%q: %v", s, err)
		}
	})
}

func BenchmarkMessage(b *testing.B) {
	x, y := pair(b, Config{}, Config{})
	p, buf := make([]byte, 1316), make([]byte, 65536)
	b.SetBytes(1316)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := x.Write(p, transport.Forever); err != nil {
			b.Fatal(err)
		}
		if _, err := y.Read(buf, transport.Forever); err != nil {
			b.Fatal(err)
		}
	}
}
