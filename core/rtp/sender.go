package rtp

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"github.com/tstrans/tstrans/core/internal/dgram"
	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
)

// cname names this end in reports (RFC 3550 §6.5.1).
const cname = "tstrans"

// Sender sends each message as the payload of one RTP packet of type 33. Its
// time stamps are the wall clock's: with MPEG-TS they carry no media time
// (RFC 2250 §2).
type Sender struct {
	life  *transport.Life
	conn  *dgram.Conn
	rtcp  *dgram.Conn // nil without reports
	to    netip.AddrPort
	max   int
	now   func() time.Time
	count transport.Counters
	fast  *transport.Shared
	loops sync.WaitGroup

	mu    sync.Mutex // one WriteBatch at a time; guards what follows
	out   *Outbound
	heads [dgram.BatchSize][HeaderSize]byte
}

// Dial makes the sockets. Nothing is sent.
func Dial(ctx context.Context, cfg SenderConfig) (*Sender, error) {
	if !cfg.Addr.IsValid() {
		return nil, tsterr.New(tsterr.RTPURL, "no address to send to")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	any4 := netip.IPv4Unspecified()
	if cfg.Addr.Addr().Is6() {
		any4 = netip.IPv6Unspecified()
	}
	dc := dgram.Config{Addr: netip.AddrPortFrom(any4, 0), TTL: cfg.TTL, SendBuffer: cfg.SendBuffer}
	if cfg.Addr.Addr().IsMulticast() {
		var err error
		if dc.Interface, err = groupInterface(cfg.Addr.Addr(), cfg.Interface); err != nil {
			return nil, err
		}
	}
	media := dc
	media.OwnThread, media.Peer = true, cfg.Addr
	conn, err := dgram.Listen(ctx, media)
	if err != nil {
		return nil, ioError(err, "RTP sender")
	}
	s := &Sender{
		life: transport.NewLife(), conn: conn, to: cfg.Addr, max: cfg.PacketSize, now: cfg.Now,
		out: NewOutbound(PayloadTypeMP2T, cfg.SSRC, ClockRate, RandomBase(), cfg.Now()),
	}
	fd, wait := conn.Own()
	kind, most := uint32(transport.SharedRTP), cfg.PacketSize-HeaderSize
	if most < 0 { // not even an empty message fits
		kind, most = 0, 0
	}
	if s.fast, err = transport.NewShared(s, kind, fd, wait, most); err != nil {
		_ = conn.Close()
		return nil, ioError(err, "memory")
	}
	s.count.Share(s.fast)
	s.out.share(s.fast, cfg.Now())
	if cfg.RTCP {
		if s.rtcp, err = dgram.Listen(ctx, dc); err != nil {
			_ = conn.Close()
			return nil, ioError(err, "RTCP sender")
		}
		s.loops.Add(1)
		go s.report()
	}
	return s, nil
}

// groupInterface reads the interface of a multicast address: an IPv4 literal.
func groupInterface(group netip.Addr, iface string) (netip.Addr, error) {
	if iface == "" {
		return netip.Addr{}, nil
	}
	a, err := netip.ParseAddr(iface)
	if err != nil || a.Is4() != group.Is4() {
		return netip.Addr{}, tsterr.New(tsterr.RTPIfaceUnsupported, "iface=%s is not an address of the group's family", iface)
	}
	return a, nil
}

// report sends a sender report now and then, once there was something to report.
func (s *Sender) report() {
	defer s.loops.Done()
	t := time.NewTicker(ReportInterval)
	defer t.Stop()
	to := netip.AddrPortFrom(s.to.Addr(), s.to.Port()+1)
	for {
		select {
		case <-t.C:
			if n, _ := s.out.Sent(); n > 0 {
				now := s.now()
				_ = s.rtcp.Send(s.out.Report(cname, now, s.out.Now(now)), to) // the next report says the same
			}
		case <-s.life.Done():
			now := s.now()
			_ = s.rtcp.Send(s.out.Bye(cname, now, s.out.Now(now)), to) // BYE is a courtesy
			return
		}
	}
}

// MaxPayload is the longest message taken, in bytes.
func (s *Sender) MaxPayload() int { return s.max - HeaderSize }

// BundleSize is how much MPEG-TS goes into one packet, in bytes: whole TS packets.
func (s *Sender) BundleSize() int { return max(0, s.MaxPayload()/TSPacketSize*TSPacketSize) }

// Shared is what C code does for the sender's user.
func (s *Sender) Shared() *transport.Shared { return s.fast }

// WriteBatch implements transport.Writer: one packet a message, the empty one too.
func (s *Sender) WriteBatch(data []byte, spans []transport.Span, _ time.Duration) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.life.Err("RTP send"); err != nil {
		return 0, err
	}
	s.count.SendCall()
	s.fast.Lock()
	defer s.fast.Unlock()
	if err := s.fast.TakeError(); err != nil {
		s.count.SendError()
		return 0, ioError(err, "send")
	}
	ts := s.out.Now(s.now())
	done, queued, bytes := 0, 0, 0
	for _, sp := range spans {
		if n := int(sp.Len) + HeaderSize; n > s.max {
			err := s.flush(queued, bytes)
			if err == nil {
				err = tsterr.New(tsterr.RTPTooLarge, "a packet of %d bytes, the limit is %d", n, s.max)
			}
			return done, err
		}
		h := s.heads[queued][:]
		s.out.Next(h, ts, false, int(sp.Len))
		s.conn.Add(h, data[sp.Off:sp.Off+sp.Len], s.to)
		queued++
		bytes += int(sp.Len) + HeaderSize
		if queued == dgram.BatchSize {
			if err := s.flush(queued, bytes); err != nil {
				return done, err
			}
			done, queued, bytes = done+queued, 0, 0
		}
	}
	if err := s.flush(queued, bytes); err != nil {
		return done, err
	}
	return done + queued, nil
}

func (s *Sender) flush(packets, bytes int) error {
	if packets == 0 {
		return nil
	}
	n, err := s.conn.Flush()
	if n == packets {
		s.count.Sent(n, bytes)
		return nil
	}
	s.count.SendError()
	if lerr := s.life.Err("RTP send"); lerr != nil {
		return lerr
	}
	s.count.Sent(n, bytes*n/packets)
	return ioError(err, "send")
}

// SSRC is the sender's source.
func (s *Sender) SSRC() uint32 { return s.out.SSRC }

// Clock relates the wall clock to the RTP time stamps, as the reports do.
func (s *Sender) Clock() ClockMap {
	now := s.now()
	return ClockMap{NTP: NTP(now), Timestamp: s.out.Now(now), Rate: ClockRate, Valid: true}
}

// Stats implements transport.Object. Bytes count RTP headers too.
func (s *Sender) Stats() transport.Stats { return s.count.Snapshot() }

// Cancel implements transport.Object.
func (s *Sender) Cancel() {
	s.life.Cancel()
	s.fast.Stop()
	s.conn.Wake()
}

// Cancelled reports whether Cancel or Close was called.
func (s *Sender) Cancelled() bool { return s.life.Cancelled() }

// Close implements transport.Object.
func (s *Sender) Close() error {
	if !s.life.Close() {
		s.loops.Wait()
		return nil
	}
	s.loops.Wait()
	s.fast.Stop()
	err := s.conn.Close()
	s.fast.Trim()
	if s.rtcp != nil {
		_ = s.rtcp.Close() // the media socket's error is the one that matters
	}
	if err != nil {
		return ioError(err, "close")
	}
	return nil
}

// ioError wraps what the system refused.
func ioError(err error, what string) error {
	e := tsterr.Wrap(tsterr.RTPIO, err, "%s", what)
	var errno syscall.Errno
	if errors.As(err, &errno) {
		e = e.With("errno", int64(errno))
	}
	return e
}
