package rtp

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"

	"github.com/tstrans/tstrans/core/internal/dgram"
	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
)

// defaultReceiveBuffer holds a picture of 3 MB that arrives at once.
const defaultReceiveBuffer = 4 << 20

// Receiver takes RTP packets from a bound UDP socket.
type Receiver struct {
	life    *transport.Life
	conn    *dgram.Conn
	rtcp    *dgram.Conn // nil without reports
	in      *Inbound
	ssrc    uint32 // in our reports
	timeout time.Duration
	loops   sync.WaitGroup
	count   transport.Counters
	fast    *transport.Shared // nil where packets are put in order: the buffer knows how long to wait

	mu      sync.Mutex // one reader at a time; guards what follows
	n, next int        // of the batch that was received last
	pending Packet     // did not fit the caller's buffer
	has     bool
	left    []byte // of what C received and left
}

// Listen binds the sockets and joins the group when the address is one.
func Listen(ctx context.Context, cfg ReceiverConfig) (*Receiver, error) {
	if !cfg.Addr.IsValid() {
		return nil, tsterr.New(tsterr.RTPURL, "no address to bind")
	}
	if cfg.PayloadType == 0 {
		cfg.PayloadType = PayloadTypeMP2T
	}
	if cfg.ReceiveBuffer == 0 {
		cfg.ReceiveBuffer = defaultReceiveBuffer
	}
	dc := dgram.Config{Addr: cfg.Addr, ReceiveBuffer: cfg.ReceiveBuffer}
	if cfg.Addr.Addr().IsMulticast() {
		var err error
		if dc.Interface, err = groupInterface(cfg.Addr.Addr(), cfg.Interface); err != nil {
			return nil, err
		}
	}
	media := dc
	media.OwnThread = true
	conn, err := dgram.Listen(ctx, media)
	if err != nil {
		return nil, ioError(err, "bind "+cfg.Addr.String())
	}
	r := &Receiver{
		life: transport.NewLife(), conn: conn, ssrc: random32(), timeout: transport.Forever,
		in: NewInbound(InboundConfig{PayloadType: cfg.PayloadType, Source: cfg.Source, Hold: cfg.Hold}),
	}
	if cfg.Timeout > 0 {
		r.timeout = cfg.Timeout
	}
	if cfg.Hold == 0 {
		if err = r.share(cfg); err != nil {
			_ = conn.Close()
			return nil, ioError(err, "memory")
		}
	}
	if cfg.RTCP {
		dc.Addr = netip.AddrPortFrom(cfg.Addr.Addr(), conn.LocalAddr().Port()+1)
		if r.rtcp, err = dgram.Listen(ctx, dc); err != nil {
			_ = conn.Close()
			return nil, ioError(err, "bind "+dc.Addr.String())
		}
		r.loops.Add(1)
		go r.control()
	}
	return r, nil
}

// share has C wait, and take the packets of any source: their arrivals are counted when somebody looks.
func (r *Receiver) share(cfg ReceiverConfig) (err error) {
	kind := uint32(transport.SharedPoll)
	if !cfg.Source.IsValid() {
		kind |= transport.SharedReceive
	}
	fd, wait := r.conn.Own()
	if r.fast, err = transport.NewShared(r, kind, fd, wait, 0); err != nil {
		return err //nolint:wrapcheck // the caller adds what it was for
	}
	r.count.Share(r.fast)
	if kind&transport.SharedReceive != 0 {
		r.fast.TakeRTP(cfg.PayloadType)
		r.in.arrivals = r.fast
	}
	return nil
}

// control takes the sender's reports and answers them.
func (r *Receiver) control() {
	defer r.loops.Done()
	var peer netip.AddrPort
	next := time.Now().Add(ReportInterval)
	for {
		n, err := r.rtcp.Receive(max(0, time.Until(next)))
		now := time.Now()
		for i := range n {
			b, from := r.rtcp.Datagram(i)
			r.in.Control(b, from.Addr(), now)
			peer = from
		}
		if err != nil && !errors.Is(err, dgram.ErrTimeout) {
			return
		}
		if !now.Before(next) {
			next = now.Add(ReportInterval)
			if peer.IsValid() {
				if b := r.in.Report(r.ssrc, cname, now); b != nil {
					_ = r.rtcp.Send(b, peer) // the next report says the same
				}
			}
		}
	}
}

// LocalAddr is the bound address.
func (r *Receiver) LocalAddr() netip.AddrPort { return r.conn.LocalAddr() }

// DefaultTimeout is what the configuration says a receive waits.
func (r *Receiver) DefaultTimeout() time.Duration { return r.timeout }

// Shared is what C code does for the receiver's user.
func (r *Receiver) Shared() *transport.Shared { return r.fast }

// ReadBatch implements transport.Reader. A message is the payload of one packet.
func (r *Receiver) ReadBatch(arena []byte, spans []transport.Span, timeout time.Duration) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.count.RecvCall()
	defer func() { r.fast.SetHeld(r.has || r.next < r.n) }()
	n, used := 0, 0
	for n < len(spans) {
		p, err := r.packet(timeout)
		if err != nil {
			if n > 0 {
				return n, nil //nolint:nilerr // the next call reports it
			}
			return 0, err
		}
		if used+len(p.Payload) > len(arena) {
			r.pending, r.has = p, true
			if n > 0 {
				return n, nil
			}
			return 0, tsterr.New(tsterr.BufferTooSmall, "the next packet has %d bytes", len(p.Payload)).
				With("needed", int64(len(p.Payload)))
		}
		copy(arena[used:], p.Payload)
		spans[n] = transport.Span{Off: uint32(used), Len: uint32(len(p.Payload))} //nolint:gosec // at most 64 KiB each
		used += len(p.Payload)
		n++
		timeout = -2 // only what has been received
	}
	return n, nil
}

// ReadPacket gives the next packet; its payload is valid until the next call.
func (r *Receiver) ReadPacket(timeout time.Duration) (Packet, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.packet(timeout)
}

// packet waits for a packet; timeout -2 takes only what is at hand.
func (r *Receiver) packet(timeout time.Duration) (Packet, error) {
	if r.has {
		r.has = false
		return r.pending, nil
	}
	var end time.Time
	now := time.Now()
	if timeout > 0 {
		end = now.Add(timeout)
	}
	for {
		if err := r.life.Err("RTP receive"); err != nil {
			return Packet{}, err
		}
		if p, ok := r.in.Pop(now); ok {
			return p, nil
		}
		if r.next < r.n {
			b, from := r.conn.Datagram(r.next)
			r.next++
			r.in.Push(b, from.Addr(), now)
			continue
		}
		if b, ok := r.fast.Left(r.left); ok {
			r.left = b
			r.in.Push(b, netip.Addr{}, now)
			continue
		}
		if timeout == -2 {
			return Packet{}, transport.Timeout("RTP receive")
		}
		wait := timeout
		if timeout > 0 {
			wait = max(0, end.Sub(now))
		}
		held := r.in.Wait(now)
		if held >= 0 && (wait < 0 || held < wait) {
			wait = held
		}
		n, err := r.conn.Receive(wait)
		now = time.Now()
		r.n, r.next = n, 0
		if err == nil {
			continue
		}
		if lerr := r.life.Err("RTP receive"); lerr != nil {
			return Packet{}, lerr
		}
		if !errors.Is(err, dgram.ErrTimeout) {
			r.count.RecvError()
			return Packet{}, ioError(err, "receive")
		}
		if p, ok := r.in.Pop(now); ok {
			return p, nil
		}
		if timeout == 0 || (timeout > 0 && !now.Before(end)) {
			return Packet{}, transport.Timeout("RTP receive")
		}
	}
}

// Count makes room where C notes what arrived.
func (r *Receiver) Count() { r.in.Count() }

// Clock is the sender's mapping of RTP ticks to wall-clock time.
func (r *Receiver) Clock() ClockMap { return r.in.Clock() }

// InboundStats reads the counters of the stream.
func (r *Receiver) InboundStats() InboundStats { return r.in.Stats() }

// Stats implements transport.Object. Bytes count RTP headers too.
func (r *Receiver) Stats() transport.Stats {
	s, in := r.count.Snapshot(), r.in.Stats()
	s.MessagesReceived, s.BytesReceived = in.Packets, in.Bytes
	return s
}

// Cancel implements transport.Object.
func (r *Receiver) Cancel() {
	r.life.Cancel()
	r.fast.Stop()
	r.conn.Wake()
	if r.rtcp != nil {
		r.rtcp.Wake()
	}
}

// Cancelled reports whether Cancel or Close was called.
func (r *Receiver) Cancelled() bool { return r.life.Cancelled() }

// Close implements transport.Object.
func (r *Receiver) Close() error {
	if !r.life.Close() {
		r.loops.Wait()
		return nil
	}
	r.fast.Stop()
	err := r.conn.Close()
	r.fast.Trim()
	if r.rtcp != nil {
		_ = r.rtcp.Close() // the media socket's error is the one that matters
	}
	r.loops.Wait()
	if err != nil {
		return ioError(err, "close")
	}
	return nil
}
