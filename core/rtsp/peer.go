package rtsp

import (
	"net/netip"
	"sync"
	"time"

	"github.com/tstrans/tstrans/core/internal/dgram"
	"github.com/tstrans/tstrans/core/rtp"
)

// tcpBatch is about how much one write to a TCP client takes, in bytes.
const tcpBatch = 64 << 10

// peer sends the frames of a mount to one client, or to a group. What the client
// can take at once the pushing thread sends; else frames wait in a bounded queue
// and the peer's own thread takes them out, until there are none.
type peer struct {
	m      *Mount
	owner  *serverConn // nil: a group
	conn   *dgram.Conn // of a group
	udp    *udpServer  // of a client by UDP
	tracks []peerTrack

	mu      sync.Mutex // guards what follows, and tracks while behind is not set
	queue   []queued
	backlog int  // payloads in queue
	behind  bool // the peer's thread sends
	unsent  bool // the connection has something left over
	over    bool // nothing is sent any more

	wake chan struct{}
	quit chan struct{}
	once sync.Once
	done sync.WaitGroup

	work  []queued // of the sending thread
	buf   []byte
	heads [dgram.BatchSize][rtp.HeaderSize]byte
}

type queued struct {
	f    *frame
	from int // the first payload still to be sent
}

// peerTrack is one media of a client.
type peerTrack struct {
	on      bool
	tcp     bool
	channel byte
	to      netip.AddrPort
	rtcpTo  netip.AddrPort
	out     *rtp.Outbound
	base    uint32 // the mount's time stamp that the client sees as 0
	last    uint32 // of what was sent last
	lastAt  time.Time
	started bool
	greet   bool            // an early report is due, so that clients can align their clocks
	direct  *dgram.Segments // of a client by UDP, where the system does it
}

func newPeer(m *Mount, tracks int) *peer {
	return &peer{m: m, tracks: make([]peerTrack, tracks), wake: make(chan struct{}, 1), quit: make(chan struct{})}
}

// prepare starts the numbering of a track.
func (p *peer) prepare(i int, media Media) {
	t := &p.tracks[i]
	t.on = true
	t.out = rtp.NewOutbound(media.PayloadType, nil, media.Rate, 0, p.m.start)
	if p.m.packer == nil {
		t.base = uint32(ticks(time.Since(p.m.start))) //nolint:gosec // it wraps
	}
}

// begin starts sending.
func (p *peer) begin() {
	p.done.Add(1)
	go p.run()
}

// halt ends sending.
func (p *peer) halt() {
	p.mu.Lock()
	p.over = true
	p.mu.Unlock()
	p.once.Do(func() { close(p.quit) })
}

// stop ends sending and waits for the thread.
func (p *peer) stop() {
	p.halt()
	p.done.Wait()
}

// push sends a frame or queues it. Beyond the mount's limit the oldest queued
// payloads go; a frame that finds room is taken whole, however many payloads it
// has, so that a large picture does not cost itself.
func (p *peer) push(o *outgoing, direct bool) {
	if o.track >= len(p.tracks) || !p.tracks[o.track].on {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return
	}
	from := 0
	if direct && !p.behind {
		if from = p.direct(o); from == len(o.ends) {
			return
		}
	}
	p.behind = true
	lost := 0
	for p.backlog > p.m.s.cfg.Fanout {
		q := &p.queue[0]
		n := min(p.backlog-p.m.s.cfg.Fanout, len(q.f.ends)-q.from)
		q.from += n
		p.backlog -= n
		lost += n
		if q.from == len(q.f.ends) {
			p.pop()
		}
	}
	p.queue = append(p.queue, queued{f: o.keep(), from: from})
	p.backlog += len(o.ends) - from
	if lost > 0 {
		p.m.dropped.Add(uint64(lost))
	}
	token(p.wake)
}

// pop removes the oldest frame and lets go of it.
func (p *peer) pop() {
	p.queue[0] = queued{}
	p.queue = p.queue[1:]
	if len(p.queue) == 0 {
		p.queue = nil
	}
}

// drained tells whether everything has gone out.
func (p *peer) drained() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.behind
}

func (p *peer) run() {
	defer p.done.Done()
	t := time.NewTicker(rtp.ReportInterval)
	defer t.Stop()
	for {
		select {
		case <-p.wake:
			for p.take() {
				if !p.send() {
					return
				}
			}
			for i := range p.tracks {
				p.greet(i)
			}
		case now := <-t.C:
			for i := range p.tracks {
				p.report(i, now, false)
			}
		case <-p.quit:
			for i := range p.tracks {
				p.report(i, time.Now(), true)
			}
			return
		}
	}
}

// take moves the next batch out of the queue; without one the pushing threads
// may send again.
func (p *peer) take() bool {
	if p.stopped() {
		return false
	}
	clear(p.work)
	p.work = p.work[:0]
	p.mu.Lock()
	defer p.mu.Unlock()
	size := 0
	for len(p.queue) > 0 && size < tcpBatch {
		q := p.queue[0]
		size += len(q.f.data)
		p.work = append(p.work, q)
		p.backlog -= len(q.f.ends) - q.from
		p.pop()
	}
	p.behind = len(p.work) > 0 || p.unsent
	return p.behind
}

// send writes the batch; false means that the client is gone.
func (p *peer) send() bool {
	packets, bytes := 0, 0
	p.buf = p.buf[:0]
	ok, pending := true, 0
	p.mu.Lock()
	unsent := p.unsent
	p.unsent = false
	p.mu.Unlock()
	if unsent {
		ok = p.write()
	}
	locked := false
	for _, q := range p.work {
		t := &p.tracks[q.f.track]
		if !t.tcp && !locked && p.conn == nil {
			p.udp.smu.Lock()
			locked = true
		}
		ts := q.f.ts - t.base
		from := uint32(0)
		if q.from > 0 {
			from = q.f.ends[q.from-1]
		}
		for i := q.from; i < len(q.f.ends); i++ {
			payload := q.f.data[from:q.f.ends[i]]
			from = q.f.ends[i]
			h := p.heads[pending][:]
			t.out.Next(h, ts, q.f.marker && i == len(q.f.ends)-1, len(payload))
			packets++
			bytes += len(payload) + rtp.HeaderSize
			if t.tcp {
				p.buf = appendFrame(p.buf, t.channel, h, payload)
				if len(p.buf) >= tcpBatch {
					ok = ok && p.write()
				}
				continue
			}
			sock := p.socket()
			sock.Add(h, payload, t.to)
			if pending++; pending == dgram.BatchSize {
				_, _ = sock.Flush() // a client that is not there is told by its connection
				pending = 0
			}
		}
		t.last, t.lastAt = ts, q.f.at
		if !t.started {
			t.started, t.greet = true, true
		}
	}
	if pending > 0 {
		_, _ = p.socket().Flush() // see above
	}
	if locked {
		p.udp.smu.Unlock()
	}
	if len(p.buf) > 0 {
		ok = ok && p.write()
	}
	p.m.s.rtpPackets.Add(uint64(packets)) //nolint:gosec // not negative
	p.m.s.rtpBytes.Add(uint64(bytes))     //nolint:gosec // not negative
	return ok
}

func (p *peer) socket() *dgram.Conn {
	if p.conn != nil {
		return p.conn
	}
	return p.udp.pair.rtp
}

// write sends the buffer to a TCP client; one that takes nothing for as long as
// a silent one is borne is dropped.
func (p *peer) write() bool {
	within := p.owner.idleLimit()
	if p.stopped() {
		within = farewellTimeout / 2
	}
	err := p.owner.w.write(p.buf, within)
	p.buf = p.buf[:0]
	if err != nil {
		_ = p.owner.w.nc.Close()
		return false
	}
	return true
}

// greet sends the early report of track i where it is due.
func (p *peer) greet(i int) {
	t := &p.tracks[i]
	p.mu.Lock()
	due := t.greet
	t.greet = false
	p.mu.Unlock()
	if due {
		p.report(i, time.Now(), false)
	}
}

// report sends a sender report of track i, or the last one with BYE.
func (p *peer) report(i int, now time.Time, bye bool) {
	t := &p.tracks[i]
	p.mu.Lock()
	ts, at := t.last, t.lastAt
	p.mu.Unlock()
	if !t.on || at.IsZero() {
		return
	}
	if p.m.packer == nil { // the wall clock is the media's clock
		ts, at = uint32(ticks(now.Sub(p.m.start)))-t.base, now //nolint:gosec // it wraps
	}
	b := t.out.Report(cname, at, ts)
	if bye {
		b = t.out.Bye(cname, at, ts)
	}
	switch {
	case t.tcp:
		_ = p.owner.w.sendFrame(t.channel+1, b, farewellTimeout) // the next report says the same
	case p.conn != nil:
		_ = p.conn.Send(b, t.rtcpTo) // see above
	default:
		p.udp.smu.Lock()
		_ = p.udp.pair.rtcp.Send(b, t.rtcpTo) // see above
		p.udp.smu.Unlock()
	}
	p.m.s.rtcpSent.Add(1)
}

func (p *peer) stopped() bool {
	select {
	case <-p.quit:
		return true
	default:
		return false
	}
}

// again is the peer for the next PLAY after a pause: it goes on numbering.
func (p *peer) again() *peer {
	return &peer{
		m: p.m, owner: p.owner, udp: p.udp, tracks: p.tracks, wake: make(chan struct{}, 1), quit: make(chan struct{}),
	}
}
