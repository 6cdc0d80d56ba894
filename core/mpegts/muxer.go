package mpegts

import (
	"github.com/tstrans/tstrans/core/clock"
	"github.com/tstrans/tstrans/core/tsterr"
)

// muxStream is one stream while it is written.
type muxStream struct {
	MuxStream
	program *muxProgram
	next    uint8 // continuity counter of the next packet with payload
	audio   uint8 // index among the program's audio streams: part of stream_id
	cell    uint8 // sequence number of the next AU cell
	counts  CodecCounts
}

// muxProgram is one program while it is written.
type muxProgram struct {
	number  uint16
	index   int
	streams [muxClasses][]*muxStream // by class, in the order they were added
	clock   *muxStream               // carries the PCR
	pcr     int64                    // the last one, 90 kHz ticks
	hasPCR  bool
}

// Muxer makes a transport stream from pushed access units. Its output depends
// on nothing but what is pushed. One goroutine at a time may use it.
type Muxer struct {
	cfg      MuxConfig
	programs []*muxProgram
	byClass  [muxClasses][]*muxStream // all programs, in program then add order
	psi      []*psiPacket
	psiNext  []uint8
	psiAt    int64 // time of the last tables, 90 kHz ticks
	hasPSI   bool

	parts   pesParts
	cell    [auCellHeaderSize]byte
	scratch []byte // an access unit that had to be rewritten

	queue packetQueue
	sink  *FileSink // where pushes of the drain proxy go; nil outside of one
	stats MuxStats
}

// NewMuxer checks the configuration and returns a muxer. The configuration is
// copied.
func NewMuxer(cfg MuxConfig) (*Muxer, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg.Programs = append([]MuxProgram(nil), cfg.Programs...)
	m := &Muxer{cfg: cfg}
	var err error
	if m.psi, err = cfg.psiPackets(); err != nil {
		return nil, err
	}
	m.psiNext = make([]uint8, len(m.psi))
	for i := range cfg.Programs {
		p := &cfg.Programs[i]
		mp := &muxProgram{number: p.Number, index: i}
		pcr := p.pcrPID()
		for k := range p.Streams {
			s := &muxStream{MuxStream: p.Streams[k], program: mp}
			if s.Class == MuxAudio {
				s.audio = uint8(len(mp.streams[MuxAudio]))
			}
			mp.streams[s.Class] = append(mp.streams[s.Class], s)
			if s.PID == pcr {
				mp.clock = s
			}
		}
		for c := range mp.streams {
			m.byClass[c] = append(m.byClass[c], mp.streams[c]...)
		}
		m.programs = append(m.programs, mp)
	}
	m.stats.ProgramsConfigured = uint64(len(m.programs))
	m.stats.SubtitleStreamsConfigured = uint64(len(m.byClass[MuxSubtitle]))
	m.queue.capacity = cfg.BufferPackets
	return m, nil
}

// Handle names a stream of a muxer by position: 16 times the index of its
// program plus its index among the program's streams of its class.
type Handle uint32

// Program gives the index of the program.
func (h Handle) Program() int { return int(h >> 4) }

// Stream gives the index among the streams of the class in that program.
func (h Handle) Stream() int { return int(h & 15) }

// NewHandle makes a handle from a number; it need not name a stream.
func NewHandle(raw uint32) (Handle, error) {
	if raw > 255 {
		return 0, tsterr.New(tsterr.MuxInvalidUsage, "handle %d is above 255", raw)
	}
	return Handle(raw), nil
}

// Handles lists the streams of a class, in program then add order.
func (m *Muxer) Handles(c MuxClass) []Handle {
	out := make([]Handle, 0, len(m.programs))
	for _, p := range m.programs {
		out = append(out, p.handles(c)...)
	}
	return out
}

// ProgramHandles lists the streams of a class in one program.
func (m *Muxer) ProgramHandles(c MuxClass, number uint16) ([]Handle, error) {
	for _, p := range m.programs {
		if p.number == number {
			return p.handles(c), nil
		}
	}
	return nil, tsterr.New(tsterr.MuxInvalidUsage, "program %d not found", number)
}

func (p *muxProgram) handles(c MuxClass) []Handle {
	out := make([]Handle, 0, len(p.streams[min(c, muxClasses-1)]))
	for i := range p.streams[min(c, muxClasses-1)] {
		out = append(out, Handle(p.index<<4|i))
	}
	return out
}

// stream finds the stream of a handle.
func (m *Muxer) stream(c MuxClass, h Handle) (*muxStream, error) {
	if p := h.Program(); p < len(m.programs) && h.Stream() < len(m.programs[p].streams[c]) {
		return m.programs[p].streams[c][h.Stream()], nil
	}
	return nil, tsterr.New(tsterr.MuxInvalidUsage, "invalid %v stream handle (index %d): not a configured stream", c, h)
}

// only finds the one stream of a class, for pushes without a handle.
func (m *Muxer) only(c MuxClass) (*muxStream, error) {
	if len(m.byClass[c]) == 1 {
		return m.byClass[c][0], nil
	}
	if len(m.byClass[c]) == 0 {
		return nil, tsterr.New(tsterr.MuxInvalidUsage, "no %v stream is configured", c)
	}
	return nil, tsterr.New(tsterr.MuxInvalidUsage,
		"%d %v streams are configured: push_%v_to with a handle says which", len(m.byClass[c]), c, c)
}

// due tells whether interval has passed since last, across the wrap of 33
// bits. Time that goes back makes nothing due.
func due(has bool, last, now int64, intervalMs int) bool {
	return !has || clock.DiffPTS(last, now) >= int64(intervalMs)*(clock.TicksPerSecond/1000)
}

// emit queues the PES packet in m.parts with whatever tables and clock are
// due. It does all of it or, without room, nothing.
func (m *Muxer) emit(s *muxStream, pts int64, key bool) error {
	pts &= clock.PTSModulus - 1
	p := s.program
	f := firstField{randomAccess: key, base: pts}
	psi := due(m.hasPSI, m.psiAt, pts, m.cfg.PSIIntervalMs)
	// On the PCR PID, random_access_indicator is only set in packets with a
	// PCR (ISO/IEC 13818-1 §2.4.3.5).
	pcr := due(p.hasPCR, p.pcr, pts, m.cfg.PCRIntervalMs) || key && s == p.clock
	f.pcr = pcr && s == p.clock
	n := f.packets(m.parts.size)
	if psi {
		n += len(m.psi)
	}
	if pcr && !f.pcr {
		n++
	}
	dst, err := m.room(n)
	if err != nil {
		return err
	}
	if psi {
		for i, t := range m.psi {
			copy(dst, t[:])
			dst[3] = 0x10 | m.psiNext[i]
			m.psiNext[i] = (m.psiNext[i] + 1) & 0x0F
			dst = dst[PacketSize:]
		}
		m.psiAt, m.hasPSI = pts, true
	}
	if pcr {
		p.pcr, p.hasPCR = pts, true
		if !f.pcr {
			writePCR(dst, p.clock.PID, p.clock.next, pts)
			dst = dst[PacketSize:]
		}
	}
	s.next = m.parts.writePES(dst, s.PID, s.next, f)
	if m.sink != nil {
		m.stats.pulled(n * PacketSize)
		return m.sink.pushed()
	}
	return nil
}

// room gives the memory for n packets: the buffer of the file while a drain
// proxy pushes, else the queue. The limit is that of the queue either way.
func (m *Muxer) room(n int) ([]byte, error) {
	if !m.queue.fits(n) {
		return nil, tsterr.New(tsterr.MuxBackpressure,
			"muxer packet buffer is full (%d packets, %d pending, %d more needed): pull and push again; inside "+
				"`with muxer.write_file(...) as proxy` push on the proxy, which drains after each push",
			m.queue.capacity, m.queue.pending(), n)
	}
	if m.sink != nil {
		return m.sink.room(m, n)
	}
	return m.queue.room(n), nil
}

// Pull moves whole packets into out and returns the bytes written, a multiple
// of 188; 0 where out is too small or nothing waits.
func (m *Muxer) Pull(out []byte) int {
	n := m.queue.pull(out)
	m.stats.pulled(n)
	return n
}

// Pending returns the packets that wait, valid until the next call; Discard
// removes the first n bytes of them, a multiple of 188. Together they are a
// Pull without a copy.
func (m *Muxer) Pending() []byte { return m.queue.bytes() }

// Discard removes the first n bytes of Pending.
func (m *Muxer) Discard(n int) {
	n = m.queue.discard(n)
	m.stats.pulled(n)
}

// PendingPackets is the number of packets that wait to be pulled.
func (m *Muxer) PendingPackets() int { return m.queue.pending() }

// CapacityPackets is the most packets that can wait.
func (m *Muxer) CapacityPackets() int { return m.queue.capacity }

// packetQueue is the packets that wait, in one piece of memory that grows up
// to what its limit needs.
type packetQueue struct {
	buf      []byte
	head     int
	capacity int // packets
}

func (q *packetQueue) bytes() []byte   { return q.buf[q.head:] }
func (q *packetQueue) pending() int    { return (len(q.buf) - q.head) / PacketSize }
func (q *packetQueue) fits(n int) bool { return n <= q.capacity-q.pending() }

// room appends n packets, to be filled by the caller.
func (q *packetQueue) room(n int) []byte {
	size := n * PacketSize
	if q.head > 0 && len(q.buf)+size > cap(q.buf) {
		rest := copy(q.buf, q.buf[q.head:])
		q.buf, q.head = q.buf[:rest], 0
	}
	at := len(q.buf)
	if at+size > cap(q.buf) {
		grown := make([]byte, at, min(max(2*cap(q.buf), at+size, 1<<16), max(q.capacity*PacketSize, at+size)))
		copy(grown, q.buf)
		q.buf = grown
	}
	q.buf = q.buf[:at+size]
	return q.buf[at:]
}

func (q *packetQueue) pull(out []byte) int {
	n := min(len(out)/PacketSize, q.pending()) * PacketSize
	copy(out, q.buf[q.head:q.head+n])
	return q.discard(n)
}

func (q *packetQueue) discard(n int) int {
	n = min(n/PacketSize, q.pending()) * PacketSize
	q.head += n
	if q.head == len(q.buf) {
		q.buf, q.head = q.buf[:0], 0
	}
	return n
}
