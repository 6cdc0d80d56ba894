// Package webrtc holds peer connections as browsers have them: descriptions, ICE,
// DTLS, SRTP with feedback and repairs, data channels. Media goes in and out as
// encoded access units and packets; nothing here encodes or decodes.
//
// Everything a connection reports comes as an Event through a Hub, in the order in
// which it happened. Many connections share one hub, and one descriptor that wakes
// whoever reads it.
//
// ICE, DTLS, SCTP and the SRTP transforms are those of the pion project; media does
// not pass their pipelines but goes from and to the sockets in batches.
//
// Specifications: W3C WebRTC 1.0; RFC 8829 (JSEP), 8839, 8841, 8842 (SDP), 8445
// (ICE), 5764 (DTLS-SRTP), 3550, 4585, 5104, 4588 (RTP, feedback, repairs), 8843
// (BUNDLE), 6184, 7798, 7741, 7587, 3551 (payloads), 8831 and 8832 (data channels).
package webrtc

import (
	"github.com/tstrans/tstrans/core/tsterr"
)

// Kind of media.
type Kind uint32

// The numbers are those of the C ABI.
const (
	Audio Kind = iota
	Video
	Application
)

// String gives the name that descriptions use.
func (k Kind) String() string {
	switch k {
	case Audio:
		return "audio"
	case Video:
		return "video"
	}
	return "application"
}

// Direction of a media section, from this side: bit 0 sends, bit 1 receives.
type Direction uint32

// Directions.
const (
	Inactive Direction = iota
	SendOnly
	RecvOnly
	SendRecv
	// NoDirection is the current direction before anything was negotiated.
	NoDirection Direction = 0xFF
)

var directionNames = [...]string{"inactive", "sendonly", "recvonly", "sendrecv"}

// String gives the name that descriptions use.
func (d Direction) String() string {
	if int(d) < len(directionNames) {
		return directionNames[d]
	}
	return ""
}

func (d Direction) reverse() Direction { return d&1<<1 | d>>1&1 }
func (d Direction) sends() bool        { return d != NoDirection && d&SendOnly != 0 }
func (d Direction) receives() bool     { return d != NoDirection && d&RecvOnly != 0 }

// SignalingState as in W3C WebRTC 1.0 §4.3.1; the numbers are those of the C ABI.
type SignalingState uint32

// Signalling states.
const (
	Stable SignalingState = iota
	HaveLocalOffer
	HaveRemoteOffer
	SignalingClosed
)

var signalingNames = [...]string{"stable", "have-local-offer", "have-remote-offer", "closed"}

// String gives the state's name.
func (s SignalingState) String() string { return signalingNames[s] }

// GatheringState of candidates.
type GatheringState uint32

// Gathering states.
const (
	GatheringNew GatheringState = iota
	Gathering
	GatheringComplete
)

// ICEState of a connection. There is no "connected" and no "disconnected": a pair
// that works is completed, and an interruption shows only once it is final.
type ICEState uint32

// ICE states.
const (
	ICENew ICEState = iota
	ICEChecking
	ICECompleted
	ICEFailed
	ICEClosed
)

// ConnectionState is that of the DTLS transport.
type ConnectionState uint32

// Connection states.
const (
	ConnectionNew ConnectionState = iota
	Connecting
	Connected
	ConnectionFailed
	ConnectionClosed
)

// DescriptionType says what a description is.
type DescriptionType uint32

// Types of descriptions.
const (
	Offer DescriptionType = iota
	Answer
	Pranswer
	Rollback
)

func (t DescriptionType) String() string {
	return [...]string{"offer", "answer", "pranswer", "rollback"}[t]
}

func stateError(format string, args ...any) error {
	return tsterr.New(tsterr.WebRTCState, format, args...)
}

func sdpError(format string, args ...any) error { return tsterr.New(tsterr.WebRTCSDP, format, args...) }
