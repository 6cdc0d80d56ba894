package main

/*
#include "detail.h"
*/
import "C"

import (
	"time"

	"github.com/tstrans/tstrans/core/webrtc"
)

func unixMicros(t time.Time) C.int64_t {
	if t.IsZero() {
		return 0
	}
	return C.int64_t(t.UnixMicro())
}

//export tst_rtc_stream_get_stats
func tst_rtc_stream_get_stats(out *C.tst_rtc_stream_stats, id C.tst_rtc_peer, n C.uint64_t, side C.uint32_t) (st C.tst_status) {
	defer guard(&st)
	if err := needSized(out); err != nil {
		return status(err)
	}
	x, err := share[*rtcPeer](id)
	if err != nil {
		return status(err)
	}
	get := x.p.SenderStats
	if side == C.TST_RTC_RECEIVED {
		get = x.p.ReceiverStats
	}
	s, err := get(uint64(n))
	if err != nil {
		return status(err)
	}
	reported := s.At
	if side != C.TST_RTC_RECEIVED {
		reported = s.RemoteAt
	}
	*out = C.tst_rtc_stream_stats{
		struct_size: out.struct_size, ssrc: C.uint32_t(s.SSRC), packets: C.uint64_t(s.Packets), bytes: C.uint64_t(s.Bytes),
		packets_lost: C.int64_t(s.Lost), jitter: C.uint32_t(s.Jitter), clock_hz: C.uint32_t(s.Clock),
		frames_dropped: C.uint64_t(s.FramesDropped), packets_repaired: C.uint64_t(s.PacketsRepaired),
		last_heard_unix_us: unixMicros(s.LastHeard), has_remote: bit32(s.HasRemote), remote_fraction_lost_q8: C.uint32_t(s.FractionLost),
		remote_packets: C.uint64_t(s.RemotePackets), remote_bytes: C.uint64_t(s.RemoteOctets), remote_packets_lost: C.int64_t(s.RemoteLost),
		remote_jitter: C.uint32_t(s.RemoteJitter), has_round_trip: bit32(s.HasRoundTrip), round_trip_us: C.uint64_t(s.RoundTrip.Microseconds()),
		reported_unix_us: unixMicros(reported), remote_unix_us: unixMicros(s.RemoteAt),
		key_frames_asked: C.uint64_t(s.KeyFramesAsked), bitrate_bps: C.uint64_t(s.Bitrate), audio_level: C.int32_t(s.AudioLevel),
	}
	return C.TST_OK
}

//export tst_rtc_send
func tst_rtc_send(id C.tst_rtc_peer, n C.uint64_t, codec C.uint32_t, timestamp C.int64_t, data *C.tst_cu8, length C.size_t) (st C.tst_status) {
	defer guard(&st)
	x, b, err := shareWith[*rtcPeer](id, data, length)
	if err != nil {
		return status(err)
	}
	return status(x.p.Send(uint64(n), webrtc.Codec(codec), b, int64(timestamp)))
}

//export tst_rtc_set_audio_level
func tst_rtc_set_audio_level(id C.tst_rtc_peer, n C.uint64_t, pcm *C.tst_cu8, length C.size_t) (st C.tst_status) {
	defer guard(&st)
	x, b, err := shareWith[*rtcPeer](id, pcm, length)
	if err != nil {
		return status(err)
	}
	return status(x.p.SetAudioLevel(uint64(n), b))
}
