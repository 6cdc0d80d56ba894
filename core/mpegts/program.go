package mpegts

// program is one program of the PAT in force.
type program struct {
	number   uint16
	pmtPID   uint16
	version  int16 // of the PMT in force; -1 before the first
	pcrPID   uint16
	pids     []uint16 // elementary streams that this program owns
	anchor   int64    // running clock for unwrapping, 90 kHz ticks
	anchored bool
	kept     bool // scratch of applyPAT
}

// applyPMT puts a program map in force and queues its event.
func (d *Demuxer) applyPMT(p *program, t *PMT) {
	old := p.pids
	for _, pid := range old {
		if s := d.pids[pid]; s != nil {
			s.listed = false
		}
	}
	p.pids = nil
	accepted := make([]PMTStream, 0, len(t.Streams))
	classes := make([]classification, 0, len(t.Streams))
	for _, e := range t.Streams {
		c := classify(e.StreamType, e.Descriptors)
		id := StreamID{PID: e.PID, ProgramNumber: p.number, Kind: c.kind, Codec: c.codec}
		if e.PID == PIDNull { // null packets are no stream, whatever a PMT says
			accepted, classes = append(accepted, e), append(classes, c)
			continue
		}
		s := d.pid(e.PID)
		if s.listed && s.id.ProgramNumber != p.number {
			d.programFinding(StreamID{PID: e.PID, ProgramNumber: p.number}, NCPIDReusedAcrossPrograms,
				"PID 0x%04X is used by the programs %d and %d", e.PID, s.id.ProgramNumber, p.number)
			continue
		}
		if c.av1Cut && c.codec != CodecAV1 {
			d.programFinding(id, NCAV1RegistrationMalformed, "AV1 registration descriptor is cut on PID 0x%04X", e.PID)
		}
		if len(c.claims) > 1 {
			d.programFinding(id, NCSubtitleAmbiguous, "PID 0x%04X is claimed by several descriptors: %v", e.PID, c.claims)
		}
		if s.id != id {
			s.reset(d)
			if s.id == (StreamID{}) && d.hold.count[e.PID] == 0 {
				s.cc = int8(d.seen[e.PID]) - 1 // packets that came before count
			}
			s.id, s.stream = id, d.stream(id)
		}
		s.dropAU(d)
		s.listed, s.streamType, s.mismatch = true, e.StreamType, false
		p.pids = append(p.pids, e.PID)
		accepted = append(accepted, e)
		classes = append(classes, c)
	}
	for _, pid := range old {
		if s := d.pids[pid]; s != nil && !s.listed {
			s.dropPES(d)
			s.dropAU(d)
			d.seen[pid] = uint8(s.cc + 1)
			s.id, s.last, s.copied = StreamID{}, -1, false
		}
	}
	d.setPCR(p, t.PCRPID)
	links := d.klvLinks(p, accepted, classes)
	if p.version < 0 {
		d.psi.pending--
	}
	p.version = int16(t.VersionNumber)
	d.stats.PMTVersionsSeen++
	d.stats.ProgramMapsSeen++
	d.programMap(p, t, accepted, classes, links)
	d.hold.tables(d)
}

func (d *Demuxer) programFinding(id StreamID, kind NonConformantKind, format string, args ...any) {
	d.finding(id, d.stream(id), kind, format, args...)
}

// setPCR moves the PCR_PID of a program; 0x1FFF stands for none.
func (d *Demuxer) setPCR(p *program, pid uint16) {
	if p.pcrPID == pid {
		return
	}
	d.clearPCR(p)
	p.pcrPID = pid
	if pid == PIDNull {
		return
	}
	if s := d.pid(pid); s.pcr == nil {
		s.pcr, s.pcrSeen = p, false
	}
}

// clearPCR gives up the PCR_PID of a program. Another program may share it.
func (d *Demuxer) clearPCR(p *program) {
	pid := p.pcrPID
	p.pcrPID = PIDNull
	if pid == PIDNull || d.pids[pid] == nil || d.pids[pid].pcr != p {
		return
	}
	s := d.pids[pid]
	s.pcr = nil
	for _, q := range d.psi.programs {
		if q != p && q.pcrPID == pid {
			s.pcr = q
			return
		}
	}
}

// klvLinks finds the video of each KLV stream: the one that its descriptor
// declares, or the only one of the program.
func (d *Demuxer) klvLinks(p *program, streams []PMTStream, classes []classification) []KLVLink {
	videos, video := 0, uint16(0)
	for i, c := range classes {
		if c.kind == KindVideo {
			videos++
			video = streams[i].PID
		}
	}
	var links []KLVLink
	for i, c := range classes {
		if c.kind != KindKLVSync && c.kind != KindKLVAsync {
			continue
		}
		pid := streams[i].PID
		if v, ok := declaredVideo(streams[i].Descriptors); ok {
			links = append(links, KLVLink{pid, v, LinkDeclared})
		} else if videos == 1 {
			links = append(links, KLVLink{pid, video, LinkInferred})
		} else {
			// Users of this event know the stream as synchronous KLV, whichever it is.
			id := StreamID{PID: pid, ProgramNumber: p.number, Kind: KindKLVSync}
			d.programFinding(id, NCMissingMetadataDescriptor,
				"KLV PID 0x%04X names no video and program %d has %d", pid, p.number, videos)
		}
	}
	return links
}

// programMap queues the event.
func (d *Demuxer) programMap(p *program, t *PMT, streams []PMTStream, classes []classification, links []KLVLink) {
	m := ProgramMap{
		ProgramNumber: p.number, PCRPID: t.PCRPID, PMTPID: p.pmtPID, VersionNumber: t.VersionNumber,
		Streams: make([]ProgramStream, len(streams)), KLVLinks: links,
	}
	for i, e := range streams {
		m.Streams[i] = ProgramStream{
			PID: e.PID, StreamType: e.StreamType, Kind: classes[i].kind, Codec: classes[i].codec, Descriptors: e.Descriptors,
		}
	}
	b := d.cur
	at := len(b.arena)
	b.arena = m.append(b.arena)
	r := d.record(EventProgramMap, StreamID{PID: p.pmtPID, ProgramNumber: p.number}, NoStream)
	r.Text, r.TextLen = uint32(at), uint32(len(b.arena)-at)
	b.push(&r)
}

// removeProgram takes a program's streams and clock out of force.
func (d *Demuxer) removeProgram(p *program) {
	for _, pid := range p.pids {
		if s := d.pids[pid]; s != nil && s.listed && s.id.ProgramNumber == p.number {
			d.seen[pid] = uint8(s.cc + 1)
			s.reset(d)
			s.listed, s.id = false, StreamID{}
		}
	}
	p.pids = nil
	d.clearPCR(p)
}
