package webrtc

import (
	"strconv"
	"strings"
)

// Codec numbers a payload format; the numbers are those of the C ABI.
type Codec uint32

// Codecs.
const (
	UnknownCodec Codec = iota
	Opus
	G722
	PCMU
	PCMA
	VP8
	H264
	H265
	RTX
	// OpusTS is Opus as a PES packet of a transport stream holds it: the units go
	// out as Opus, each a packet.
	OpusTS
)

// codecName maps the encoding names of SDP, in lower case.
var codecName = map[string]Codec{
	"opus": Opus, "g722": G722, "pcmu": PCMU, "pcma": PCMA, "vp8": VP8, "h264": H264, "h265": H265, "rtx": RTX,
}

// rtpCodec is one payload type of a section.
type rtpCodec struct {
	codec    Codec
	name     string // as in the rtpmap line
	pt       uint8
	clock    uint32
	channels int
	feedback []string
	fmtp     []param // in the order of the description
}

type param struct{ key, value string }

func (c *rtpCodec) param(key string) string {
	for _, p := range c.fmtp {
		if strings.EqualFold(p.key, key) {
			return p.value
		}
	}
	return ""
}

func (c *rtpCodec) fmtpLine() string {
	parts := make([]string, len(c.fmtp))
	for i, p := range c.fmtp {
		parts[i] = p.key
		if p.value != "" {
			parts[i] += "=" + p.value
		}
	}
	return strings.Join(parts, ";")
}

func (c *rtpCodec) hasFeedback(f string) bool {
	for _, have := range c.feedback {
		if have == f {
			return true
		}
	}
	return false
}

// apt is the payload type that a repair stream repairs, -1 for other codecs.
func (c *rtpCodec) apt() int {
	if c.codec != RTX {
		return -1
	}
	n, err := strconv.ParseUint(c.param("apt"), 10, 7)
	if err != nil {
		return -1
	}
	return int(n)
}

var videoFeedback = []string{"nack", "nack pli", "goog-remb"}

func h264Codec(pt uint8, profile string) rtpCodec {
	return rtpCodec{codec: H264, name: "H264", pt: pt, clock: 90000, feedback: videoFeedback, fmtp: []param{
		{"level-asymmetry-allowed", "1"}, {"packetization-mode", "1"}, {"profile-level-id", profile},
	}}
}

// capabilities of each kind, without repairs, in the order of preference. H.265 is
// there for those who ask for it by preference: default offers leave it out.
func capabilities(k Kind) []rtpCodec {
	if k == Audio {
		return []rtpCodec{
			{codec: Opus, name: "opus", pt: 96, clock: 48000, channels: 2},
			{codec: G722, name: "G722", pt: 9, clock: 8000, channels: 1},
			{codec: PCMU, name: "PCMU", pt: 0, clock: 8000, channels: 1},
			{codec: PCMA, name: "PCMA", pt: 8, clock: 8000, channels: 1},
		}
	}
	return []rtpCodec{
		{codec: VP8, name: "VP8", pt: 97, clock: 90000, feedback: videoFeedback},
		h264Codec(99, "42001f"),
		h264Codec(101, "42e01f"),
		{codec: H265, name: "H265", pt: 103, clock: 90000, feedback: videoFeedback},
	}
}

// optional capabilities are offered only where preferences name them.
func optional(c Codec) bool { return c == H265 }

func rtxOf(c rtpCodec) rtpCodec {
	return rtpCodec{codec: RTX, name: "rtx", pt: c.pt + 1, clock: c.clock, fmtp: []param{{"apt", strconv.Itoa(int(c.pt))}}}
}

// Header extensions.
const (
	extMid          = "urn:ietf:params:rtp-hdrext:sdes:mid"
	extAudioLevel   = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
	extAbsSendTime  = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
	maxExtensionID  = 14 // of one-byte headers (RFC 8285 §4.2)
	maxPayloadTypes = 128
)

type extension struct {
	id  uint8
	uri string
}

func extensions(k Kind) []extension {
	if k == Audio {
		return []extension{{1, extMid}, {2, extAudioLevel}}
	}
	return []extension{{1, extMid}, {3, extAbsSendTime}}
}

// Capabilities lists, a line each, what a kind can be sent and received with:
// mime type, clock rate in Hz, channels (0: none given) and parameters.
func Capabilities(k Kind) string {
	var b strings.Builder
	rtx := false
	for _, c := range capabilities(k) {
		if optional(c.codec) {
			continue
		}
		b.WriteString(capabilityLine(k, &c))
		if k == Video && !rtx {
			rtx = true
			b.WriteString("video/rtx 90000 0 \n")
		}
	}
	return b.String()
}

func capabilityLine(k Kind, c *rtpCodec) string {
	return k.String() + "/" + c.name + " " + strconv.FormatUint(uint64(c.clock), 10) + " " + strconv.Itoa(c.channels) + " " + c.fmtpLine() + "\n"
}

// preferences are capabilities by number, in order; the zero value wants all of them,
// and repairs.
type preferences struct {
	order   []int
	repairs bool
}

// offered is what an offer lists for a transceiver: its preferences, or all.
func offered(k Kind, want preferences) []rtpCodec {
	prefs := want.order
	all := capabilities(k)
	var out []rtpCodec
	if prefs == nil {
		for _, c := range all {
			if !optional(c.codec) {
				out = append(out, c)
			}
		}
	} else {
		for _, i := range prefs {
			out = append(out, all[i])
		}
	}
	if k != Video || prefs != nil && !want.repairs {
		return out
	}
	var with []rtpCodec
	for _, c := range out {
		with = append(with, c, rtxOf(c))
	}
	return with
}

// negotiate gives the codecs both sides have, with the numbers and in the order of
// the remote side, or in the order of preferences where there are any.
func negotiate(k Kind, want preferences, remote []rtpCodec) []rtpCodec {
	prefs := want.order
	local := capabilities(k)
	rank := make([]int, len(local))
	for i := range rank {
		rank[i] = -1
	}
	if prefs == nil {
		for i := range local {
			rank[i] = 0
		}
	}
	for at, i := range prefs {
		rank[i] = at
	}
	type match struct {
		rank int
		c    rtpCodec
	}
	var found []match
	for _, r := range remote {
		for i := range local {
			if rank[i] >= 0 && compatible(&local[i], &r) {
				c := r
				c.name, c.fmtp, c.feedback = local[i].name, answerParams(&local[i], &r), nil
				for _, f := range local[i].feedback {
					if r.hasFeedback(f) {
						c.feedback = append(c.feedback, f)
					}
				}
				found = append(found, match{rank[i], c})
				break
			}
		}
	}
	if prefs != nil {
		for i := 1; i < len(found); i++ {
			for j := i; j > 0 && found[j].rank < found[j-1].rank; j-- {
				found[j], found[j-1] = found[j-1], found[j]
			}
		}
	}
	var out []rtpCodec
	for _, m := range found {
		out = append(out, m.c)
		for _, r := range remote {
			if r.apt() == int(m.c.pt) && (prefs == nil || want.repairs) {
				r.feedback = nil
				out = append(out, r)
			}
		}
	}
	return out
}

// compatible follows RFC 6184 §8.2.2 for H.264: the packetization mode must be the
// same, and the profile's constraints that both know; the level may differ.
func compatible(local, remote *rtpCodec) bool {
	if local.codec != remote.codec || local.clock != remote.clock {
		return false
	}
	if local.codec == Opus {
		return true // always two channels (RFC 7587 §7), though some leave that out
	}
	if local.codec != H264 {
		return local.channels == 0 || remote.channels == 0 || local.channels == remote.channels
	}
	mode := remote.param("packetization-mode")
	if mode == "" {
		mode = "0"
	}
	return mode == local.param("packetization-mode") && sameProfile(local.param("profile-level-id"), remote.param("profile-level-id"))
}

// sameProfile compares profile_idc and the constraint flags that tell baseline from
// constrained baseline. A missing value is baseline (RFC 6184 §8.1).
func sameProfile(a, b string) bool {
	pa, ok1 := profileOf(a)
	pb, ok2 := profileOf(b)
	return ok1 && ok2 && pa == pb
}

func profileOf(s string) (string, bool) {
	if s == "" {
		s = "420010"
	}
	n, err := strconv.ParseUint(s, 16, 32)
	if err != nil || len(s) != 6 {
		return "", false
	}
	idc, iop := n>>16, n>>8&0xFF
	if idc == 0x42 || idc == 0x4D && iop&0x80 != 0 {
		if iop&0x40 != 0 || idc == 0x4D {
			return "constrained-baseline", true
		}
		return "baseline", true
	}
	return strconv.FormatUint(idc, 16), true
}

// answerParams are the parameters of an answer: ours, with the profile of the offer.
func answerParams(local, remote *rtpCodec) []param {
	if local.codec != H264 {
		if local.codec == H265 {
			return remote.fmtp
		}
		return local.fmtp
	}
	out := append([]param(nil), local.fmtp...)
	for i, p := range out {
		if p.key == "profile-level-id" {
			if v := remote.param(p.key); v != "" {
				out[i].value = v
			}
		}
	}
	return out
}

// repairOf gives the payload type that repairs pt, 0 where none does.
func repairOf(codecs []rtpCodec, pt uint8) uint8 {
	for i := range codecs {
		if codecs[i].apt() == int(pt) {
			return codecs[i].pt
		}
	}
	return 0
}
