package rtsp

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/bluenviron/gortsplib/v4/pkg/sdp"
	psdp "github.com/pion/sdp/v3"

	"github.com/tstrans/tstrans/core/mpegts"
	"github.com/tstrans/tstrans/core/rtp"
	"github.com/tstrans/tstrans/core/rtp/rtpaac"
	"github.com/tstrans/tstrans/core/rtp/rtpaudio"
	"github.com/tstrans/tstrans/core/tsterr"
)

// Bounds of a session description.
const (
	maxMedias = 32
	maxSets   = 16 // parameter sets of one media
)

// Kind is what a media line carries.
type Kind uint8

// Kinds of media.
const (
	KindOther Kind = iota
	KindMP2T
	KindH264
	KindH265
	KindAAC
	KindKLV
	KindMPEGAudio
	KindLATM // AAC
	KindOpus
	KindALaw
	KindULaw
)

// kindCount is how many kinds there are.
const kindCount = int(KindULaw) + 1

// sound tells whether a kind is audio.
func (k Kind) sound() bool {
	switch k {
	case KindAAC, KindMPEGAudio, KindLATM, KindOpus, KindALaw, KindULaw:
		return true
	case KindOther, KindMP2T, KindH264, KindH265, KindKLV:
	}
	return false
}

// Media is one media line of a session description.
type Media struct {
	Kind        Kind
	PayloadType uint8
	Rate        int    // Hz
	Control     string // as in the description
	Mode2       bool   // H.264 packetization-mode=2: interleaved
	Sets        [][]byte
	AAC         rtpaac.Config
	LATM        rtpaudio.LATMConfig
}

// Description is what a server says about a stream.
type Description struct {
	Control string // of the session
	Medias  []Media
}

// parseSDP reads a session description.
func parseSDP(b []byte) (*Description, error) {
	var s sdp.SessionDescription
	if err := s.Unmarshal(b); err != nil {
		return nil, tsterr.Wrap(tsterr.RTSPProtocol, err, "session description")
	}
	if len(s.MediaDescriptions) == 0 {
		return nil, tsterr.New(tsterr.RTSPProtocol, "the session description has no media")
	}
	if len(s.MediaDescriptions) > maxMedias {
		return nil, tsterr.New(tsterr.RTSPProtocol, "%d media lines, the limit is %d", len(s.MediaDescriptions), maxMedias)
	}
	d := &Description{Control: attribute(s.Attributes, "control")}
	for _, md := range s.MediaDescriptions {
		d.Medias = append(d.Medias, parseMedia(md))
	}
	return d, nil
}

func attribute(as []psdp.Attribute, key string) string {
	for _, a := range as {
		if a.Key == key {
			return strings.TrimSpace(a.Value)
		}
	}
	return ""
}

// ofType gives the value of an attribute that begins with the payload type.
func ofType(as []psdp.Attribute, key string, pt uint8) string {
	for _, a := range as {
		if a.Key != key {
			continue
		}
		num, rest, _ := strings.Cut(strings.TrimSpace(a.Value), " ")
		if n, err := strconv.ParseUint(num, 10, 8); err == nil && uint8(n) == pt {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}

// parseMedia takes the first format of a line that is understood.
func parseMedia(md *psdp.MediaDescription) Media {
	m := Media{Control: attribute(md.Attributes, "control")}
	for _, p := range md.MediaName.Protos {
		if p == "SAVP" || p == "SAVPF" { // encrypted media
			return m
		}
	}
	for _, a := range md.Attributes {
		if a.Key == "sendonly" { // a back channel: for us to send
			return m
		}
	}
	for _, f := range md.MediaName.Formats {
		n, err := strconv.ParseUint(f, 10, 7)
		if err != nil {
			continue
		}
		m.PayloadType = uint8(n)
		if m.format(ofType(md.Attributes, "rtpmap", m.PayloadType), ofType(md.Attributes, "fmtp", m.PayloadType)) {
			return m
		}
	}
	m.Kind = KindOther
	return m
}

// staticFormat is the rtpmap of a payload type that needs none (RFC 3551 §6).
func staticFormat(pt uint8) string {
	switch pt {
	case 0:
		return "PCMU/8000"
	case 8:
		return "PCMA/8000"
	case 14:
		return "MPA/90000"
	case rtp.PayloadTypeMP2T:
		return "MP2T/90000"
	}
	return ""
}

// format reads rtpmap and fmtp of a format and tells whether it is understood.
func (m *Media) format(rtpmap, fmtp string) bool {
	if rtpmap == "" {
		rtpmap = staticFormat(m.PayloadType)
	}
	name, rest, _ := strings.Cut(rtpmap, "/")
	rate, channels, _ := strings.Cut(rest, "/")
	m.Rate = rtp.ClockRate
	if n, err := strconv.Atoi(strings.TrimSpace(rate)); err == nil && n > 0 && n <= 1_000_000 {
		m.Rate = n
	}
	p := fmtpParams(fmtp)
	switch strings.ToUpper(strings.TrimSpace(name)) {
	case "MP2T":
		m.Kind = KindMP2T
	case "H264":
		m.Kind = KindH264
		m.Mode2 = p["packetization-mode"] == "2"
		m.Sets = decodeSets(p["sprop-parameter-sets"])
	case "H265", "HEVC":
		m.Kind = KindH265
		for _, key := range []string{"sprop-vps", "sprop-sps", "sprop-pps"} {
			m.Sets = append(m.Sets, decodeSets(p[key])...)
		}
	case "SMPTE336M", "SMTPE336M": // the second is how gortsplib spells it
		m.Kind = KindKLV
	default:
		return m.sound(strings.ToUpper(strings.TrimSpace(name)), strings.TrimSpace(channels), p)
	}
	return true
}

// sound reads a format of audio and tells whether it is understood.
func (m *Media) sound(name, channels string, p map[string]string) bool {
	var err error
	switch {
	case name == "MPEG4-GENERIC":
		m.Kind = KindAAC
		m.AAC, err = rtpaac.ParseFMTP(p)
	case name == "MP4A-LATM":
		m.Kind = KindLATM
		m.LATM, err = rtpaudio.ParseLATM(p)
	case name == "MPA":
		m.Kind = KindMPEGAudio
	case name == "OPUS":
		m.Kind = KindOpus
	case name == "PCMA" && channels != "2":
		m.Kind = KindALaw
	case name == "PCMU" && channels != "2":
		m.Kind = KindULaw
	default:
		return false
	}
	return err == nil
}

func fmtpParams(s string) map[string]string {
	out := map[string]string{}
	for _, kv := range strings.Split(s, ";") {
		k, v, _ := strings.Cut(strings.TrimSpace(kv), "=")
		out[strings.ToLower(strings.TrimSpace(k))] = strings.TrimSpace(v)
	}
	return out
}

func decodeSets(s string) (out [][]byte) {
	for _, part := range strings.Split(s, ",") {
		b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(part))
		if err != nil { // some cameras leave the padding out
			b, err = base64.RawStdEncoding.DecodeString(strings.TrimSpace(part))
		}
		if err == nil && len(b) > 0 && len(out) < maxSets {
			out = append(out, b)
		}
	}
	return out
}

// describe writes the session description of a mount. addr is the server's
// address, or the group's with its port and time to live.
func describe(addr netip.Addr, port uint16, ttl int, medias []Media) []byte {
	family := "IP4"
	if addr.Is6() && !addr.Is4In6() {
		family = "IP6"
	}
	addr = addr.Unmap().WithZone("")
	conn := addr.String()
	if addr.IsMulticast() && family == "IP4" {
		conn += "/" + strconv.Itoa(ttl)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "v=0\r\no=- 0 1 IN %s %s\r\ns=tstrans\r\nc=IN %s %s\r\nt=0 0\r\na=control:*\r\n", family, addr, family, conn)
	for i := range medias {
		m := &medias[i]
		if m.Kind == KindOther { // its configuration never came
			continue
		}
		name, rtpmap, fmtp := m.lines()
		fmt.Fprintf(&b, "m=%s %d RTP/AVP %d\r\na=rtpmap:%d %s\r\n", name, port, m.PayloadType, m.PayloadType, rtpmap)
		if fmtp != "" {
			fmt.Fprintf(&b, "a=fmtp:%d %s\r\n", m.PayloadType, fmtp)
		}
		fmt.Fprintf(&b, "a=control:trackID=%d\r\n", i)
	}
	return []byte(b.String())
}

func (m *Media) lines() (name, rtpmap, fmtp string) {
	sets := func(key string, s [][]byte) string {
		enc := make([]string, 0, len(s))
		for _, b := range s {
			enc = append(enc, base64.StdEncoding.EncodeToString(b))
		}
		return key + "=" + strings.Join(enc, ",")
	}
	switch m.Kind {
	case KindH264:
		fmtp = "packetization-mode=1"
		if len(m.Sets) == 2 && len(m.Sets[0]) > 3 && len(m.Sets[1]) > 0 {
			fmtp += "; profile-level-id=" + strings.ToUpper(hex.EncodeToString(m.Sets[0][1:4])) + "; " +
				sets("sprop-parameter-sets", m.Sets)
		}
		return "video", "H264/90000", fmtp
	case KindH265:
		if len(m.Sets) == 3 && len(m.Sets[0]) > 0 && len(m.Sets[1]) > 0 && len(m.Sets[2]) > 0 {
			fmtp = sets("sprop-vps", m.Sets[:1]) + "; " + sets("sprop-sps", m.Sets[1:2]) + "; " + sets("sprop-pps", m.Sets[2:])
		}
		return "video", "H265/90000", fmtp
	case KindAAC:
		return "audio", fmt.Sprintf("mpeg4-generic/%d/%d", m.Rate, m.AAC.Channels),
			"streamtype=5; profile-level-id=1; mode=AAC-hbr; sizelength=13; indexlength=3; indexdeltalength=3; config=" +
				hex.EncodeToString(m.AAC.SpecificConfig())
	case KindKLV:
		return "application", "SMPTE336M/90000", ""
	case KindMP2T, KindOther, KindMPEGAudio, KindLATM, KindOpus, KindALaw, KindULaw: // mounts have none of the last
	}
	return "video", "MP2T/90000", ""
}

// codec is the codec of the elementary stream that a media becomes.
func (m *Media) codec() mpegts.Codec {
	switch m.Kind {
	case KindH264:
		return mpegts.CodecH264
	case KindH265:
		return mpegts.CodecH265
	case KindAAC:
		return mpegts.CodecAAC
	case KindLATM:
		if m.LATM.InBand {
			return mpegts.CodecAACLATM
		}
		return mpegts.CodecAAC
	case KindMPEGAudio:
		return mpegts.CodecMP2
	case KindMP2T, KindKLV, KindOther, KindOpus, KindALaw, KindULaw:
	}
	return mpegts.CodecNone
}
