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
	conn  *net.UDPConn
	batch *recvBatch
	idle  time.Duration
	port  uint16
	count transport.Counters

	mu       sync.Mutex // one ReadBatch at a time; guards what follows
	lastData time.Time
	armed    bool

	park sync.Mutex // orders a wait's deadline against Cancel's
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
	batch, err := newRecvBatch(raw)
	if err != nil {
		_ = conn.Close()
		return nil, ioError(err, "receive buffers")
	}
	return &Receiver{
		life: transport.NewLife(), conn: conn, batch: batch,
		idle:     time.Duration(cfg.IdleTimeout) * time.Millisecond,
		port:     conn.LocalAddr().(*net.UDPAddr).AddrPort().Port(), //nolint:forcetypeassert // a UDP socket's
		lastData: time.Now(),
	}, nil
}

func network(a netip.Addr) string {
	if a.Is4() {
		return "udp4"
	}
	return "udp6"
}

// Port returns the bound port.
func (r *Receiver) Port() uint16 { return r.port }

// ReadBatch implements transport.Reader. A message is one datagram, whole.
func (r *Receiver) ReadBatch(arena []byte, spans []transport.Span, timeout time.Duration) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.life.Err("UDP receive"); err != nil {
		return 0, err
	}
	r.count.RecvCall()
	n, bytes, err := r.batch.take(arena, spans)
	if n == 0 && err == nil {
		if err = r.fill(timeout); err == nil {
			n, bytes, err = r.batch.take(arena, spans)
		}
	}
	if n > 0 {
		r.count.Received(n, bytes)
		return n, nil
	}
	return 0, err
}

func (r *Receiver) fill(timeout time.Duration) error {
	if r.idle > 0 {
		left := max(0, r.idle-time.Since(r.lastData))
		if timeout < 0 || timeout > left {
			timeout = left
		}
	}
	if r.armed { // a deadline that has passed would fail the attempt below
		if err := r.deadline(transport.Forever); err != nil {
			return err
		}
		r.armed = false
	}
	err := r.batch.fill(true)
	if isDeadline(err) && timeout != 0 {
		if err = r.deadline(timeout); err != nil {
			return err
		}
		r.armed = true
		err = r.batch.fill(false)
	}
	if err == nil {
		r.lastData = time.Now()
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

// deadline arms the wait unless a cancel came first: a deadline set later would undo its wake-up.
func (r *Receiver) deadline(timeout time.Duration) error {
	r.park.Lock()
	defer r.park.Unlock()
	if err := r.life.Err("UDP receive"); err != nil {
		return err
	}
	var t time.Time
	if timeout > 0 {
		t = time.Now().Add(timeout)
	}
	_ = r.conn.SetReadDeadline(t)
	return nil
}

// FD returns the descriptor that turns readable when a datagram waits. Datagrams
// already taken from the system do not show there: read until tsterr.Timeout first.
func (r *Receiver) FD() (uintptr, error) {
	raw, err := r.conn.SyscallConn()
	if err != nil {
		return 0, ioError(err, "descriptor")
	}
	var out uintptr
	if err := raw.Control(func(fd uintptr) { out = fd }); err != nil {
		return 0, ioError(err, "descriptor")
	}
	return out, nil
}

// Stats implements transport.Object. MessagesDropped is the kernel's count of
// datagrams that found the socket buffer full.
func (r *Receiver) Stats() transport.Stats {
	s := r.count.Snapshot()
	s.MessagesDropped = kernelDrops(r.conn)
	return s
}

// Cancel implements transport.Object.
func (r *Receiver) Cancel() {
	r.park.Lock()
	defer r.park.Unlock()
	r.life.Cancel()
	_ = r.conn.SetReadDeadline(time.Unix(1, 0))
}

// Cancelled reports whether Cancel or Close was called.
func (r *Receiver) Cancelled() bool { return r.life.Cancelled() }

// Close implements transport.Object.
func (r *Receiver) Close() error {
	if !r.life.Close() {
		return nil
	}
	r.park.Lock()
	_ = r.conn.SetReadDeadline(time.Unix(1, 0))
	r.park.Unlock()
	err := r.conn.Close()
	r.mu.Lock() // the parked call has left
	defer r.mu.Unlock()
	r.batch.free()
	if err != nil {
		return ioError(err, "close")
	}
	return nil
}
