package hls

import (
	"github.com/tstrans/tstrans/core/clock"
	"github.com/tstrans/tstrans/core/codec/h264"
	"github.com/tstrans/tstrans/core/codec/h265"
	"github.com/tstrans/tstrans/core/mpegts"
)

const (
	// maxHeld bounds what waits for a disk that takes nothing.
	maxHeld = 64 << 20
	// maxPMT bounds the packets of a program map: a section has 1021 bytes.
	maxPMT = 8
	// maxUnit bounds a KLV unit that is read for its time.
	maxUnit = 64 << 10
)

// klvPID is a KLV stream of the packets.
type klvPID struct {
	pid     uint16
	cell    bool // units stand in metadata AU cells
	left    int  // bytes of the open PES packet that are still to come; -1 where it does not say
	unit    []byte
	pts     int64
	hasPTS  bool
	written bool // the open piece has a unit
	cc      uint8
}

// ingest cuts transport packets at key frames. Every segment and part begins
// with the program's tables: they are repeated there, and continuity counters run on.
// Packets before the first key frame are dropped and counted.
type ingest struct {
	p   *Publisher
	cut cutter
	out []byte // what waits to be written

	pmtPID  uint16
	hasPMT  bool
	lead    uint16 // PID that leads: the video, or the first audio
	hasLead bool
	codec   mpegts.Codec
	klvs    []klvPID
	pat     []byte // packets
	pmt     []byte
	pmtOpen []byte // packets of the section being gathered
	section []byte
	marks   bool // the stream sets random_access_indicator
	live    bool // the first key frame came
	lastPTS int64
	shift   map[uint16]uint8
}

func newIngest(p *Publisher) *ingest {
	return &ingest{p: p, cut: newCutter(&p.cfg), shift: map[uint16]uint8{}}
}

// push takes whole packets. Where it fails they are kept, and written with the
// next.
func (g *ingest) push(b []byte) error {
	if len(g.out) > maxHeld {
		if err := g.write(Segment{}); err != nil {
			return err
		}
	}
	var first error
	for ; len(b) > 0; b = b[mpegts.PacketSize:] {
		if err := g.packet(b[:mpegts.PacketSize:mpegts.PacketSize]); err != nil && first == nil {
			first = err
		}
	}
	if err := g.write(Segment{}); err != nil && first == nil {
		first = err
	}
	return first
}

// write publishes what waits.
func (g *ingest) write(meta Segment) error {
	if len(g.out) == 0 {
		return nil
	}
	if err := g.p.append(g.out, meta); err != nil {
		return err
	}
	g.out = g.out[:0]
	return nil
}

func (g *ingest) packet(b []byte) error {
	if b[0] != mpegts.SyncByte {
		return g.keep(b, 0)
	}
	pid := uint16(b[1])<<8&0x1F00 | uint16(b[2])
	start := b[1]&0x40 != 0
	body, random := mpegts.HeaderSize, false
	if b[3]&0x20 != 0 {
		body += 1 + int(b[4])
		random = b[4] > 0 && b[5]&0x40 != 0
	}
	var payload []byte
	if b[3]&0x10 != 0 && body < len(b) {
		payload = b[body:]
	}
	switch {
	case pid == mpegts.PIDPAT:
		g.table(b, payload, start)
	case g.hasPMT && pid == g.pmtPID:
		g.programMap(b, payload, start)
	case g.hasLead && pid == g.lead && start:
		if err := g.picture(payload, random); err != nil {
			return err
		}
	default:
		for i := range g.klvs {
			if g.klvs[i].pid == pid {
				g.metadata(&g.klvs[i], payload, start)
			}
		}
	}
	return g.keep(b, pid)
}

// keep appends a packet, with the continuity counter that fits what was put in.
func (g *ingest) keep(b []byte, pid uint16) error {
	if !g.live {
		g.p.skipped += uint64(len(b))
		return nil
	}
	at := len(g.out)
	g.out = append(g.out, b...)
	if d, ok := g.shift[pid]; ok && b[0] == mpegts.SyncByte {
		g.out[at+3] = b[3]&0xF0 | (b[3]+d)&0x0F
	}
	for i := range g.klvs {
		if g.klvs[i].pid == pid {
			g.klvs[i].cc = g.out[at+3] & 0x0F
		}
	}
	return nil
}

// table reads the PAT of one packet: the first program counts.
func (g *ingest) table(b, payload []byte, start bool) {
	if !start || len(payload) < 1 || 1+int(payload[0]) >= len(payload) {
		return
	}
	var t mpegts.PAT
	section := payload[1+int(payload[0]):]
	if _, err := t.Unmarshal(section); err != nil {
		return
	}
	for _, e := range t.Programs {
		if e.ProgramNumber != 0 {
			if g.hasPMT && g.pmtPID != e.PID {
				g.pmt, g.hasLead, g.klvs = nil, false, nil
			}
			g.pmtPID, g.hasPMT = e.PID, true
			g.pat = append(g.pat[:0], b...)
			return
		}
	}
}

// programMap gathers the packets of the PMT and reads it.
func (g *ingest) programMap(b, payload []byte, start bool) {
	switch {
	case start:
		if len(payload) < 1 || 1+int(payload[0]) >= len(payload) {
			return
		}
		g.pmtOpen, g.section = g.pmtOpen[:0], append(g.section[:0], payload[1+int(payload[0]):]...)
	case len(g.pmtOpen) == 0:
		return
	default:
		g.section = append(g.section, payload...)
	}
	if g.pmtOpen = append(g.pmtOpen, b...); len(g.pmtOpen) > maxPMT*mpegts.PacketSize {
		g.pmtOpen = g.pmtOpen[:0]
		return
	}
	var t mpegts.PMT
	if len(g.section) < 3 || len(g.section) < 3+(int(g.section[1]&0x0F)<<8|int(g.section[2])) {
		return
	}
	if _, err := t.Unmarshal(g.section); err != nil {
		return
	}
	g.pmt = append(g.pmt[:0], g.pmtOpen...)
	g.pmtOpen = g.pmtOpen[:0]
	g.streams(&t)
}

// streams picks the PID that leads and the KLV PIDs.
func (g *ingest) streams(t *mpegts.PMT) {
	lead, video := -1, false
	old := g.klvs
	g.klvs = nil
	for i := range t.Streams {
		s := &t.Streams[i]
		kind, codec := mpegts.Classify(s.StreamType, s.Descriptors)
		switch kind {
		case mpegts.KindVideo:
			if !video {
				lead, video, g.codec = i, true, codec
			}
		case mpegts.KindAudio:
			if lead < 0 {
				lead, g.codec = i, codec
			}
		case mpegts.KindKLVSync, mpegts.KindKLVAsync:
			k := klvPID{pid: s.PID, cell: s.StreamType == mpegts.StreamTypeMetadata}
			for _, o := range old {
				if o.pid == k.pid {
					k = o
				}
			}
			g.klvs = append(g.klvs, k)
		default:
		}
	}
	if g.hasLead = lead >= 0; g.hasLead {
		g.lead = t.Streams[lead].PID
	}
}

// picture is told of the first packet of a PES packet of the leading PID.
func (g *ingest) picture(payload []byte, random bool) error {
	var h mpegts.PESHeader
	n, err := h.Unmarshal(payload)
	if err != nil || !h.HasPTS {
		return nil //nolint:nilerr // what has no time cannot be cut at; it is published as it is
	}
	t := h.PTS
	if h.HasDTS {
		t = h.DTS
	}
	key := g.isKey(payload[min(n, len(payload)):], random)
	if !g.live {
		if !key {
			return nil
		}
		g.live = true
	}
	p := g.p
	g.lastPTS = h.PTS
	p.dates.wall(h.PTS, p.cfg.Now())
	p.dates.picture(g.codec, payload[min(n, len(payload)):], h.PTS)
	meta := Segment{PTS: h.PTS & (clock.PTSModulus - 1), HasPTS: true, Independent: key}
	first := !g.cut.started
	if !first && g.midUnit() && !key && !g.cut.due(t) {
		// A KLV unit is under way: a part does not end inside it.
		g.cut.touch(t)
		return nil
	}
	v := g.cut.picture(t, key, false)
	meta.Discontinuity = v.broken
	if v.forced {
		p.forced++
	}
	if v.cut || v.endPart {
		g.sealUnits()
		if err := g.write(Segment{}); err != nil {
			return err
		}
		if v.cut {
			p.driven = true
		}
		if err := p.endPiece(v); err != nil {
			return err
		}
	}
	if first || v.cut || v.endPart {
		g.repeat()
		return g.write(meta)
	}
	return nil
}

// isKey tells whether decoding can begin at a picture.
func (g *ingest) isKey(es []byte, random bool) bool {
	if g.codec.Kind() != mpegts.KindVideo || random {
		g.marks = g.marks || random
		return true
	}
	if g.marks {
		return false
	}
	switch g.codec {
	case mpegts.CodecH264:
		return h264.IsRandomAccess(es)
	case mpegts.CodecH265:
		return h265.IsRandomAccess(es)
	}
	return false
}

// repeat puts the tables in front of a segment. Counters of their PIDs move on.
func (g *ingest) repeat() {
	g.insert(mpegts.PIDPAT, g.pat)
	g.insert(g.pmtPID, g.pmt)
}

func (g *ingest) insert(pid uint16, packets []byte) {
	for at := 0; at+mpegts.PacketSize <= len(packets); at += mpegts.PacketSize {
		// The stored packet is the newest of its PID: the next number is one on.
		b := packets[at : at+mpegts.PacketSize]
		d := g.shift[pid] + uint8(len(packets)/mpegts.PacketSize) //nolint:gosec // at most eight
		k := len(g.out)
		g.out = append(g.out, b...)
		g.out[k+3] = b[3]&0xF0 | (b[3]+d)&0x0F
	}
	if n := len(packets) / mpegts.PacketSize; n > 0 {
		g.shift[pid] += uint8(n) //nolint:gosec // at most eight
	}
}

// midUnit tells whether a KLV PES packet is under way.
func (g *ingest) midUnit() bool {
	for i := range g.klvs {
		if g.klvs[i].left > 0 {
			return true
		}
	}
	return false
}

// metadata follows the PES packets of a KLV PID, and reads times.
func (g *ingest) metadata(k *klvPID, payload []byte, start bool) {
	if start {
		var h mpegts.PESHeader
		n, err := h.Unmarshal(payload)
		k.unit, k.left = k.unit[:0], 0
		if err != nil {
			return
		}
		if k.pts, k.hasPTS = h.PTS, h.HasPTS; !k.hasPTS {
			k.pts, k.hasPTS = g.lastPTS, g.live // the time of the picture it came with
		}
		if h.PacketLength > 0 {
			k.left = h.PacketLength + 6 - len(payload)
		}
		k.written = true
		payload = payload[min(n, len(payload)):]
	} else if k.left > 0 {
		k.left = max(0, k.left-len(payload))
	}
	if g.p.cfg.Clock != SensorClock || len(k.unit)+len(payload) > maxUnit {
		return
	}
	k.unit = append(k.unit, payload...)
	if k.left <= 0 && k.hasPTS {
		unit := k.unit
		if k.cell && len(unit) > 5 {
			unit = unit[5:]
		}
		g.p.dates.klv(unit, k.pts)
	}
}

// sealUnits ends the KLV units of the piece for readers that wait for the next.
func (g *ingest) sealUnits() {
	for i := range g.klvs {
		k := &g.klvs[i]
		if !k.written || k.left > 0 || !g.p.cfg.FlushKLV {
			continue
		}
		k.written = false
		var b [mpegts.PacketSize]byte
		for j := range b {
			b[j] = 0xFF
		}
		id := byte(mpegts.StreamIDPrivate1)
		if k.cell {
			id = mpegts.StreamIDMetadata
		}
		// An adaptation field of stuffing, then a PES header without payload.
		pes := [9]byte{0, 0, 1, id, 0, 3, 0x80, 0, 0}
		b[0], b[1], b[2] = mpegts.SyncByte, 0x40|byte(k.pid>>8), byte(k.pid)
		k.cc = (k.cc + 1) & 0x0F
		b[3] = 0x30 | k.cc
		b[4] = mpegts.PacketSize - 5 - byte(len(pes))
		b[5] = 0
		copy(b[mpegts.PacketSize-len(pes):], pes[:])
		g.out = append(g.out, b[:]...)
		g.shift[k.pid]++
	}
}

// cutNow ends the open segment as the end of the stream does.
func (g *ingest) cutNow() error {
	g.sealUnits()
	if err := g.write(Segment{}); err != nil {
		return err
	}
	v := verdict{cut: true, last: true}
	v.segment, v.partTime, v.independent = g.cut.end()
	v.endPart = g.p.cfg.PartDuration > 0 && v.partTime > 0
	return g.p.endPiece(v)
}
