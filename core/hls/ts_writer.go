package hls

import (
	"math"

	"github.com/tstrans/tstrans/core/mpegts"
	"github.com/tstrans/tstrans/core/tsterr"
)

// tsWriter writes segments of transport packets.
type tsWriter struct {
	m       *mpegts.Muxer
	klvs    []mpegts.Handle
	flush   bool
	written []bool // by KLV stream: the open piece has a unit
	lastPTS int64
}

func newTSWriter(p *Publisher, cfg mpegts.MuxConfig) (*tsWriter, error) {
	m, err := mpegts.NewMuxer(cfg)
	if err != nil {
		e := tsterr.Wrap(tsterr.HLSInvalidConfig, err, "")
		e.Field = "program"
		return nil, e
	}
	w := &tsWriter{m: m, klvs: m.Handles(mpegts.MuxKLV), flush: p.cfg.FlushKLV}
	w.written = make([]bool, len(w.klvs))
	return w, nil
}

func (w *tsWriter) check(au []byte) error { return w.m.CheckVideo(au) }
func (w *tsWriter) restart(bool)          { w.m.RepeatTables() }
func (w *tsWriter) pending() []byte       { return w.m.Pending() }
func (w *tsWriter) take(n int)            { w.m.Discard(n) }

func (w *tsWriter) coming(int64)      {}
func (w *tsWriter) mustCut() bool     { return false }
func (w *tsWriter) describe(*Segment) {}

func (w *tsWriter) video(au []byte, v Video) (bool, error) {
	w.lastPTS = v.PTS
	return true, w.m.PushVideo(au, mpegts.VideoPush{PTS: v.PTS, DTS: v.DTS, HasDTS: v.HasDTS, KeyFrame: v.KeyFrame})
}

func (w *tsWriter) audio(frames []byte, pts int64) error     { return w.m.PushAudio(frames, pts) }
func (w *tsWriter) subtitle(payload []byte, pts int64) error { return w.m.PushSubtitle(payload, pts) }

func (w *tsWriter) klv(unit []byte, index int, pts int64) error {
	var service uint8
	if len(w.klvs) == 1 && index <= math.MaxUint8 {
		// Programs written for one KLV stream use the index as the number of the
		// service in the metadata cell (ISO/IEC 13818-1 §2.12.4).
		service, index = uint8(index), 0 //nolint:gosec // bounded above
	}
	if index >= len(w.klvs) {
		return tsterr.New(tsterr.MuxInvalidUsage, "stream_index %d of %d KLV streams", index, len(w.klvs))
	}
	if err := w.m.PushKLVTo(w.klvs[index], unit, pts, service); err != nil {
		return err
	}
	w.written[index] = true
	return nil
}

// seal ends the KLV units of the piece for readers that wait for the next one.
func (w *tsWriter) seal(verdict) error {
	for i, yes := range w.written {
		if yes && w.flush {
			if err := w.m.PushEmptyKLVTo(w.klvs[i], w.lastPTS); err != nil {
				return err
			}
		}
		w.written[i] = false
	}
	return nil
}
