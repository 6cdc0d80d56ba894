package mpegts

// Limits on joining AU cells that are not configurable.
const (
	auTotalCap = 16 << 20 // bytes buffered over all PIDs
	auMaxPIDs  = 64       // PIDs with an access unit being joined
)

// auAssembler joins the cells of one access unit.
type auAssembler struct {
	active bool
	next   uint8 // expected sequence_number
	cells  uint32
	buf    []byte
}

// maxIdleAU is the buffer kept between access units, in bytes.
const maxIdleAU = 64 << 10

// dropAU forgets the access unit being joined.
func (s *pidState) dropAU(d *Demuxer) {
	a := s.au
	if a == nil || !a.active {
		return
	}
	d.auTotal -= int64(len(a.buf))
	d.auActive--
	a.active, a.cells = false, 0
	if cap(a.buf) > maxIdleAU {
		a.buf = nil
	}
	a.buf = a.buf[:0]
}

// klvSample delivers a PES of a KLV stream: cells, a bare record, or neither.
func (d *Demuxer) klvSample(s *pidState, info *pesInfo) {
	r := d.record(EventKLV, s.id, s.stream)
	d.timestamps(s, &r, info)
	p := d.contiguous(s, info.body, info.size)
	sync := s.id.Kind == KindKLVSync
	switch {
	case startsWithLabel(p):
		if sync {
			d.streamTypeMismatch(s, "a bare KLV record in a stream of AU cells")
		}
		r.Flags &^= FlagHasDTS
		r.DTS = 0
		r.Detail, r.CellCount = MetadataKLVAsync, 1
		d.deliver(s, &r, info, info.body, info.size)
	case validCell(p):
		if !sync {
			d.streamTypeMismatch(s, "an AU cell in a stream of bare KLV records")
		}
		d.cells(s, info, r, p)
	default:
		r.Type, r.StreamType = EventUnknownSample, StreamTypeMetadata
		d.deliver(s, &r, info, info.body, info.size)
	}
}

// contiguous views the payload of the PES in one piece.
func (d *Demuxer) contiguous(s *pidState, off, n int) []byte {
	if cap(d.scratch) < n {
		d.scratch = make([]byte, max(n, 4096))
	}
	return s.peek(d, d.scratch[:cap(d.scratch)], off, n)
}

// validCell tells whether p starts with a cell: reserved bits 1111, data within p.
func validCell(p []byte) bool {
	return len(p) >= auCellHeaderSize && p[2]&0x0F == 0x0F && auCellHeaderSize+int(p[3])<<8+int(p[4]) <= len(p)
}

// streamTypeMismatch is reported once a PID and PMT version.
func (d *Demuxer) streamTypeMismatch(s *pidState, what string) {
	if !s.mismatch {
		s.mismatch = true
		d.finding(s.id, s.stream, NCStreamTypeMismatch, "stream_type mismatch on PID 0x%04X: %s", s.pid, what)
	}
}

// cells delivers the AU cells of one PES; bytes behind the last one that cannot
// be read are left out.
func (d *Demuxer) cells(s *pidState, info *pesInfo, r Record, p []byte) {
	r.Flags &^= FlagHasDTS
	r.DTS = 0
	r.Detail = MetadataKLVAUCell
	var c AUCell
	for validCell(p) {
		if _, err := c.Unmarshal(p); err != nil {
			return
		}
		end := auCellHeaderSize + int(c.DataLength)
		d.cell(s, info, &r, &c, p[auCellHeaderSize:end])
		p = p[end:]
	}
}

// cell takes one AU cell.
func (d *Demuxer) cell(s *pidState, info *pesInfo, r *Record, c *AUCell, data []byte) {
	if s.au == nil {
		if c.FragmentIndication == CellComplete {
			d.wholeCell(s, info, r, data)
			return
		}
		s.au = &auAssembler{}
	}
	a := s.au
	switch c.FragmentIndication {
	case CellComplete:
		if a.active {
			d.dropCells(s, ReasonConcurrentFirst, len(a.buf))
		}
		d.wholeCell(s, info, r, data)
	case CellFirst:
		if a.active {
			d.dropCells(s, ReasonConcurrentFirst, len(a.buf))
		}
		if d.auActive >= auMaxPIDs {
			d.dropCells(s, ReasonTooManyPIDs, len(data))
			return
		}
		a.active = true
		d.auActive++
		d.joinCell(s, c, data)
	case CellMiddle, CellLast:
		if !a.active {
			d.orphanCell(s, info, r, c, data)
			return
		}
		if c.SequenceNumber != a.next {
			d.dropCells(s, ReasonSequenceGap, len(a.buf)+len(data))
			return
		}
		if !d.joinCell(s, c, data) || c.FragmentIndication == CellMiddle {
			return
		}
		whole := *r
		whole.Flags |= FlagWasReassembled
		whole.CellCount = a.cells
		d.deliverBytes(s, &whole, info, a.buf)
		s.dropAU(d)
	}
}

func (d *Demuxer) wholeCell(s *pidState, info *pesInfo, r *Record, data []byte) {
	one := *r
	one.CellCount = 1
	d.deliverBytes(s, &one, info, data)
}

// joinCell adds a cell to the access unit; false when it is dropped for its size.
func (d *Demuxer) joinCell(s *pidState, c *AUCell, data []byte) bool {
	a := s.au
	switch n := int64(len(data)); {
	case int64(len(a.buf))+n > d.cfg.AUCellCapPerPID:
		d.dropCells(s, ReasonOverflow, len(a.buf)+len(data))
		return false
	case d.auTotal+n > auTotalCap:
		d.dropCells(s, ReasonOverflowTotal, len(a.buf)+len(data))
		return false
	}
	a.buf = append(a.buf, data...)
	d.auTotal += int64(len(data))
	a.next = c.SequenceNumber + 1
	a.cells++
	return true
}

// dropCells reports lost cells and forgets the access unit.
func (d *Demuxer) dropCells(s *pidState, reason uint8, n int) {
	s.dropAU(d)
	r := d.record(EventNonConformant, s.id, s.stream)
	r.Reason = reason
	d.findingRecord(&r, NCMultiCellAU, "access unit of several cells on PID 0x%04X: %s, %d bytes dropped", s.pid, reasonText(reason), n)
}

func reasonText(reason uint8) string {
	switch reason {
	case ReasonOrphan:
		return "a cell without its first"
	case ReasonSequenceGap:
		return "gap in the sequence numbers"
	case ReasonConcurrentFirst:
		return "a new access unit began before the end"
	case ReasonOverflow:
		return "larger than the cap of a PID"
	case ReasonOverflowTotal:
		return "larger than the cap of all PIDs"
	}
	return "too many PIDs are being joined"
}

// orphanCell takes a Middle or Last cell without a First. Encoders exist that
// mark every cell so: one that holds exactly one KLV record is taken whole.
func (d *Demuxer) orphanCell(s *pidState, info *pesInfo, r *Record, c *AUCell, data []byte) {
	if d.cfg.NoCFITolerance || !wholeRecord(data) {
		d.dropCells(s, ReasonOrphan, len(data))
		return
	}
	d.wholeCell(s, info, r, data)
	f := d.record(EventNonConformant, s.id, s.stream)
	f.ObservedCFI, f.TreatedAs = uint8(c.FragmentIndication), uint8(CellComplete)
	d.findingRecord(&f, NCCFITolerated, "AU cell on PID 0x%04X: cell_fragment_indication %d taken as %d",
		s.pid, c.FragmentIndication, CellComplete)
}

// wholeRecord tells whether data is exactly one KLV record: a universal label,
// a BER length (SMPTE ST 336 §5.3), and as many bytes.
func wholeRecord(data []byte) bool {
	if len(data) < labelSize+1 || !startsWithLabel(data) {
		return false
	}
	n, at := int64(data[labelSize]), labelSize+1
	if n >= 0x80 {
		k := int(n & 0x7F)
		if k == 0 || k > 8 || at+k > len(data) {
			return false
		}
		n = 0
		for _, v := range data[at : at+k] {
			if n > maxPESBytes {
				return false
			}
			n = n<<8 | int64(v)
		}
		at += k
	}
	return n == int64(len(data)-at)
}
