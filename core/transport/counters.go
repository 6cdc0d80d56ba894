package transport

import "sync/atomic"

// Counters are the live form of Stats: written by the calls, read by any thread.
type Counters struct {
	messagesSent, bytesSent         atomic.Uint64
	messagesReceived, bytesReceived atomic.Uint64
	sendCalls, recvCalls            atomic.Uint64
	sendErrors, recvErrors          atomic.Uint64
	dropped                         atomic.Uint64
	shared                          *Shared // what C counts, nil without
}

// Share adds what C counts. It is called before any other thread has the counters.
func (c *Counters) Share(s *Shared) { c.shared = s }

// Sent counts messages handed to the network.
func (c *Counters) Sent(messages, bytes int) {
	c.messagesSent.Add(uint64(messages)) //nolint:gosec // counts are not negative
	c.bytesSent.Add(uint64(bytes))       //nolint:gosec // counts are not negative
}

// Received counts messages taken from the network.
func (c *Counters) Received(messages, bytes int) {
	c.messagesReceived.Add(uint64(messages)) //nolint:gosec // counts are not negative
	c.bytesReceived.Add(uint64(bytes))       //nolint:gosec // counts are not negative
}

// SendCall, RecvCall, SendError, RecvError and Dropped count one or n of their kind.
func (c *Counters) SendCall() { c.sendCalls.Add(1) }

// RecvCall counts a receive call.
func (c *Counters) RecvCall() { c.recvCalls.Add(1) }

// SendError counts a failed send.
func (c *Counters) SendError() { c.sendErrors.Add(1) }

// RecvError counts a failed receive; timeouts are not failures.
func (c *Counters) RecvError() { c.recvErrors.Add(1) }

// Dropped counts messages that a full queue cost.
func (c *Counters) Dropped(n uint64) { c.dropped.Add(n) }

// Snapshot reads all counters.
func (c *Counters) Snapshot() Stats {
	s := Stats{
		MessagesSent:     c.messagesSent.Load(),
		BytesSent:        c.bytesSent.Load(),
		MessagesReceived: c.messagesReceived.Load(),
		BytesReceived:    c.bytesReceived.Load(),
		SendCalls:        c.sendCalls.Load(),
		RecvCalls:        c.recvCalls.Load(),
		SendErrors:       c.sendErrors.Load(),
		RecvErrors:       c.recvErrors.Load(),
		MessagesDropped:  c.dropped.Load(),
	}
	if c.shared != nil {
		c.shared.add(&s)
	}
	return s
}
