package udp

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
)

// Sender sends datagrams to one address.
type Sender struct {
	life  *transport.Life
	fd    int
	max   int
	count transport.Counters
	fast  *transport.Shared

	mu    sync.Mutex // one WriteBatch at a time
	batch *sendBatch
	wait  *transport.Waiter

	waking sync.Mutex // keeps Cancel's wake-up from a descriptor that Close freed
}

// Dial makes the socket. Nothing is sent.
func Dial(ctx context.Context, cfg SenderConfig) (*Sender, error) {
	addr, err := resolve(cfg.Host, cfg.Port)
	if err != nil {
		return nil, err
	}
	size := DefaultPacketSize
	if cfg.PacketSize != nil {
		size = *cfg.PacketSize
	}
	opts, err := sendOptions(addr.Addr(), cfg)
	if err != nil {
		return nil, err
	}
	d := net.Dialer{Control: opts}
	c, err := d.DialContext(ctx, network(addr.Addr()), addr.String())
	if err != nil {
		return nil, ioError(err, "connect")
	}
	conn := c.(*net.UDPConn) //nolint:forcetypeassert // what Dial gives for udp
	fd, err := transport.Detach(conn)
	if err != nil {
		return nil, ioError(err, "socket")
	}
	wait, err := transport.NewWaiter()
	if err != nil {
		closeFD(fd)
		return nil, ioError(err, "eventfd")
	}
	s := &Sender{life: transport.NewLife(), fd: fd, max: size, wait: wait}
	s.batch = newSendBatch(fd, wait, s.life)
	if s.fast, err = transport.NewShared(s, transport.SharedDatagram, fd, wait, size); err != nil {
		_ = s.Close()
		return nil, ioError(err, "memory")
	}
	s.count.Share(s.fast)
	return s, nil
}

// Shared is what C code does for the sender's user.
func (s *Sender) Shared() *transport.Shared { return s.fast }

// WriteBatch implements transport.Writer: one datagram a message, the empty one too.
func (s *Sender) WriteBatch(data []byte, spans []transport.Span, timeout time.Duration) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.life.Err("UDP send"); err != nil {
		return 0, err
	}
	s.count.SendCall()
	if err := s.fast.TakeError(); err != nil {
		return 0, s.fail(err)
	}
	done := 0
	for done < len(spans) {
		if n := int(spans[done].Len); n > s.max {
			s.count.SendError()
			return done, tsterr.New(tsterr.UDPPayloadTooLarge,
				"payload of %d bytes is longer than the packet size of %d", n, s.max)
		}
		end := done + 1
		for end < len(spans) && end-done < sendBatchSize && int(spans[end].Len) <= s.max {
			end++
		}
		n, bytes, err := s.batch.send(data, spans[done:end], timeout)
		done += n
		s.count.Sent(n, bytes)
		if err != nil {
			return done, s.fail(err)
		}
	}
	return done, nil
}

func (s *Sender) fail(err error) error {
	if lerr := s.life.Err("UDP send"); lerr != nil {
		return lerr
	}
	if isDeadline(err) {
		return transport.Timeout("UDP send")
	}
	s.count.SendError()
	return ioError(err, "send")
}

// Stats implements transport.Object.
func (s *Sender) Stats() transport.Stats { return s.count.Snapshot() }

// Cancel implements transport.Object.
func (s *Sender) Cancel() {
	s.life.Cancel()
	s.fast.Stop()
	s.waking.Lock()
	defer s.waking.Unlock()
	if !s.life.Closed() {
		s.wait.Wake()
	}
}

// Cancelled reports whether Cancel or Close was called.
func (s *Sender) Cancelled() bool { return s.life.Cancelled() }

// Close implements transport.Object.
func (s *Sender) Close() error {
	if !s.life.Close() {
		return nil
	}
	s.fast.Stop()
	s.wait.Wake()
	s.mu.Lock() // the parked call has left
	defer s.mu.Unlock()
	s.waking.Lock()
	defer s.waking.Unlock()
	s.wait.Close()
	closeFD(s.fd)
	s.fast.Trim()
	return nil
}
