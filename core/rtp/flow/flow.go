// Package flow holds what one flow of RTP media goes through between the socket and its user, each part drivable by
// hand and without a clock of its own: jitter buffer, adaptive playout, reception statistics, the list of missing
// numbers, the packet sender, DTMF events (RFC 4733).
package flow
