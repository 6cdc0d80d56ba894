package rtsp

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/bluenviron/gortsplib/v4/pkg/base"

	"github.com/tstrans/tstrans/core/internal/leak"
	"github.com/tstrans/tstrans/core/mpegts"
	"github.com/tstrans/tstrans/core/rtp"
	"github.com/tstrans/tstrans/core/tsterr"
)

// media is the packets that a camera sends over and over on a channel, each with its marker.
type media struct {
	channel  byte
	pt       uint8
	step     uint32 // of the time stamp, a round
	payloads []string
}

// send sends a round of every media's packets.
func (c *camera) send(w *wire, round int, medias []media) error {
	for k := range medias {
		m := &medias[k]
		for i, payload := range m.payloads {
			b := make([]byte, rtp.HeaderSize, rtp.HeaderSize+len(payload))
			(&rtp.Packet{
				PayloadType: m.pt, Marker: i == len(m.payloads)-1, Sequence: uint16(round*len(m.payloads) + i), //nolint:gosec // it wraps
				Timestamp: uint32(round) * m.step, SSRC: uint32(m.pt), //nolint:gosec // see above
			}).PutHeader(b)
			if err := w.sendFrame(m.channel, append(b, payload...), patience); err != nil {
				return err
			}
		}
	}
	return nil
}

const (
	sdpH264  = "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\na=control:track1\r\n"
	sdpKLV   = "m=application 0 RTP/AVP 97\r\na=rtpmap:97 SMPTE336M/90000\r\na=control:klv\r\n"
	sdpMJPEG = "m=video 0 RTP/AVP 26\r\na=control:jpeg\r\n"
	sdpONVIF = "m=application 0 RTP/AVP 107\r\na=rtpmap:107 vnd.onvif.metadata/90000\r\na=control:meta\r\na=recvonly\r\n"
	sdpBack  = "m=audio 0 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=control:back\r\na=sendonly\r\n"
)

// bytesOf is what a description in hexadecimal stands for.
func bytesOf(t *testing.T, s string) string {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// What cameras offer and how they deviate: the picture comes whatever stands
// beside it, and sound as far as MPEG-TS can name it.
func TestCamerasMedia(t *testing.T) {
	leak.Check(t)
	idr := "\x65" + strings.Repeat("\x88", 50)
	video := media{0, 96, 3600, []string{idr}}
	klv := string(metadata(1, 100))
	annexB := "\x00\x00\x00\x01" + idr
	// The sets of x264's 160x120, as its session description has them.
	const sps, pps = "Z0LACtoKPsBEAAADAAQAAAMAyDxIqg==", "aM4PyA=="
	spsNAL, ppsNAL := bytesOf(t, "6742c00ada0a3ec044000003000400000300c83c48aa"), bytesOf(t, "68ce0fc8")
	// A frame of MPEG-1 layer II, 32 kbit/s at 48 kHz: 96 bytes (ISO/IEC 11172-3 §2.4.1.3).
	mpa := bytesOf(t, "FFFD14C0") + strings.Repeat("\x11", 92)
	aac := strings.Repeat("\x21", 300)
	adts := func(n int) string { // AAC LC, 16 kHz, mono (ISO/IEC 14496-3 Table 1.A.6)
		n += 7
		return string([]byte{0xFF, 0xF1, 0x60, 0x40 | byte(n>>11), byte(n >> 3), byte(n<<5) | 0x1F, 0xFC}) //nolint:gosec // bytes
	}
	opus := "\x78" + strings.Repeat("\x01", 299)
	g711 := strings.Repeat("\x55", 160)
	type want struct {
		typ     mpegts.EventType
		codec   mpegts.Codec
		payload string
		step    int64 // of the PTS, in 90 kHz ticks
	}
	picture := want{mpegts.EventVideo, mpegts.CodecH264, annexB, 3600}
	for _, c := range []struct {
		name   string
		sdp    string
		script func(n int, req *base.Request) *base.Response
		sends  []media
		wants  []want
		setups int
	}{
		{name: "picture alone", sdp: sdpH264, sends: []media{video}, wants: []want{picture}, setups: 1},
		{
			name: "beside what is not understood", sdp: sdpMJPEG + sdpONVIF + sdpH264 + sdpBack,
			sends: []media{{8, 26, 3600, []string{"jpeg"}}, video}, wants: []want{picture}, setups: 1,
		},
		{
			name: "sets of the description", sdp: strings.Replace(sdpH264, "mode=1", "mode=1;profile-level-id=42C00A; sprop-parameter-sets="+sps+","+pps, 1),
			sends: []media{video}, wants: []want{{
				mpegts.EventVideo, mpegts.CodecH264, "\x00\x00\x00\x01" + spsNAL + "\x00\x00\x00\x01" + ppsNAL + annexB, 3600,
			}}, setups: 1,
		},
		{
			name: "sets without SPS", sdp: strings.Replace(sdpH264, "mode=1", "mode=1; sprop-parameter-sets=,"+pps+",!!", 1),
			sends: []media{video}, wants: []want{{
				mpegts.EventVideo, mpegts.CodecH264, "\x00\x00\x00\x01" + ppsNAL + annexB, 3600,
			}}, setups: 1,
		},
		{
			name: "a channel that was not agreed", sdp: sdpH264 + sdpKLV,
			sends: []media{{200, 96, 3600, []string{idr}}, {2, 97, 3600, []string{klv}}},
			wants: []want{picture, {mpegts.EventKLV, 0, klv, 3600}}, setups: 2,
		},
		{
			name: "one channel for all", sdp: sdpH264 + sdpKLV,
			script: func(_ int, req *base.Request) *base.Response {
				if req.Method != base.Setup {
					return nil
				}
				return &base.Response{StatusCode: base.StatusOK, Header: base.Header{
					"Session": {"1"}, "Transport": {"RTP/AVP/TCP;unicast;interleaved=0-1"},
				}}
			},
			sends: []media{video, {0, 97, 3600, []string{klv}}},
			wants: []want{picture, {mpegts.EventKLV, 0, klv, 3600}}, setups: 2,
		},
		{
			name: "sound that is refused", sdp: strings.TrimSuffix(sdpBack, "a=sendonly\r\n") + sdpH264,
			script: func(_ int, req *base.Request) *base.Response {
				if req.Method == base.Setup && strings.HasSuffix(req.URL.String(), "back") {
					return &base.Response{StatusCode: base.StatusNotFound}
				}
				return nil
			},
			sends: []media{video}, wants: []want{picture}, setups: 2,
		},
		{
			name: "two tracks of sound", sdp: sdpH264 +
				"m=audio 0 RTP/AVP 98\r\na=rtpmap:98 MPEG4-GENERIC/16000/1\r\na=control:a1\r\n" +
				"a=fmtp:98 streamtype=5;profile-level-id=15;mode=AAC-hbr;SizeLength=13;IndexLength=3;IndexDeltaLength=3;config=1408\r\n" +
				"m=audio 0 RTP/AVP 14\r\na=control:a2\r\n",
			sends: []media{
				video,
				{2, 98, 1024, []string{"\x00\x10" + string([]byte{byte(len(aac) >> 5), byte(len(aac) << 3 & 0xFF)}) + aac}},
				{4, 14, 2160, []string{"\x00\x00\x00\x00" + mpa}},
			},
			wants: []want{
				picture,
				{mpegts.EventAudio, mpegts.CodecAAC, adts(len(aac)) + aac, 1024 * 90 / 16},
				{mpegts.EventAudio, mpegts.CodecMP2, mpa, 2160},
			},
			setups: 3,
		},
		{
			name: "MPEG audio in pieces", sdp: "m=audio 0 RTP/AVP 100\r\na=rtpmap:100 MPA/90000\r\n",
			sends: []media{{0, 100, 2160, []string{"\x00\x00\x00\x00" + mpa[:40], "\x00\x00\x00\x28" + mpa[40:]}}},
			wants: []want{{mpegts.EventAudio, mpegts.CodecMP2, mpa, 2160}}, setups: 1,
		},
		{
			name: "LATM", sdp: "m=audio 0 RTP/AVP 99\r\na=rtpmap:99 MP4A-LATM/16000\r\na=fmtp:99 profile-level-id=15; object=2; cpresent=0; config=40002810\r\n",
			sends: []media{{0, 99, 1024, []string{"\xff\x2d" + aac[:100], aac[100:]}}},
			wants: []want{{mpegts.EventAudio, mpegts.CodecAAC, adts(300) + aac, 1024 * 90 / 16}}, setups: 1,
		},
		{
			name: "LATM with its configuration", sdp: "m=audio 0 RTP/AVP 99\r\na=rtpmap:99 MP4A-LATM/16000\r\n",
			sends: []media{{0, 99, 1024, []string{aac}}},
			wants: []want{{mpegts.EventAudio, mpegts.CodecAACLATM, "\x56\xe1\x2c" + aac, 1024 * 90 / 16}}, setups: 1,
		},
		{
			name: "Opus", sdp: sdpH264 + "m=audio 0 RTP/AVP 110\r\na=rtpmap:110 opus/48000/2\r\na=control:o\r\n",
			sends: []media{video, {2, 110, 960, []string{opus}}},
			wants: []want{picture, {mpegts.EventUnknownSample, 0, "\x7f\xe0\xff\x2d" + opus, 1800}}, setups: 2,
		},
		{
			name: "G.711", sdp: sdpH264 + "m=audio 0 RTP/AVP 0\r\na=control:u\r\nm=audio 0 RTP/AVP 8\r\na=control:a\r\n",
			sends: []media{video, {2, 0, 160, []string{g711}}, {4, 8, 160, []string{g711}}},
			wants: []want{picture, {mpegts.EventUnknownSample, 0, g711, 1800}}, setups: 3,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			cam := newCamera(t, "", "")
			cam.sdp = "v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=cam\r\nt=0 0\r\n" + c.sdp
			cam.script, cam.sends = c.script, c.sends
			s := dial(t, ClientConfig{URL: "rtsp://" + cam.addr + "/live", Transport: TransportTCP})
			if got := len(cam.requests(base.Setup)); got != c.setups {
				t.Errorf("%d SETUP, wanted %d", got, c.setups)
			}
			of := func(got []sample, w *want) (out []sample) {
				for _, g := range got {
					if g.typ == w.typ && (w.codec == 0 || g.codec == w.codec) {
						out = append(out, g)
					}
				}
				return out
			}
			got := collect(t, take(t, s), func(got []sample) bool {
				for i := range c.wants {
					if len(of(got, &c.wants[i])) < 6 {
						return false
					}
				}
				return true
			})
			for i := range c.wants {
				w := &c.wants[i]
				same := of(got, w)
				if len(same) < 6 {
					t.Fatalf("%v: %d, and then the end", w.typ, len(same))
				}
				for k, g := range same {
					if !bytes.Equal(g.payload, []byte(w.payload)) {
						t.Fatalf("%v: %x\nwanted %x", w.typ, g.payload, w.payload)
					}
					if k > 0 && len(c.wants) == len(c.sends) && g.pts-same[k-1].pts != w.step {
						t.Errorf("%v: the PTS steps by %d, wanted %d", w.typ, g.pts-same[k-1].pts, w.step)
					}
				}
			}
		})
	}
}

// The answers to SETUP of cameras that take the grammar lightly.
func TestOddAnswers(t *testing.T) {
	leak.Check(t)
	for i, c := range []struct{ session, transport string }{
		{"4711", "RTP/AVP/TCP;unicast;interleaved=0-1"},
		{"4711; timeout=60 ", "RTP/AVP/TCP; unicast; interleaved = 0-1; ssrc=NOTHEX; mode=\"LIVE\""},
		{"4711;timeout=0", "RTP/AVP/TCP;interleaved=0-1;source=no.such.host.invalid;destination=?"},
		{"4711;timeout=soon", "rtp/avp/tcp;UNICAST;Interleaved=\"0-1\";server_port=x;ttl=300000"},
		{" 4711 ;Timeout=\"60\";x", "RTP/AVP/TCP;unicast"},
		{"4711;timeout=99999999999999999999", ""},
	} {
		cam := newCamera(t, "", "")
		cam.sdp = "v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=cam\r\nt=0 0\r\n" + sdpH264
		cam.sends = []media{{0, 96, 3600, []string{"\x65\x88"}}}
		cam.script = func(_ int, req *base.Request) *base.Response {
			switch req.Method { //nolint:exhaustive // as usual
			case base.Setup:
				h := base.Header{"Session": {c.session}}
				if c.transport != "" {
					h["Transport"] = base.HeaderValue{c.transport}
				}
				return &base.Response{StatusCode: base.StatusOK, Header: h}
			case base.Play, base.Teardown:
				if got := req.Header["Session"]; len(got) != 1 || got[0] != "4711" {
					return &base.Response{StatusCode: base.StatusSessionNotFound}
				}
			}
			return nil
		}
		s := dial(t, ClientConfig{URL: "rtsp://" + cam.addr + "/live", Transport: TransportTCP})
		collect(t, take(t, s), count(mpegts.EventVideo, 2))
		if s.timeout != defaultSessionTimeout {
			t.Errorf("case %d: the session ends after %v", i, s.timeout)
		}
		_ = s.Close()
	}
}

// A picture that is refused is not left out in silence.
func TestRefusedPicture(t *testing.T) {
	leak.Check(t)
	cam := newCamera(t, "", "")
	cam.sdp = "v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=cam\r\nt=0 0\r\n" + strings.TrimSuffix(sdpBack, "a=sendonly\r\n") + sdpH264
	cam.script = func(n int, req *base.Request) *base.Response {
		if req.Method == base.Setup && n == 2 {
			return &base.Response{StatusCode: base.StatusNotEnoughBandwidth}
		}
		return nil
	}
	_, err := Dial(t.Context(), ClientConfig{URL: "rtsp://" + cam.addr + "/live", Transport: TransportTCP})
	if tsterr.KindOf(err) != tsterr.RTSPProtocol {
		t.Error(err)
	}
}

// A stream without anything that is understood says so.
func TestCamerasWithoutMedia(t *testing.T) {
	leak.Check(t)
	for _, sdp := range []string{sdpMJPEG, sdpMJPEG + sdpBack + sdpONVIF} {
		cam := newCamera(t, "", "")
		cam.sdp = "v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=cam\r\nt=0 0\r\n" + sdp
		_, err := Dial(t.Context(), ClientConfig{URL: "rtsp://" + cam.addr + "/live", Transport: TransportTCP})
		if tsterr.KindOf(err) != tsterr.RTSPNotFound {
			t.Error(fmt.Sprintf("%q:", sdp), err)
		}
	}
}
