// Package mpegaudio reads the frame headers of MPEG audio, layers I to III of
// ISO/IEC 11172-3 (MPEG-1) and ISO/IEC 13818-3 (MPEG-2, lower sampling rates),
// and of the MPEG-2.5 extension that encoders agree on.
package mpegaudio

import (
	"github.com/tstrans/tstrans/core/codec"
	"github.com/tstrans/tstrans/core/tsterr"
)

// name stands before the messages of errors.
const name = "mpeg2audio"

// HeaderSize is the size of a frame header in bytes.
const HeaderSize = 4

const syncWord = 0x7ff

// Version tells the standard a frame follows.
type Version uint8

// The versions.
const (
	MPEG1 Version = iota
	MPEG2
	MPEG25
)

// Layer tells the coding layer, I as 0.
type Layer uint8

// The layers.
const (
	LayerI Layer = iota
	LayerII
	LayerIII
)

// ChannelMode is the mode field of a header.
type ChannelMode uint8

// The channel modes.
const (
	Stereo ChannelMode = iota
	JointStereo
	DualChannel
	Mono
)

// bitrates holds kbit/s by layer and bitrate_index: table B.1 of 11172-3 for
// MPEG-1, then 13818-3 §2.4.2.3 for the lower sampling rates, where layers II
// and III share one row.
var bitrates = [5][15]uint16{
	{0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448},
	{0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384},
	{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320},
	{0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256},
	{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},
}

// sampleRates holds Hz by version and sampling_frequency.
var sampleRates = [3][3]uint32{
	{44100, 48000, 32000},
	{22050, 24000, 16000},
	{11025, 12000, 8000},
}

// versions maps the two bits before the layer; 1 is reserved.
var versions = [4]Version{MPEG25, 0, MPEG2, MPEG1}

const reservedVersion = 1

// Frame is a frame header, with its place in the buffer it was found in. The
// layout is that of tst_mpeg_audio_frame in the C ABI.
type Frame struct {
	Offset     uint64 // where the header starts
	SampleRate uint32 // Hz
	Length     uint16 // bytes with the header
	Bitrate    uint16 // kbit/s
	Samples    uint16 // samples of each channel
	Version    Version
	Layer      Layer
	Mode       ChannelMode
	HasCRC     bool
	_          [2]uint8
}

// Channels tells the number of channels.
func (f *Frame) Channels() int {
	if f.Mode == Mono {
		return 1
	}
	return 2
}

// Unmarshal reads the frame at the start of buf, which must hold all of it.
func (f *Frame) Unmarshal(buf []byte) error {
	if len(buf) < HeaderSize {
		return codec.Named(name, codec.Truncated(HeaderSize, len(buf)))
	}
	if sync := uint16(buf[0])<<3 | uint16(buf[1]>>5); sync != syncWord {
		return codec.Named(name, codec.BadSync(syncWord, int64(sync)))
	}
	if err := f.unmarshalFields(buf); err != nil {
		return codec.Named(name, err)
	}
	if int(f.Length) > len(buf) {
		return codec.Named(name, codec.Truncated(int(f.Length), len(buf)))
	}
	return nil
}

func (f *Frame) unmarshalFields(buf []byte) error {
	version, layer := buf[1]>>3&3, buf[1]>>1&3
	rateIndex, bitrateIndex := buf[2]>>2&3, buf[2]>>4
	if version == reservedVersion {
		return codec.Reserved("version_id", uint64(version))
	}
	if layer == 0 {
		return codec.Reserved("layer", 0)
	}
	*f = Frame{
		Version: versions[version],
		Layer:   Layer(3 - layer),
		Mode:    ChannelMode(buf[3] >> 6),
		HasCRC:  buf[1]&1 == 0,
	}
	switch bitrateIndex {
	case 0:
		n := int64(f.Layer) + 1
		return tsterr.New(tsterr.CodecUnsupportedFreeFormat, "unsupported free-format MPEG audio (layer %d)", n).
			With("layer", n)
	case 15:
		return codec.Forbidden("bitrate_index")
	}
	if rateIndex == 3 {
		return codec.Reserved("sample_rate_index", uint64(rateIndex))
	}
	row := int(f.Layer)
	if f.Version != MPEG1 {
		row = 3 + min(row, 1)
	}
	f.Bitrate = bitrates[row][bitrateIndex]
	f.SampleRate = sampleRates[f.Version][rateIndex]
	f.setLength(uint32(buf[2] >> 1 & 1))
	return nil
}

// setLength computes samples and bytes of the frame (11172-3 §2.4.3.1; half the
// samples in layer III at the lower rates, 13818-3 §2.4.2.3).
func (f *Frame) setLength(padding uint32) {
	bitsPerSecond := uint32(f.Bitrate) * 1000
	var n uint32
	switch {
	case f.Layer == LayerI:
		f.Samples = 384
		n = (12*bitsPerSecond/f.SampleRate + padding) * 4
	case f.Layer == LayerIII && f.Version != MPEG1:
		f.Samples = 576
		n = 72*bitsPerSecond/f.SampleRate + padding
	default:
		f.Samples = 1152
		n = 144*bitsPerSecond/f.SampleRate + padding
	}
	f.Length = uint16(n) //nolint:gosec // at most 2881
}

// FrameLength tells how long the frame is that begins buf, of which all may not
// be there yet; ok is false where no frame of a known length begins.
func FrameLength(buf []byte) (n int, ok bool) {
	var f Frame
	if len(buf) < HeaderSize || !plausible(buf) || f.unmarshalFields(buf) != nil {
		return 0, false
	}
	return int(f.Length), f.Length > 0
}

// Split finds the frames of a buffer that holds nothing else. It fills dst and
// returns how many frames there are, which may be more than dst holds; an error
// is that of the first bad frame, and n what came before it.
func Split(dst []Frame, buf []byte) (n int, err error) {
	for pos := 0; pos < len(buf); {
		var f Frame
		if err = f.Unmarshal(buf[pos:]); err != nil {
			return n, codec.AtByte(err, pos)
		}
		f.Offset = uint64(pos)
		pos += int(f.Length)
		n = put(dst, n, f)
	}
	return n, nil
}

// SplitResync finds the frames of a buffer that may hold other bytes between
// them, and part of a frame at its end. It fills dst and returns how many there
// are, which may be more than dst holds.
func SplitResync(dst []Frame, buf []byte) (n int) {
	for pos := 0; pos+HeaderSize <= len(buf); {
		var f Frame
		if !plausible(buf[pos:]) || f.unmarshalFields(buf[pos:]) != nil || int(f.Length) > len(buf)-pos {
			pos++
			continue
		}
		f.Offset = uint64(pos)
		pos += int(f.Length)
		n = put(dst, n, f)
	}
	return n
}

// plausible tells whether a header has no reserved value, without making an
// error where it has: in other data a sync word is found often.
func plausible(buf []byte) bool {
	const lowest, highest = 1, 14 // bitrate_index
	return buf[0] == 0xff && buf[1]&0xe0 == 0xe0 && buf[1]>>3&3 != reservedVersion && buf[1]>>1&3 != 0 &&
		buf[2]>>4 >= lowest && buf[2]>>4 <= highest && buf[2]>>2&3 != 3
}

func put(dst []Frame, n int, f Frame) int {
	if n < len(dst) {
		dst[n] = f
	}
	return n + 1
}
