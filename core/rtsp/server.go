package rtsp

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/tstrans/tstrans/core/internal/dgram"
	"github.com/tstrans/tstrans/core/tsterr"
)

// Bounds of publishers that come unasked.
const (
	maxWaiting  = 64  // mounts made on demand that nobody has taken yet
	maxOnDemand = 256 // mounts made on demand at all
	maxMounts   = 4096
)

// ServerStats count a server.
type ServerStats struct {
	ActiveSessions   uint64 // connections
	ActivePublishers uint64
	Mounts           uint64
	RTPPacketsSent   uint64
	RTPBytesSent     uint64 // headers included
	RTPPacketsRecv   uint64
	RTPBytesRecv     uint64 // headers included
	RTCPSent         uint64 // sender reports
	RTCPReceived     uint64 // receiver reports
}

// Server serves mounts to RTSP clients and takes streams from publishers.
type Server struct {
	cfg  ServerConfig
	ln   net.Listener
	addr netip.AddrPort
	udp  udpServer

	rtpPackets, rtpBytes   atomic.Uint64
	recvPackets, recvBytes atomic.Uint64
	rtcpSent, rtcpReceived atomic.Uint64
	channels               atomic.Uint32 // the next pair of interleaved channels

	mu       sync.Mutex // guards what follows
	mounts   map[string]*Mount
	conns    map[*serverConn]struct{}
	stopped  bool
	waiting  []*PublishMount // made on demand, for NextPublisher
	onDemand int
	arrived  chan struct{} // one token: waiting has grown

	done  chan struct{} // closed when the server stops
	loops sync.WaitGroup
}

// Start binds a server and begins to accept.
func Start(ctx context.Context, cfg ServerConfig) (*Server, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	addr, wantsTLS, err := cfg.bindAddress()
	if err != nil {
		return nil, err
	}
	tc, err := cfg.tlsConfig(wantsTLS)
	if err != nil {
		return nil, err
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr.String())
	if err != nil {
		e := tsterr.Wrap(tsterr.RTSPIO, err, "bind %v", addr)
		var errno syscall.Errno
		if errors.As(err, &errno) {
			e = e.With("errno", int64(errno))
		}
		return nil, e
	}
	s := &Server{
		cfg: cfg, ln: ln, addr: ln.Addr().(*net.TCPAddr).AddrPort(), //nolint:forcetypeassert // a TCP listener's
		mounts: map[string]*Mount{}, conns: map[*serverConn]struct{}{},
		arrived: make(chan struct{}, 1), done: make(chan struct{}),
	}
	s.udp.s = s
	if tc != nil {
		s.ln = tls.NewListener(ln, tc)
	}
	s.loops.Add(1)
	go s.accept()
	return s, nil
}

// Addr is the bound address.
func (s *Server) Addr() netip.AddrPort { return s.addr }

func (s *Server) accept() {
	defer s.loops.Done()
	for {
		nc, err := s.ln.Accept()
		if err != nil {
			select {
			case <-s.done:
				return
			case <-time.After(10 * time.Millisecond): // out of descriptors, or a connection that failed at once
				continue
			}
		}
		s.mu.Lock()
		if s.stopped || len(s.conns) >= s.cfg.MaxSessions {
			s.mu.Unlock()
			_ = nc.Close()
			continue
		}
		c := newServerConn(s, nc)
		s.conns[c] = struct{}{}
		s.loops.Add(1)
		s.mu.Unlock()
		go c.run()
	}
}

func (s *Server) removeConn(c *serverConn) {
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
}

// find gives the mount of a path of a URL, which a mount may have been given as
// it means or as it is written; a slash at its end does not matter.
func (s *Server) find(path string) *Mount {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.findLocked(path); m != nil {
		return m
	}
	return s.findLocked((&url.URL{Path: path}).EscapedPath())
}

func (s *Server) findLocked(path string) *Mount {
	if m := s.mounts[path]; m != nil {
		return m
	}
	if n := len(path); n > 1 && path[n-1] == '/' {
		return s.mounts[path[:n-1]]
	}
	return s.mounts[path+"/"]
}

// addMount enters a mount under its path.
func (s *Server) addMount(m *Mount) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.stopped:
		return tsterr.New(tsterr.RTSPServer, "the server has stopped")
	case s.mounts[m.path] != nil:
		return tsterr.New(tsterr.RTSPMount, "path %q has a mount", m.path)
	case len(s.mounts) >= maxMounts:
		return tsterr.New(tsterr.RTSPMount, "more than %d mounts", maxMounts)
	}
	s.mounts[m.path] = m
	return nil
}

// RemoveMount takes a mount away and ends its clients and publisher.
func (s *Server) RemoveMount(path string) error {
	s.mu.Lock()
	if s.stopped {
		s.mu.Unlock()
		return tsterr.New(tsterr.RTSPServer, "the server has stopped")
	}
	m := s.mounts[path]
	if m == nil {
		s.mu.Unlock()
		return tsterr.New(tsterr.RTSPMount, "path %q has no mount", path)
	}
	delete(s.mounts, path)
	if m.publish != nil && m.publish.onDemand {
		s.onDemand--
		for i, w := range s.waiting {
			if w == m.publish {
				s.waiting = append(s.waiting[:i], s.waiting[i+1:]...)
				break
			}
		}
	}
	s.mu.Unlock()
	m.close()
	return nil
}

// Stop tells the clients, lets what is queued go out for at most drain, and
// ends everything. It may be repeated.
func (s *Server) Stop(drain time.Duration) error {
	if !s.halt() {
		s.loops.Wait()
		return nil
	}
	conns, mounts := s.snapshot()
	for _, m := range mounts { // what publishers send is over; what readers wait for may still go out
		m.endPublish()
	}
	var told sync.WaitGroup
	for _, c := range conns {
		told.Add(1)
		go func() {
			defer told.Done()
			c.farewell(drain)
		}()
	}
	told.Wait()
	if drain > 0 {
		end := time.NewTimer(drain)
		defer end.Stop()
		for _, c := range conns {
			select {
			case <-c.ended:
				continue
			case <-end.C:
			}
			break
		}
	}
	s.drop(conns, mounts)
	return nil
}

// Cancel ends everything at once, without a word to the clients.
func (s *Server) Cancel() {
	if s.halt() {
		conns, mounts := s.snapshot()
		s.drop(conns, mounts)
	}
}

// Interrupt is Cancel.
func (s *Server) Interrupt() { s.Cancel() }

// Close is Stop without a drain.
func (s *Server) Close() error { return s.Stop(0) }

// Stopped reports whether the server was stopped or cancelled.
func (s *Server) Stopped() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopped
}

// halt ends accepting; true for the one that did it.
func (s *Server) halt() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return false
	}
	s.stopped = true
	close(s.done)
	_ = s.ln.Close()
	return true
}

func (s *Server) snapshot() (conns []*serverConn, mounts []*Mount) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		conns = append(conns, c)
	}
	for _, m := range s.mounts {
		mounts = append(mounts, m)
	}
	return conns, mounts
}

func (s *Server) drop(conns []*serverConn, mounts []*Mount) {
	for _, c := range conns {
		_ = c.w.nc.Close()
	}
	for _, m := range mounts {
		m.close()
	}
	s.udp.close()
	s.loops.Wait()
}

// Stats reads the counters.
func (s *Server) Stats() ServerStats {
	conns, mounts := s.snapshot()
	st := ServerStats{
		ActiveSessions: uint64(len(conns)), Mounts: uint64(len(mounts)),
		RTPPacketsSent: s.rtpPackets.Load(), RTPBytesSent: s.rtpBytes.Load(),
		RTPPacketsRecv: s.recvPackets.Load(), RTPBytesRecv: s.recvBytes.Load(),
		RTCPSent: s.rtcpSent.Load(), RTCPReceived: s.rtcpReceived.Load(),
	}
	for _, m := range mounts {
		if m.publish != nil && m.publish.active() {
			st.ActivePublishers++
		}
	}
	return st
}

// udpServer is the pair of sockets that serves all UDP clients of a server. It
// is opened for the first one.
type udpServer struct {
	s *Server

	smu sync.Mutex // held while a batch is sent

	mu     sync.Mutex // guards what follows
	pair   *udpPair
	closed bool
	byRTP  map[netip.AddrPort]udpPeer // publishers, by where their packets come from
	byRTCP map[netip.AddrPort]udpPeer
}

// udpPeer is the connection and track that a datagram belongs to.
type udpPeer struct {
	c     *serverConn
	track int
}

// open gives the ports, binding them where nobody did yet.
func (u *udpServer) open() (*udpPair, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed {
		return nil, tsterr.New(tsterr.RTSPServer, "the server has stopped")
	}
	if u.pair != nil {
		return u.pair, nil
	}
	p, err := bindPair(u.s.addr.Addr())
	if err != nil {
		return nil, err
	}
	u.pair, u.byRTP, u.byRTCP = p, map[netip.AddrPort]udpPeer{}, map[netip.AddrPort]udpPeer{}
	u.s.loops.Add(2)
	go u.receive(p.rtp, false)
	go u.receive(p.rtcp, true)
	return p, nil
}

// bindPair binds an even port that the system picks, and the next.
func bindPair(addr netip.Addr) (*udpPair, error) {
	var last error
	for range 200 {
		a, err := dgram.Listen(context.Background(), dgram.Config{
			Addr: netip.AddrPortFrom(addr, 0), ReceiveBuffer: udpBuffer, SendBuffer: udpBuffer,
		})
		if err != nil {
			return nil, tsterr.Wrap(tsterr.RTSPIO, err, "UDP socket")
		}
		port := a.LocalAddr().Port()
		if port&1 == 0 && port < 65535 {
			b, err := dgram.Listen(context.Background(), dgram.Config{Addr: netip.AddrPortFrom(addr, port+1)})
			if err == nil {
				return &udpPair{rtp: a, rtcp: b}, nil
			}
			last = err
		}
		_ = a.Close()
	}
	return nil, tsterr.Wrap(tsterr.RTSPIO, last, "no pair of UDP ports is free")
}

func (u *udpServer) receive(conn *dgram.Conn, control bool) {
	defer u.s.loops.Done()
	for {
		n, err := conn.Receive(-1)
		now := time.Now()
		for i := range n {
			b, from := conn.Datagram(i)
			u.mu.Lock()
			to, ok := u.byRTP[from]
			if control {
				to, ok = u.byRTCP[from]
			}
			u.mu.Unlock()
			if ok {
				to.c.datagram(to.track, control, b, from.Addr(), now)
			}
		}
		if n == 0 && err != nil {
			return
		}
	}
}

// register routes what a client sends.
func (u *udpServer) register(rtp, rtcp netip.AddrPort, p udpPeer) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.byRTP[rtp], u.byRTCP[rtcp] = p, p
}

func (u *udpServer) forget(c *serverConn) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, m := range []map[netip.AddrPort]udpPeer{u.byRTP, u.byRTCP} {
		for a, p := range m {
			if p.c == c {
				delete(m, a)
			}
		}
	}
}

func (u *udpServer) close() {
	u.mu.Lock()
	u.closed = true
	p := u.pair
	u.mu.Unlock()
	if p != nil {
		p.close()
	}
}
