package aac

import (
	"github.com/tstrans/tstrans/core/codec"
)

// AppendHeader appends an ADTS header without a CRC for a frame of n raw bytes;
// f tells profile, sample rate, channels and MPEG version.
func AppendHeader(dst []byte, f *Frame, n int) ([]byte, error) {
	index := -1
	for i, rate := range sampleRates {
		if rate == f.SampleRate && rate != 0 {
			index = i
		}
	}
	if index < 0 {
		return dst, codec.Named(name, codec.Reserved("sampling_frequency_index", uint64(f.SampleRate)))
	}
	length := n + HeaderSize
	if n < 0 || length > 1<<13-1 {
		return dst, codec.Named(name, codec.Reserved("aac_frame_length", uint64(max(length, 0))))
	}
	id := byte(0)
	if f.MPEG2 {
		id = 8
	}
	blocks := max(f.Blocks, 1) - 1
	// buffer_fullness 0x7ff: variable rate.
	return append(dst, 0xff, 0xf1|id,
		byte(f.Profile)&3<<6|byte(index)<<2|f.ChannelConfig>>2&1,
		f.ChannelConfig<<6|byte(length>>11),
		byte(length>>3), byte(length)<<5|0x1f, 0xfc|blocks&3), nil
}

// AudioSpecificConfig is the two-byte form of ISO/IEC 14496-3 §1.6.2.1 for the
// frames of an ADTS stream, as MP4 and RTP want it.
func (f *Frame) AudioSpecificConfig() [2]byte {
	index := byte(0xf)
	for i, rate := range sampleRates {
		if rate == f.SampleRate {
			index = byte(i)
			break
		}
	}
	objectType := byte(f.Profile) + 1
	return [2]byte{objectType<<3 | index>>1, index<<7 | f.ChannelConfig&0xf<<3}
}
