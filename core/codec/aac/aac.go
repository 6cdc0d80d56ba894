// Package aac reads AAC as it travels in MPEG-2 TS: ADTS frames (ISO/IEC
// 13818-7 §6.2, ISO/IEC 14496-3 §1.A.2), and it tells LATM in LOAS apart
// (ISO/IEC 14496-3 §1.7.2).
package aac

import (
	"github.com/tstrans/tstrans/core/codec"
	"github.com/tstrans/tstrans/core/tsterr"
)

// name stands before the messages of errors.
const name = "aac"

// The sizes of an ADTS header in bytes, without and with a CRC.
const (
	HeaderSize    = 7
	HeaderSizeCRC = 9
)

const (
	syncWord        = 0xfff
	samplesPerBlock = 1024
)

// Profile is the profile field of ADTS: the audio object type minus one.
type Profile uint8

// The profiles.
const (
	ProfileMain Profile = iota
	ProfileLC
	ProfileSSR
	ProfileLTP
)

// sampleRates is table 35 of ISO/IEC 13818-7; indices 13 to 15 are reserved.
var sampleRates = [16]uint32{
	96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350,
}

// Frame is an ADTS header, with its place in the buffer it was found in. The
// layout is that of tst_adts_frame in the C ABI.
type Frame struct {
	Offset        uint64 // where the header starts
	SampleRate    uint32 // Hz
	Length        uint16 // bytes with the header
	HeaderLength  uint8  // 7, or 9 with a CRC
	Profile       Profile
	ChannelConfig uint8 // channel_configuration, 0 when a program config element tells
	Blocks        uint8 // raw data blocks, 1..4
	MPEG2         bool  // the ID bit: MPEG-2 AAC, else MPEG-4
	_             [5]uint8
}

// Samples tells the samples of each channel in the frame.
func (f *Frame) Samples() int { return samplesPerBlock * int(f.Blocks) }

// HasCRC tells whether a CRC follows the header.
func (f *Frame) HasCRC() bool { return f.HeaderLength == HeaderSizeCRC }

// Channels tells the number of channels of channel_configuration, 0 when it is 0.
func (f *Frame) Channels() int { return Channels(f.ChannelConfig) }

// Channels tells the number of channels of a channel_configuration of 0 to 7;
// 0 means that the stream tells elsewhere (ISO/IEC 14496-3 table 1.19).
func Channels(config uint8) int {
	if config == 7 {
		return 8
	}
	return int(config)
}

// Unmarshal reads the frame at the start of buf, which must hold all of it.
func (f *Frame) Unmarshal(buf []byte) error {
	if len(buf) < HeaderSize {
		return codec.Named(name, codec.Truncated(HeaderSize, len(buf)))
	}
	if sync := uint16(buf[0])<<4 | uint16(buf[1]>>4); sync != syncWord {
		return codec.Named(name, codec.BadSync(syncWord, int64(sync)))
	}
	if buf[1]&6 != 0 {
		return codec.Named(name, codec.Forbidden("adts_layer"))
	}
	if buf[1]&8 != 0 && buf[2]>>6 == uint8(ProfileLTP) {
		// MPEG-2 AAC has no long term prediction (13818-7 table 31).
		return codec.Named(name, codec.Reserved("adts_profile", uint64(ProfileLTP)))
	}
	index := buf[2] >> 2 & 0xf
	if sampleRates[index] == 0 {
		return codec.Named(name, codec.Reserved("sampling_frequency_index", uint64(index)))
	}
	length := int(buf[3]&3)<<11 | int(buf[4])<<3 | int(buf[5]>>5)
	*f = Frame{
		SampleRate:    sampleRates[index],
		Length:        uint16(length), //nolint:gosec // 13 bits
		HeaderLength:  HeaderSize,
		Profile:       Profile(buf[2] >> 6),
		ChannelConfig: buf[2]&1<<2 | buf[3]>>6,
		Blocks:        buf[6]&3 + 1,
		MPEG2:         buf[1]&8 != 0,
	}
	if buf[1]&1 == 0 {
		f.HeaderLength = HeaderSizeCRC
	}
	if len(buf) < int(f.HeaderLength) {
		return codec.Named(name, codec.Truncated(int(f.HeaderLength), len(buf)))
	}
	if length > len(buf) {
		return codec.Named(name, codec.Truncated(length, len(buf)))
	}
	if length < int(f.HeaderLength) {
		return codec.Named(name, codec.Truncated(int(f.HeaderLength), length))
	}
	return nil
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
		if !plausible(buf[pos:]) || f.Unmarshal(buf[pos:]) != nil {
			pos++
			continue
		}
		f.Offset = uint64(pos)
		pos += int(f.Length)
		n = put(dst, n, f)
	}
	return n
}

// plausible tells whether Unmarshal will succeed, without making an error where
// it will not: in other data a sync word is found often.
func plausible(buf []byte) bool {
	if buf[0] != 0xff || buf[1]&0xf6 != 0xf0 || sampleRates[buf[2]>>2&0xf] == 0 {
		return false
	}
	header := HeaderSizeCRC - 2*int(buf[1]&1)
	length := int(buf[3]&3)<<11 | int(buf[4])<<3 | int(buf[5]>>5)
	return length >= header && length <= len(buf)
}

func put(dst []Frame, n int, f Frame) int {
	if n < len(dst) {
		dst[n] = f
	}
	return n + 1
}

// IsLOAS tells whether buf starts with the sync word of LOAS (LATM framing), and
// whether another one stands where the length says the next frame starts, as far
// as buf goes.
func IsLOAS(buf []byte) bool {
	if len(buf) < 3 || buf[0] != 0x56 || buf[1]&0xe0 != 0xe0 {
		return false
	}
	next := 3 + int(buf[1]&0x1f)<<8 + int(buf[2])
	return next+2 > len(buf) || (buf[next] == 0x56 && buf[next+1]&0xe0 == 0xe0)
}

// IsADTS tells whether buf starts with an ADTS header, followed by another one
// where its length says so, as far as buf goes.
func IsADTS(buf []byte) bool {
	var f Frame
	err := f.Unmarshal(buf)
	if err != nil && (tsterr.KindOf(err) != tsterr.CodecTruncated || f.Length == 0) {
		return false
	}
	next := int(f.Length)
	return next+2 > len(buf) || (buf[next] == 0xff && buf[next+1]&0xf6 == 0xf0)
}
