package rtsp

import (
	"context"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tstrans/tstrans/core/internal/dgram"
	"github.com/tstrans/tstrans/core/mpegts"
	"github.com/tstrans/tstrans/core/rtp"
	"github.com/tstrans/tstrans/core/tsterr"
)

// MountKind tells how a mount reaches its clients.
type MountKind int

// How a mount reaches its clients.
const (
	Unicast MountKind = iota
	Multicast
	Published
)

// MulticastConfig says where a multicast mount sends.
type MulticastConfig struct {
	Group netip.Addr
	Port  uint16
	// TTL is 1 to 255.
	TTL int
	// Interface is an IPv4 address that multicast leaves from; anything else is
	// not looked at.
	Interface string
}

// MountStats count a mount.
type MountStats struct {
	BytesPushed   uint64 // of media, without RTP headers
	PacketsPushed uint64 // RTP packets made
	PeerCount     uint64
	FramesDropped uint64 // packets that clients which read too slowly lost
}

// frame is what one push made: payloads that lie one after the other. One that
// is queued is shared by all peers and never changes.
type frame struct {
	track  int
	data   []byte
	ends   []uint32
	marker bool // on the last payload
	ts     uint32
	at     time.Time // wall clock of ts
}

// Mount is a stream that clients can play. Pushing from several threads is fine.
type Mount struct {
	s     *Server
	path  string
	kind  MountKind
	mcast *MulticastConfig
	group *peer // of a multicast mount: the one that sends to the group

	publish *PublishMount // of a mount that a publisher fills

	peers   atomic.Pointer[[]*peer] // replaced, never changed
	bytes   atomic.Uint64
	packets atomic.Uint64
	dropped atomic.Uint64
	start   time.Time

	mu      sync.Mutex // one push at a time; guards what follows
	mux     *mpegts.Muxer
	packer  *packer // of an elementary mount
	out     outgoing
	lastPTS int64
	hasPTS  bool
	closed  bool
}

// MountConfig says what a mount carries.
type MountConfig struct {
	Program mpegts.MuxProgram
	// Elementary serves each stream in its own RTP payload format instead of
	// MPEG-TS. It is for H.264, H.265, AAC and KLV streams.
	Elementary bool
}

// mountBuffer is how many TS packets one push may make: 64 MiB.
const mountBuffer = 64 << 20 / mpegts.PacketSize

// AddUnicastMount adds a mount that sends to each client.
func (s *Server) AddUnicastMount(path string, cfg MountConfig) (*Mount, error) {
	m, err := s.newMount(path, Unicast, cfg)
	if err != nil {
		return nil, err
	}
	return m, s.addMount(m)
}

// AddMulticastMount adds a mount that sends to a group, whoever listens.
func (s *Server) AddMulticastMount(path string, mc MulticastConfig, cfg MountConfig) (*Mount, error) {
	switch {
	case !mc.Group.IsMulticast():
		return nil, tsterr.New(tsterr.RTSPMount, "%v is not a multicast group", mc.Group)
	case mc.TTL < 1 || mc.TTL > 255:
		return nil, tsterr.New(tsterr.RTSPMount, "ttl %d is outside 1 to 255", mc.TTL)
	case cfg.Elementary:
		return nil, tsterr.New(tsterr.RTSPMount, "elementary media is for unicast mounts")
	}
	m, err := s.newMount(path, Multicast, cfg)
	if err != nil {
		return nil, err
	}
	m.mcast = &mc
	if err := s.addMount(m); err != nil {
		return nil, err
	}
	if err := m.openGroup(); err != nil {
		_ = s.RemoveMount(path) // it was just added
		return nil, err
	}
	return m, nil
}

func (s *Server) newMount(path string, kind MountKind, cfg MountConfig) (*Mount, error) {
	if err := checkPath(path); err != nil {
		return nil, err
	}
	m := &Mount{s: s, path: path, kind: kind, start: time.Now()}
	m.peers.Store(&[]*peer{})
	if kind == Published {
		return m, nil
	}
	mc := mpegts.NewMuxConfig(cfg.Program)
	mc.BufferPackets = mountBuffer
	mux, err := mpegts.NewMuxer(mc)
	if err != nil {
		return nil, err //nolint:wrapcheck // it is the mux's
	}
	m.mux = mux
	if cfg.Elementary {
		if m.packer, err = newPacker(cfg.Program); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// openGroup makes the peer that sends to the group.
func (m *Mount) openGroup() error {
	cfg := dgram.Config{Addr: netip.AddrPortFrom(netip.IPv4Unspecified(), 0), TTL: m.mcast.TTL, SendBuffer: udpBuffer}
	if m.mcast.Group.Is6() {
		cfg.Addr = netip.AddrPortFrom(netip.IPv6Unspecified(), 0)
	}
	if a, err := netip.ParseAddr(m.mcast.Interface); err == nil && a.Is4() {
		cfg.Interface = a
	} else if a := m.s.addr.Addr().Unmap(); a.Is4() && !a.IsUnspecified() {
		cfg.Interface = a // where the server listens on one address, its clients are there
	}
	conn, err := dgram.Listen(context.Background(), cfg)
	if err != nil {
		return tsterr.Wrap(tsterr.RTSPIO, err, "multicast socket")
	}
	p := newPeer(m, 1)
	p.prepare(0, m.medias()[0])
	p.conn = conn
	p.tracks[0].to = netip.AddrPortFrom(m.mcast.Group, m.mcast.Port)
	p.tracks[0].rtcpTo = netip.AddrPortFrom(m.mcast.Group, m.mcast.Port+1)
	p.tracks[0].direct = conn.NewSegments(p.tracks[0].to)
	m.group = p
	p.begin()
	return nil
}

// Path is the mount's path.
func (m *Mount) Path() string { return m.path }

// Kind tells how the mount reaches its clients.
func (m *Mount) Kind() MountKind { return m.kind }

// PeerCount is how many clients play.
func (m *Mount) PeerCount() int { return len(*m.peers.Load()) }

// Muxer is the mount's muxer, for its handles and counters; pushes go through
// the mount.
func (m *Mount) Muxer() *mpegts.Muxer { return m.mux }

// Stats reads the counters.
func (m *Mount) Stats() MountStats {
	return MountStats{
		BytesPushed: m.bytes.Load(), PacketsPushed: m.packets.Load(), PeerCount: uint64(m.PeerCount()), //nolint:gosec // not negative
		FramesDropped: m.dropped.Load(),
	}
}

// ResetStats zeroes the counters.
func (m *Mount) ResetStats() {
	m.bytes.Store(0)
	m.packets.Store(0)
	m.dropped.Store(0)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.mux != nil {
		m.mux.ResetStats()
	}
}

// Flush waits for nothing: each push is sent at once. It exists so that callers
// of other muxers find what they know.
func (m *Mount) Flush() {}

// medias describes the mount for a session description.
func (m *Mount) medias() []Media {
	if m.packer != nil {
		m.mu.Lock()
		defer m.mu.Unlock()
		return m.packer.describe()
	}
	return []Media{{Kind: KindMP2T, PayloadType: rtp.PayloadTypeMP2T, Rate: rtp.ClockRate}}
}

// send gives a frame to all clients. It never waits for them. Its data is not
// kept; mu is held.
func (m *Mount) send(f frame) {
	m.bytes.Add(uint64(len(f.data)))
	m.packets.Add(uint64(len(f.ends)))
	m.out.begin(f)
	direct := directPeers
	for _, p := range *m.peers.Load() {
		if p.conn == nil { // listeners of a group have no queue of their own
			p.push(&m.out, direct > 0)
			direct--
		}
	}
	if m.group != nil {
		m.group.push(&m.out, true)
	}
	m.out.frame, m.out.kept = frame{}, nil
}

// wanted tells whether anybody listens.
func (m *Mount) wanted() bool { return m.group != nil || len(*m.peers.Load()) > 0 }

// sendTS cuts MPEG-TS into payloads and sends it. b is not kept; mu is held.
func (m *Mount) sendTS(b []byte, now time.Time) {
	if !m.wanted() {
		m.bytes.Add(uint64(len(b)))
		m.packets.Add(uint64((len(b) + packetPayload - 1) / packetPayload)) //nolint:gosec // not negative
		return
	}
	ends := m.out.scratch[:0]
	for at := 0; at < len(b); at += packetPayload {
		ends = append(ends, uint32(min(at+packetPayload, len(b)))) //nolint:gosec // bounded by the muxer's queue
	}
	m.out.scratch = ends
	m.send(frame{data: b, ends: ends, ts: uint32(ticks(now.Sub(m.start))), at: now}) //nolint:gosec // it wraps
}

func (m *Mount) addPeer(p *peer) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return false
	}
	old := *m.peers.Load()
	list := append(append(make([]*peer, 0, len(old)+1), old...), p)
	m.peers.Store(&list)
	if m.mux != nil {
		m.mux.RepeatTables() // who joins can begin with the next push
	}
	return true
}

func (m *Mount) removePeer(p *peer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	old := *m.peers.Load()
	list := make([]*peer, 0, len(old))
	for _, x := range old {
		if x != p {
			list = append(list, x)
		}
	}
	m.peers.Store(&list)
}

// close ends the mount's clients and publisher.
func (m *Mount) close() {
	m.endPublish()
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	for _, p := range *m.peers.Load() {
		if p.owner != nil {
			_ = p.owner.w.nc.Close()
		}
	}
	if m.group != nil {
		m.group.stop()
		_ = m.group.conn.Close()
	}
}

func (m *Mount) endPublish() {
	if m.publish != nil {
		m.publish.end(EndCleanTeardown)
	}
}
