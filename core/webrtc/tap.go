package webrtc

import (
	"net"
	"net/netip"
	"sync"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"
)

const (
	readBatch  = 16
	maxPacket  = 1500 // media packets; longer ones are for ICE and DTLS and cut by neither
	socketSize = 1 << 20
)

// batchConn is what x/net has of both families.
type batchConn interface {
	ReadBatch(ms []ipv4.Message, flags int) (int, error)
	WriteBatch(ms []ipv4.Message, flags int) (int, error)
}

// tapConn is the socket of a host candidate. The ICE agent reads it and gets what is
// not media; SRTP and SRTCP (RFC 7983: first byte 128 to 191) go to the transport in
// the same goroutine, several a system call.
type tapConn struct {
	*net.UDPConn
	t     *transportLayer
	batch batchConn
	local netip.AddrPort

	msgs []ipv4.Message // of the one goroutine that reads
	have int
	next int

	wmu  sync.Mutex
	out  []ipv4.Message
	addr net.UDPAddr
	gso  bool
}

func newTapConn(c *net.UDPConn, t *transportLayer) *tapConn {
	_ = c.SetReadBuffer(socketSize) // best effort: the system's limit holds
	_ = c.SetWriteBuffer(socketSize)
	x := &tapConn{UDPConn: c, t: t, gso: true}
	x.local = c.LocalAddr().(*net.UDPAddr).AddrPort() //nolint:forcetypeassert // a UDP socket's
	if x.local.Addr().Is4() {
		x.batch = ipv4.NewPacketConn(c)
	} else {
		x.batch = v6batch{ipv6.NewPacketConn(c)}
	}
	t.tapMu.Lock()
	t.taps = append(t.taps, x)
	t.tapMu.Unlock()
	return x
}

type v6batch struct{ *ipv6.PacketConn }

// ReadFrom gives the next packet that is not media.
func (c *tapConn) ReadFrom(p []byte) (int, net.Addr, error) {
	if c.msgs == nil {
		mem := make([]byte, readBatch*maxPacket)
		c.msgs = make([]ipv4.Message, readBatch)
		for i := range c.msgs {
			c.msgs[i].Buffers = [][]byte{mem[i*maxPacket : (i+1)*maxPacket]}
		}
	}
	for {
		for c.next < c.have {
			m := &c.msgs[c.next]
			c.next++
			b := m.Buffers[0][:m.N]
			if len(b) > 0 && b[0] >= 128 && b[0] < 192 {
				c.t.media(b)
				continue
			}
			return copy(p, b), m.Addr, nil
		}
		n, err := c.batch.ReadBatch(c.msgs, 0)
		if err != nil {
			return 0, nil, err
		}
		c.have, c.next = n, 0
	}
}

// maxSegments is what the kernel cuts out of one send (UDP_MAX_SEGMENTS).
const maxSegments = 64

// writeRun sends packets that lie one after the other in b, ending at ends. Runs of
// packets of one size go as one, which the kernel cuts (UDP_SEGMENT).
func (c *tapConn) writeRun(b []byte, ends []int, to netip.AddrPort) error {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	c.addr = net.UDPAddr{IP: to.Addr().AsSlice(), Port: int(to.Port()), Zone: to.Addr().Zone()}
	c.out = c.out[:0]
	start := 0
	for i := 0; i < len(ends); {
		size, j := ends[i]-start, i+1
		end := ends[i]
		if c.gso {
			for j < len(ends) && j-i < maxSegments && ends[j]-start < 60000 && ends[j]-end <= size {
				short := ends[j]-end < size
				end = ends[j]
				j++
				if short { // the last of a run may be shorter
					break
				}
			}
		}
		m := ipv4.Message{Buffers: [][]byte{b[start:end]}, Addr: &c.addr}
		if j-i > 1 {
			m.OOB = segmentControl(size)
		}
		c.out = append(c.out, m)
		start, i = end, j
	}
	ms := c.out
	for len(ms) > 0 {
		n, err := c.batch.WriteBatch(ms, 0)
		if n > 0 {
			ms = ms[n:]
			continue
		}
		if err == nil || c.gso && ms[0].OOB != nil && isUnsupported(err) {
			c.gso = false
			return c.writeEach(ms)
		}
		return err
	}
	return nil
}

// writeEach is writeRun for kernels and devices that cut nothing.
func (c *tapConn) writeEach(ms []ipv4.Message) error {
	var first error
	for _, m := range ms {
		b, size := m.Buffers[0], len(m.Buffers[0])
		if m.OOB != nil {
			size = segmentSize(m.OOB)
		}
		for len(b) > 0 {
			n := min(size, len(b))
			if _, err := c.WriteToUDP(b[:n], &c.addr); err != nil && first == nil {
				first = err
			}
			b = b[n:]
		}
	}
	return first
}

func segmentControl(size int) []byte {
	b := make([]byte, unix.CmsgSpace(2))
	h := &unix.Cmsghdr{Level: unix.SOL_UDP, Type: unix.UDP_SEGMENT}
	h.SetLen(unix.CmsgLen(2))
	putCmsg(b, h, uint16(size)) //nolint:gosec // packets are shorter
	return b
}
