package mpegts

// MuxStats are the counters of a muxer. The first two count packets that were
// pulled, or written to a file.
type MuxStats struct {
	TSPacketsEmitted          uint64
	TSBytesEmitted            uint64
	ProgramsConfigured        uint64
	SubtitleStreamsConfigured uint64
}

func (s *MuxStats) pulled(n int) {
	s.TSPacketsEmitted += uint64(n / PacketSize)
	s.TSBytesEmitted += uint64(n)
}

// CodecCounts are the counters of one pushed stream.
type CodecCounts struct {
	// Units counts NAL units or OBUs of video, frames of audio, pushes of KLV.
	Units uint64
	// RandomAccess counts video pushes with KeyFrame.
	RandomAccess uint64
	// Pushed tells whether there is anything to report.
	Pushed bool
}

// Stats returns the counters.
func (m *Muxer) Stats() MuxStats { return m.stats }

// ResetStats zeroes the counters of packets and of all streams.
func (m *Muxer) ResetStats() {
	m.stats.TSPacketsEmitted, m.stats.TSBytesEmitted = 0, 0
	for _, list := range m.byClass {
		for _, s := range list {
			s.counts = CodecCounts{}
		}
	}
}

// CodecStats returns the counters of the video, audio or KLV stream on a PID;
// ok is false where nothing was recognised on it yet.
func (m *Muxer) CodecStats(pid uint16) (c CodecCounts, class MuxClass, ok bool) {
	for _, class := range []MuxClass{MuxVideo, MuxAudio, MuxKLV} {
		for _, s := range m.byClass[class] {
			if s.PID == pid && s.counts.Pushed {
				return s.counts, class, true
			}
		}
	}
	return CodecCounts{}, 0, false
}

// countAudioFrames counts whole frames of AAC in ADTS (ISO/IEC 14496-3
// §1.A.3.2) and of MPEG audio (ISO/IEC 11172-3 §2.4.1.3); other codecs are not
// looked into.
func countAudioFrames(c Codec, b []byte) uint64 {
	var length func([]byte) int
	switch c {
	case CodecAAC:
		length = adtsLength
	case CodecMP2:
		length = mpegAudioLength
	default:
		return 0
	}
	var n uint64
	for len(b) > 0 {
		size := length(b)
		if size <= 0 || size > len(b) {
			break
		}
		n++
		b = b[size:]
	}
	return n
}

func adtsLength(b []byte) int {
	if len(b) < 7 || b[0] != 0xFF || b[1]&0xF6 != 0xF0 {
		return 0
	}
	if n := int(b[3]&3)<<11 | int(b[4])<<3 | int(b[5])>>5; n >= 7 {
		return n
	}
	return 0
}

// Bit rates in kbit/s of MPEG-1 layers I, II, III, then MPEG-2 layer I and
// layers II and III (ISO/IEC 11172-3 §2.4.2.3, ISO/IEC 13818-3 §2.4.2.3).
var mpegAudioRates = [5][15]uint16{
	{0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448},
	{0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384},
	{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320},
	{0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256},
	{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},
}

var mpegAudioSampleRates = [3]int{44_100, 48_000, 32_000}

// mpegAudioLength is the length of the frame that b begins with, 0 for none.
// Free format (rate index 0) has no length in its header.
func mpegAudioLength(b []byte) int {
	if len(b) < 4 || b[0] != 0xFF || b[1]&0xE0 != 0xE0 {
		return 0
	}
	version, layer := b[1]>>3&3, 4-int(b[1]>>1&3) // version 3: MPEG-1, 2: MPEG-2, 0: MPEG-2.5
	rate, sampling := b[2]>>4, b[2]>>2&3
	if version == 1 || layer == 4 || rate == 0 || rate == 15 || sampling == 3 {
		return 0
	}
	row := layer - 1
	hz := mpegAudioSampleRates[sampling]
	if version != 3 {
		row = 3 + min(layer-1, 1)
		hz /= 2
	}
	if version == 0 {
		hz /= 2
	}
	bits := int(mpegAudioRates[row][rate]) * 1000
	padding := int(b[2] >> 1 & 1)
	switch {
	case layer == 1:
		return (12*bits/hz + padding) * 4
	case layer == 3 && version != 3:
		return 72*bits/hz + padding
	}
	return 144*bits/hz + padding
}

// RepeatTables makes the next push carry tables and a clock reference, however
// recently there were some: for a time base that began anew.
func (m *Muxer) RepeatTables() {
	m.hasPSI = false
	for _, p := range m.programs {
		p.hasPCR = false
	}
}
