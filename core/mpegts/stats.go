package mpegts

// DemuxerStats counts what a Demuxer has seen.
type DemuxerStats struct {
	ProgramMapsSeen     uint64 // ProgramMap events
	PMTVersionsSeen     uint64 // accepted PMT versions
	Discontinuities     uint64 // Discontinuity events
	NonConformant       uint64 // NonConformant events
	ProgramsSeen        uint64 // programs of the PAT in force; survives a reset
	SubtitleStreamsSeen uint64 // PIDs on which a subtitle was seen
	BytesTotal          uint64 // input bytes taken
	PacketsTotal        uint64 // packets in sync
}

// Stats returns a copy of the counters.
func (d *Demuxer) Stats() DemuxerStats { return d.stats }

// ResetStats zeroes all counters but ProgramsSeen.
func (d *Demuxer) ResetStats() {
	d.stats = DemuxerStats{ProgramsSeen: d.stats.ProgramsSeen}
	for _, s := range d.pids {
		if s != nil {
			s.subtitleSeen = false
		}
	}
}
