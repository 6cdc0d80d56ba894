package mpegts

import (
	"encoding/binary"

	"github.com/tstrans/tstrans/core/internal/offheap"
	"github.com/tstrans/tstrans/core/tsterr"
)

// maxStreams bounds the stream identities that get a number of their own.
const maxStreams = 1 << 14

// maxPESBytes bounds a PES packet whatever the configuration says: a record's
// lengths have 32 bits.
const maxPESBytes = 1<<31 - 1

// Demuxer turns the bytes of a transport stream into events. It is fed, never
// reads by itself (Reader does), and belongs to one goroutine at a time; chunks
// it hands out may be used from any.
type Demuxer struct {
	cfg   DemuxerConfig
	pool  *chunkPool
	stats DemuxerStats

	// The chunk being filled: buf[pos:end] is not parsed yet.
	chunk *Chunk
	buf   []byte
	pos   int
	end   int
	base  uint64 // input offset of buf[0]
	rest  []byte // input behind a strict error that did not fit the chunk

	// Synchronisation, see sync.go.
	synced   bool
	stride   int
	gap      int // bytes between pos and the next packet
	searched int // bytes passed over without sync

	// Events.
	cur      *batch
	queue    []*batch // full ones, oldest first
	spare    *batch
	flushing bool  // no packet is being processed
	fault    error // of the packet being processed: the first finding that the strict mode rejects

	// Streams and programs.
	pids     [PIDMask + 1]*pidState
	seen     [PIDMask + 1]uint8 // continuity counter + 1 of PIDs that no table names; 0: none seen
	open     []*pidState        // streams with a PES being assembled, by start
	total    int64              // bytes in open PES
	streams  map[StreamID]uint16
	psi      psiState
	auTotal  int64 // bytes in AU cell assemblers
	auActive int   // PIDs with an access unit being assembled
	hold     holdState

	at      uint64 // input offset of the packet being processed
	scratch []byte
	hdr     [maxPESHeader]byte
}

// NewDemuxer makes a demuxer.
func NewDemuxer(cfg DemuxerConfig) (*Demuxer, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	d := &Demuxer{
		cfg:     cfg.withDefaults(),
		streams: map[StreamID]uint16{},
		synced:  true,
		stride:  PacketSize,
	}
	if cfg.Memory != nil {
		d.pool = &cfg.Memory.pool
	} else {
		d.pool = &chunkPool{Pool: offheap.Pool{MaxIdle: maxIdleBlocks}}
	}
	d.cfg.PESCapPerPID = min(d.cfg.PESCapPerPID, maxPESBytes)
	d.cfg.PESCapTotal = min(d.cfg.PESCapTotal, maxCap)
	d.hold.limit = d.cfg.HoldBeforePMT
	d.psi.init(d)
	return d, nil
}

// Close gives the memory back. Chunks handed out stay valid.
func (d *Demuxer) Close() error {
	for _, b := range d.queue {
		b.chunk.Release()
	}
	d.queue, d.cur, d.spare = nil, nil, nil
	for _, s := range d.open {
		s.dropPES(d)
	}
	d.open = nil
	if d.chunk != nil {
		d.chunk.Release()
		d.chunk, d.buf = nil, nil
	}
	if d.cfg.Memory == nil {
		d.pool.Close()
	}
	return nil
}

// Pending is the number of events that wait to be read.
func (d *Demuxer) Pending() int {
	n := 0
	for _, b := range d.queue {
		n += len(b.recs) - b.read
	}
	if d.cur != nil {
		n += len(d.cur.recs) - d.cur.read
	}
	return n
}

// Feed parses data, which is copied as far as needed. Findings that the strict
// mode rejects end it early: the rest of data is kept for the next Feed. Loss of
// sync over a long way is reported once all of data was taken.
func (d *Demuxer) Feed(data []byte) error {
	backlog := int64(d.end-d.pos) + int64(len(d.rest))
	if backlog+int64(len(data)) > d.cfg.SyncBufCap {
		return tsterr.New(tsterr.DemuxSyncBufExhausted,
			"%d bytes with %d left over exceed the %d bytes that may wait", len(data), backlog, d.cfg.SyncBufCap)
	}
	d.stats.BytesTotal += uint64(len(data))
	var lost error
	if len(d.rest) > 0 {
		rest := d.rest
		d.rest = nil
		left, err := d.ingest(rest)
		if isStrict(err) {
			// Appended in place: with a fault a packet a copy here would take the square of the input's length.
			left = append(left, data...)
			d.rest = left
			return err
		}
		lost = err
	}
	left, err := d.ingest(data)
	if isStrict(err) {
		d.rest = append([]byte(nil), left...)
		return err
	}
	if err == nil {
		err = lost
	}
	return err
}

// isStrict tells errors after which the rest of the input waits.
func isStrict(err error) bool { return err != nil && tsterr.KindOf(err) != tsterr.DemuxUnrecoverable }

// ingest parses data. A strict error ends it early and leaves the rest; loss of
// sync does not, and is reported at the end.
func (d *Demuxer) ingest(data []byte) (left []byte, err error) {
	var lost error
	for {
		err := d.parse(d.end)
		switch {
		case err == nil:
		case isStrict(err):
			return data, err
		default:
			lost = err
			continue
		}
		if len(data) == 0 {
			return nil, lost
		}
		n := copy(d.room(), data)
		d.end += n
		data = data[n:]
	}
}

// Flush delivers the PES that are still open, in the order in which they began,
// and forgets access units whose last cell is missing. A cut packet at the end
// gives no event. Feeding may go on.
func (d *Demuxer) Flush() {
	guessed := d.deliverUnmapped()
	d.flushing = true
	for len(d.open) > 0 {
		d.finishPES(d.open[0])
	}
	d.flushing = false
	d.fault = nil
	for _, s := range guessed {
		s.reset(d)
		s.listed, s.guessed, s.id = false, false, StreamID{}
	}
	if d.auActive > 0 {
		for _, s := range d.pids {
			if s != nil {
				s.dropAU(d)
			}
		}
	}
}

// Read copies events out: records, and the part of the arena they point into.
// chunk is held for the caller (Release) where one of the records is lazy, else
// nil. n is 0 when nothing waits; need tells the arena the next record wants
// where it did not fit.
func (d *Demuxer) Read(recs []Record, arena []byte) (n, used int, chunk *Chunk, need int) {
	for {
		b := d.cur
		if len(d.queue) > 0 {
			b = d.queue[0]
		}
		if b == nil {
			return 0, 0, nil, 0
		}
		var lazy bool
		n, used, lazy, need = b.take(recs, arena)
		if lazy {
			chunk = b.chunk
			chunk.Retain()
		}
		if b.read == len(b.recs) {
			if b == d.cur {
				b.rewind()
				return n, used, chunk, need
			}
			copy(d.queue, d.queue[1:])
			d.queue[len(d.queue)-1] = nil
			d.queue = d.queue[:len(d.queue)-1]
			b.chunk.Release()
			b.chunk = nil
			b.rewind()
			if d.spare == nil {
				d.spare = b
			}
			if n == 0 && need == 0 {
				continue
			}
		}
		return n, used, chunk, need
	}
}

// room gives the free end of the chunk, starting a new one when it is full.
func (d *Demuxer) room() []byte {
	if d.chunk == nil || d.end == len(d.buf) {
		d.startChunk(d.pool.Get(chunkSize))
	}
	return d.buf[d.end:]
}

// startChunk begins a chunk in a block whose input starts at chunkFront. What is
// not parsed yet moves in front of it; PES that are open have their bytes
// gathered, so that no payload refers to two chunks.
func (d *Demuxer) startChunk(block *offheap.Block) {
	c := d.pool.chunk(block)
	buf := block.Bytes()[:chunkSize]
	tail := 0
	if d.chunk != nil {
		for _, s := range d.open {
			s.spillPES(d)
		}
		d.psi.saveLast(d)
		tail = copy(buf[chunkFront-(d.end-d.pos):], d.buf[d.pos:d.end])
		d.base += uint64(d.end)
		if b := d.cur; len(b.recs) > b.read {
			d.queue = append(d.queue, b) // takes over the demuxer's hold on the chunk
			d.cur = d.spare
			d.spare = nil
		} else {
			b.rewind()
			d.chunk.Release()
		}
	}
	if d.cur == nil {
		d.cur = &batch{}
	}
	d.cur.chunk = c
	d.chunk, d.buf, d.pos, d.end = c, buf, chunkFront-tail, chunkFront
	d.base -= chunkFront // below 0 at the start of the input: sums with an offset are right again
}

// stream gives the number of an identity.
func (d *Demuxer) stream(id StreamID) uint16 {
	n, ok := d.streams[id]
	if !ok {
		if len(d.streams) >= maxStreams {
			return NoStream
		}
		n = uint16(len(d.streams))
		d.streams[id] = n
	}
	return n
}

// record starts a record about a stream.
func (d *Demuxer) record(t EventType, id StreamID, stream uint16) Record {
	return Record{
		PID: id.PID, ProgramNumber: id.ProgramNumber, StreamKind: id.Kind, Codec: id.Codec, Stream: stream,
		Type: t, Position: d.at, Reason: None, ObservedCFI: None, TreatedAs: None,
	}
}

func be32(b []byte) uint32 { return binary.BigEndian.Uint32(b) }
