// Package rtsp is an RTSP client and server for MPEG-TS and for elementary
// H.264, H.265, AAC and KLV media.
//
// Specifications: RFC 2326 (RTSP 1.0), RFC 3550 (RTP, RTCP), RFC 4566 (SDP),
// RFC 2617 and RFC 7616 (Basic and Digest authentication). Messages, headers
// and session descriptions are read and written with gortsplib's packages.
package rtsp

import "time"

const (
	// DefaultPort is the port of rtsp:// (RFC 2326 §9.2).
	DefaultPort = 554
	// requestTimeout bounds one request and its answer, and how long a message
	// may take from its first byte to its last.
	requestTimeout = 10 * time.Second
	// farewellTimeout bounds what is sent before a connection is closed.
	farewellTimeout = 250 * time.Millisecond
	// userAgent names the client and the server.
	userAgent = "tstrans"
	// cname names this end in RTCP reports.
	cname = "tstrans"
	// packetPayload is how much MPEG-TS goes into an RTP packet: seven packets.
	packetPayload = 7 * 188
	// elementaryPayload is the most of elementary media that goes into one.
	elementaryPayload = 1400
)
