package main

/*
#include "detail.h"
*/
import "C"

import (
	"unsafe"

	"github.com/tstrans/tstrans/core/codec"
	"github.com/tstrans/tstrans/core/codec/aac"
	"github.com/tstrans/tstrans/core/codec/av1"
	"github.com/tstrans/tstrans/core/codec/h264"
	"github.com/tstrans/tstrans/core/codec/h265"
	"github.com/tstrans/tstrans/core/codec/h266"
	"github.com/tstrans/tstrans/core/codec/misp"
	"github.com/tstrans/tstrans/core/codec/mpegaudio"
	"github.com/tstrans/tstrans/core/tsterr"
)

// The records are filled in place: their layouts must agree.
var (
	_ = [1]struct{}{}[unsafe.Sizeof(codec.Unit{})-unsafe.Sizeof(C.tst_unit{})]
	_ = [1]struct{}{}[unsafe.Offsetof(codec.Unit{}.Flags)-unsafe.Offsetof(C.tst_unit{}.flags)]
	_ = [1]struct{}{}[unsafe.Sizeof(aac.Frame{})-unsafe.Sizeof(C.tst_adts_frame{})]
	_ = [1]struct{}{}[unsafe.Offsetof(aac.Frame{}.MPEG2)-unsafe.Offsetof(C.tst_adts_frame{}.mpeg2)]
	_ = [1]struct{}{}[unsafe.Sizeof(mpegaudio.Frame{})-unsafe.Sizeof(C.tst_mpeg_audio_frame{})]
	_ = [1]struct{}{}[unsafe.Offsetof(mpegaudio.Frame{}.HasCRC)-unsafe.Offsetof(C.tst_mpeg_audio_frame{}.has_crc)]
)

// records views an array of the caller, nil when it is empty.
func records[To, From any](p *From, n C.size_t, what string) ([]To, error) {
	if n == 0 {
		return nil, nil
	}
	if err := need(p, what); err != nil {
		return nil, err
	}
	var one To
	if uint64(n) > maxInput/uint64(unsafe.Sizeof(one)) {
		return nil, tsterr.New(tsterr.InvalidArg, "%d %s are impossible", uint64(n), what)
	}
	return unsafe.Slice((*To)(unsafe.Pointer(p)), int(n)), nil
}

//export tst_codec_parse
func tst_codec_parse(fields *C.int64_t, capacity C.size_t, ps C.int32_t, rbsp *C.tst_cu8, n C.size_t) (st C.tst_status) {
	defer guard(&st)
	out, err := records[int64](fields, capacity, "fields")
	if err != nil {
		return status(err)
	}
	in, err := input(rbsp, n)
	if err != nil {
		return status(err)
	}
	return status(parseSet(out, ps, in))
}

// enough checks that an array holds n fields.
func enough(out []int64, n int) error {
	if len(out) < n {
		return tsterr.New(tsterr.BufferTooSmall, "%d fields needed", n).With("needed", int64(n))
	}
	return nil
}

func parseSet(out []int64, ps C.int32_t, in []byte) error {
	switch ps {
	case C.TST_PS_H264_SPS:
		var s h264.SPS
		if err := enough(out, C.TST_H264_SPS_COUNT); err != nil {
			return err
		}
		if err := s.Unmarshal(in); err != nil {
			return err
		}
		fillH264SPS(out, &s)
	case C.TST_PS_H264_PPS:
		var p h264.PPS
		if err := enough(out, C.TST_H264_PPS_COUNT); err != nil {
			return err
		}
		if err := p.Unmarshal(in); err != nil {
			return err
		}
		out[C.TST_H264_PPS_ID] = int64(p.ID)
		out[C.TST_H264_PPS_SPS_ID] = int64(p.SPSID)
		out[C.TST_H264_PPS_CABAC] = flag(p.CABAC)
	case C.TST_PS_H265_VPS, C.TST_PS_H265_SPS, C.TST_PS_H265_PPS:
		return parseH265(out, ps, in)
	case C.TST_PS_H266_VPS, C.TST_PS_H266_SPS, C.TST_PS_H266_PPS:
		return parseH266(out, ps, in)
	case C.TST_PS_AV1_SEQUENCE:
		var s av1.SequenceHeader
		if err := enough(out, C.TST_AV1_SEQUENCE_COUNT); err != nil {
			return err
		}
		if err := s.Unmarshal(in); err != nil {
			return err
		}
		fillAV1(out, &s)
	default:
		return tsterr.New(tsterr.InvalidArg, "no parameter set has the number %d", int32(ps))
	}
	return nil
}

func parseH265(out []int64, ps C.int32_t, in []byte) error {
	switch ps {
	case C.TST_PS_H265_VPS:
		var v h265.VPS
		if err := enough(out, C.TST_H265_VPS_COUNT); err != nil {
			return err
		}
		if err := v.Unmarshal(in); err != nil {
			return err
		}
		out[C.TST_H265_VPS_ID] = int64(v.ID)
		out[C.TST_H265_VPS_MAX_LAYERS_MINUS1] = int64(v.MaxLayersMinus1)
		out[C.TST_H265_VPS_MAX_SUB_LAYERS_MINUS1] = int64(v.MaxSubLayersMinus1)
		out[C.TST_H265_VPS_TEMPORAL_ID_NESTING] = flag(v.TemporalIDNesting)
		fillPTL(out[C.TST_H265_VPS_PROFILE_SPACE:], &v.PTL)
	case C.TST_PS_H265_SPS:
		var s h265.SPS
		if err := enough(out, C.TST_H265_SPS_COUNT); err != nil {
			return err
		}
		if err := s.Unmarshal(in); err != nil {
			return err
		}
		fillH265SPS(out, &s)
	default:
		var p h265.PPS
		if err := enough(out, C.TST_H265_PPS_COUNT); err != nil {
			return err
		}
		if err := p.Unmarshal(in); err != nil {
			return err
		}
		out[C.TST_H265_PPS_ID], out[C.TST_H265_PPS_SPS_ID] = int64(p.ID), int64(p.SPSID)
	}
	return nil
}

func parseH266(out []int64, ps C.int32_t, in []byte) error {
	switch ps {
	case C.TST_PS_H266_VPS:
		var v h266.VPS
		if err := enough(out, C.TST_H266_VPS_COUNT); err != nil {
			return err
		}
		if err := v.Unmarshal(in); err != nil {
			return err
		}
		out[C.TST_H266_VPS_ID] = int64(v.ID)
		out[C.TST_H266_VPS_MAX_LAYERS] = int64(v.MaxLayers)
		out[C.TST_H266_VPS_MAX_SUB_LAYERS] = int64(v.MaxSubLayers)
	case C.TST_PS_H266_SPS:
		var s h266.SPS
		if err := enough(out, C.TST_H266_SPS_COUNT); err != nil {
			return err
		}
		if err := s.Unmarshal(in); err != nil {
			return err
		}
		fillH266SPS(out, &s)
	default:
		var p h266.PPS
		if err := enough(out, C.TST_H266_PPS_COUNT); err != nil {
			return err
		}
		if err := p.Unmarshal(in); err != nil {
			return err
		}
		out[C.TST_H266_PPS_ID], out[C.TST_H266_PPS_SPS_ID] = int64(p.ID), int64(p.SPSID)
	}
	return nil
}

//export tst_codec_parse_slice
func tst_codec_parse_slice(fields *C.int64_t, capacity C.size_t, ps C.int32_t, nalType C.uint32_t,
	sps *C.tst_ci64, spsN C.size_t, rbsp *C.tst_cu8, n C.size_t,
) (st C.tst_status) {
	defer guard(&st)
	out, err := records[int64](fields, capacity, "fields")
	if err != nil {
		return status(err)
	}
	set, err := records[int64](sps, spsN, "sps")
	if err != nil {
		return status(err)
	}
	in, err := input(rbsp, n)
	if err != nil {
		return status(err)
	}
	if nalType > 255 {
		return fail(tsterr.InvalidArg, "nal_type %d is impossible", uint32(nalType))
	}
	return status(parseSlice(out, ps, uint8(nalType), set, in))
}

// shortSet reports fields that are not those of a whole parameter set.
func shortSet(set []int64, n int) error {
	if len(set) != 0 && len(set) < n {
		return tsterr.New(tsterr.InvalidArg, "sps has %d fields, %d wanted", len(set), n)
	}
	return nil
}

func parseSlice(out []int64, ps C.int32_t, nalType uint8, set []int64, in []byte) error {
	switch ps {
	case C.TST_PS_H264_SLICE:
		return sliceH264(out, h264.NALType(nalType), set, in)
	case C.TST_PS_H265_SLICE:
		return sliceH265(out, h265.NALType(nalType), set, in)
	case C.TST_PS_H266_SLICE:
		return sliceH266(out, h266.NALType(nalType), set, in)
	case C.TST_PS_AV1_FRAME:
		return frameAV1(out, set, in)
	}
	return tsterr.New(tsterr.InvalidArg, "no slice header has the number %d", int32(ps))
}

//export tst_codec_split
func tst_codec_split(units *C.tst_unit, capacity C.size_t, info *C.tst_split_info, arena *C.uint8_t, arenaCap C.size_t,
	videoCodec, carriage C.int32_t, data *C.tst_cu8, n C.size_t,
) (st C.tst_status) {
	defer guard(&st)
	if err := need(info, "info"); err != nil {
		return status(err)
	}
	dst, err := records[codec.Unit](units, capacity, "units")
	if err != nil {
		return status(err)
	}
	in, err := input(data, n)
	if err != nil {
		return status(err)
	}
	*info = C.tst_split_info{}
	var count int
	switch videoCodec {
	case C.TST_CODEC_H264:
		count = h264.Split(dst, in)
	case C.TST_CODEC_H265:
		count = h265.Split(dst, in)
	case C.TST_CODEC_H266:
		count = h266.Split(dst, in)
	case C.TST_CODEC_AV1:
		if carriage != C.TST_AV1_MPEG2_TS_BINDING {
			count = av1.Split(dst, in)
			break
		}
		scratch, err := output(arena, arenaCap)
		if err != nil {
			return status(err)
		}
		if len(scratch) < len(in) {
			return fail(tsterr.BufferTooSmall, "an arena of %d bytes is needed", len(in))
		}
		units, used, framed := av1.SplitTS(dst, scratch[:0], in)
		count = units
		info.unframed = C.uint32_t(1 - flag(framed))
		if framed {
			info.in_arena, info.arena_bytes = 1, C.uint64_t(len(used))
		}
	default:
		return fail(tsterr.InvalidArg, "codec %d has no units", int32(videoCodec))
	}
	info.count = C.uint64_t(count)
	return C.TST_OK
}

//export tst_codec_is_random_access
func tst_codec_is_random_access(videoCodec C.int32_t, data *C.tst_cu8, n C.size_t) (st C.tst_status) {
	defer guard(&st)
	in, err := input(data, n)
	if err != nil {
		return status(err)
	}
	var yes bool
	switch videoCodec {
	case C.TST_CODEC_H264:
		yes = h264.IsRandomAccess(in)
	case C.TST_CODEC_H265:
		yes = h265.IsRandomAccess(in)
	case C.TST_CODEC_H266:
		yes = h266.IsRandomAccess(in)
	case C.TST_CODEC_AV1:
		yes = av1.IsRandomAccess(in)
	default:
		return fail(tsterr.InvalidArg, "codec %d has no pictures", int32(videoCodec))
	}
	return C.tst_status(flag(yes))
}

//export tst_codec_split_adts
func tst_codec_split_adts(frames *C.tst_adts_frame, capacity C.size_t, count *C.uint64_t, resync C.int32_t,
	data *C.tst_cu8, n C.size_t,
) (st C.tst_status) {
	defer guard(&st)
	dst, err := records[aac.Frame](frames, capacity, "frames")
	if err != nil {
		return status(err)
	}
	return splitAudio(dst, count, resync, data, n, aac.Split, aac.SplitResync)
}

//export tst_codec_split_mpeg_audio
func tst_codec_split_mpeg_audio(frames *C.tst_mpeg_audio_frame, capacity C.size_t, count *C.uint64_t, resync C.int32_t,
	data *C.tst_cu8, n C.size_t,
) (st C.tst_status) {
	defer guard(&st)
	dst, err := records[mpegaudio.Frame](frames, capacity, "frames")
	if err != nil {
		return status(err)
	}
	return splitAudio(dst, count, resync, data, n, mpegaudio.Split, mpegaudio.SplitResync)
}

func splitAudio[F any](dst []F, count *C.uint64_t, resync C.int32_t, data *C.tst_cu8, n C.size_t,
	strict func([]F, []byte) (int, error), lenient func([]F, []byte) int,
) C.tst_status {
	if err := need(count, "count"); err != nil {
		return status(err)
	}
	*count = 0
	in, err := input(data, n)
	if err != nil {
		return status(err)
	}
	var found int
	if resync != 0 {
		found = lenient(dst, in)
	} else if found, err = strict(dst, in); err != nil {
		return status(err)
	}
	*count = C.uint64_t(found)
	return C.TST_OK
}

//export tst_codec_aac_framing
func tst_codec_aac_framing(data *C.tst_cu8, n C.size_t) (st C.tst_status) {
	defer guard(&st)
	in, err := input(data, n)
	switch {
	case err != nil:
		return status(err)
	case aac.IsADTS(in):
		return C.TST_AAC_ADTS
	case aac.IsLOAS(in):
		return C.TST_AAC_LOAS
	}
	return C.TST_AAC_UNKNOWN
}

//export tst_codec_misp_extract
func tst_codec_misp_extract(out *C.tst_misp_time, videoCodec C.int32_t, data *C.tst_cu8, n C.size_t) (st C.tst_status) {
	defer guard(&st)
	if err := need(out, "time"); err != nil {
		return status(err)
	}
	*out = C.tst_misp_time{}
	in, err := input(data, n)
	if err != nil {
		return status(err)
	}
	t, ok, err := misp.Extract(codec.Video(videoCodec), in)
	if err != nil || !ok {
		return status(err)
	}
	out.value, out.status, out.kind = C.uint64_t(t.Value), C.uint32_t(t.Status), C.TST_MISP_MICRO
	if t.Nano {
		out.kind = C.TST_MISP_NANO
	}
	return C.TST_OK
}

// mispRoom is what an access unit grows by at most: start code, headers, 28
// bytes and their emulation prevention.
const mispRoom = 64

//export tst_codec_misp_insert
func tst_codec_misp_insert(out *C.uint8_t, capacity C.size_t, outN *C.size_t, videoCodec C.int32_t,
	value C.uint64_t, kind, timeStatus C.uint32_t, data *C.tst_cu8, n C.size_t,
) (st C.tst_status) {
	defer guard(&st)
	if err := need(outN, "out_n"); err != nil {
		return status(err)
	}
	*outN = 0
	dst, err := output(out, capacity)
	if err != nil {
		return status(err)
	}
	in, err := input(data, n)
	if err != nil {
		return status(err)
	}
	switch {
	case kind != C.TST_MISP_MICRO && kind != C.TST_MISP_NANO:
		return fail(tsterr.InvalidArg, "kind %d is no unit of time", uint32(kind))
	case timeStatus > 255:
		return fail(tsterr.InvalidArg, "the time status is one byte, not %d", uint32(timeStatus))
	case len(dst) < len(in)+mispRoom:
		return fail(tsterr.BufferTooSmall, "%d bytes are needed", len(in)+mispRoom)
	}
	t := misp.Time{Nano: kind == C.TST_MISP_NANO, Status: uint8(timeStatus), Value: uint64(value)}
	b, err := misp.Insert(dst[:0], codec.Video(videoCodec), in, t)
	if err != nil {
		return status(err)
	}
	*outN = C.size_t(len(b))
	return C.TST_OK
}
