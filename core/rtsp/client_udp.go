package rtsp

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/headers"

	"github.com/tstrans/tstrans/core/internal/dgram"
	"github.com/tstrans/tstrans/core/tsterr"
)

const (
	// firstPort is where the search for a pair of UDP ports begins.
	firstPort = 5004
	// udpBuffer holds a picture of 3 MB that arrives at once.
	udpBuffer = 4 << 20
)

// udpPair is the two sockets of a media: RTP on an even port, RTCP on the next.
type udpPair struct {
	rtp, rtcp *dgram.Conn
	once      sync.Once
}

// listenPair binds the first free pair of ports.
func listenPair(ctx context.Context, addr, peer netip.Addr) (*udpPair, error) {
	if peer.Is6() {
		addr = netip.IPv6Unspecified()
	}
	var last error
	for port := firstPort; port < 65535; port += 2 {
		a, err := dgram.Listen(ctx, dgram.Config{Addr: netip.AddrPortFrom(addr, uint16(port)), ReceiveBuffer: udpBuffer})
		if err != nil {
			last = err
			continue
		}
		b, err := dgram.Listen(ctx, dgram.Config{Addr: netip.AddrPortFrom(addr, uint16(port+1))})
		if err != nil {
			_ = a.Close()
			last = err
			continue
		}
		return &udpPair{rtp: a, rtcp: b}, nil
	}
	return nil, tsterr.Wrap(tsterr.RTSPIO, last, "no pair of UDP ports is free")
}

// joinPair joins the group that the server named, on the interface that leads
// to it and on the system's choice.
func joinPair(ctx context.Context, th *headers.Transport, local netip.Addr) (*udpPair, error) {
	group, ok := netip.AddrFromSlice(*th.Destination)
	group = group.Unmap()
	if !ok || !group.IsMulticast() || th.Ports == nil || th.Ports[0] <= 0 || th.Ports[1] > 65535 {
		return nil, errState("SETUP: the answer names no multicast group and port")
	}
	p := &udpPair{}
	for i, c := range []**dgram.Conn{&p.rtp, &p.rtcp} {
		conn, err := dgram.Listen(ctx, dgram.Config{
			Addr:          netip.AddrPortFrom(group, uint16(th.Ports[i])), //nolint:gosec // checked
			ReceiveBuffer: udpBuffer, AlsoJoin: local,
		})
		if err != nil {
			p.close()
			return nil, tsterr.Wrap(tsterr.RTSPIO, err, "join %v", group)
		}
		*c = conn
	}
	return p, nil
}

// punch opens the way through address translation: a packet out, so that
// packets may come in.
func (p *udpPair) punch(rtpTo, rtcpTo netip.AddrPort) {
	_ = p.rtp.Send([]byte{0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, rtpTo) // where it fails, nothing is lost
	_ = p.rtcp.Send([]byte{0x80, 201, 0, 1, 0, 0, 0, 0}, rtcpTo)         // see above
}

// start receives for track i of a session until the pair is closed.
func (p *udpPair) start(s *Session, i int, from netip.Addr) {
	s.loops.Add(2)
	g := s.ingest
	good := func(a netip.Addr) bool { return !from.IsValid() || a == from }
	go func() {
		defer s.loops.Done()
		for {
			n, err := p.rtp.Receive(g.wait(i, time.Now()))
			now := time.Now()
			for k := range n {
				if b, a := p.rtp.Datagram(k); good(a.Addr()) {
					g.packet(i, b, a.Addr(), now)
				} else {
					g.tracks[i].in.Reject()
				}
			}
			if n == 0 {
				if !errors.Is(err, dgram.ErrTimeout) {
					return
				}
				g.due(i, now)
			}
		}
	}()
	go func() {
		defer s.loops.Done()
		for {
			n, err := p.rtcp.Receive(-1)
			for k := range n {
				if b, a := p.rtcp.Datagram(k); good(a.Addr()) {
					g.control(i, b, a.Addr(), time.Now())
				}
			}
			if n == 0 && err != nil {
				return
			}
		}
	}()
}

func (p *udpPair) close() {
	p.once.Do(func() {
		for _, c := range []*dgram.Conn{p.rtp, p.rtcp} {
			if c != nil {
				_ = c.Close()
			}
		}
	})
}
