package webrtc

import (
	"errors"
	"io"
	"math"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/datachannel"
	"github.com/pion/dtls/v3"
	"github.com/pion/sctp"
	"github.com/pion/transport/v3/packetio"

	"github.com/tstrans/tstrans/core/tsterr"
)

const (
	maxChannels    = 65535 // streams of an association, less the one that is not used
	maxChannelSend = 64 << 20
	sctpPipe       = 4 << 20
	sctpWindow     = 1 << 20
)

// ChannelConfig says how a channel carries messages.
type ChannelConfig struct {
	Label, Protocol string
	Unordered       bool
	// MaxRetransmits and MaxLifetime (ms) bound what is tried; -1 is no bound. At most
	// one may be set.
	MaxRetransmits, MaxLifetime int
	Negotiated                  bool
	// ID is the stream, -1 leaves it to the connection.
	ID int
}

// channel is a data channel of either side.
type channel struct {
	number uint64
	cfg    ChannelConfig
	dc     *datachannel.DataChannel
	opened bool
	closed bool
	low    uint64
	sent   atomic.Bool // since EventLow came last: the opening handshake is no message
	wrote  atomic.Bool // the caller sent at least one message
}

// dataTransport carries the channels of a connection: SCTP over DTLS.
type dataTransport struct {
	p    *Peer
	line int // of the descriptions, -1 before
	mid  string

	remotePort, remoteMax int

	// Guarded by p.mu.
	pipe     *packetio.Buffer
	assoc    *sctp.Association
	started  bool
	failed   bool
	channels map[uint64]*channel
	streams  map[uint16]*channel
	next     uint64
	readers  sync.WaitGroup
}

func newDataTransport(p *Peer) *dataTransport {
	d := &dataTransport{p: p, line: -1, pipe: packetio.NewBuffer(), channels: map[uint64]*channel{}, streams: map[uint16]*channel{}}
	d.pipe.SetLimitSize(sctpPipe)
	return d
}

// sctpPacket is called with what DTLS carried.
func (p *Peer) sctpPacket(b []byte) {
	p.mu.Lock()
	d := p.data
	p.mu.Unlock()
	if d != nil {
		_, _ = d.pipe.Write(b) // full: SCTP sends again
	}
}

// sctpConn is the connection under SCTP.
type sctpConn struct {
	d    *dataTransport
	dtls *dtls.Conn
}

func (c sctpConn) Read(b []byte) (int, error)         { return c.d.pipe.Read(b) }
func (c sctpConn) Write(b []byte) (int, error)        { return c.dtls.Write(b) }
func (c sctpConn) Close() error                       { return c.d.pipe.Close() }
func (c sctpConn) LocalAddr() net.Addr                { return c.dtls.LocalAddr() }
func (c sctpConn) RemoteAddr() net.Addr               { return c.dtls.RemoteAddr() }
func (c sctpConn) SetDeadline(t time.Time) error      { return c.d.pipe.SetReadDeadline(t) }
func (c sctpConn) SetReadDeadline(t time.Time) error  { return c.d.pipe.SetReadDeadline(t) }
func (c sctpConn) SetWriteDeadline(_ time.Time) error { return nil }

// start begins the association once DTLS is up and both sides want it. p.mu is held.
func (d *dataTransport) start() {
	if d.started || d.p.t.dtls == nil || d.remotePort == 0 || d.p.closing {
		return
	}
	d.started = true
	maxMessage := d.remoteMax
	if maxMessage <= 0 || maxMessage > math.MaxInt32 {
		maxMessage = math.MaxInt32
	}
	cfg := sctp.Config{
		NetConn: sctpConn{d, d.p.t.dtls}, LoggerFactory: quietLogs, MaxReceiveBufferSize: sctpWindow,
		MaxMessageSize: uint32(maxMessage), //nolint:gosec // bounded above
	}
	d.readers.Add(1)
	go func() {
		defer d.readers.Done()
		a, err := sctp.Client(cfg)
		d.p.mu.Lock()
		if err != nil || d.p.closing {
			d.failed = true
			d.p.mu.Unlock()
			if err == nil {
				_ = a.Close()
			}
			d.closeChannels()
			return
		}
		d.assoc = a
		for n := uint64(1); n <= d.next; n++ {
			if c := d.channels[n]; c != nil && c.dc == nil && !c.closed {
				d.open(c)
			}
		}
		d.p.mu.Unlock()
		d.accept(a)
	}()
}

// open begins a channel of this side. p.mu is held.
func (d *dataTransport) open(c *channel) {
	if c.cfg.ID < 0 {
		id := 0
		if !d.p.t.client {
			id = 1
		}
		for d.streams[uint16(id)] != nil && id < maxChannels { //nolint:gosec // bounded
			id += 2
		}
		if id >= maxChannels {
			d.finish(c)
			return
		}
		c.cfg.ID = id
		d.p.emit(Event{Kind: EventChannelID, Object: c.number, Value: int64(id)})
	}
	d.streams[uint16(c.cfg.ID)] = c //nolint:gosec // 16 bits
	cfg := &datachannel.Config{
		Label: c.cfg.Label, Protocol: c.cfg.Protocol, Negotiated: c.cfg.Negotiated, LoggerFactory: quietLogs,
		ChannelType: datachannel.ChannelTypeReliable,
	}
	switch {
	case c.cfg.MaxRetransmits >= 0:
		cfg.ChannelType, cfg.ReliabilityParameter = datachannel.ChannelTypePartialReliableRexmit, uint32(c.cfg.MaxRetransmits) //nolint:gosec // checked
	case c.cfg.MaxLifetime >= 0:
		cfg.ChannelType, cfg.ReliabilityParameter = datachannel.ChannelTypePartialReliableTimed, uint32(c.cfg.MaxLifetime) //nolint:gosec // checked
	}
	if c.cfg.Unordered {
		cfg.ChannelType |= 0x80
	}
	dc, err := datachannel.Dial(d.assoc, uint16(c.cfg.ID), cfg) //nolint:gosec // 16 bits
	if err != nil {
		d.finish(c)
		return
	}
	c.dc = dc
	if c.cfg.Negotiated {
		d.opened(c)
	} else {
		dc.OnOpen(func() {
			d.p.mu.Lock()
			defer d.p.mu.Unlock()
			d.opened(c)
		})
	}
	d.readers.Add(1)
	go d.read(c)
}

// opened and finish report once. p.mu is held.
func (d *dataTransport) opened(c *channel) {
	if c.opened || c.closed {
		return
	}
	c.opened = true
	c.dc.SetBufferedAmountLowThreshold(c.low)
	d.watchLow(c)
	d.p.emit(Event{Kind: EventChannelOpen, Object: c.number})
}

func (d *dataTransport) watchLow(c *channel) {
	number := c.number
	c.dc.OnBufferedAmountLow(func() {
		if c.sent.Swap(false) {
			d.p.emit(Event{Kind: EventLow, Object: number})
		}
	})
}

func (d *dataTransport) finish(c *channel) {
	if c.closed {
		return
	}
	c.closed = true
	if c.cfg.ID >= 0 && d.streams[uint16(c.cfg.ID)] == c { //nolint:gosec // 16 bits
		delete(d.streams, uint16(c.cfg.ID)) //nolint:gosec // 16 bits
	}
	delete(d.channels, c.number)
	d.p.emit(Event{Kind: EventChannelClose, Object: c.number})
}

func (d *dataTransport) closeChannels() {
	d.p.mu.Lock()
	defer d.p.mu.Unlock()
	for n := uint64(1); n <= d.next; n++ {
		if c := d.channels[n]; c != nil {
			d.finish(c)
		}
	}
}

// accept takes the channels that the other side opens.
func (d *dataTransport) accept(a *sctp.Association) {
	for {
		stream, err := a.AcceptStream()
		if err != nil {
			d.closeChannels()
			return
		}
		d.p.mu.Lock()
		known := d.streams[stream.StreamIdentifier()] != nil
		d.p.mu.Unlock()
		if known {
			continue // a negotiated channel's
		}
		d.readers.Add(1)
		go func() {
			defer d.readers.Done()
			d.greet(stream)
		}()
	}
}

func (d *dataTransport) greet(stream *sctp.Stream) {
	stream.SetDefaultPayloadType(sctp.PayloadTypeWebRTCBinary)
	dc, err := datachannel.Server(stream, &datachannel.Config{LoggerFactory: quietLogs})
	if err != nil {
		_ = stream.Close() // no opening message: not a data channel
		return
	}
	d.p.mu.Lock()
	if d.p.closing {
		d.p.mu.Unlock()
		return
	}
	d.next++
	c := &channel{number: d.next, dc: dc, opened: true, cfg: ChannelConfig{
		Label: dc.Label, Protocol: dc.Protocol, MaxRetransmits: -1, MaxLifetime: -1,
		Unordered: dc.ChannelType&0x80 != 0, ID: int(dc.StreamIdentifier()),
	}}
	switch dc.ChannelType &^ 0x80 {
	case datachannel.ChannelTypePartialReliableRexmit:
		c.cfg.MaxRetransmits = int(dc.ReliabilityParameter)
	case datachannel.ChannelTypePartialReliableTimed:
		c.cfg.MaxLifetime = int(dc.ReliabilityParameter)
	}
	d.channels[c.number] = c
	d.streams[dc.StreamIdentifier()] = c
	d.watchLow(c)
	d.p.emit(Event{Kind: EventChannel, Object: c.number})
	d.readers.Add(1)
	d.p.mu.Unlock()
	d.read(c)
}

// read hands out messages until the channel ends.
func (d *dataTransport) read(c *channel) {
	defer d.readers.Done()
	buf := make([]byte, 4096)
	for {
		n, isText, err := c.dc.ReadDataChannel(buf)
		if errors.Is(err, io.ErrShortBuffer) && len(buf) < maxMessageSize {
			buf = make([]byte, min(4*len(buf), maxMessageSize))
			continue
		}
		if err != nil {
			_ = c.dc.Close()
			d.p.mu.Lock()
			d.finish(c)
			d.p.mu.Unlock()
			return
		}
		// Not reading is what holds the other side back.
		for !d.p.take(n) {
			time.Sleep(2 * time.Millisecond)
			d.p.mu.Lock()
			over := d.p.closing
			d.p.mu.Unlock()
			if over {
				return
			}
		}
		kind := EventBinary
		if isText {
			kind = EventText
		}
		d.p.mu.Lock()
		if !c.opened { // a message proves that the other side took the channel
			d.opened(c)
		}
		d.p.mu.Unlock()
		d.p.emit(Event{Kind: kind, Object: c.number, Data: append([]byte{}, buf[:n]...), from: d.p})
	}
}

// close ends the association and all channels. p.mu is not held.
func (d *dataTransport) close() {
	d.p.mu.Lock()
	a := d.assoc
	d.p.mu.Unlock()
	d.closeChannels()
	if a != nil {
		a.Abort("")
	}
	_ = d.pipe.Close()
	d.readers.Wait()
}

// OpenChannel makes a channel and gives its number.
func (p *Peer) OpenChannel(cfg ChannelConfig) (uint64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.alive(); err != nil {
		return 0, err
	}
	if p.data == nil {
		p.data = newDataTransport(p)
	}
	d := p.data
	if cfg.ID >= 0 {
		for _, c := range d.channels {
			if c.cfg.ID == cfg.ID {
				return 0, tsterr.New(tsterr.InvalidArg, "Data channel with ID %d already registered", cfg.ID)
			}
		}
	}
	d.next++
	c := &channel{number: d.next, cfg: cfg}
	d.channels[c.number] = c
	if cfg.ID >= 0 {
		d.streams[uint16(cfg.ID)] = c //nolint:gosec // 16 bits
	}
	if d.failed {
		d.finish(c)
	} else if d.assoc != nil {
		d.open(c)
	}
	return c.number, nil
}

// HasData tells whether the connection has a data transport.
func (p *Peer) HasData() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.data != nil
}

// Channel gives what a channel was opened with.
func (p *Peer) Channel(n uint64) (cfg ChannelConfig, buffered uint64, err error) {
	c, err := p.channel(n)
	if err != nil {
		return cfg, 0, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.dc != nil && c.wrote.Load() { // the opening message is nothing the caller sent
		buffered = c.dc.BufferedAmount()
	}
	return c.cfg, buffered, nil
}

func (p *Peer) channel(n uint64) (*channel, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.data != nil {
		if c := p.data.channels[n]; c != nil {
			return c, nil
		}
	}
	return nil, stateError("the data channel is closed")
}

// SendMessage sends a message; text and binary arrive as what they are.
func (p *Peer) SendMessage(n uint64, data []byte, isText bool) error {
	c, err := p.channel(n)
	if err != nil {
		return err
	}
	p.mu.Lock()
	dc, opened := c.dc, c.opened && !c.closed
	p.mu.Unlock()
	if dc == nil || !opened {
		return stateError("the data channel is not open")
	}
	if dc.BufferedAmount()+uint64(len(data)) > maxChannelSend {
		return tsterr.New(tsterr.WebRTCOperation, "%d bytes wait on the data channel", dc.BufferedAmount())
	}
	c.sent.Store(true)
	c.wrote.Store(true)
	if _, err := dc.WriteDataChannel(data, isText); err != nil {
		if errors.Is(err, sctp.ErrOutboundPacketTooLarge) {
			return tsterr.New(tsterr.InvalidArg, "the other side takes messages of %d bytes at most, not %d", p.data.remoteMax, len(data))
		}
		return stateError("the data channel is closed: %v", err)
	}
	return nil
}

// SetLowThreshold sets below how many bytes waiting EventLow comes.
func (p *Peer) SetLowThreshold(n uint64, bytes uint64) error {
	c, err := p.channel(n)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	c.low = bytes
	if c.dc != nil {
		c.dc.SetBufferedAmountLowThreshold(bytes)
	}
	return nil
}

// CloseChannel ends a channel; EventChannelClose tells when both sides have.
func (p *Peer) CloseChannel(n uint64) error {
	c, err := p.channel(n)
	if err != nil {
		return nil //nolint:nilerr // closed already
	}
	p.mu.Lock()
	dc := c.dc
	if dc == nil {
		p.data.finish(c)
	}
	p.mu.Unlock()
	if dc != nil {
		_ = dc.Close()
	}
	return nil
}
