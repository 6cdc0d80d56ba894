package webrtc

import (
	"sync"

	"golang.org/x/sys/unix"

	"github.com/tstrans/tstrans/core/tsterr"
)

// EventKind says what an event is about; the numbers are those of the C ABI.
type EventKind uint32

// Kinds of events.
const (
	EventSignaling    EventKind = 1 + iota // Code: SignalingState
	EventGathering                         // Code: GatheringState
	EventICE                               // Code: ICEState
	EventConnection                        // Code: ConnectionState
	EventTrack                             // Object: transceiver, Data: id of the remote track
	EventDone                              // Object: number of the operation
	EventSend                              // Object: transceiver, Code: Codec to send with, 0 to pause
	EventSendStop                          // Object: transceiver; its local track has no more use
	EventKeyFrame                          // Object: transceiver; the other side needs a key frame
	EventBitrate                           // Object: transceiver, Value: bits a second the other side takes
	EventFrame                             // Object: transceiver, Code: Codec, Value: ticks since the first, Data
	EventReceiveEnd                        // Object: transceiver; nothing more arrives
	EventChannel                           // Object: number of a channel the other side opened
	EventChannelOpen                       // Object: channel
	EventText                              // Object: channel, Data
	EventBinary                            // Object: channel, Data
	EventChannelClose                      // Object: channel
	EventLow                               // Object: channel; its queue has drained to the threshold
	EventChannelID                         // Object: channel, Value: its stream
)

// FlagKey marks a frame that can be decoded without those before it.
const FlagKey = 1

// Event is one thing that happened.
type Event struct {
	Kind   EventKind
	Code   uint32
	Peer   uint64 // the number the caller gave the connection
	Object uint64
	Value  int64
	Flags  uint32
	Clock  uint32 // ticks a second of Value, of frames
	Data   []byte

	from *Peer // whose account Data is on
}

// maxPending bounds the media and messages of one connection that wait in the hub,
// in bytes. Frames beyond it are dropped, and counted; data channels stop reading.
const maxPending = 16 << 20

// Hub collects the events of many connections. Its descriptor is readable while
// events wait.
type Hub struct {
	fd  int
	net *network

	mu     sync.Mutex
	queue  []Event
	head   int
	closed bool
	peers  map[*Peer]struct{}
}

// NewHub makes a hub; Close frees it.
func NewHub() (*Hub, error) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, tsterr.Wrap(tsterr.IO, err, "eventfd")
	}
	return &Hub{fd: fd, net: newNetwork(), peers: map[*Peer]struct{}{}}, nil
}

// FD is readable while events wait.
func (h *Hub) FD() int { return h.fd }

// Close ends every connection of the hub, without waiting, and frees it.
func (h *Hub) Close() {
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		return
	}
	h.closed = true
	peers := make([]*Peer, 0, len(h.peers))
	for p := range h.peers {
		peers = append(peers, p)
	}
	h.queue, h.head = nil, 0
	_ = unix.Close(h.fd)
	h.mu.Unlock()
	for _, p := range peers {
		p.abandon()
	}
}

func (h *Hub) push(e Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	h.queue = append(h.queue, e)
	if len(h.queue)-h.head == 1 {
		_, _ = unix.Write(h.fd, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	}
}

// Read hands events to take, oldest first, until it refuses one; that one stays.
func (h *Hub) Read(take func(*Event) bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for h.head < len(h.queue) {
		e := &h.queue[h.head]
		if !take(e) {
			return
		}
		if e.from != nil {
			e.from.taken(len(e.Data))
		}
		*e = Event{}
		h.head++
	}
	h.queue, h.head = h.queue[:0], 0
	if cap(h.queue) > 4096 {
		h.queue = nil
	}
	var b [8]byte
	if !h.closed {
		_, _ = unix.Read(h.fd, b[:])
	}
}
