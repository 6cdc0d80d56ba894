// Package mp4 writes one video track to an MP4 file: H.264, HEVC, AV1, JPEG
// or PNG, pushed one access unit at a time.
//
// The file is fragmented while it grows (ISO/IEC 14496-12 §8.8), so that a
// process that dies leaves everything up to its last fragment playable.
// Finish turns it into a plain fast-start file: the movie box in front, one
// media data box behind it.
//
// Layout while writing:
//
//	ftyp | free (reserve, a hole in the file) | moov with mvex | moof mdat | moof mdat …
//
// Finish lays the whole movie box, and behind it the header of one mdat that
// swallows the rest of the file, into the payload of the free box, and then
// turns "free" into "moov" by one write of eight bytes. A reader sees either
// the fragmented file or the plain one, never something in between. Short
// files, and those whose tables outgrow the reserve, are copied into a file
// of their own beside the output that then takes its name.
//
// Specifications: ISO/IEC 14496-12 (boxes), 14496-15 (H.264 and HEVC samples),
// AV1 Codec ISO Media File Format Binding 1.2.
package mp4

import (
	"strings"

	"github.com/tstrans/tstrans/core/tsterr"
)

// Limits and sizes, with the reason for each number.
const (
	// moovReserve is the length of the hole kept for the final movie box. It
	// holds the tables of about 350,000 pictures with B-frames (12 bytes
	// each): three hours at 30 pictures a second. A hole takes no disk space.
	moovReserve = 4 << 20
	// compactBelow is the media size under which Finish copies the samples
	// into a fresh file without reserve: a few tens of milliseconds at most.
	compactBelow = 32 << 20
	// fragmentBytes ends a fragment: writes of this size run at the full
	// speed of a file.
	fragmentBytes = 1 << 20
	// fragmentNs ends a fragment of slow streams: what a crash can cost.
	fragmentNs = 1_000_000_000
	// fragmentSamples bounds the table of one fragment, and with it the room
	// kept before its data.
	fragmentSamples = 1024
	// reorderWindow is the number of access units looked at to find how far
	// pictures are reordered, when no decode times are given. H.264 and HEVC
	// allow 16 (ITU-T H.264 A.3.1, H.265 A.4.2).
	reorderWindow = 17
	// maxParameterSets bounds what a stream can make the muxer keep.
	maxParameterSets = 64
	// maxPending bounds NAL units that wait for the picture they belong to.
	maxPending = 1 << 20
)

// Codec is what an MP4 file of this package can hold.
type Codec int32

// The codecs, by their pinned numbers.
const (
	H264 Codec = 0
	HEVC Codec = 1
	JPEG Codec = 2
	AV1  Codec = 3
	PNG  Codec = 4
)

var codecNames = [...]string{"h264", "hevc", "jpeg", "av1", "png"}

// String gives the canonical name.
func (c Codec) String() string {
	if c >= 0 && int(c) < len(codecNames) {
		return codecNames[c]
	}
	return "unknown"
}

// CodecByName finds a codec by its name in any case; h265 means HEVC.
func CodecByName(name string) (Codec, error) {
	n := strings.ToLower(name)
	if n == "h265" {
		return HEVC, nil
	}
	for i, s := range codecNames {
		if s == n {
			return Codec(i), nil
		}
	}
	return 0, tsterr.New(tsterr.MP4CodecUnknown,
		"Unknown codec %q: expected one of h264, hevc, h265, jpeg, av1, png", name)
}

// Config says what to write. The zero value writes H.264 at an unknown rate.
type Config struct {
	Codec Codec
	// FPSNum and FPSDen are the frame rate. It sets the time scale of the
	// file and how long the last picture lasts; 0/1 means unknown. FPSDen
	// defaults to 1.
	FPSNum, FPSDen uint32
}

// Validate names the field that cannot be used.
func (c Config) Validate() error {
	if c.Codec < 0 || int(c.Codec) >= len(codecNames) {
		return tsterr.At(tsterr.InvalidArg, "codec", tsterr.NoOffset, "codec %d is none of 0 to 4", int32(c.Codec))
	}
	return nil
}

// timescale gives the ticks a second of the file and the length of one frame
// in them: 30/1 runs at 3000, 60000/1001 at 60000, an unknown rate at 10000.
func (c Config) timescale() (scale, frame uint32) {
	num, den := c.FPSNum, c.FPSDen
	if den == 0 {
		den = 1
	}
	switch {
	case num == 0:
		return 10_000, 333
	case den == 1001 || num >= 10_000_000:
		scale, frame = num, den
	default:
		scale, frame = num*100, den*100
		if den > 10_000_000 {
			scale, frame = num, den
		}
	}
	return scale, frame
}

// Stats counts what was done with the pushed access units.
type Stats struct {
	SamplesWritten    uint64 // samples in the file, the open one not counted
	BytesWritten      uint64 // bytes written to the file
	FragmentsWritten  uint64
	AccessUnitsIn     uint64 // pushes that were accepted
	DroppedBeforeInit uint64 // access units before the first parameter sets
}
