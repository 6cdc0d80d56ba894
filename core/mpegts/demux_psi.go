package mpegts

// psiState holds the tables in force.
type psiState struct {
	programs []*program // in PAT order
	byNumber map[uint16]*program
	pending  int // programs without a program map yet
	pmtPIDs  []uint16

	havePAT    bool
	patVersion uint8

	// A PAT of several sections being collected.
	next     PAT      // header fields of what is collected
	sections [][]byte // by section_number; nil where missing
	missing  int

	pat PAT // scratch
	pmt PMT // scratch
}

func (p *psiState) init(d *Demuxer) {
	p.byNumber = map[uint16]*program{}
	d.pid(PIDPAT).psi = &sectionBuffer{}
	d.hold.tables(d)
}

// program finds a program of the PAT in force; nil for an unknown number.
func (p *psiState) program(number uint16) *program { return p.byNumber[number] }

// saveLast keeps the last packet of every PID in use, before its chunk goes away.
func (p *psiState) saveLast(d *Demuxer) {
	d.pids[PIDPAT].saveLast(d)
	for _, pid := range p.pmtPIDs {
		d.pids[pid].saveLast(d)
	}
	for _, q := range p.programs {
		for _, pid := range q.pids {
			d.pids[pid].saveLast(d)
		}
	}
}

// sectionBuffer assembles the sections of one PSI PID.
type sectionBuffer struct {
	buf  []byte // of a section that is not complete
	busy bool
}

// psiPacket takes the payload of one packet of a PSI PID.
func (d *Demuxer) psiPacket(s *pidState, h uint32, off int, pk []byte, start int, flags byte) {
	cc := int8(h & hdrCC)
	gap := s.cc >= 0 && cc != (s.cc+1)&hdrCC && flags&afDiscontinuity == 0
	if gap && cc == s.cc && !s.dropped && duplicate(s.lastPacket(d), pk) {
		s.dropped = true
		return
	}
	expected := (s.cc + 1) & hdrCC
	s.dropped = s.dropped && cc == s.cc
	s.cc = cc
	s.remember(off, pk)
	b := s.psi
	if gap && !d.cfg.LenientPSIReassembly {
		// Where a section begins anyway, nothing but what was cut is lost.
		if h&hdrPUSI == 0 {
			id := StreamID{PID: s.pid}
			d.finding(id, d.stream(id), NCPSICCDiscontinuity,
				"continuity counter jump within a section on PID 0x%04X: expected 0x%X, observed 0x%X", s.pid, expected, cc)
		}
		b.busy, b.buf = false, b.buf[:0]
	}
	p := pk[start:]
	if h&hdrPUSI == 0 {
		if b.busy {
			d.sectionBytes(s, p)
		}
		return
	}
	ptr := int(p[0])
	p = p[1:]
	if ptr > len(p) {
		b.busy, b.buf = false, b.buf[:0]
		return
	}
	if b.busy {
		d.sectionBytes(s, p[:ptr])
		b = s.psi
		if b == nil { // the section took the PID out of use
			return
		}
		b.busy, b.buf = false, b.buf[:0]
	}
	p = p[ptr:]
	for first := true; len(p) > 0 && (first || p[0] != 0xFF) && s.psi != nil; first = false {
		s.psi.busy = true
		p = d.sectionBytes(s, p)
	}
}

// sectionBytes adds bytes to the section being assembled and processes it when
// it is complete. It returns the bytes behind the section.
func (d *Demuxer) sectionBytes(s *pidState, p []byte) []byte {
	b := s.psi
	if len(b.buf) == 0 && len(p) >= sectionPrefixSize {
		// A section within one packet needs no copy.
		if n := sectionPrefixSize + (int(p[1]&0x0F)<<8 | int(p[2])); n <= len(p) {
			b.busy = false
			d.section(s, p[:n])
			return p[n:]
		}
	}
	for len(p) > 0 {
		want := sectionPrefixSize
		if len(b.buf) >= sectionPrefixSize {
			want += int(b.buf[1]&0x0F)<<8 | int(b.buf[2])
		}
		if want > MaxSectionSize {
			id := StreamID{PID: s.pid}
			d.finding(id, d.stream(id), NCPSIOverlongSection, "PSI section of %d bytes on PID 0x%04X, more than %d", want, s.pid, MaxSectionSize)
			b.busy, b.buf = false, b.buf[:0]
			return nil
		}
		k := min(want-len(b.buf), len(p))
		b.buf = append(b.buf, p[:k]...)
		p = p[k:]
		if len(b.buf) == want && len(b.buf) > sectionPrefixSize || len(b.buf) == sectionPrefixSize && b.buf[1]&0x0F == 0 && b.buf[2] == 0 {
			sec := b.buf
			b.busy, b.buf = false, nil
			d.section(s, sec)
			b.buf = sec[:0]
			return p
		}
	}
	return nil
}

// section processes a whole section of the PAT's or a PMT's PID.
func (d *Demuxer) section(s *pidState, sec []byte) {
	table, number, least := uint8(TableIDPAT), uint16(0), sectionHeaderSize+CRC32Size
	if s.pid != PIDPAT {
		if s.program == nil {
			return
		}
		table, number, least = TableIDPMT, s.program.number, pmtFixedSize+CRC32Size
	}
	var h SectionHeader
	if sec[0] != table || len(sec) < least {
		return
	}
	if _, err := h.Unmarshal(sec); err != nil || h.SectionLength > MaxPSISectionLength {
		return
	}
	if CRC32(sec) != 0 {
		id := StreamID{PID: s.pid, ProgramNumber: number}
		d.finding(id, d.stream(id), NCPSIChecksumMismatch, "PSI checksum mismatch on PID 0x%04X", s.pid)
		return
	}
	if !h.CurrentNextIndicator {
		return
	}
	if table == TableIDPAT {
		d.patSection(s, &h, sec)
		return
	}
	d.pmtSection(s, &h, sec)
}

// sectionSyntax reports header fields that are wrong but do no harm.
func (d *Demuxer) sectionSyntax(s *pidState, h *SectionHeader) {
	id := StreamID{PID: s.pid}
	if !h.SectionSyntaxIndicator {
		d.finding(id, d.stream(id), NCPSISyntax, "section_syntax_indicator is 0 on PID 0x%04X, table_id 0x%02X", s.pid, h.TableID)
	}
	if h.LastSectionNumber == 0 && h.SectionNumber != 0 {
		d.finding(id, d.stream(id), NCPSISyntax,
			"section_number %d of a table of one section on PID 0x%04X, table_id 0x%02X", h.SectionNumber, s.pid, h.TableID)
	}
}

// pmtSection takes a program map section.
func (d *Demuxer) pmtSection(s *pidState, h *SectionHeader, sec []byte) {
	p := s.program
	id := StreamID{PID: s.pid, ProgramNumber: p.number}
	if h.LastSectionNumber > 0 {
		d.multiSection(id, h)
		return
	}
	if _, err := d.psi.pmt.Unmarshal(sec); err != nil {
		return
	}
	if h.TableIDExtension != p.number {
		d.finding(id, d.stream(id), NCPMTProgramNumberMismatch,
			"PMT on PID 0x%04X is of program %d, the PAT says %d", s.pid, h.TableIDExtension, p.number)
		return
	}
	d.sectionSyntax(s, h)
	if p.version != int16(h.VersionNumber) {
		d.applyPMT(p, &d.psi.pmt)
	}
}

func (d *Demuxer) multiSection(id StreamID, h *SectionHeader) {
	d.finding(id, d.stream(id), NCPSIMultiSection,
		"table_id 0x%02X on PID 0x%04X cannot be joined from sections 0 to %d", h.TableID, id.PID, h.LastSectionNumber)
}

// patSection takes a section of the PAT; tables of several are collected first.
func (d *Demuxer) patSection(s *pidState, h *SectionHeader, sec []byte) {
	p := &d.psi
	if _, err := p.pat.Unmarshal(sec); err != nil || (len(sec)-sectionHeaderSize-CRC32Size)%4 != 0 {
		return
	}
	d.sectionSyntax(s, h)
	collecting := p.sections != nil && p.next.VersionNumber == h.VersionNumber && p.next.TransportStreamID == h.TableIDExtension
	if collecting && h.LastSectionNumber > 0 && p.next.LastSectionNumber != h.LastSectionNumber {
		d.multiSection(StreamID{PID: s.pid}, h)
		return
	}
	if p.havePAT && p.patVersion == h.VersionNumber {
		return
	}
	if h.LastSectionNumber == 0 {
		d.applyPAT(&p.pat)
		return
	}
	if h.SectionNumber > h.LastSectionNumber {
		return
	}
	if !collecting {
		p.next = PAT{VersionNumber: h.VersionNumber, TransportStreamID: h.TableIDExtension, LastSectionNumber: h.LastSectionNumber}
		p.missing = int(h.LastSectionNumber) + 1
		p.sections = make([][]byte, p.missing)
	}
	if p.sections[h.SectionNumber] == nil {
		p.missing--
	}
	p.sections[h.SectionNumber] = append([]byte{}, sec...)
	if p.missing > 0 {
		return
	}
	whole := p.next
	for _, one := range p.sections {
		if _, err := p.pat.Unmarshal(one); err != nil {
			return
		}
		whole.Programs = append(whole.Programs, p.pat.Programs...)
	}
	p.sections = nil
	d.applyPAT(&whole)
}

// applyPAT puts a program association table in force.
func (d *Demuxer) applyPAT(t *PAT) {
	p := &d.psi
	p.havePAT, p.patVersion = true, t.VersionNumber
	for _, q := range p.programs {
		q.kept = false
	}
	var programs []*program
	for _, e := range t.Programs {
		if e.ProgramNumber == 0 || e.PID == PIDPAT || e.PID == PIDNull {
			continue
		}
		q := p.byNumber[e.ProgramNumber]
		switch {
		case q == nil:
			q = &program{number: e.ProgramNumber, pmtPID: e.PID, version: -1, pcrPID: PIDNull}
			p.byNumber[e.ProgramNumber] = q
		case q.kept:
			continue // listed twice
		case q.pmtPID != e.PID:
			q.pmtPID, q.version = e.PID, -1
		}
		q.kept = true
		programs = append(programs, q)
	}
	for _, q := range p.programs {
		if !q.kept {
			delete(p.byNumber, q.number)
			d.removeProgram(q)
		}
	}
	p.programs = programs
	d.routePMTs()
	d.stats.ProgramsSeen = uint64(len(programs))
	d.hold.tables(d)
}

// routePMTs directs the PMT PIDs to the first program that names each.
func (d *Demuxer) routePMTs() {
	p := &d.psi
	old := p.pmtPIDs
	for _, pid := range old {
		d.pids[pid].program = nil
	}
	p.pmtPIDs, p.pending = nil, 0
	for _, q := range p.programs {
		if q.version < 0 {
			p.pending++
		}
		s := d.pid(q.pmtPID)
		if s.program != nil {
			continue
		}
		s.program = q
		p.pmtPIDs = append(p.pmtPIDs, q.pmtPID)
		if s.psi == nil {
			s.reset(d)
			s.psi = &sectionBuffer{}
		}
	}
	for _, pid := range old {
		if s := d.pids[pid]; s.program == nil && s.psi != nil {
			s.psi = nil
			s.reset(d)
		}
	}
}
