package webrtc

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/ice/v4"
	"github.com/pion/logging"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
	"github.com/pion/stun/v3"
	"github.com/pion/transport/v3/packetio"
)

const (
	checkInterval    = 50 * time.Millisecond
	handshakeTimeout = 30 * time.Second
	flightInterval   = 250 * time.Millisecond
	replayWindow     = 512
	iceBufferSize    = 2048
)

var quietLogs = func() logging.LoggerFactory {
	f := logging.NewDefaultLoggerFactory()
	f.DefaultLogLevel = logging.LogLevelDisabled
	f.ScopeLevels = nil
	return f
}()

// transportLayer carries the media and data of one connection: an ICE agent, DTLS
// over it, SRTP beside it.
type transportLayer struct {
	p   *Peer
	tap *tapNet

	// Guarded by p.mu.
	agent       *ice.Agent
	ufrag, pwd  string
	candidates  []string
	gathered    bool
	waiters     []func() // called, with p.mu held, once gathered
	remote      []ice.Candidate
	remoteUfrag string
	remotePwd   string
	prints      []fingerprint
	controlling bool
	client      bool // of DTLS
	started     bool
	iceState    ICEState
	state       ConnectionState

	cancel context.CancelFunc
	conn   *ice.Conn
	dtls   *dtls.Conn
	pipe   *packetio.Buffer // DTLS records that arrived

	renegotiation renegotiation

	done chan struct{} // closed once the goroutines of start have ended

	tapMu sync.Mutex
	taps  []*tapConn
	path  atomic.Pointer[path]

	inMu  sync.Mutex
	in    *srtp.Context
	plain []byte

	outMu  sync.Mutex
	out    *srtp.Context
	wire   []byte
	ends   []int
	header rtp.Header

	packetsSent, bytesSent         atomic.Uint64
	packetsReceived, bytesReceived atomic.Uint64
	dropped                        atomic.Uint64 // packets that did not decrypt
}

// path is where media goes directly.
type path struct {
	tap *tapConn
	to  netip.AddrPort
}

func newTransportLayer(p *Peer) *transportLayer {
	return &transportLayer{p: p, ufrag: randomText(4), pwd: randomText(22), pipe: packetio.NewBuffer(), done: make(chan struct{})}
}

// gather makes the agent and lets it look for candidates; done is called at the end.
func (t *transportLayer) gather(done func()) error {
	std, onlyLoopback, err := t.p.hub.net.get()
	if err != nil {
		return sdpError("network interfaces: %v", err)
	}
	t.tap = &tapNet{std, t}
	interval := checkInterval
	cfg := &ice.AgentConfig{
		Urls: t.p.cfg.servers, NetworkTypes: []ice.NetworkType{ice.NetworkTypeUDP4, ice.NetworkTypeUDP6},
		LocalUfrag: t.ufrag, LocalPwd: t.pwd, CheckInterval: &interval, Net: t.tap, LoggerFactory: quietLogs,
		MulticastDNSMode: ice.MulticastDNSModeDisabled, IncludeLoopback: onlyLoopback || t.p.cfg.Loopback,
	}
	if t.p.cfg.RelayOnly {
		cfg.CandidateTypes = []ice.CandidateType{ice.CandidateTypeRelay}
	}
	if t.p.cfg.FailedAfter > 0 {
		quarter := t.p.cfg.FailedAfter / 4
		rest := t.p.cfg.FailedAfter - quarter
		cfg.DisconnectedTimeout, cfg.FailedTimeout = &quarter, &rest
	}
	if t.agent == nil {
		if t.agent, err = ice.NewAgent(cfg); err != nil {
			return sdpError("ICE: %v", err)
		}
		if err := t.agent.OnConnectionStateChange(t.iceChanged); err != nil {
			return sdpError("ICE: %v", err)
		}
		if err := t.agent.OnSelectedCandidatePairChange(t.selected); err != nil {
			return sdpError("ICE: %v", err)
		}
	}
	if err := t.agent.OnCandidate(func(c ice.Candidate) {
		if c == nil {
			done()
			return
		}
		t.p.mu.Lock()
		t.candidates = append(t.candidates, trimCandidate(c.Marshal()))
		t.p.mu.Unlock()
	}); err != nil {
		return sdpError("ICE: %v", err)
	}
	if err := t.agent.GatherCandidates(); err != nil {
		return sdpError("ICE: %v", err)
	}
	return nil
}

// selected notes the path of a pair whose local side is a socket of ours.
func (t *transportLayer) selected(local, remote ice.Candidate) {
	var next *path
	addr, err := netip.ParseAddr(remote.Address())
	if err == nil && local.Type() == ice.CandidateTypeHost {
		t.tapMu.Lock()
		for _, c := range t.taps {
			if int(c.local.Port()) == local.Port() && c.local.Addr().Unmap().String() == local.Address() {
				next = &path{c, netip.AddrPortFrom(addr, uint16(remote.Port()))} //nolint:gosec // a port
			}
		}
		t.tapMu.Unlock()
	}
	t.path.Store(next)
}

func (t *transportLayer) iceChanged(s ice.ConnectionState) {
	switch s {
	case ice.ConnectionStateChecking:
		t.p.transportICE(t, ICEChecking)
	case ice.ConnectionStateConnected, ice.ConnectionStateCompleted:
		t.p.transportICE(t, ICECompleted)
	case ice.ConnectionStateFailed:
		t.p.transportICE(t, ICEFailed)
		t.p.transportState(t, ConnectionFailed)
		t.p.mu.Lock()
		cancel := t.cancel
		t.p.mu.Unlock()
		if cancel != nil {
			cancel()
		}
	case ice.ConnectionStateUnknown, ice.ConnectionStateNew, ice.ConnectionStateDisconnected, ice.ConnectionStateClosed:
	}
}

func (t *transportLayer) addRemote(c ice.Candidate) {
	if t.started && t.agent != nil {
		_ = t.agent.AddRemoteCandidate(c) // fails only once the agent is closed
		return
	}
	t.remote = append(t.remote, c)
}

// start begins the checks and the handshake. p.mu is held.
func (t *transportLayer) start() {
	t.started = true
	ctx, cancel := context.WithCancel(context.Background())
	t.cancel = cancel
	for _, c := range t.remote {
		_ = t.agent.AddRemoteCandidate(c)
	}
	t.remote = nil
	go func() {
		defer close(t.done)
		err := t.run(ctx)
		switch {
		case err == nil:
		case errors.Is(err, errPeerClosed):
			t.p.remoteClosed()
		case ctx.Err() == nil:
			t.p.transportState(t, ConnectionFailed)
		}
	}()
}

var errPeerClosed = errors.New("the other side closed the transport")

func (t *transportLayer) run(ctx context.Context) error {
	connect := t.agent.Accept
	if t.controlling {
		connect = t.agent.Dial
	}
	t.p.transportState(t, Connecting)
	conn, err := connect(ctx, t.remoteUfrag, t.remotePwd)
	if err != nil {
		return err
	}
	t.conn = conn
	go t.readICE()
	limited, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	d, err := t.handshake(limited)
	if err != nil {
		return err
	}
	t.p.mu.Lock()
	t.dtls = d
	t.p.mu.Unlock()
	t.p.transportState(t, Connected)
	return t.readDTLS(d)
}

// readICE takes what the agent got and the taps did not: DTLS, and media that came
// through a relay.
func (t *transportLayer) readICE() {
	buf := make([]byte, iceBufferSize)
	for {
		n, err := t.conn.Read(buf)
		if err != nil {
			if errors.Is(err, packetio.ErrFull) || n > 0 {
				continue
			}
			_ = t.pipe.Close()
			return
		}
		switch b := buf[:n]; {
		case n == 0:
		case b[0] >= 128 && b[0] < 192:
			t.media(b)
		case b[0] >= 20 && b[0] < 64:
			t.packetsReceived.Add(1)
			t.bytesReceived.Add(uint64(n))
			_, _ = t.pipe.Write(b) // full: DTLS sends again
		}
	}
}

// dtlsConn is the packet connection under DTLS.
type dtlsConn struct{ t *transportLayer }

func (c dtlsConn) ReadFrom(p []byte) (int, net.Addr, error) {
	n, err := c.t.pipe.Read(p)
	c.t.renegotiation.look(p[:n])
	return n, c.t.conn.RemoteAddr(), err
}

func (c dtlsConn) WriteTo(p []byte, _ net.Addr) (int, error) {
	c.t.packetsSent.Add(1)
	c.t.bytesSent.Add(uint64(len(p)))
	return c.t.conn.Write(p)
}

func (c dtlsConn) Close() error                       { return c.t.pipe.Close() }
func (c dtlsConn) LocalAddr() net.Addr                { return c.t.conn.LocalAddr() }
func (c dtlsConn) SetDeadline(x time.Time) error      { return c.t.pipe.SetReadDeadline(x) }
func (c dtlsConn) SetReadDeadline(x time.Time) error  { return c.t.pipe.SetReadDeadline(x) }
func (c dtlsConn) SetWriteDeadline(_ time.Time) error { return nil } // a datagram socket does not block

func (t *transportLayer) handshake(ctx context.Context) (*dtls.Conn, error) {
	cfg := &dtls.Config{
		Certificates: t.p.cert.chain, ExtendedMasterSecret: dtls.RequireExtendedMasterSecret,
		SRTPProtectionProfiles: []dtls.SRTPProtectionProfile{
			dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AEAD_AES_256_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80,
		},
		ClientAuth: dtls.RequireAnyClientCert, InsecureSkipVerify: true, // the fingerprint decides, not an authority
		VerifyPeerCertificate: t.verify, LoggerFactory: quietLogs, FlightInterval: flightInterval,
		ServerHelloMessageHook:  t.renegotiation.answer,
		InsecureSkipVerifyHello: true, // ICE has shown already that the address is the peer's
	}
	var d *dtls.Conn
	var err error
	if t.client {
		d, err = dtls.Client(dtlsConn{t}, t.conn.RemoteAddr(), cfg)
	} else {
		d, err = dtls.Server(dtlsConn{t}, t.conn.RemoteAddr(), cfg)
	}
	if err != nil {
		return nil, err
	}
	if err := d.HandshakeContext(ctx); err != nil {
		_ = d.Close()
		return nil, err
	}
	if err := t.keys(d); err != nil {
		_ = d.Close()
		return nil, err
	}
	return d, nil
}

func (t *transportLayer) keys(d *dtls.Conn) error {
	state, ok := d.ConnectionState()
	profile, chosen := d.SelectedSRTPProtectionProfile()
	if !ok || !chosen {
		return nil // data alone
	}
	cfg := srtp.Config{Profile: srtp.ProtectionProfile(profile)}
	if err := cfg.ExtractSessionKeysFromDTLS(&state, t.client); err != nil {
		return err
	}
	out, err := srtp.CreateContext(cfg.Keys.LocalMasterKey, cfg.Keys.LocalMasterSalt, cfg.Profile)
	if err != nil {
		return err
	}
	in, err := srtp.CreateContext(cfg.Keys.RemoteMasterKey, cfg.Keys.RemoteMasterSalt, cfg.Profile,
		srtp.SRTPReplayProtection(replayWindow), srtp.SRTCPReplayProtection(replayWindow))
	if err != nil {
		return err
	}
	t.outMu.Lock()
	t.out = out
	t.outMu.Unlock()
	t.inMu.Lock()
	t.in = in
	t.inMu.Unlock()
	return nil
}

// readDTLS hands what DTLS carries to SCTP until the other side closes.
func (t *transportLayer) readDTLS(d *dtls.Conn) error {
	buf := make([]byte, 8192)
	for {
		n, err := d.Read(buf)
		if err != nil {
			return errPeerClosed
		}
		t.p.sctpPacket(buf[:n])
	}
}

// media takes an SRTP or SRTCP packet. Any goroutine that reads a socket calls it.
func (t *transportLayer) media(b []byte) {
	t.packetsReceived.Add(1)
	t.bytesReceived.Add(uint64(len(b)))
	t.inMu.Lock()
	defer t.inMu.Unlock()
	if t.in == nil || len(b) < 12 {
		t.dropped.Add(1)
		return
	}
	if b[1] >= 192 && b[1] <= 223 {
		plain, err := t.in.DecryptRTCP(nil, b, nil)
		if err != nil {
			t.dropped.Add(1)
			return
		}
		t.p.control(plain)
		return
	}
	var h rtp.Header
	plain, err := t.in.DecryptRTP(t.plain[:0], b, &h)
	if err != nil {
		t.dropped.Add(1)
		return
	}
	t.plain = plain
	t.p.packet(&h, plain)
}

// batch encrypts packets and sends them together: call fill with an add function.
func (t *transportLayer) batch(fill func(add func(packet []byte))) {
	t.outMu.Lock()
	defer t.outMu.Unlock()
	if t.out == nil {
		return
	}
	t.wire, t.ends = t.wire[:0], t.ends[:0]
	fill(func(packet []byte) {
		at := len(t.wire)
		need := len(packet) + 32
		if cap(t.wire)-at < need {
			t.wire = append(make([]byte, 0, 2*cap(t.wire)+16*maxPacket), t.wire...)
		}
		t.header = rtp.Header{}
		b, err := t.out.EncryptRTP(t.wire[at:at:at+need], packet, &t.header)
		if err != nil {
			return // the key is used up, after 2^48 packets
		}
		t.wire = t.wire[:at+len(b)]
		t.ends = append(t.ends, len(t.wire))
	})
	t.write(t.wire, t.ends)
}

func (t *transportLayer) write(b []byte, ends []int) {
	if len(ends) == 0 {
		return
	}
	t.packetsSent.Add(uint64(len(ends)))
	t.bytesSent.Add(uint64(len(b)))
	if p := t.path.Load(); p != nil {
		_ = p.tap.writeRun(b, ends, p.to) // what the network refuses is lost, as on it
		return
	}
	start := 0
	for _, end := range ends {
		_, _ = t.conn.Write(b[start:end])
		start = end
	}
}

// sendControl encrypts and sends a compound RTCP packet.
func (t *transportLayer) sendControl(b []byte) {
	t.outMu.Lock()
	defer t.outMu.Unlock()
	if t.out == nil {
		return
	}
	e, err := t.out.EncryptRTCP(nil, b, nil)
	if err == nil {
		t.write(e, []int{len(e)})
	}
}

// close ends DTLS, telling the other side, and the agent.
func (t *transportLayer) close() {
	t.p.mu.Lock()
	agent, d, cancel, started := t.agent, t.dtls, t.cancel, t.started
	t.p.mu.Unlock()
	if d != nil {
		_ = d.Close()
	}
	if cancel != nil {
		cancel()
	}
	_ = t.pipe.Close()
	if agent != nil {
		_ = agent.Close()
	}
	if started {
		<-t.done
	}
}

func (t *transportLayer) restart() {
	t.ufrag, t.pwd = randomText(4), randomText(22)
	t.candidates, t.gathered = nil, false
	if t.agent != nil {
		_ = t.agent.Restart(t.ufrag, t.pwd)
	}
}

// servers parses addresses of STUN and TURN servers.
func parseServer(url, user, password string) (*stun.URI, error) {
	u, err := stun.ParseURI(url)
	if err != nil {
		return nil, sdpError("the server address %q: %v", url, err)
	}
	u.Username, u.Password = user, password
	return u, nil
}
