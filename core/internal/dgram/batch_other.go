//go:build !linux

package dgram

import (
	"net"
	"net/netip"
	"time"
)

// Without recvmmsg and sendmmsg a batch of received datagrams is one datagram,
// and a batch to send is sent one by one.

type receiver struct {
	pc   *net.UDPConn
	mem  []byte
	n    int
	from netip.AddrPort
}

type sender struct {
	pc   *net.UDPConn
	bufs [BatchSize][]byte
	to   [BatchSize]netip.AddrPort
	n    int
}

func (c *Conn) init(Config) error {
	c.in.pc, c.out.pc = c.pc, c.pc
	return nil
}

func (r *receiver) fill(poll bool) (int, error) {
	if r.mem == nil {
		r.mem = make([]byte, MaxDatagram)
	}
	if poll {
		_ = r.pc.SetReadDeadline(time.Now().Add(time.Microsecond))
		defer func() { _ = r.pc.SetReadDeadline(time.Time{}) }()
	}
	n, from, err := r.pc.ReadFromUDPAddrPort(r.mem)
	if err != nil {
		return 0, err //nolint:wrapcheck // the caller adds what it was for
	}
	r.n, r.from = n, netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
	return 1, nil
}

func (r *receiver) datagram(int) ([]byte, netip.AddrPort) { return r.mem[:r.n], r.from }

func (s *sender) add(head, payload []byte, to netip.AddrPort) bool {
	if s.n == BatchSize {
		return false
	}
	s.bufs[s.n] = append(append(s.bufs[s.n][:0], head...), payload...)
	s.to[s.n] = to
	s.n++
	return true
}

func (s *sender) flush() (out int, first error) {
	for i := range s.n {
		if _, err := s.pc.WriteToUDPAddrPort(s.bufs[i], s.to[i]); err != nil {
			if first == nil {
				first = err
			}
			continue
		}
		out++
	}
	s.n = 0
	return out, first
}
