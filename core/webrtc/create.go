package webrtc

import (
	"strconv"
	"strings"
)

func (p *Peer) localDescription() *description {
	if p.pendingLocal != nil {
		return p.pendingLocal
	}
	return p.currentLocal
}

func (p *Peer) remoteDescription() *description {
	if p.pendingRemote != nil {
		return p.pendingRemote
	}
	return p.currentRemote
}

// Local and Remote give the text and type of a description; ok is false without one.
func (p *Peer) Local() (text string, t DescriptionType, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return describe(p.localDescription())
}

// Remote is Local for the other side.
func (p *Peer) Remote() (text string, t DescriptionType, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return describe(p.remoteDescription())
}

func describe(d *description) (string, DescriptionType, bool) {
	if d == nil {
		return "", 0, false
	}
	return d.String(), d.typ, true
}

// CreateOffer makes an offer (RFC 8829 §5.2): the sections there are, in their
// order, then those of new transceivers, then data.
func (p *Peer) CreateOffer() (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.alive(); err != nil {
		return "", err
	}
	d := &description{typ: Offer, origin: p.origin}
	lines := p.lineOwners()
	if p.cfg.AlwaysData && p.data == nil {
		p.data = newDataTransport(p)
	}
	mids := map[string]bool{}
	for m := range p.usedMids {
		mids[m] = true
	}
	nextMid := func() string {
		for i := 0; ; i++ {
			if m := strconv.Itoa(i); !mids[m] {
				mids[m] = true
				return m
			}
		}
	}
	restart := p.restartICE
	if restart && p.gathering == GatheringComplete {
		p.t.restart()
		p.gathering = GatheringNew
		p.restartICE = false
	}
	for _, owner := range lines {
		switch o := owner.(type) {
		case *transceiver:
			d.sections = append(d.sections, p.offerSection(o, o.mid))
		case *dataTransport:
			d.sections = append(d.sections, p.dataSection(o.mid, "actpass"))
		default:
			d.sections = append(d.sections, refused(o.(*section))) //nolint:forcetypeassert // of lineOwners
		}
	}
	if p.cfg.AlwaysData && p.data.line < 0 {
		d.sections = append(d.sections, p.dataSection(nextMid(), "actpass"))
	}
	for _, tr := range p.transceivers {
		if tr.line < 0 && !tr.stopped {
			d.sections = append(d.sections, p.offerSection(tr, nextMid()))
		}
	}
	if p.data != nil && p.data.line < 0 && !p.cfg.AlwaysData {
		d.sections = append(d.sections, p.dataSection(nextMid(), "actpass"))
	}
	for _, s := range d.sections {
		if s.port != 0 || s.ufrag != "" {
			d.bundle = append(d.bundle, s.mid)
		}
	}
	p.created = d.String()
	return p.created, nil
}

// lineOwners gives what stands behind each line of the descriptions so far.
func (p *Peer) lineOwners() []any {
	d := p.currentLocal
	if r := p.currentRemote; d == nil || r != nil && len(r.sections) > len(d.sections) {
		d = r
	}
	if d == nil {
		return nil
	}
	out := make([]any, len(d.sections))
	for i, s := range d.sections {
		out[i] = s
	}
	for _, tr := range p.transceivers {
		if tr.line >= 0 && tr.line < len(out) && !tr.stopped {
			out[tr.line] = tr
		}
	}
	if p.data != nil && p.data.line >= 0 && p.data.line < len(out) {
		out[p.data.line] = p.data
	}
	return out
}

func refused(s *section) *section {
	r := &section{kindName: s.kindName, kind: s.kind, profile: s.profile, formats: s.formats, mid: s.mid, hasMid: s.hasMid, direction: Inactive}
	return r
}

// transportLines are the lines of a section that tell of the transport.
func (p *Peer) transportLines(s *section, setup string) {
	s.ufrag, s.pwd, s.prints, s.setup = p.t.ufrag, p.t.pwd, p.cert.prints, setup
	s.port, s.host = 9, "0.0.0.0"
	p.addCandidates(s)
}

func (p *Peer) addCandidates(s *section) {
	s.candidates = append([]string(nil), p.t.candidates...)
	s.complete = p.t.gathered
	for _, c := range s.candidates {
		f := strings.Fields(c)
		if port, err := strconv.Atoi(f[5]); err == nil && (s.port == 9 || s.port == 0) {
			s.host, s.port = f[4], port
		}
	}
}

func (p *Peer) offerSection(tr *transceiver, mid string) *section {
	codecs := offered(tr.kind, tr.prefs)
	if tr.codecs != nil {
		codecs = p.sameNumbers(tr, codecs)
	}
	return p.mediaSection(tr, mid, codecs, extensions(tr.kind), tr.direction, "actpass")
}

// sameNumbers keeps the payload types that were negotiated (RFC 3264 §8.3.2).
func (p *Peer) sameNumbers(tr *transceiver, codecs []rtpCodec) []rtpCodec {
	out := append([]rtpCodec(nil), tr.codecs...)
	used := map[uint8]bool{}
	for _, c := range out {
		used[c.pt] = true
	}
	for _, c := range codecs {
		have := used[c.pt]
		for i := range out {
			have = have || compatible(&out[i], &c) && c.codec != RTX
		}
		if !have && (c.codec != RTX || used[uint8(c.apt())]) { //nolint:gosec // 7 bits
			used[c.pt] = true
			out = append(out, c)
		}
	}
	return out
}

func (p *Peer) mediaSection(tr *transceiver, mid string, codecs []rtpCodec, exts []extension, d Direction, setup string) *section {
	s := &section{
		kindName: tr.kind.String(), kind: tr.kind, known: true, profile: "UDP/TLS/RTP/SAVPF", direction: d, extensions: exts,
		mid: mid, hasMid: true, stream: tr.sender.streamID, track: tr.sender.trackID, rtcpMux: true, codecs: codecs,
		ssrcs: []ssrcLine{{tr.sender.ssrc, p.cname}},
	}
	rtx := false
	for i := range codecs {
		s.formats = append(s.formats, strconv.Itoa(int(codecs[i].pt)))
		rtx = rtx || codecs[i].codec == RTX
	}
	if rtx {
		s.groups = [][]uint32{{tr.sender.ssrc, tr.sender.rtxSSRC}}
		s.ssrcs = append(s.ssrcs, ssrcLine{tr.sender.rtxSSRC, p.cname})
	}
	p.transportLines(s, setup)
	return s
}

// maxMessageSize is what this side takes.
const maxMessageSize = 262144

func (p *Peer) dataSection(mid, setup string) *section {
	s := &section{
		kindName: "application", kind: Application, known: true, profile: "UDP/DTLS/SCTP", formats: []string{"webrtc-datachannel"},
		mid: mid, hasMid: true, sctpPort: 5000, maxMessage: maxMessageSize,
	}
	p.transportLines(s, setup)
	return s
}

// CreateAnswer makes an answer to the remote offer (RFC 8829 §5.3).
func (p *Peer) CreateAnswer() (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.alive(); err != nil {
		return "", err
	}
	if p.signaling != HaveRemoteOffer {
		return "", stateError("Cannot create answer in signaling state %q", p.signaling)
	}
	offer := p.pendingRemote
	d := &description{typ: Answer, origin: p.origin}
	for i, r := range offer.sections {
		var s *section
		if tr := p.transceiverOfLine(i); tr != nil && !tr.stopped {
			s = p.mediaSection(tr, tr.mid, tr.codecs, tr.exts, tr.direction&tr.offered, p.answerSetup())
			s.hasMid = r.hasMid
		} else if p.data != nil && p.data.line == i {
			s = p.dataSection(p.data.mid, p.answerSetup())
			s.hasMid = r.hasMid
			s.profile, s.formats = r.profile, r.formats
		} else {
			s = refused(r)
		}
		d.sections = append(d.sections, s)
		if s.ufrag != "" && s.hasMid && offer.bundled(s.mid) {
			d.bundle = append(d.bundle, s.mid)
		}
	}
	p.created = d.String()
	return p.created, nil
}

func (p *Peer) answerSetup() string {
	if p.t.client {
		return "active"
	}
	return "passive"
}

func (p *Peer) transceiverOfLine(i int) *transceiver {
	for _, tr := range p.transceivers {
		if tr.line == i {
			return tr
		}
	}
	return nil
}

// Created is the last offer or answer that was made.
func (p *Peer) Created() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.created
}
