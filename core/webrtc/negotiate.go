package webrtc

import (
	"net"
	"strings"

	"github.com/pion/ice/v4"

	"github.com/tstrans/tstrans/core/tsterr"
)

func (p *Peer) checkTurn(t DescriptionType, local bool) error {
	ok := false
	switch t {
	case Offer:
		ok = p.signaling == Stable || p.signaling == HaveLocalOffer && local || p.signaling == HaveRemoteOffer && !local
	case Answer, Pranswer:
		ok = p.signaling == HaveLocalOffer && !local || p.signaling == HaveRemoteOffer && local
	case Rollback:
		ok = p.signaling != Stable && p.signaling != SignalingClosed
	}
	if !ok {
		return stateError("Cannot handle %s in signaling state %q", t, p.signaling)
	}
	return nil
}

// validate refuses what no connection can work with.
func (p *Peer) validate(d *description, local bool) error {
	for _, s := range d.sections {
		if !s.known || s.port == 0 && (d.typ != Offer || !d.bundled(s.mid)) {
			continue
		}
		if s.ufrag == "" || s.pwd == "" {
			return sdpError("ICE username fragment or password is missing")
		}
		if len(s.ufrag) < 4 || len(s.ufrag) > 256 || len(s.pwd) < 22 || len(s.pwd) > 256 { // RFC 8839 §5.4
			return sdpError("ICE username fragment or password has a length no agent uses")
		}
		if s.kind != Application && !s.rtcpMux {
			return sdpError("RTCP mux is not enabled")
		}
		if !strings.Contains(s.profile, "TLS") {
			return sdpError("the profile %s is not encrypted", s.profile)
		}
		if len(s.prints) == 0 {
			return sdpError("DTLS fingerprint is missing")
		}
		if d.typ != Offer && s.setup != "active" && s.setup != "passive" {
			return sdpError("DTLS setup attribute must be 'active' or 'passive' for an answer")
		}
	}
	if d.typ == Offer {
		return nil
	}
	offer := p.pendingLocal
	if local {
		offer = p.pendingRemote
	}
	if offer == nil || len(offer.sections) != len(d.sections) {
		return sdpError("Media sections in answer do not match offer")
	}
	for i, s := range d.sections {
		o := offer.sections[i]
		if o.kindName != s.kindName || o.mid != s.mid {
			return sdpError("Media sections in answer do not match offer")
		}
	}
	return nil
}

// SetLocal takes an offer or answer of this side; operation op ends once candidates
// were gathered. An empty text takes the one that is due.
func (p *Peer) SetLocal(t DescriptionType, text string, op uint64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.alive(); err != nil {
		return err
	}
	if err := p.checkTurn(t, true); err != nil {
		return err
	}
	if t == Rollback {
		p.rollback()
		p.done(op)
		return nil
	}
	d, err := parseSDP(text, t)
	if err != nil {
		return err
	}
	if err := p.validate(d, true); err != nil {
		return err
	}
	if err := p.adoptLocal(d); err != nil {
		return err
	}
	if t == Offer {
		p.pendingLocal = d
		p.setSignaling(HaveLocalOffer)
	} else {
		p.currentLocal, p.currentRemote = d, p.pendingRemote
		p.pendingLocal, p.pendingRemote = nil, nil
		p.setSignaling(Stable)
	}
	return p.gatherAndConnect(d, op)
}

// adoptLocal ties transceivers to the lines of a description of ours.
func (p *Peer) adoptLocal(d *description) error {
	for i, s := range d.sections {
		if s.hasMid {
			p.usedMids[s.mid] = true
		}
		switch {
		case !s.known:
		case s.kind == Application:
			if s.port != 0 || s.ufrag != "" {
				if p.data == nil {
					return sdpError("a data section, but nothing that would use it")
				}
				p.data.line, p.data.mid = i, s.mid
			}
		default:
			tr := p.transceiverOfLine(i)
			for _, x := range p.transceivers {
				if tr == nil && x.line < 0 && x.kind == s.kind && !x.stopped {
					tr = x
				}
			}
			if tr == nil {
				continue // refused
			}
			tr.line, tr.mid, tr.hasMid = i, s.mid, s.hasMid
			if d.typ != Offer {
				tr.current = s.direction
			}
		}
	}
	return nil
}

func (p *Peer) gatherAndConnect(d *description, op uint64) error {
	active := false
	for _, s := range d.sections {
		active = active || s.ufrag != ""
	}
	finish := func() { // p.mu is held
		for _, x := range []*description{p.pendingLocal, p.currentLocal} {
			if x == nil {
				continue
			}
			for _, s := range x.sections {
				if s.ufrag != "" {
					p.addCandidates(s)
				}
			}
		}
		p.done(op)
		p.connectIfReady()
	}
	if !active || p.gathering == GatheringComplete {
		finish()
		return nil
	}
	if p.gathering == Gathering {
		// The operation that gathers will add the candidates to this description too.
		p.t.waiters = append(p.t.waiters, finish)
		return nil
	}
	p.setGathering(Gathering)
	p.t.waiters = append(p.t.waiters, finish)
	return p.t.gather(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.t.gathered {
			return
		}
		p.t.gathered = true
		if !p.closing {
			p.setGathering(GatheringComplete)
		}
		waiters := p.t.waiters
		p.t.waiters = nil
		for _, w := range waiters {
			w()
		}
	})
}

// connectIfReady starts the transport once both sides are described. p.mu is held.
func (p *Peer) connectIfReady() {
	if p.currentLocal == nil || p.currentRemote == nil || p.closing {
		return
	}
	p.setupMedia()
	if p.t.remoteUfrag == "" || p.t.agent == nil {
		return
	}
	if !p.t.started {
		p.t.start()
	} else if p.data != nil && p.t.state == Connected {
		p.data.start()
	}
}

func (p *Peer) rollback() {
	if p.pendingLocal != nil {
		for _, tr := range p.transceivers {
			if p.currentLocal == nil || tr.line >= len(p.currentLocal.sections) {
				tr.line = -1
			}
		}
		if p.data != nil && (p.currentLocal == nil || p.data.line >= len(p.currentLocal.sections)) {
			p.data.line = -1
		}
	}
	p.pendingLocal, p.pendingRemote = nil, nil
	p.setSignaling(Stable)
}

// SetRemote takes an offer or answer of the other side; operation op ends with it.
func (p *Peer) SetRemote(t DescriptionType, text string, op uint64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.checkTurn(t, false); err != nil {
		return err
	}
	if t == Rollback {
		p.rollback()
		p.done(op)
		return nil
	}
	d, err := parseSDP(text, t)
	if err != nil {
		return err
	}
	if err = p.validate(d, false); err != nil {
		return err
	}
	plan, err := p.plan(d)
	if err != nil {
		return err
	}
	for i, s := range d.sections {
		p.adoptRemote(d, i, s, plan[i])
	}
	p.adoptTransport(d)
	if t == Offer {
		p.pendingRemote = d
		p.setSignaling(HaveRemoteOffer)
		p.done(op)
		return nil
	}
	p.currentRemote, p.currentLocal = d, p.pendingLocal
	p.pendingLocal, p.pendingRemote = nil, nil
	p.setSignaling(Stable)
	p.done(op)
	p.connectIfReady()
	return nil
}

// done ends an operation of the caller's, 0 is none.
func (p *Peer) done(op uint64) {
	if op != 0 {
		p.emit(Event{Kind: EventDone, Object: op})
	}
}

// planned is what one section of a remote description will change.
type planned struct {
	tr     *transceiver // nil: a new one, or none
	codecs []rtpCodec
	use    bool
}

// plan finds out, without changing anything, what a remote description means.
func (p *Peer) plan(d *description) ([]planned, error) {
	out := make([]planned, len(d.sections))
	taken := map[*transceiver]bool{}
	for i, s := range d.sections {
		if !s.known || s.kind == Application || s.port == 0 && !d.bundled(s.mid) {
			continue
		}
		var tr *transceiver
		for _, x := range p.transceivers {
			if x.line == i && x.kind == s.kind {
				tr = x
			}
		}
		for _, x := range p.transceivers {
			if tr == nil && x.line < 0 && x.kind == s.kind && !x.stopped && !taken[x] {
				tr = x
			}
		}
		taken[tr] = true
		var prefs preferences
		if tr != nil {
			prefs = tr.prefs
		} else if len(p.transceivers)+i > maxTransceivers {
			return nil, sdpError("more than %d transceivers", maxTransceivers)
		}
		codecs := negotiate(s.kind, prefs, s.codecs)
		real := false
		for _, c := range codecs {
			real = real || c.codec != RTX
		}
		if !real {
			return nil, tsterr.New(tsterr.WebRTCOperation, "Failed to set remote %s description send parameters", s.kind)
		}
		out[i] = planned{tr, codecs, true}
	}
	return out, nil
}

func (p *Peer) adoptRemote(d *description, i int, s *section, plan planned) {
	if s.hasMid {
		p.usedMids[s.mid] = true
	}
	switch {
	case s.known && s.kind == Application && (s.port != 0 || d.bundled(s.mid)):
		if p.data == nil {
			p.data = newDataTransport(p)
		}
		p.data.line, p.data.mid = i, s.mid
		p.data.remotePort, p.data.remoteMax = s.sctpPort, s.maxMessage
	case plan.use:
		tr := plan.tr
		if tr == nil {
			tr = p.newTransceiver(s.kind, RecvOnly)
		}
		tr.line, tr.mid, tr.hasMid = i, s.mid, s.hasMid
		tr.codecs = plan.codecs
		tr.exts = commonExtensions(tr.kind, s)
		tr.remoteID = s.track
		p.route(tr, s)
		d1 := s.direction.reverse()
		if d.typ == Offer {
			tr.offered = d1
			if p.currentLocal != nil && tr.current != NoDirection && !d1.receives() {
				tr.heard = false
			}
		} else {
			tr.current = d1 & tr.direction
		}
		if d1.receives() && !tr.heard {
			tr.heard = true
			p.emit(Event{Kind: EventTrack, Object: tr.number, Data: []byte(s.track)})
		}
	case s.known && s.kind != Application && d.typ != Offer:
		if tr := p.transceiverOfLine(i); tr != nil {
			tr.current = Inactive
		}
	}
}

func commonExtensions(k Kind, s *section) []extension {
	var out []extension
	for _, e := range s.extensions {
		for _, own := range extensions(k) {
			if own.uri == e.uri {
				out = append(out, e)
			}
		}
	}
	return out
}

// adoptTransport takes what the remote description says of its transport. Sections
// share one: the first that is used counts.
func (p *Peer) adoptTransport(d *description) {
	var s *section
	for _, x := range d.sections {
		if x.known && x.ufrag != "" && (x.port != 0 || d.bundled(x.mid)) {
			s = x
			break
		}
	}
	if s == nil {
		return
	}
	t := p.t
	if t.remoteUfrag != "" && (t.remoteUfrag != s.ufrag || t.remotePwd != s.pwd) && t.started {
		// The other side restarts (RFC 8445 §9); an answerer has to restart with it.
		if d.typ == Offer {
			t.restart()
			p.gathering = GatheringNew
		}
		_ = t.agent.SetRemoteCredentials(s.ufrag, s.pwd)
	}
	t.remoteUfrag, t.remotePwd, t.prints = s.ufrag, s.pwd, s.prints
	if !t.started {
		if d.typ == Offer {
			t.controlling = s.lite || d.lite
			t.client = s.setup != "active"
		} else {
			t.controlling = true
			t.client = s.setup == "passive"
		}
	}
	for _, c := range s.candidates {
		p.addCandidate(c)
	}
}

// addCandidate passes over what cannot be used: other transports, names.
func (p *Peer) addCandidate(text string) {
	f := strings.Fields(text)
	if len(f) < 8 || !strings.EqualFold(f[2], "udp") || net.ParseIP(f[4]) == nil {
		return
	}
	c, err := ice.UnmarshalCandidate(text)
	if err == nil {
		p.t.addRemote(c)
	}
}

// AddCandidate takes a candidate that came by itself: all sections share one
// transport.
func (p *Peer) AddCandidate(text string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.alive(); err != nil {
		return err
	}
	text = strings.TrimPrefix(text, "candidate:")
	if len(strings.Fields(text)) < 8 {
		return sdpError("the candidate %q", text)
	}
	if len(p.t.remote) < maxCandidates {
		p.addCandidate(text)
	}
	return nil
}

// RestartICE makes the next offer restart ICE.
func (p *Peer) RestartICE() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.restartICE = true
}

// trimCandidate keeps what every reader of descriptions knows of a candidate.
func trimCandidate(s string) string {
	f := strings.Fields(strings.TrimPrefix(s, "candidate:"))
	out := f
	for i, w := range f {
		if w == "ufrag" || w == "network-cost" || w == "generation" {
			out = f[:i]
			break
		}
	}
	return strings.Join(out, " ")
}
