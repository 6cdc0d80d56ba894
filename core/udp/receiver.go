package udp

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
)

// Receiver takes datagrams from one bound socket.
type Receiver struct {
	life  *transport.Life
	fd    int
	wait  *transport.Waiter
	batch *recvBatch
	idle  time.Duration
	port  uint16
	count transport.Counters
	fast  *transport.Shared // nil with an idle timeout

	waking sync.Mutex // keeps Cancel and Stats from descriptors that Close freed

	mu       sync.Mutex // one ReadBatch at a time; guards what follows
	lastData time.Time
	left     []byte // C received it, and it did not fit its caller's room
	has      bool
}

// Listen binds the socket and joins the group when the address is one.
func Listen(ctx context.Context, cfg ReceiverConfig) (*Receiver, error) {
	addr, err := resolve(cfg.Host, cfg.Port)
	if err != nil {
		return nil, err
	}
	group := addr.Addr().IsMulticast()
	var join func(fd uintptr) error
	if group {
		if join, err = joinGroup(addr.Addr(), cfg.Interface); err != nil {
			return nil, err
		}
	}
	lc := net.ListenConfig{Control: control(group, cfg.ReceiveBuffer)}
	pc, err := lc.ListenPacket(ctx, network(addr.Addr()), addr.String())
	if err != nil {
		return nil, ioError(err, "bind")
	}
	conn := pc.(*net.UDPConn) //nolint:forcetypeassert // what ListenPacket gives for udp
	raw, err := conn.SyscallConn()
	if err == nil && group {
		cerr := raw.Control(func(fd uintptr) { err = join(fd) })
		if err == nil {
			err = cerr
		}
	}
	if err != nil {
		_ = conn.Close()
		return nil, ioError(err, "join "+addr.Addr().String())
	}
	port := conn.LocalAddr().(*net.UDPAddr).AddrPort().Port() //nolint:forcetypeassert // a UDP socket's
	fd, err := transport.Detach(conn)
	if err != nil {
		return nil, ioError(err, "socket")
	}
	wait, err := transport.NewWaiter()
	if err != nil {
		closeFD(fd)
		return nil, ioError(err, "eventfd")
	}
	r := &Receiver{
		life: transport.NewLife(), fd: fd, wait: wait, port: port,
		idle:     time.Duration(cfg.IdleTimeout) * time.Millisecond,
		lastData: time.Now(),
	}
	if r.batch, err = newRecvBatch(fd, wait, r.life); err != nil {
		_ = r.Close()
		return nil, ioError(err, "receive buffers")
	}
	if r.idle == 0 { // whose exact end only fill knows
		if r.fast, err = transport.NewShared(r, transport.SharedPoll|transport.SharedReceive, fd, wait, 0); err != nil {
			_ = r.Close()
			return nil, ioError(err, "memory")
		}
		r.count.Share(r.fast)
	}
	return r, nil
}

func network(a netip.Addr) string {
	if a.Is4() {
		return "udp4"
	}
	return "udp6"
}

// Port returns the bound port.
func (r *Receiver) Port() uint16 { return r.port }

// Shared is what C code does for the receiver's user.
func (r *Receiver) Shared() *transport.Shared { return r.fast }

// ReadBatch implements transport.Reader. A message is one datagram, whole.
func (r *Receiver) ReadBatch(arena []byte, spans []transport.Span, timeout time.Duration) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.life.Err("UDP receive"); err != nil {
		return 0, err
	}
	r.count.RecvCall()
	n, bytes, err := r.take(arena, spans)
	if n == 0 && err == nil {
		if err = r.fill(timeout); err == nil {
			n, bytes, err = r.batch.take(arena, spans)
		}
	}
	r.fast.SetHeld(r.has || r.batch.next < r.batch.n)
	if n > 0 {
		r.count.Received(n, bytes)
		return n, nil
	}
	return 0, err
}

// take gives what was received already: C's leavings one at a time, as they are long.
func (r *Receiver) take(arena []byte, spans []transport.Span) (n, bytes int, err error) {
	if !r.has && r.batch.next == r.batch.n {
		r.left, r.has = r.fast.Left(r.left)
	}
	if !r.has {
		return r.batch.take(arena, spans)
	}
	if len(spans) == 0 || len(r.left) > len(arena) {
		return 0, 0, tooSmall(len(r.left))
	}
	r.has = false
	spans[0] = transport.Span{Len: uint32(len(r.left))} //nolint:gosec // a datagram
	return 1, copy(arena, r.left), nil
}

func (r *Receiver) fill(timeout time.Duration) error {
	if r.idle > 0 {
		left := max(0, r.idle-time.Since(r.lastData))
		if timeout < 0 || timeout > left {
			timeout = left
		}
	}
	err := r.batch.fill(timeout)
	if err == nil {
		if r.idle > 0 {
			r.lastData = time.Now()
		}
		return nil
	}
	if lerr := r.life.Err("UDP receive"); lerr != nil {
		return lerr
	}
	if isDeadline(err) {
		if r.idle > 0 && time.Since(r.lastData) >= r.idle {
			r.lastData = time.Now()
			r.count.RecvError()
			return tsterr.New(tsterr.UDPBroken, "no datagram for %v", r.idle)
		}
		return transport.Timeout("UDP receive")
	}
	r.count.RecvError()
	return ioError(err, "receive")
}

// FD returns the descriptor that turns readable when a datagram waits. Datagrams
// already taken from the system do not show there: read until tsterr.Timeout first.
func (r *Receiver) FD() (uintptr, error) {
	if err := r.life.Err("UDP descriptor"); err != nil {
		return 0, err
	}
	return uintptr(r.fd), nil //nolint:gosec // a descriptor
}

// Stats implements transport.Object. MessagesDropped is the kernel's count of
// datagrams that found the socket buffer full.
func (r *Receiver) Stats() transport.Stats {
	s := r.count.Snapshot()
	r.waking.Lock()
	defer r.waking.Unlock()
	if !r.life.Closed() {
		s.MessagesDropped = kernelDrops(r.fd)
	}
	return s
}

// Cancel implements transport.Object.
func (r *Receiver) Cancel() {
	r.life.Cancel()
	r.fast.Stop()
	r.waking.Lock()
	defer r.waking.Unlock()
	if !r.life.Closed() {
		r.wait.Wake()
	}
}

// Cancelled reports whether Cancel or Close was called.
func (r *Receiver) Cancelled() bool { return r.life.Cancelled() }

// Close implements transport.Object.
func (r *Receiver) Close() error {
	if !r.life.Close() {
		return nil
	}
	r.fast.Stop()
	r.wait.Wake()
	r.mu.Lock() // the parked call has left
	defer r.mu.Unlock()
	if r.batch != nil {
		r.batch.free()
	}
	r.fast.Trim()
	r.waking.Lock()
	defer r.waking.Unlock()
	r.wait.Close()
	closeFD(r.fd)
	return nil
}
