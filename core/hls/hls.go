// Package hls publishes a live or finished HTTP Live Streaming presentation:
// segments and a media playlist in a folder or in memory, served by an HTTP
// server of its own.
//
// A Publisher takes transport packets, a MuxPublisher access units. Both cut
// segments; the Stream behind them keeps what is listed and what can still be
// fetched, and every change makes a new immutable state, so that readers (the
// HTTP handlers, a timeline) take no lock and see no half-made change.
//
// Specifications: RFC 8216 and draft-pantos-hls-rfc8216bis; ISO/IEC 13818-1 for
// segments of transport packets; ISO/IEC 14496-12 and 23000-19 (CMAF) for
// fragmented MP4; ISO/IEC 23009-1 §5.10.3.3 and MISB ST 1910 for KLV in event
// message boxes.
package hls

import (
	"fmt"
	"math"
	"time"

	"github.com/tstrans/tstrans/core/tsterr"
)

// PlaylistName is the name of the playlist, in the folder and on the server.
const PlaylistName = "playlist.m3u8"

// Media types of what the server sends.
const (
	typePlaylist = "application/vnd.apple.mpegurl"
	typeTS       = "video/mp2t"
	typeMP4      = "video/mp4"
)

// Mode says how a playlist grows. The numbers are part of the C ABI.
type Mode uint8

// The modes of RFC 8216 §4.3.3.5 and §6.2.2.
const (
	// Live lists the newest segments only.
	Live Mode = 0
	// Event lists every segment while it grows.
	Event Mode = 1
	// VOD lists every segment too, under another name.
	VOD Mode = 2
)

// Container is what segments hold. The numbers are part of the C ABI.
type Container uint8

// The containers of RFC 8216bis §3.1.
const (
	// TS is MPEG-2 transport stream packets.
	TS Container = 0
	// FMP4 is fragmented MP4 after CMAF.
	FMP4 Container = 1
)

// Clock says where EXT-X-PROGRAM-DATE-TIME comes from. The numbers are part of
// the C ABI.
type Clock uint8

// The sources of a segment's date.
const (
	// NoClock writes no dates.
	NoClock Clock = 0
	// WallClock is the system's time when the first segment began, carried on
	// by the media's own time.
	WallClock Clock = 1
	// SensorClock is the time stamp of the sensor: MISB ST 0601 item 2 (or the
	// time of any ST 0603 set) in KLV, or the ST 0604 stamp in the video.
	SensorClock Clock = 2
)

// Bounds of what a configuration may ask for.
const (
	// maxDuration keeps sums of durations far from overflowing.
	maxDuration = 1 << 41 * time.Millisecond
	// minPart is the shortest part duration: below it a playlist is mostly
	// part tags.
	minPart = 50 * time.Millisecond
)

func fail(k tsterr.Kind, format string, args ...any) error { return tsterr.New(k, format, args...) }

func configError(field, format string, args ...any) error {
	return tsterr.At(tsterr.HLSInvalidConfig, field, tsterr.NoOffset, "HLS configuration invalid: "+format, args...)
}

func ioError(err error, what string) error {
	e := tsterr.IOError(err, what)
	e.Kind = tsterr.HLSIO
	return e
}

// wholeSeconds rounds up, as EXT-X-TARGETDURATION wants it.
func wholeSeconds(d time.Duration) int64 {
	return int64(math.Ceil(d.Seconds()))
}

// ticks90k turns a difference of two 90 kHz time stamps into a duration.
func ticks90k(t int64) time.Duration {
	return time.Duration(t) * (time.Second / 10_000) / 9
}

func segmentName(seq uint64, c Container) string {
	if c == FMP4 {
		return fmt.Sprintf("segment_%05d.m4s", seq)
	}
	return fmt.Sprintf("segment_%05d.ts", seq)
}

func partName(seq uint64, part int, c Container) string {
	if c == FMP4 {
		return fmt.Sprintf("part_%05d_%d.m4s", seq, part)
	}
	return fmt.Sprintf("part_%05d_%d.ts", seq, part)
}
