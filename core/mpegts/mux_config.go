package mpegts

import (
	"github.com/tstrans/tstrans/core/mpegts/descriptor"
	"github.com/tstrans/tstrans/core/tsterr"
)

// Limits of a mux configuration.
const (
	// MaxMuxPrograms is the most programs of one stream.
	MaxMuxPrograms = 16
	// MaxMuxStreamsPerKind is the most streams of one class in a program: a
	// handle keeps the index in four bits.
	MaxMuxStreamsPerKind = 16
	// minMuxPID and maxMuxPID bound the PIDs that streams may use (ISO/IEC
	// 13818-1 Table 2-3).
	minMuxPID = 0x0010
	maxMuxPID = 0x1FFE
	// maxMuxPMT is the longest PMT section: one packet less header and
	// pointer_field.
	maxMuxPMT = MaxPayload - 1
)

// MuxClass is the class of a pushed stream. Handles count streams by class.
// The numbers are part of the C ABI.
type MuxClass uint8

// The classes of pushed streams.
const (
	MuxVideo    MuxClass = 0
	MuxAudio    MuxClass = 1
	MuxKLV      MuxClass = 2
	MuxSubtitle MuxClass = 3
	MuxData     MuxClass = 4

	muxClasses = 5
)

// String gives the name used in messages.
func (c MuxClass) String() string {
	return [...]string{"video", "audio", "klv", "subtitle", "data", "unknown"}[min(c, muxClasses)]
}

// MuxStream is one elementary stream of a program.
type MuxStream struct {
	PID   uint16
	Class MuxClass
	Codec Codec // of video, audio and subtitle streams
	// StreamType is the PMT stream_type of a data stream.
	StreamType uint8
	// KLVSync carries KLV in metadata AU cells (stream_type 0x15) instead of
	// private PES packets (0x06).
	KLVSync bool
	// CarriesPTS gives KLV and data packets a PTS.
	CarriesPTS bool
	// Language is an ISO 639-2 code, of audio where HasLanguage is set, and
	// of DVB subtitling and teletext.
	Language    [3]byte
	HasLanguage bool

	SubtitlingType  uint8 // EN 300 468 Table 26, DVB subtitling
	CompositionPage uint16
	AncillaryPage   uint16
	TeletextType    uint8 // EN 300 468 Table 100, 5 bits
	Magazine        uint8 // 3 bits, 0 stands for 8
	Page            uint8 // two BCD digits

	// Descriptors are whole descriptors, tag first, for the PMT loop of the
	// stream. They follow the automatic ones and may replace them.
	Descriptors [][]byte
}

// MuxProgram is one program.
type MuxProgram struct {
	Number uint16
	PMTPID uint16
	// PCRPID is the video or audio PID that carries the clock. It defaults to
	// 0: the first video stream, else the first audio stream.
	PCRPID  uint16
	Streams []MuxStream
	// Descriptors go into the program loop of the PMT as they are.
	Descriptors [][]byte
}

// MuxConfig configures a Muxer. NewMuxConfig gives the defaults.
type MuxConfig struct {
	Programs []MuxProgram
	// PCRIntervalMs is the most stream time between two clock references, 1
	// to 100 ms. It defaults to 40 ms.
	PCRIntervalMs int
	// PSIIntervalMs is the stream time between two sets of tables, 10 ms or
	// more. It defaults to 100 ms.
	PSIIntervalMs int
	// BufferPackets is the most packets that wait to be pulled, 10 or more.
	// It defaults to 10,000 packets.
	BufferPackets int
	// AV1Carriage is the way AV1 goes into PES packets. It defaults to the
	// AOM binding.
	AV1Carriage AV1Carriage
}

// Bounds of a MuxConfig.
const (
	maxIntervalMs    = 1<<32 - 1 // more than time stamps can be apart
	maxBufferPackets = 1 << 48   // the queue grows with what waits, not with its limit
)

// NewMuxConfig returns the defaults for the given programs.
func NewMuxConfig(programs ...MuxProgram) MuxConfig {
	return MuxConfig{Programs: programs, PCRIntervalMs: 40, PSIIntervalMs: 100, BufferPackets: 10_000}
}

func configError(field string, format string, args ...any) *tsterr.Error {
	return tsterr.At(tsterr.MuxConfigInvalid, field, tsterr.NoOffset, format, args...)
}

// Validate checks every rule and names the field that breaks one.
func (c *MuxConfig) Validate() error {
	switch {
	case len(c.Programs) == 0:
		return configError("programs", "at least one program is required")
	case len(c.Programs) > MaxMuxPrograms:
		return configError("programs", "%d programs exceed the limit of %d", len(c.Programs), MaxMuxPrograms)
	case c.PCRIntervalMs < 1 || c.PCRIntervalMs > 100:
		return configError("pcr_interval_ms", "pcr_interval_ms %d is outside 1..100 ms", c.PCRIntervalMs)
	case c.PSIIntervalMs < 10 || c.PSIIntervalMs > maxIntervalMs:
		return configError("psi_interval_ms", "psi_interval_ms %d is outside 10..%d ms", c.PSIIntervalMs, maxIntervalMs)
	case c.BufferPackets < 10 || c.BufferPackets > maxBufferPackets:
		return configError("buffer_packets", "buffer_packets %d is outside 10..%d packets", c.BufferPackets, maxBufferPackets)
	case c.AV1Carriage > AV1InteropRawOBU:
		return configError("av1_carriage", "av1_carriage %d is unknown", c.AV1Carriage)
	}
	pids, numbers := map[uint16]string{}, map[uint16]bool{}
	take := func(pid uint16, what string) error {
		if pid < minMuxPID || pid > maxMuxPID {
			return configError("pid", "%s PID 0x%04X is outside 0x0010..0x1FFE", what, pid).With("pid", int64(pid))
		}
		if other, used := pids[pid]; used {
			return configError("pid", "%s PID 0x%04X is already the %s PID", what, pid, other).With("pid", int64(pid))
		}
		pids[pid] = what
		return nil
	}
	for i := range c.Programs {
		p := &c.Programs[i]
		if p.Number == 0 {
			return configError("program_number", "program_number 0 is reserved for the network PID")
		}
		if numbers[p.Number] {
			return configError("program_number", "program_number %d is used twice", p.Number)
		}
		numbers[p.Number] = true
		if err := take(p.PMTPID, "PMT"); err != nil {
			return err
		}
	}
	for i := range c.Programs {
		if err := c.Programs[i].validate(take); err != nil {
			return err
		}
	}
	return nil
}

func (p *MuxProgram) validate(take func(uint16, string) error) error {
	var count [muxClasses]int
	pcr := p.PCRPID == 0
	for i := range p.Streams {
		s := &p.Streams[i]
		if s.Class >= muxClasses {
			return configError("class", "stream class %d is unknown", s.Class)
		}
		count[s.Class]++
		if count[s.Class] > MaxMuxStreamsPerKind {
			return configError("streams", "program %d has more than %d %s streams", p.Number, MaxMuxStreamsPerKind, s.Class)
		}
		if err := take(s.PID, s.Class.String()); err != nil {
			return err
		}
		if err := s.validate(); err != nil {
			return err
		}
		pcr = pcr || s.PID == p.PCRPID && s.Class <= MuxAudio
	}
	if len(p.Streams) == 0 {
		return configError("streams", "program %d has no streams", p.Number)
	}
	if count[MuxVideo]+count[MuxAudio] == 0 {
		return configError("streams", "program %d needs a video or audio stream", p.Number)
	}
	if !pcr {
		return configError("pcr_pid", "pcr_pid 0x%04X is none of program %d's video or audio PIDs", p.PCRPID, p.Number).
			With("pid", int64(p.PCRPID))
	}
	if t := p.pmt(); t.MarshalSize() > maxMuxPMT {
		return configError("descriptors", "the PMT of program %d uses %d of at most %d bytes", p.Number, t.MarshalSize(), maxMuxPMT)
	}
	return nil
}

func (s *MuxStream) validate() error {
	at := func(field, format string, args ...any) error {
		return configError(field, format, args...).With("pid", int64(s.PID))
	}
	for _, d := range s.Descriptors {
		if len(d) < 2 || int(d[1]) != len(d)-2 {
			return at("descriptors", "a descriptor of PID 0x%04X is no whole tag, length and body", s.PID)
		}
	}
	switch s.Class {
	case MuxVideo, MuxAudio, MuxSubtitle:
		want := [...]StreamKind{MuxVideo: KindVideo, MuxAudio: KindAudio, MuxSubtitle: KindSubtitle}[s.Class]
		if s.Codec.Kind() != want {
			return at("codec", "codec %v of PID 0x%04X is no %v codec", s.Codec, s.PID, s.Class)
		}
		if s.Codec == CodecDVBSubtitling || s.Codec == CodecDVBTeletext {
			for _, l := range s.Language {
				if l|0x20 < 'a' || l|0x20 > 'z' {
					return at("language", "language %q of PID 0x%04X is not three ASCII letters", s.Language[:], s.PID)
				}
			}
		}
		if s.TeletextType > 31 || s.Magazine > 7 || s.Page&0x0F > 9 || s.Page>>4 > 9 {
			return at("page", "teletext type %d, magazine %d, page 0x%02X of PID 0x%04X", s.TeletextType, s.Magazine, s.Page, s.PID)
		}
	case MuxKLV:
		if s.KLVSync && !s.CarriesPTS {
			return at("carries_pts", "synchronous KLV on PID 0x%04X needs a PTS", s.PID)
		}
	case MuxData:
		// A type that readers take for something else would mislead them.
		if claimsKind(s.StreamType, s.Descriptors) {
			return at("stream_type", "stream_type 0x%02X with these descriptors on PID 0x%04X names a known kind of stream", s.StreamType, s.PID)
		}
	}
	return nil
}

// claimsKind tells whether a PMT entry would be read as anything but unknown.
func claimsKind(streamType uint8, descriptors [][]byte) bool {
	switch streamType {
	case StreamTypeMPEG1Audio, StreamTypeMPEG2Audio, StreamTypeAAC, StreamTypeAACLATM, StreamTypeMetadata,
		StreamTypeH264, StreamTypeH265, StreamTypeH266, StreamTypeAC3:
		return true
	case StreamTypePrivatePES:
	default:
		return false
	}
	for _, d := range descriptors {
		switch d[0] {
		case descriptor.TagSubtitling, descriptor.TagTeletext, descriptor.TagVBITeletext:
			return true
		case descriptor.TagRegistration:
			switch registrationOf(d) {
			case descriptor.FormatVTTC, descriptor.FormatGA94, descriptor.FormatAV01, descriptor.FormatKLVA:
				return true
			}
		}
	}
	return false
}

// registrationOf gives the format identifier of a whole registration
// descriptor, 0 for any other.
func registrationOf(d []byte) uint32 {
	var r descriptor.Registration
	if _, err := r.Unmarshal(d); err != nil {
		return 0
	}
	return r.FormatIdentifier
}

// pcrPID resolves the default.
func (p *MuxProgram) pcrPID() uint16 {
	if p.PCRPID != 0 {
		return p.PCRPID
	}
	for _, class := range []MuxClass{MuxVideo, MuxAudio} {
		for i := range p.Streams {
			if p.Streams[i].Class == class {
				return p.Streams[i].PID
			}
		}
	}
	return PIDNull
}
