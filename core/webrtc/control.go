package webrtc

import (
	"math/rand/v2"
	"time"

	"github.com/pion/rtcp"
	pion "github.com/pion/rtp"

	"github.com/tstrans/tstrans/core/rtp"
)

// reportInterval spreads reports (RFC 3550 §6.2).
func reportInterval() time.Duration {
	return 500*time.Millisecond + rand.N(time.Second)
}

// route ties a stream's sources, as the description names them, to its receiver.
func (p *Peer) route(tr *transceiver, s *section) {
	p.routeMu.Lock()
	defer p.routeMu.Unlock()
	if len(s.ssrcs) == 0 {
		return
	}
	main, repair := s.ssrcs[0].ssrc, uint32(0)
	for _, g := range s.groups {
		if len(g) == 2 {
			main, repair = g[0], g[1]
			break
		}
	}
	p.bind(tr.receiver, main, repair)
}

// maxRoutes bounds the sources that one connection may bring.
const maxRoutes = 1024

// bind is called with p.routeMu held.
func (p *Peer) bind(r *receiver, main, repair uint32) {
	if len(p.routes) > maxRoutes {
		return
	}
	p.routes[main] = r
	if repair != 0 {
		p.repairs[repair] = r
	}
	r.mu.Lock()
	if r.ssrc != main {
		r.ssrc = main
		r.received, r.started, r.held, r.missing = 0, false, 0, nil
		for i := range r.waiting {
			r.waiting[i].used = false
		}
	}
	r.rtxSSRC = repair
	r.mu.Unlock()
}

// packet routes a decrypted packet: by its source, else by the section it names,
// else by its payload type where only one section has that (RFC 8843 §9.2).
func (p *Peer) packet(h *pion.Header, b []byte) {
	var k rtp.Packet
	if k.Unmarshal(b) != nil {
		return
	}
	p.routeMu.RLock()
	r, repair := p.routes[k.SSRC], false
	if r == nil {
		if r = p.repairs[k.SSRC]; r != nil {
			repair = true
		}
	}
	p.routeMu.RUnlock()
	if r == nil {
		if r, repair = p.find(h, &k); r == nil {
			return
		}
	}
	if r.tr.kind == Audio && !repair {
		r.hear(h)
	}
	r.packet(&k, repair)
}

// find is for sources that no description named.
func (p *Peer) find(h *pion.Header, k *rtp.Packet) (*receiver, bool) {
	p.mu.Lock()
	var found *transceiver
	repair := false
	matches := 0
	for _, tr := range p.transceivers {
		var codec *rtpCodec
		for i := range tr.codecs {
			if tr.codecs[i].pt == k.PayloadType {
				codec = &tr.codecs[i]
			}
		}
		if codec == nil || tr.stopped {
			continue
		}
		for _, e := range tr.exts {
			if e.uri == extMid {
				if mid := h.GetExtension(e.id); mid != nil {
					if string(mid) != tr.mid {
						codec = nil
					} else {
						matches = -1000
					}
				}
			}
		}
		if codec != nil {
			found, repair = tr, codec.codec == RTX
			matches++
		}
		if matches < 0 {
			break
		}
	}
	p.mu.Unlock()
	if found == nil || matches > 1 {
		return nil, false
	}
	p.routeMu.Lock()
	defer p.routeMu.Unlock()
	found.receiver.mu.Lock()
	main := found.receiver.ssrc
	found.receiver.mu.Unlock()
	if repair {
		if main == 0 {
			return nil, false
		}
		p.repairs[k.SSRC] = found.receiver
	} else {
		p.bind(found.receiver, k.SSRC, 0)
	}
	return found.receiver, repair
}

func (p *Peer) receiverOf(ssrc uint32) *receiver {
	p.routeMu.RLock()
	defer p.routeMu.RUnlock()
	return p.routes[ssrc]
}

func (p *Peer) senderOf(ssrc uint32) *sender {
	p.routeMu.RLock()
	defer p.routeMu.RUnlock()
	return p.senders[ssrc]
}

// control takes a decrypted compound packet.
func (p *Peer) control(b []byte) {
	packets, err := rtcp.Unmarshal(b)
	if err != nil {
		return
	}
	now := time.Now()
	for _, k := range packets {
		switch k := k.(type) {
		case *rtcp.SenderReport:
			if r := p.receiverOf(k.SSRC); r != nil {
				r.senderReport(k, now)
			}
			p.reported(k.Reports, now)
		case *rtcp.ReceiverReport:
			p.reported(k.Reports, now)
		case *rtcp.Goodbye:
			for _, ssrc := range k.Sources {
				if r := p.receiverOf(ssrc); r != nil {
					r.end()
				}
			}
		case *rtcp.TransportLayerNack:
			if s := p.senderOf(k.MediaSSRC); s != nil {
				var seqs []uint16
				for _, n := range k.Nacks {
					seqs = append(seqs, n.PacketList()...)
				}
				s.repair(seqs)
			}
		case *rtcp.PictureLossIndication:
			p.keyFrameWanted(k.MediaSSRC)
		case *rtcp.FullIntraRequest:
			for _, f := range k.FIR {
				p.keyFrameWanted(f.SSRC)
			}
		case *rtcp.ReceiverEstimatedMaximumBitrate:
			for _, ssrc := range k.SSRCs {
				if s := p.senderOf(ssrc); s != nil {
					s.mu.Lock()
					s.bitrateAsked = uint64(k.Bitrate)
					s.mu.Unlock()
					p.emit(Event{Kind: EventBitrate, Object: s.tr.number, Value: int64(k.Bitrate)})
				}
			}
		}
	}
}

func (p *Peer) keyFrameWanted(ssrc uint32) {
	if s := p.senderOf(ssrc); s != nil {
		s.mu.Lock()
		s.keyFramesAsked++
		s.mu.Unlock()
		p.emit(Event{Kind: EventKeyFrame, Object: s.tr.number})
	}
}

func (p *Peer) reported(rs []rtcp.ReceptionReport, now time.Time) {
	for _, r := range rs {
		if s := p.senderOf(r.SSRC); s != nil {
			s.reported(r, now)
		}
	}
}

func (p *Peer) sdes(ssrc uint32) *rtcp.SourceDescription {
	return &rtcp.SourceDescription{Chunks: []rtcp.SourceDescriptionChunk{{
		Source: ssrc, Items: []rtcp.SourceDescriptionItem{{Type: rtcp.SDESCNAME, Text: p.cname}},
	}}}
}

func (p *Peer) sendControl(packets []rtcp.Packet) {
	b, err := rtcp.Marshal(packets)
	if err == nil {
		p.t.sendControl(b)
	}
}

// report sends what is due and comes again.
func (p *Peer) report() {
	p.mu.Lock()
	if p.closing {
		p.mu.Unlock()
		return
	}
	transceivers := append([]*transceiver(nil), p.transceivers...)
	p.reports.Reset(reportInterval())
	p.mu.Unlock()
	now := time.Now()
	for _, tr := range transceivers {
		if k := tr.sender.report(now); k != nil {
			p.sendControl(k)
		}
		if k := tr.receiver.report(now); k != nil {
			p.sendControl(k)
		}
	}
}
