// Package dgram moves UDP datagrams in batches: one system call for up to
// BatchSize of them where the system has recvmmsg(2) and sendmmsg(2). Unlike a
// message transport it knows the address each datagram came from, and sends
// each one as a header and a payload from two places to an address of its own.
package dgram

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

const (
	// BatchSize is the number of datagrams a batch holds.
	BatchSize = 64
	// MaxDatagram is the longest datagram that is received whole, in bytes.
	MaxDatagram = 65536
)

// Config says how to bind.
type Config struct {
	// Addr is the address to bind. A multicast group is joined. Port 0 picks one.
	Addr netip.AddrPort
	// Interface is the address of the interface a group is joined on or
	// multicast is sent from. The zero value leaves it to the system.
	Interface netip.Addr
	// AlsoJoin is the address of a further interface a group is joined on; where
	// that fails, nothing is said.
	AlsoJoin netip.Addr
	// ReceiveBuffer and SendBuffer are SO_RCVBUF and SO_SNDBUF in bytes; 0
	// leaves the system's.
	ReceiveBuffer, SendBuffer int
	// TTL is the time to live of what is sent, 1 to 255; 0 leaves the system's.
	TTL int
	// OwnThread waits in poll(2) on the caller's own thread: for calls that come
	// in through C, to which the runtime's poller costs several thread switches a
	// wait.
	OwnThread bool
	// Peer is the one address that is sent to and received from; the addresses
	// given to Add and Send are not looked at then.
	Peer netip.AddrPort
	// ReuseAddr lets several sockets bind the address; groups always do.
	ReuseAddr bool
}

// Conn is a bound UDP socket. One thread at a time receives, one sends; Wake
// and Close may be called by any.
type Conn struct {
	pc    *net.UDPConn
	local netip.AddrPort
	six   bool // the socket is of the IPv6 family

	in  receiver
	out sender
	own *ownThread // nil: the runtime's poller waits

	park   sync.Mutex // orders a wait's deadline against Wake
	awake  bool
	inWait bool // a read deadline is set
}

// Listen binds a socket.
func Listen(ctx context.Context, cfg Config) (*Conn, error) {
	a := cfg.Addr
	network := "udp4"
	if !a.Addr().Is4() {
		network = "udp6"
	}
	group := a.Addr().IsMulticast()
	lc := net.ListenConfig{Control: control(cfg, group)}
	pc, err := lc.ListenPacket(ctx, network, a.String())
	if err != nil {
		return nil, err //nolint:wrapcheck // the caller adds what it was for
	}
	c := &Conn{pc: pc.(*net.UDPConn), six: network == "udp6"} //nolint:forcetypeassert // what ListenPacket gives for udp
	c.local = c.pc.LocalAddr().(*net.UDPAddr).AddrPort()      //nolint:forcetypeassert // a UDP socket's
	if group {
		err = c.join(a.Addr(), cfg.Interface)
		if cfg.AlsoJoin.IsValid() && c.join(a.Addr(), cfg.AlsoJoin) == nil {
			err = nil
		}
	}
	if err == nil {
		err = c.init(cfg)
	}
	if err != nil {
		_ = c.pc.Close()
		return nil, err
	}
	return c, nil
}

// LocalAddr is the bound address.
func (c *Conn) LocalAddr() netip.AddrPort { return c.local }

// ErrTimeout says that nothing came in time.
var ErrTimeout = os.ErrDeadlineExceeded

// ErrAwake says that Wake was called.
var ErrAwake = errors.New("woken")

// Receive waits up to timeout (negative: for ever, 0: not at all) for a first
// datagram and takes what else is there. The datagrams are valid until the next
// call.
func (c *Conn) Receive(timeout time.Duration) (int, error) {
	if c.own != nil {
		return c.own.receive(c, timeout)
	}
	c.park.Lock()
	if c.awake {
		c.park.Unlock()
		return 0, ErrAwake
	}
	if c.inWait { // a deadline that has passed would fail the attempt below
		c.inWait = false
		_ = c.pc.SetReadDeadline(time.Time{})
	}
	c.park.Unlock()
	n, err := c.in.fill(true)
	if !errors.Is(err, ErrTimeout) || timeout == 0 {
		return n, err
	}
	c.park.Lock()
	if c.awake {
		c.park.Unlock()
		return 0, ErrAwake
	}
	if timeout > 0 {
		c.inWait = true
		_ = c.pc.SetReadDeadline(time.Now().Add(timeout))
	}
	c.park.Unlock()
	n, err = c.in.fill(false)
	if err != nil {
		c.park.Lock()
		if c.awake {
			err = ErrAwake
		}
		c.park.Unlock()
	}
	return n, err
}

// Datagram gives datagram i of the last Receive and where it came from. An
// IPv4 address is never in its IPv6 form. The bytes live in memory of c that the
// collector does not see: hold c as long as them.
func (c *Conn) Datagram(i int) ([]byte, netip.AddrPort) { return c.in.datagram(i) }

// Wake ends a parked Receive and all later ones.
func (c *Conn) Wake() {
	c.park.Lock()
	defer c.park.Unlock()
	if c.awake { // the descriptors may be gone
		return
	}
	c.awake = true
	if c.own != nil {
		c.own.wake()
		return
	}
	_ = c.pc.SetReadDeadline(time.Unix(1, 0))
	_ = c.pc.SetWriteDeadline(time.Unix(1, 0))
}

// Add queues a datagram of a header and a payload; both are kept until Flush.
// It reports false when the batch is full.
func (c *Conn) Add(head, payload []byte, to netip.AddrPort) bool { return c.out.add(head, payload, to) }

// Flush sends what was queued and returns how many went out. A full socket
// buffer is waited for. Datagrams that the system refuses are skipped; the
// first such error is returned.
func (c *Conn) Flush() (int, error) {
	if c.own != nil {
		return c.own.flush(c)
	}
	return c.out.flush()
}

// Send is Add and Flush of one datagram.
func (c *Conn) Send(b []byte, to netip.AddrPort) error {
	c.Add(b, nil, to)
	_, err := c.Flush()
	return err
}

// Close frees the socket and ends a parked Receive.
func (c *Conn) Close() error {
	c.Wake()
	if c.own != nil {
		return c.own.close()
	}
	return c.pc.Close() //nolint:wrapcheck // the caller adds what it was for
}
