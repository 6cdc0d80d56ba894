package pipeline

import "github.com/tstrans/tstrans/core/mpegts"

// Records takes the records of one read of a demuxer, numbered first, first+1,
// and so on, and appends what is thereby decided to out. It appends at most
// len(recs)+Held() outputs.
func (p *Pairer) Records(out []Output, recs []mpegts.Record, first uint64) []Output {
	for i := range recs {
		r, ref := &recs[i], first+uint64(i)
		switch {
		case r.Type == mpegts.EventVideo && r.PID == p.cfg.VideoPID:
			out = p.Video(out, ref, r.PTS)
		case r.Type == mpegts.EventKLV && r.PID == p.cfg.KLVPID:
			out = p.KLV(out, ref, r.PTS)
		default:
			p.stats.PassThrough++
			out = append(out, Output{PassThrough, ref, NoRef})
		}
	}
	return out
}
