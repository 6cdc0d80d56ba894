package rtsp

import (
	"github.com/bluenviron/gortsplib/v4/pkg/base"

	"github.com/tstrans/tstrans/core/rtp"
)

// directPeers is how many clients of a mount the pushing thread itself writes
// to; those beyond have it done by their own threads, so that a push stays short
// and many processors share the work.
const directPeers = 256

// laidMax is how much memory a mount keeps to lay frames out in, in bytes.
const laidMax = 1 << 20

// outgoing is one frame on its way to all clients of a mount. A client that can
// take it at once gets it from the pushing thread, which costs one system call:
// no copy, no queue, no other thread. For that the packets are laid out once, as
// they go over the wire, and each client writes its own numbers into the headers
// before its turn. Clients that are behind share one copy of the media.
type outgoing struct {
	frame          // its data is the pusher's
	kept    *frame // a copy that may be queued, made for the first client that is behind
	framed  laid   // for connections: with the frame around each packet
	bare    laid   // for datagrams
	scratch []uint32
}

// laid is packets one after the other.
type laid struct {
	buf   []byte
	heads []int // where each RTP header begins
	done  bool
}

// begin takes the next frame.
func (o *outgoing) begin(f frame) {
	o.frame, o.kept = f, nil
	for _, l := range []*laid{&o.framed, &o.bare} {
		l.done = false
		if cap(l.buf) > laidMax {
			*l = laid{}
		}
	}
}

// keep is the frame for queues.
func (o *outgoing) keep() *frame {
	if o.kept == nil {
		f := o.frame
		f.data = append([]byte(nil), f.data...)
		f.ends = append([]uint32(nil), f.ends...)
		o.kept = &f
	}
	return o.kept
}

// lay puts the packets behind one another, where that was not done for this
// frame, with before bytes in front of each.
func (o *outgoing) lay(l *laid, before int) *laid {
	if l.done {
		return l
	}
	l.done, l.buf, l.heads = true, l.buf[:0], l.heads[:0]
	var head [frameHeader + rtp.HeaderSize]byte
	head[0] = base.InterleavedFrameMagicByte
	from := uint32(0)
	for _, end := range o.ends {
		n := int(end-from) + rtp.HeaderSize
		head[2], head[3] = byte(n>>8), byte(n) //nolint:gosec // sixteen bits
		l.heads = append(l.heads, len(l.buf)+before)
		l.buf = append(l.buf, head[frameHeader-before:]...)
		l.buf = append(l.buf, o.data[from:end]...)
		from = end
	}
	return l
}

// size is how long packet i is, without the frame around it.
func (o *outgoing) size(i int) int {
	from := uint32(0)
	if i > 0 {
		from = o.ends[i-1]
	}
	return int(o.ends[i]-from) + rtp.HeaderSize
}

// direct sends the frame to a client that is not behind, from the pushing
// thread. It gives how many packets were handed over; the others have to be
// queued. p.mu is held.
func (p *peer) direct(o *outgoing) int {
	t := &p.tracks[o.track]
	n := 0
	switch {
	case t.tcp:
		n = p.directTCP(t, o)
	case t.direct != nil:
		n = p.directUDP(t, o)
	}
	if n == 0 {
		return 0
	}
	bytes := int(o.ends[n-1]) + n*rtp.HeaderSize
	p.m.s.rtpPackets.Add(uint64(n))   //nolint:gosec // not negative
	p.m.s.rtpBytes.Add(uint64(bytes)) //nolint:gosec // not negative
	t.last, t.lastAt = o.ts-t.base, o.at
	if !t.started {
		t.started, t.greet = true, true
		token(p.wake) // its thread reports early
	}
	return n
}

// number writes the headers of packets from to to, for this client.
func (t *peerTrack) number(o *outgoing, l *laid, from, to int) {
	ts := o.ts - t.base
	for i := from; i < to; i++ {
		at := l.heads[i]
		t.out.Next(l.buf[at:at+rtp.HeaderSize], ts, o.marker && i == len(o.ends)-1, o.size(i)-rtp.HeaderSize)
	}
}

// directTCP hands over all packets or none: what the connection does not take at
// once is kept there.
func (p *peer) directTCP(t *peerTrack, o *outgoing) int {
	w := p.owner.w
	if !w.claim() {
		return 0
	}
	defer w.release()
	l := o.lay(&o.framed, frameHeader)
	t.number(o, l, 0, len(o.ends))
	for _, at := range l.heads {
		l.buf[at-frameHeader+1] = t.channel
	}
	rest, err := w.offer(l.buf)
	switch {
	case err != nil:
		_ = w.nc.Close()
	case rest:
		p.behind, p.unsent = true, true
		token(p.wake)
	}
	return len(o.ends)
}

// directUDP hands over runs of packets of one size until the socket is full.
func (p *peer) directUDP(t *peerTrack, o *outgoing) int {
	l := o.lay(&o.bare, 0)
	for at := 0; at < len(o.ends); {
		size := o.size(at)
		room := t.direct.Room(size)
		if room == 0 {
			return at
		}
		to := at + 1
		for to < len(o.ends) && to-at < room && o.size(to) <= size {
			to++
			if o.size(to-1) < size { // a shorter one is the last
				break
			}
		}
		t.number(o, l, at, to)
		end := len(l.buf)
		if to < len(o.ends) {
			end = l.heads[to]
		}
		if !t.direct.Send(l.buf[l.heads[at]:end], size) {
			t.out.TakeBack(to-at, end-l.heads[at]-(to-at)*rtp.HeaderSize)
			return at
		}
		at = to
	}
	return len(o.ends)
}
