package mpegts

import (
	"fmt"

	"github.com/tstrans/tstrans/core/tsterr"
)

// finding queues a NonConformant event. It returns false when the strict mode
// rejects it; the error then waits in d.fault, the first of a packet wins.
func (d *Demuxer) finding(id StreamID, stream uint16, kind NonConformantKind, format string, args ...any) bool {
	r := d.record(EventNonConformant, id, stream)
	return d.findingRecord(&r, kind, format, args...)
}

// findingRecord is finding for a record with further fields set.
func (d *Demuxer) findingRecord(r *Record, kind NonConformantKind, format string, args ...any) bool {
	b := d.cur
	at := len(b.arena)
	b.arena = fmt.Appendf(b.arena, format, args...)
	r.Detail = uint8(kind)
	r.Text, r.TextLen = uint32(at), uint32(len(b.arena)-at)
	b.push(r)
	d.stats.NonConformant++
	if !d.cfg.StrictMode.rejects(kind) {
		return true
	}
	if d.fault == nil {
		var e *tsterr.Error
		if (kind == NCPCRAnomaly || kind == NCPTSAnomaly) && len(args) > 1 {
			e = tsterr.New(tsterr.DemuxStrictRejection, "strict-mode rejection: %s { delta: %d }", kind, args[len(args)-1])
		} else {
			e = tsterr.New(tsterr.DemuxStrictRejection, "strict-mode rejection: %s { pid: %d }", kind, r.PID)
		}
		e.Offset = int64(d.at)
		d.fault = e.With("pid", int64(r.PID))
	}
	return false
}

// packetFinding is finding for the packet layer, also on PIDs nobody asked for.
func (d *Demuxer) packetFinding(s *pidState, pid uint16, kind NonConformantKind, format string, args ...any) {
	id, stream := d.identity(s, pid)
	d.finding(id, stream, kind, format, args...)
}

// discontinuity queues a Discontinuity event.
func (d *Demuxer) discontinuity(s *pidState, kind uint8) {
	r := d.record(EventDiscontinuity, s.id, s.stream)
	r.Detail = kind
	d.cur.push(&r)
	d.stats.Discontinuities++
}
