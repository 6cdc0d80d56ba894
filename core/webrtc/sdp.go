package webrtc

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Limits on what a description can make a connection hold.
const (
	maxSDP        = 1 << 20
	maxSections   = 256
	maxCandidates = 256 // of one section
	maxSSRCs      = 64
)

// defaultMaxMessage is what a data section without the attribute takes (RFC 8841 §6.1).
const defaultMaxMessage = 65536

type fingerprint struct{ algorithm, value string }

type ssrcLine struct {
	ssrc  uint32
	cname string
}

// section is a media section of a description.
type section struct {
	kindName   string // of the m line
	kind       Kind
	known      bool // audio, video or application
	port       int
	profile    string
	formats    []string
	host       string
	direction  Direction
	extensions []extension
	mid        string
	hasMid     bool
	stream     string // msid
	track      string
	rtcpMux    bool
	groups     [][]uint32 // FID
	ssrcs      []ssrcLine
	codecs     []rtpCodec
	candidates []string
	complete   bool
	ufrag, pwd string
	iceOptions string
	lite       bool
	prints     []fingerprint
	setup      string
	sctpPort   int
	maxMessage int
}

// description is a parsed session description.
type description struct {
	typ      DescriptionType
	origin   string
	bundle   []string
	sections []*section
	lite     bool
}

func (d *description) bundled(mid string) bool {
	for _, m := range d.bundle {
		if m == mid {
			return true
		}
	}
	return false
}

// parseSDP reads a description (RFC 8866, as RFC 8829 §5.8 wants it read): what is
// not known is passed over, what is known and broken is an error.
func parseSDP(text string, typ DescriptionType) (*description, error) {
	if len(text) > maxSDP {
		return nil, sdpError("a description of %d bytes", len(text))
	}
	d := &description{typ: typ}
	base := &section{} // session-level attributes, defaults of each section
	cur := base
	fmtps, feedbacks := map[*section][][2]string{}, map[*section][][2]string{}
	first := true
	for number, line := range strings.Split(text, "\n") {
		line = strings.TrimRight(line, "\r")
		if line == "" {
			continue
		}
		// Values have none of these (RFC 8866 §9), and one that did would end a line of ours.
		if len(line) < 2 || line[1] != '=' || strings.ContainsAny(line, "\r\x00") {
			return nil, sdpError("line %d is no line of a description", number+1)
		}
		if first {
			if line != "v=0" {
				return nil, sdpError("a description begins with v=0")
			}
			first = false
			continue
		}
		value := line[2:]
		switch line[0] {
		case 'o':
			d.origin = value
		case 'm':
			if len(d.sections) == maxSections {
				return nil, sdpError("more than %d media sections", maxSections)
			}
			s, err := parseMedia(value, base)
			if err != nil {
				return nil, err
			}
			d.sections = append(d.sections, s)
			cur = s
		case 'c':
			if f := strings.Fields(value); len(f) == 3 {
				cur.host = f[2]
			}
		case 'a':
			name, v, _ := strings.Cut(value, ":")
			if err := d.attribute(cur, cur == base, name, v, fmtps, feedbacks); err != nil {
				return nil, err
			}
		}
	}
	if first {
		return nil, sdpError("an empty description")
	}
	d.lite = base.lite
	for _, s := range d.sections {
		if err := s.finish(fmtps[s], feedbacks[s]); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func parseMedia(value string, base *section) (*section, error) {
	f := strings.Fields(value)
	if len(f) < 4 {
		return nil, sdpError("the media line %q is too short", value)
	}
	portText, _, _ := strings.Cut(f[1], "/")
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return nil, sdpError("the port %q of a media line", f[1])
	}
	s := &section{
		kindName: f[0], port: int(port), profile: f[2], formats: f[3:], host: base.host, direction: SendRecv,
		ufrag: base.ufrag, pwd: base.pwd, prints: append([]fingerprint(nil), base.prints...), setup: base.setup,
		iceOptions: base.iceOptions, lite: base.lite, sctpPort: 5000, maxMessage: defaultMaxMessage,
		extensions: append([]extension(nil), base.extensions...),
	}
	if base.direction != NoDirection && base.kindName == "set" {
		s.direction = base.direction
	}
	switch f[0] {
	case "audio":
		s.kind, s.known = Audio, true
	case "video":
		s.kind, s.known = Video, true
	case "application":
		s.kind, s.known = Application, strings.Contains(f[2], "SCTP")
	}
	if len(s.formats) > maxPayloadTypes {
		return nil, sdpError("%d payload types", len(s.formats))
	}
	if s.known && s.kind != Application {
		for _, p := range s.formats {
			pt, err := strconv.ParseUint(p, 10, 8)
			if err != nil || pt > 127 {
				return nil, sdpError("the payload type %q", p)
			}
			if slices.ContainsFunc(s.codecs, func(c rtpCodec) bool { return c.pt == uint8(pt) }) {
				continue // named twice, it is still one codec
			}
			c := rtpCodec{pt: uint8(pt)}
			if static, ok := staticTypes[uint8(pt)]; ok {
				c = static
			}
			s.codecs = append(s.codecs, c)
		}
	}
	return s, nil
}

// staticTypes need no rtpmap line (RFC 3551 §6).
var staticTypes = map[uint8]rtpCodec{
	0: {codec: PCMU, name: "PCMU", pt: 0, clock: 8000, channels: 1},
	8: {codec: PCMA, name: "PCMA", pt: 8, clock: 8000, channels: 1},
	9: {codec: G722, name: "G722", pt: 9, clock: 8000, channels: 1},
}

func (d *description) attribute(s *section, session bool, name, v string, fmtps, feedbacks map[*section][][2]string) error {
	switch name {
	case "group":
		if f := strings.Fields(v); session && len(f) > 0 && f[0] == "BUNDLE" && d.bundle == nil {
			d.bundle = f[1:]
		}
	case "ice-ufrag":
		s.ufrag = v
	case "ice-pwd":
		s.pwd = v
	case "ice-options":
		s.iceOptions = v
	case "ice-lite":
		s.lite = true
	case "setup":
		if v != "active" && v != "passive" && v != "actpass" {
			return sdpError("DTLS setup attribute %q", v)
		}
		s.setup = v
	case "fingerprint":
		f := strings.Fields(v)
		if len(f) != 2 || strings.ContainsFunc(v, func(r rune) bool { return r > unicode.MaxASCII }) {
			return sdpError("the fingerprint %q", v)
		}
		if len(s.prints) < 16 {
			s.prints = append(s.prints, fingerprint{strings.ToLower(f[0]), strings.ToUpper(f[1])})
		}
	case "sendrecv", "sendonly", "recvonly", "inactive":
		for i, n := range directionNames {
			if n == name {
				s.direction = Direction(i)
			}
		}
		if session {
			s.kindName = "set"
		}
	case "extmap":
		return s.parseExtmap(v)
	default:
		if !session {
			return s.mediaAttribute(name, v, fmtps, feedbacks)
		}
	}
	return nil
}

func (s *section) parseExtmap(v string) error {
	idText, uri, ok := strings.Cut(v, " ")
	if !ok {
		return sdpError("the extmap %q", v)
	}
	idText, _, _ = strings.Cut(idText, "/")
	id, err := strconv.ParseUint(idText, 10, 12)
	if err != nil || id == 0 {
		return sdpError("the extension number %q", idText)
	}
	uri, _, _ = strings.Cut(uri, " ")
	if id <= maxExtensionID { // others cannot go into one-byte headers
		s.extensions = append(s.extensions, extension{uint8(id), uri})
	}
	return nil
}

func (s *section) mediaAttribute(name, v string, fmtps, feedbacks map[*section][][2]string) error {
	switch name {
	case "mid":
		if len(v) > 64 {
			return sdpError("a mid of %d bytes", len(v))
		}
		s.mid, s.hasMid = v, true
	case "msid":
		f := strings.Fields(v)
		if len(f) > 0 {
			s.stream = f[0]
		}
		if len(f) > 1 {
			s.track = f[1]
		}
	case "rtcp-mux":
		s.rtcpMux = true
	case "rtpmap":
		return s.parseRtpmap(v)
	case "fmtp", "rtcp-fb":
		pt, rest, ok := strings.Cut(v, " ")
		if !ok {
			return sdpError("the attribute %s:%s", name, v)
		}
		into := fmtps
		if name == "rtcp-fb" {
			into = feedbacks
		}
		if len(into[s]) > 16*maxPayloadTypes {
			return sdpError("too many attributes of payload types")
		}
		into[s] = append(into[s], [2]string{pt, rest})
	case "ssrc":
		return s.parseSSRC(v)
	case "ssrc-group":
		f := strings.Fields(v)
		if len(f) < 1 || len(s.groups) >= maxSSRCs {
			return sdpError("the ssrc-group %q", v)
		}
		if f[0] != "FID" {
			return nil
		}
		var g []uint32
		for _, t := range f[1:] {
			n, err := strconv.ParseUint(t, 10, 32)
			if err != nil {
				return sdpError("the ssrc-group %q", v)
			}
			g = append(g, uint32(n))
		}
		s.groups = append(s.groups, g)
	case "candidate":
		if len(strings.Fields(v)) < 8 {
			return sdpError("the candidate %q", v)
		}
		if len(s.candidates) >= maxCandidates {
			return sdpError("more than %d candidates", maxCandidates)
		}
		s.candidates = append(s.candidates, v)
	case "end-of-candidates":
		s.complete = true
	case "sctp-port":
		n, err := strconv.ParseUint(v, 10, 16)
		if err != nil {
			return sdpError("the SCTP port %q", v)
		}
		s.sctpPort = int(n)
	case "max-message-size":
		n, err := strconv.ParseUint(v, 10, 63)
		if err != nil {
			return sdpError("the message size %q", v)
		}
		s.maxMessage = int(n)
	}
	return nil
}

func (s *section) parseRtpmap(v string) error {
	ptText, rest, ok := strings.Cut(v, " ")
	pt, err := strconv.ParseUint(ptText, 10, 8)
	parts := strings.Split(strings.TrimSpace(rest), "/")
	if !ok || err != nil || len(parts) < 2 {
		return sdpError("the rtpmap %q", v)
	}
	clock, err := strconv.ParseUint(parts[1], 10, 32)
	if err != nil {
		return sdpError("the clock rate of the rtpmap %q", v)
	}
	channels := 0
	if s.kind == Audio {
		channels = 1
	}
	if len(parts) > 2 {
		if channels, err = strconv.Atoi(parts[2]); err != nil || channels < 1 || channels > 255 {
			return sdpError("the channels of the rtpmap %q", v)
		}
	}
	for i := range s.codecs {
		if uint64(s.codecs[i].pt) == pt {
			s.codecs[i] = rtpCodec{
				codec: codecName[strings.ToLower(parts[0])], name: parts[0], pt: uint8(pt), clock: uint32(clock), channels: channels,
			}
		}
	}
	return nil
}

func (s *section) parseSSRC(v string) error {
	idText, attr, ok := strings.Cut(v, " ")
	id, err := strconv.ParseUint(idText, 10, 32)
	if !ok || err != nil {
		return sdpError("the ssrc %q", v)
	}
	key, value, _ := strings.Cut(attr, ":")
	at := -1
	for i := range s.ssrcs {
		if s.ssrcs[i].ssrc == uint32(id) {
			at = i
		}
	}
	if at < 0 {
		if len(s.ssrcs) >= maxSSRCs {
			return sdpError("more than %d sources", maxSSRCs)
		}
		s.ssrcs = append(s.ssrcs, ssrcLine{ssrc: uint32(id)})
		at = len(s.ssrcs) - 1
	}
	switch key {
	case "cname":
		s.ssrcs[at].cname = value
	case "msid": // Plan B's place for it
		if f := strings.Fields(value); len(f) == 2 && s.track == "" {
			s.stream, s.track = f[0], f[1]
		}
	}
	return nil
}

// finish hangs feedback and parameters, whose lines may stand before the rtpmap, on
// their codecs.
func (s *section) finish(fmtps, feedbacks [][2]string) error {
	for _, f := range feedbacks {
		for i := range s.codecs {
			if c := &s.codecs[i]; f[0] == "*" || f[0] == strconv.Itoa(int(c.pt)) {
				c.feedback = append(c.feedback, strings.TrimSpace(f[1]))
			}
		}
	}
	for _, f := range fmtps {
		for i := range s.codecs {
			if c := &s.codecs[i]; f[0] == strconv.Itoa(int(c.pt)) {
				for _, p := range strings.Split(f[1], ";") {
					if p = strings.TrimSpace(p); p != "" {
						k, v, _ := strings.Cut(p, "=")
						c.fmtp = append(c.fmtp, param{k, v})
					}
				}
			}
		}
	}
	return nil
}

// String writes a description in the order of lines that readers of WebRTC know.
func (d *description) String() string {
	var b strings.Builder
	line := func(parts ...string) {
		for _, p := range parts {
			b.WriteString(p)
		}
		b.WriteString("\r\n")
	}
	line("v=0")
	line("o=", d.origin)
	line("s=-")
	line("t=0 0")
	line("a=group:BUNDLE ", strings.Join(d.bundle, " "))
	line("a=msid-semantic:WMS *")
	for _, s := range d.sections {
		s.write(line)
	}
	return b.String()
}

func (s *section) write(line func(...string)) {
	line("m=", s.kindName, " ", strconv.Itoa(s.port), " ", s.profile, " ", strings.Join(s.formats, " "))
	host := s.host
	if host == "" {
		host = "0.0.0.0"
	}
	v := "4"
	if strings.Contains(host, ":") {
		v = "6"
	}
	line("c=IN IP", v, " ", host)
	if !s.known || s.port == 0 && s.ufrag == "" { // refused
		if s.hasMid {
			line("a=mid:", s.mid)
		}
		line("a=inactive")
		return
	}
	if s.kind != Application {
		line("a=", s.direction.String())
		for _, e := range s.extensions {
			line("a=extmap:", strconv.Itoa(int(e.id)), " ", e.uri)
		}
	}
	if s.hasMid {
		line("a=mid:", s.mid)
	}
	if s.kind != Application {
		s.writeStreams(line)
	} else {
		line("a=sctp-port:", strconv.Itoa(s.sctpPort))
		line("a=max-message-size:", strconv.Itoa(s.maxMessage))
	}
	for _, c := range s.candidates {
		line("a=candidate:", c)
	}
	if s.complete {
		line("a=end-of-candidates")
	}
	if s.ufrag != "" {
		line("a=ice-ufrag:", s.ufrag)
	}
	if s.pwd != "" {
		line("a=ice-pwd:", s.pwd)
	}
	for _, f := range s.prints {
		line("a=fingerprint:", f.algorithm, " ", f.value)
	}
	if s.setup != "" {
		line("a=setup:", s.setup)
	}
}

func (s *section) writeStreams(line func(...string)) {
	if s.track != "" {
		line("a=msid:", s.stream, " ", s.track)
	}
	line("a=rtcp:9 IN IP4 0.0.0.0")
	line("a=rtcp-mux")
	for _, g := range s.groups {
		parts := []string{"a=ssrc-group:FID"}
		for _, n := range g {
			parts = append(parts, " ", strconv.FormatUint(uint64(n), 10))
		}
		line(parts...)
	}
	for _, n := range s.ssrcs {
		line("a=ssrc:", strconv.FormatUint(uint64(n.ssrc), 10), " cname:", n.cname)
	}
	for i := range s.codecs {
		c := &s.codecs[i]
		pt := strconv.Itoa(int(c.pt))
		channels := ""
		if c.channels > 1 {
			channels = "/" + strconv.Itoa(c.channels)
		}
		line("a=rtpmap:", pt, " ", c.name, "/", strconv.FormatUint(uint64(c.clock), 10), channels)
		for _, f := range c.feedback {
			line("a=rtcp-fb:", pt, " ", f)
		}
		if len(c.fmtp) > 0 {
			line("a=fmtp:", pt, " ", c.fmtpLine())
		}
	}
}
