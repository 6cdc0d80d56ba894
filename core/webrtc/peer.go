package webrtc

import (
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/stun/v3"

	"github.com/tstrans/tstrans/core/tsterr"
)

// Server is a STUN or TURN server.
type Server struct {
	URL      string // stun:host:port, turn:host:port?transport=udp
	User     string
	Password string
}

// Config says how a connection is set up. The zero value works.
type Config struct {
	// Servers for candidates beyond those of this machine. It defaults to none.
	Servers []Server
	// RelayOnly uses no candidates but those of TURN servers.
	RelayOnly bool
	// AlwaysData offers a data section, first, before there is a channel.
	AlwaysData bool
	// Loopback makes candidates of the loopback interface too. Without another
	// interface they are always made.
	Loopback bool
	// FailedAfter is how long nothing may arrive from the other side before the
	// connection has failed. It defaults to 30 s.
	FailedAfter time.Duration

	servers []*stun.URI
}

// transceiver is a sender and a receiver that share a media section.
type transceiver struct {
	number    uint64
	kind      Kind
	direction Direction
	current   Direction
	offered   Direction // by the remote offer, from this side
	mid       string
	hasMid    bool
	line      int // of the descriptions, -1 before
	prefs     preferences
	codecs    []rtpCodec
	exts      []extension
	stopped   bool
	heard     bool // the track event was sent
	sender    *sender
	receiver  *receiver
	remoteID  string // of the track, by msid
}

// Peer is one connection.
type Peer struct {
	hub      *Hub
	number   uint64
	cfg      Config
	cert     *certificate
	streamID string
	cname    string
	origin   string

	pending atomic.Int64 // bytes that wait in the hub
	epoch   atomic.Int64 // when streams of one clock began, in ns since 1970; 0: not yet

	mu           sync.Mutex
	signaling    SignalingState
	gathering    GatheringState
	ice          ICEState
	connection   ConnectionState
	transceivers []*transceiver
	t            *transportLayer
	data         *dataTransport

	currentLocal, pendingLocal   *description
	currentRemote, pendingRemote *description
	created                      string
	usedMids                     map[string]bool
	restartICE                   bool
	closing                      bool
	closed                       chan struct{} // once everything has ended

	routeMu sync.RWMutex
	routes  map[uint32]*receiver
	repairs map[uint32]*receiver
	senders map[uint32]*sender

	reports *time.Timer
}

// NewPeer makes a connection whose events bear number.
func NewPeer(h *Hub, number uint64, cfg Config) (*Peer, error) {
	for _, s := range cfg.Servers {
		u, err := parseServer(s.URL, s.User, s.Password)
		if err != nil {
			return nil, err
		}
		cfg.servers = append(cfg.servers, u)
	}
	cert, err := newCertificate()
	if err != nil {
		return nil, tsterr.Wrap(tsterr.Internal, err, "certificate")
	}
	id := strconv.FormatUint(uint64(random32()), 10)
	p := &Peer{
		hub: h, number: number, cfg: cfg, cert: cert, streamID: randomUUID(), cname: randomUUID(),
		origin: "- " + id + " " + id + " IN IP4 0.0.0.0", usedMids: map[string]bool{}, closed: make(chan struct{}),
		routes: map[uint32]*receiver{}, repairs: map[uint32]*receiver{}, senders: map[uint32]*sender{},
	}
	p.t = newTransportLayer(p)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, tsterr.New(tsterr.Closed, "the hub is closed")
	}
	h.peers[p] = struct{}{}
	return p, nil
}

func (p *Peer) emit(e Event) {
	e.Peer = p.number
	p.hub.push(e)
}

// take books bytes of media that will wait in the hub; false where there is no room.
func (p *Peer) take(n int) bool {
	if p.pending.Add(int64(n)) > maxPending {
		p.pending.Add(-int64(n))
		return false
	}
	return true
}

// taken is called once the caller has read them.
func (p *Peer) taken(n int) {
	p.pending.Add(-int64(n))
}

func (p *Peer) alive() error {
	if p.closing || p.signaling == SignalingClosed {
		return stateError("RTCPeerConnection is closed")
	}
	return nil
}

// setSignaling and its like report a change. p.mu is held.
func (p *Peer) setSignaling(s SignalingState) {
	if p.signaling != s {
		p.signaling = s
		p.emit(Event{Kind: EventSignaling, Code: uint32(s)})
	}
}

func (p *Peer) setGathering(s GatheringState) {
	if p.gathering != s {
		p.gathering = s
		p.emit(Event{Kind: EventGathering, Code: uint32(s)})
	}
}

func (p *Peer) setICE(s ICEState) {
	if p.ice != s {
		p.ice = s
		p.emit(Event{Kind: EventICE, Code: uint32(s)})
	}
}

func (p *Peer) setConnection(s ConnectionState) {
	if p.connection != s {
		p.connection = s
		p.emit(Event{Kind: EventConnection, Code: uint32(s)})
	}
}

func (p *Peer) transportICE(_ *transportLayer, s ICEState) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closing {
		p.t.iceState = s
		p.setICE(s)
	}
}

func (p *Peer) transportState(_ *transportLayer, s ConnectionState) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closing {
		return
	}
	if s == Connecting && p.ice == ICENew {
		p.t.iceState = ICEChecking
		p.setICE(ICEChecking)
	}
	if s == Connected && p.ice == ICEChecking {
		p.t.iceState = ICECompleted // its own report may still be on the way
		p.setICE(ICECompleted)
	}
	p.t.state = s
	p.setConnection(s)
	if s == Connected {
		p.connected()
	}
}

// connected starts what waited for keys. p.mu is held.
func (p *Peer) connected() {
	p.setupMedia()
	if p.data != nil {
		p.data.start()
	}
	if p.reports == nil {
		p.reports = time.AfterFunc(reportInterval(), p.report)
	}
}

// setupMedia tells senders and receivers what was negotiated. p.mu is held.
func (p *Peer) setupMedia() {
	for _, tr := range p.transceivers {
		if tr.current == NoDirection {
			continue
		}
		tr.receiver.setup(tr.codecs, tr.exts, tr.current.receives() && !tr.stopped)
		if p.t.state == Connected {
			tr.sender.setup(tr.codecs, tr.mid, tr.exts, tr.current.sends() && !tr.stopped)
		}
	}
}

func (p *Peer) newTransceiver(k Kind, d Direction) *transceiver {
	tr := &transceiver{number: uint64(len(p.transceivers)), kind: k, direction: d, current: NoDirection, line: -1}
	tr.sender = newSender(p, tr)
	tr.sender.trackID = randomUUID()
	tr.receiver = newReceiver(p, tr)
	p.transceivers = append(p.transceivers, tr)
	p.routeMu.Lock()
	p.senders[tr.sender.ssrc] = tr.sender
	p.routeMu.Unlock()
	return tr
}

// maxTransceivers bounds what one connection can be made to hold.
const maxTransceivers = 256

// AddTrack takes a transceiver of this kind whose sender has no track, else makes
// one, and gives its number.
func (p *Peer) AddTrack(k Kind, trackID string) (uint64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.alive(); err != nil {
		return 0, err
	}
	for _, tr := range p.transceivers {
		if tr.kind == k && !tr.sender.hasTrack && !tr.stopped {
			tr.sender.hasTrack, tr.sender.trackID = true, trackID
			tr.direction |= SendOnly
			return tr.number, nil
		}
	}
	tr := p.newTransceiver(k, SendRecv)
	tr.sender.hasTrack, tr.sender.trackID = true, trackID
	return tr.number, nil
}

// AddTransceiver makes a transceiver; trackID "" leaves its sender without a track.
func (p *Peer) AddTransceiver(k Kind, d Direction, trackID string) (uint64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.alive(); err != nil {
		return 0, err
	}
	if len(p.transceivers) >= maxTransceivers {
		return 0, tsterr.New(tsterr.WebRTCOperation, "more than %d transceivers", maxTransceivers)
	}
	tr := p.newTransceiver(k, d)
	if trackID != "" {
		tr.sender.hasTrack, tr.sender.trackID = true, trackID
	}
	return tr.number, nil
}

func (p *Peer) transceiver(n uint64) (*transceiver, error) {
	if n >= uint64(len(p.transceivers)) {
		return nil, tsterr.New(tsterr.InvalidArg, "no transceiver %d", n)
	}
	return p.transceivers[n], nil
}

// SetDirection is what the next description asks for.
func (p *Peer) SetDirection(n uint64, d Direction) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	tr, err := p.transceiver(n)
	if err == nil {
		tr.direction = d
	}
	return err
}

// SetHasTrack tells whether a sender has a track: AddTrack takes those without.
func (p *Peer) SetHasTrack(n uint64, has bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	tr, err := p.transceiver(n)
	if err == nil {
		tr.sender.hasTrack = has
	}
	return err
}

// SetPreferences takes lines as Capabilities gives them, that of the repairs among
// them; none takes all again.
func (p *Peer) SetPreferences(n uint64, lines []string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	tr, err := p.transceiver(n)
	if err != nil {
		return err
	}
	var prefs preferences
	for _, l := range lines {
		if l == "video/rtx 90000 0 " && tr.kind == Video {
			prefs.repairs = true
			continue
		}
		at := -1
		for i, c := range capabilities(tr.kind) {
			if capabilityLine(tr.kind, &c) == l+"\n" {
				at = i
			}
		}
		if at < 0 {
			return tsterr.New(tsterr.InvalidArg, "Codec is not in capabilities")
		}
		dup := false
		for _, have := range prefs.order {
			dup = dup || have == at
		}
		if !dup {
			prefs.order = append(prefs.order, at)
		}
	}
	tr.prefs = prefs
	return nil
}

// StopSending ends a sender: the other side is told.
func (p *Peer) StopSending(n uint64) error {
	p.mu.Lock()
	tr, err := p.transceiver(n)
	p.mu.Unlock()
	if err == nil {
		tr.sender.stop()
	}
	return err
}

// StopReceiving ends a receiver.
func (p *Peer) StopReceiving(n uint64) error {
	p.mu.Lock()
	tr, err := p.transceiver(n)
	p.mu.Unlock()
	if err == nil {
		tr.receiver.end()
	}
	return err
}

// StopTransceiver ends both directions; later descriptions refuse the section.
func (p *Peer) StopTransceiver(n uint64) error {
	p.mu.Lock()
	tr, err := p.transceiver(n)
	if err == nil {
		tr.stopped = true
	}
	p.mu.Unlock()
	if err != nil {
		return err
	}
	tr.sender.stop()
	tr.receiver.end()
	return nil
}

// SetSharedClock tells that the timestamps of a transceiver count from the same moment
// as those of others set so: reports then relate them, whenever they are sent.
func (p *Peer) SetSharedClock(n uint64, shared bool) error {
	p.mu.Lock()
	tr, err := p.transceiver(n)
	p.mu.Unlock()
	if err != nil {
		return err
	}
	tr.sender.mu.Lock()
	tr.sender.shared = shared
	tr.sender.mu.Unlock()
	return nil
}

// anchor follows the clock of a source slowly: pictures do not arrive evenly.
func (p *Peer) anchor(epoch int64) {
	const smoothing, jump = 64, int64(time.Second)
	have := p.epoch.Load()
	if d := epoch - have; have != 0 && d < jump && d > -jump {
		epoch = have + d/smoothing
	}
	p.epoch.Store(epoch)
}

// Send sends an access unit or audio packet. timestamp counts the codec's clock; the
// stream's own origin is added.
func (p *Peer) Send(n uint64, c Codec, data []byte, timestamp int64) error {
	p.mu.Lock()
	tr, err := p.transceiver(n)
	p.mu.Unlock()
	if err != nil {
		return err
	}
	return tr.sender.send(c, data, timestamp)
}

// RequestKeyFrame asks the other side for a picture that needs no other.
func (p *Peer) RequestKeyFrame(n uint64) error {
	p.mu.Lock()
	tr, err := p.transceiver(n)
	p.mu.Unlock()
	if err == nil {
		tr.receiver.requestKeyFrame()
	}
	return err
}

// remoteClosed is called when the other side ended DTLS: the connection closes itself.
func (p *Peer) remoteClosed() { go p.Close(0) }

// Close ends the connection; events tell each step, and operation op the end. What it
// sends is sent, and every goroutine has ended, before that.
func (p *Peer) Close(op uint64) {
	p.mu.Lock()
	if p.closing {
		p.mu.Unlock()
		<-p.closed
		if op != 0 {
			p.emit(Event{Kind: EventDone, Object: op})
		}
		return
	}
	p.closing = true
	p.setSignaling(SignalingClosed)
	transceivers := append([]*transceiver(nil), p.transceivers...)
	data, reports := p.data, p.reports
	p.mu.Unlock()
	if reports != nil {
		reports.Stop()
	}
	for _, tr := range transceivers {
		tr.sender.stop()
		tr.sender.mu.Lock()
		started := tr.sender.started
		tr.sender.mu.Unlock()
		if started {
			p.emit(Event{Kind: EventSendStop, Object: tr.number})
		}
	}
	if data != nil {
		data.close()
	}
	p.t.close()
	for _, tr := range transceivers {
		tr.receiver.end()
	}
	p.mu.Lock()
	p.t.iceState, p.t.state = ICEClosed, ConnectionClosed
	p.setICE(ICEClosed)
	p.setConnection(ConnectionClosed)
	p.mu.Unlock()
	p.hub.mu.Lock()
	delete(p.hub.peers, p)
	p.hub.mu.Unlock()
	close(p.closed)
	if op != 0 {
		p.emit(Event{Kind: EventDone, Object: op})
	}
}

// abandon is Close for a hub that is gone.
func (p *Peer) abandon() { go p.Close(0) }

// Closed is done once everything has ended.
func (p *Peer) Closed() <-chan struct{} { return p.closed }
