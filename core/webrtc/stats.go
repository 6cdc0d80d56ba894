package webrtc

import "time"

// StreamStats count one stream; ok of the accessors is false where there is none.
type StreamStats struct {
	SSRC            uint32
	Packets         uint64
	Bytes           uint64 // of payload
	Lost            int64
	Jitter          uint32 // ticks of the codec's clock
	FramesDropped   uint64
	PacketsRepaired uint64
	RoundTrip       time.Duration
	HasRoundTrip    bool
	FractionLost    uint8 // of 256
	At              time.Time
	RemoteAt        time.Time
	Clock           uint32
	LastHeard       time.Time
	RemotePackets   uint64
	RemoteOctets    uint64
	HasRemote       bool
	RemoteLost      int64
	RemoteJitter    uint32
	KeyFramesAsked  uint64 // by the other side of what is sent, by this one of what arrives
	Bitrate         uint64 // bits a second that the receiving side takes, as it said last
	AudioLevel      int    // in -dBov, -1: unknown
}

// SenderStats counts what a transceiver sends, and what the other side reports of it.
func (p *Peer) SenderStats(n uint64) (StreamStats, error) {
	p.mu.Lock()
	tr, err := p.transceiver(n)
	p.mu.Unlock()
	if err != nil {
		return StreamStats{}, err
	}
	s := tr.sender
	s.mu.Lock()
	defer s.mu.Unlock()
	return StreamStats{
		SSRC: s.ssrc, Packets: s.packets, Bytes: s.octets, FramesDropped: s.droppedFrames, PacketsRepaired: s.resent,
		Clock: s.codec.clock, HasRemote: !s.remote.at.IsZero(), RemotePackets: uint64(s.remote.received), RemoteLost: int64(s.remote.lost),
		RemoteJitter: s.remote.jitter, FractionLost: s.remote.fraction, RoundTrip: s.remote.rtt, HasRoundTrip: s.remote.hasRTT,
		RemoteAt: s.remote.at, KeyFramesAsked: s.keyFramesAsked, Bitrate: s.bitrateAsked, AudioLevel: s.level,
	}, nil
}

// ReceiverStats counts what a transceiver receives, and what the other side says it sent.
func (p *Peer) ReceiverStats(n uint64) (StreamStats, error) {
	p.mu.Lock()
	tr, err := p.transceiver(n)
	p.mu.Unlock()
	if err != nil {
		return StreamStats{}, err
	}
	r := tr.receiver
	r.mu.Lock()
	defer r.mu.Unlock()
	s := StreamStats{
		SSRC: r.ssrc, Packets: r.received, Bytes: r.bytes, Lost: r.lost(), Jitter: uint32(r.jitter), FramesDropped: r.droppedFrames,
		PacketsRepaired: r.repaired, Clock: r.codec.clock, LastHeard: r.heard,
		KeyFramesAsked: r.keyFramesAsked, Bitrate: uint64(r.estimate), AudioLevel: r.level,
	}
	if !r.lastSRTime.IsZero() {
		s.HasRemote, s.RemotePackets, s.RemoteOctets, s.At = true, uint64(r.srPackets), uint64(r.srOctets), r.lastSRTime
		const since1900 = 2208988800
		sec, frac := int64(r.lastSR>>32)-since1900, r.lastSR&0xFFFFFFFF //nolint:gosec // 32 bits
		s.RemoteAt = time.Unix(sec, int64(frac*1e9>>32))                //nolint:gosec // below 1e9
	}
	return s, nil
}

// TransportStats count the packets of a connection, with all that DTLS and SRTP add.
type TransportStats struct {
	PacketsSent, PacketsReceived uint64
	BytesSent, BytesReceived     uint64
	PacketsDropped               uint64 // that did not decrypt
	Controlling                  bool
	Client                       bool
	State                        ConnectionState
	ICE                          ICEState
	Gathering                    GatheringState
	EventsPending                int64 // bytes
}

// TransportStats counts.
func (p *Peer) TransportStats() TransportStats {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.t
	return TransportStats{
		PacketsSent: t.packetsSent.Load(), PacketsReceived: t.packetsReceived.Load(), BytesSent: t.bytesSent.Load(),
		BytesReceived: t.bytesReceived.Load(), PacketsDropped: t.dropped.Load(), Controlling: t.controlling, Client: t.client,
		State: t.state, ICE: t.iceState, Gathering: p.gathering, EventsPending: p.pending.Load(),
	}
}

// TransceiverInfo is what descriptions made of a transceiver.
type TransceiverInfo struct {
	Kind               Kind
	Direction, Current Direction
	Stopped            bool
	HasMid             bool
	Mid                string
	RemoteTrack        string
	Codec              Codec // to send with, 0 before
	Transceivers       uint64
}

// Transceiver tells of one.
func (p *Peer) Transceiver(n uint64) (TransceiverInfo, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	tr, err := p.transceiver(n)
	if err != nil {
		return TransceiverInfo{}, err
	}
	info := TransceiverInfo{
		Kind: tr.kind, Direction: tr.direction, Current: tr.current, Stopped: tr.stopped, HasMid: tr.line >= 0, Mid: tr.mid,
		RemoteTrack: tr.remoteID, Transceivers: uint64(len(p.transceivers)),
	}
	for _, c := range tr.codecs {
		if c.codec != RTX {
			info.Codec = c.codec
			break
		}
	}
	return info, nil
}

// Transceivers is how many there are.
func (p *Peer) Transceivers() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.transceivers)
}

// ICECredentials and candidates of this side; fingerprints as lines "algorithm value".
func (p *Peer) LocalTransport() (ufrag, pwd string, candidates, fingerprints []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.cert.prints {
		fingerprints = append(fingerprints, f.algorithm+" "+f.value)
	}
	return p.t.ufrag, p.t.pwd, append([]string(nil), p.t.candidates...), fingerprints
}
