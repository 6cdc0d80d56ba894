package rtph264

import (
	"sync"
	"time"

	"github.com/tstrans/tstrans/core/rtp"
)

// sourceStep is how far the clock moves on when a new source takes over: one
// picture at 29.97 Hz, in 90 kHz ticks.
const sourceStep = 3003

// AccessUnit is one picture.
type AccessUnit struct {
	// AnnexB is the byte stream, valid until the next Read.
	AnnexB []byte
	// PTS is the distance from the first picture in 90 kHz ticks.
	PTS int64
	// Timestamp is the RTP time stamp as it came.
	Timestamp uint32
	// Key is set for pictures with an IDR slice.
	Key bool
}

// PacketReader is where packets come from: a UDP socket or an RTSP session.
type PacketReader interface {
	// ReadPacket gives the next packet; its payload is valid until the next call.
	ReadPacket(timeout time.Duration) (rtp.Packet, error)
}

// Receiver reads pictures from a PacketReader.
type Receiver struct {
	from PacketReader

	mu   sync.Mutex // one Read at a time; guards what follows
	d    *Depacketizer
	line rtp.Timeline

	smu   sync.Mutex
	stats rtp.AssemblyStats // as of the last Read
}

// NewReceiver makes a receiver.
func NewReceiver(from PacketReader, cfg Config) *Receiver {
	return &Receiver{from: from, d: NewDepacketizer(cfg)}
}

// Read waits for the next picture.
func (r *Receiver) Read(timeout time.Duration) (AccessUnit, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var end time.Time
	if timeout > 0 {
		end = time.Now().Add(timeout)
	}
	for {
		if u, ok := r.d.Unit(); ok {
			return r.picture(u), nil
		}
		wait := timeout
		if timeout > 0 {
			wait = max(0, time.Until(end))
		}
		p, err := r.from.ReadPacket(wait)
		if err != nil {
			return AccessUnit{}, err //nolint:wrapcheck // it is the reader's
		}
		r.d.Push(&p)
		r.smu.Lock()
		r.stats = r.d.Stats
		r.smu.Unlock()
	}
}

func (r *Receiver) picture(u rtp.Unit) AccessUnit {
	if u.NewSource {
		r.line.Rebase(u.Timestamp, r.line.Last()+sourceStep)
	}
	return AccessUnit{AnnexB: u.Data, PTS: r.line.Extend(u.Timestamp), Timestamp: u.Timestamp, Key: u.Key}
}

// Stats counts packets and pictures.
func (r *Receiver) Stats() rtp.AssemblyStats {
	r.smu.Lock()
	defer r.smu.Unlock()
	return r.stats
}
