package webrtc

import (
	"bytes"
	"strings"
	"testing"

	"github.com/tstrans/tstrans/core/rtp"
	"github.com/tstrans/tstrans/core/tsterr"
)

const transportLines = "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\na=fingerprint:sha-256 AA:BB\r\na=setup:actpass\r\n"

// browserOffer has the shape of a browser's: session-level fingerprint, parameters
// before maps, extensions with directions, candidates of TCP and of names.
const browserOffer = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\na=extmap-allow-mixed\r\n" +
	"a=fingerprint:sha-256 aa:bb\r\n" +
	"m=video 9 UDP/TLS/RTP/SAVPF 96 97 102 103\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n" +
	"a=candidate:1 1 tcp 1 192.0.2.1 9 typ host tcptype active\r\na=candidate:2 1 udp 2 x.local 9 typ host\r\n" +
	"a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\na=ice-options:trickle\r\na=setup:actpass\r\na=mid:0\r\n" +
	"a=extmap:1/sendonly urn:ietf:params:rtp-hdrext:sdes:mid\r\na=extmap:3 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\r\n" +
	"a=sendonly\r\na=msid:s t\r\na=rtcp-mux\r\na=fmtp:97 apt=96\r\na=rtpmap:96 VP8/90000\r\na=rtcp-fb:* nack\r\na=rtpmap:97 rtx/90000\r\n" +
	"a=rtpmap:102 H264/90000\r\na=fmtp:102 profile-level-id=42e02a;packetization-mode=1;level-asymmetry-allowed=1\r\n" +
	"a=rtpmap:103 H264/90000\r\na=fmtp:103 profile-level-id=42e02a;packetization-mode=0\r\n" +
	"a=ssrc-group:FID 11 12\r\na=ssrc:11 cname:c\r\na=ssrc:12 cname:c\r\n" +
	"m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:1\r\n" + transportLines

func TestBrowserOffer(t *testing.T) {
	d, err := parseSDP(browserOffer, Offer)
	if err != nil {
		t.Fatal(err)
	}
	s := d.sections[0]
	if s.direction != SendOnly || s.stream != "s" || s.track != "t" || len(s.prints) != 1 || s.prints[0].value != "AA:BB" {
		t.Errorf("%+v", s)
	}
	got := negotiate(Video, preferences{}, s.codecs)
	list := make([]string, 0, len(got))
	for _, c := range got {
		list = append(list, c.name+":"+c.fmtpLine())
	}
	want := "VP8: rtx:apt=96 H264:level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e02a"
	if strings.Join(list, " ") != want {
		t.Errorf("negotiated %q", list)
	}
	if !got[0].hasFeedback("nack") || got[0].hasFeedback("goog-remb") || repairOf(got, 96) != 97 || repairOf(got, 102) != 0 {
		t.Errorf("%+v", got)
	}
}

func TestProfiles(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"42e01f", "42e034", true},
		{"42001f", "", true},
		{"42001f", "42e01f", false},
		{"42e01f", "4d8015", true},
		{"42e01f", "640028", false},
		{"42e01f", "zz", false},
		{"42e01f", "42e01f00", false},
	} {
		if sameProfile(c.a, c.b) != c.same {
			t.Errorf("%s and %s", c.a, c.b)
		}
	}
}

func TestFailedRemoteDescriptionChangesNothing(t *testing.T) {
	h, err := NewHub()
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	p, err := NewPeer(h, 1, Config{})
	if err != nil {
		t.Fatal(err)
	}
	bad := strings.Replace(browserOffer, "VP8", "VP9", 1)
	bad = strings.ReplaceAll(bad, "H264", "VP9")
	if err := p.SetRemote(Offer, bad, 0); tsterr.KindOf(err) != tsterr.WebRTCOperation {
		t.Errorf("%v", err)
	}
	if p.Transceivers() != 0 || p.signaling != Stable {
		t.Error("something changed")
	}
	if err := p.SetRemote(Offer, browserOffer, 0); err != nil {
		t.Error(err)
	}
	if _, err := p.CreateAnswer(); err != nil {
		t.Error(err)
	}
	p.Close(0)
}

func TestVP8RoundTrip(t *testing.T) {
	frame := append([]byte{0x10}, bytes.Repeat([]byte{1, 2, 3}, 1500)...)
	var out rtp.Payloads
	packetizeVP8(&out, frame, 0x7FFF, maxPayload)
	d := &vp8Depacketizer{}
	for i := range out.Ends {
		b, last := out.At(i)
		if len(b) > maxPayload {
			t.Fatalf("a payload of %d bytes", len(b))
		}
		d.Push(&rtp.Packet{Payload: b, Marker: last, Sequence: uint16(65534 + i), Timestamp: 9}) //nolint:gosec // wraps on purpose
	}
	if u, ok := d.Unit(); !ok || !u.Key || !bytes.Equal(u.Data, frame) {
		t.Errorf("%v %v", ok, len(u.Data))
	}
}

// receiverFor makes a receiver that hands its events to a hub nobody reads.
func receiverFor(t testing.TB) (*Peer, *transceiver) {
	h, err := NewHub()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	p, err := NewPeer(h, 1, Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close(0) })
	tr := p.newTransceiver(Video, RecvOnly)
	tr.receiver.setup(offered(Video, preferences{}), nil, true)
	p.bind(tr.receiver, 7, 8)
	return p, tr
}

func frames(p *Peer) (ticks []int64) {
	p.hub.Read(func(e *Event) bool {
		if e.Kind == EventFrame {
			ticks = append(ticks, e.Value)
		}
		return true
	})
	return ticks
}

func TestReorderLossAndRepair(t *testing.T) {
	p, tr := receiverFor(t)
	packet := func(seq uint16) *rtp.Packet {
		return &rtp.Packet{PayloadType: 97, Sequence: seq, Timestamp: uint32(seq) * 3000, SSRC: 7, Marker: true, Payload: []byte{0x10, 0x10, 1}}
	}
	r := tr.receiver
	for _, seq := range []uint16{65534, 0, 65535, 2} {
		r.packet(packet(seq), false)
	}
	if got := frames(p); len(got) != 3 {
		t.Errorf("frames at %v", got)
	}
	if len(r.missing) != 1 || r.missing[1].times != 1 {
		t.Errorf("asked for %v", r.missing)
	}
	// The repair of RFC 4588: the number it had, then its payload.
	r.packet(&rtp.Packet{PayloadType: 98, Sequence: 1, Timestamp: 3000, SSRC: 8, Marker: true, Payload: []byte{0, 1, 0x10, 0x10, 1}}, true)
	if got := frames(p); len(got) != 2 {
		t.Errorf("frames after the repair: %v", got)
	}
	if r.lost() != 1 || r.repaired != 1 {
		t.Errorf("lost %d, repaired %d", r.lost(), r.repaired)
	}
}

func TestWithoutRepairTheNextKeyFrameGoesOn(t *testing.T) {
	p, tr := receiverFor(t)
	r := tr.receiver
	send := func(seq uint16, first byte) {
		r.packet(&rtp.Packet{PayloadType: 97, Sequence: seq, Timestamp: uint32(seq) * 3000, SSRC: 7, Marker: true, Payload: []byte{0x10, first, 1}}, false)
	}
	send(1, 0x10)
	send(3, 0x11)
	r.mu.Lock()
	r.skip(r.gapSince.Add(videoPatience))
	r.mu.Unlock()
	send(4, 0x11)
	send(5, 0x10)
	send(6, 0x11)
	if got := frames(p); len(got) != 3 || got[1] != 4*3000 || r.droppedFrames != 2 {
		t.Errorf("frames at %v, %d dropped", got, r.droppedFrames)
	}
}

func FuzzSDP(f *testing.F) {
	f.Add(browserOffer)
	f.Add("v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0 8 111\r\na=rtpmap:111 opus/48000/2\r\na=rtcp-mux\r\n" + transportLines)
	f.Add("v=0\nm=text 0 x y\na=group:BUNDLE\na=ssrc-group:FID 1\na=extmap:15 x\n")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := parseSDP(text, Offer)
		if err != nil {
			return
		}
		once := d.String()
		again, err := parseSDP(once, Offer)
		if err != nil {
			t.Fatalf("what was written is refused: %v\n%s", err, once)
		}
		if twice := again.String(); twice != once {
			t.Fatalf("written once:\n%s\nand again:\n%s", once, twice)
		}
		for _, s := range d.sections {
			if s.known && s.kind != Application {
				_ = negotiate(s.kind, preferences{}, s.codecs)
			}
		}
	})
}

func FuzzRemoteDescription(f *testing.F) {
	f.Add(browserOffer)
	f.Add("v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:x\r\n" + transportLines)
	f.Fuzz(func(t *testing.T, text string) {
		h, err := NewHub()
		if err != nil {
			t.Fatal(err)
		}
		defer h.Close()
		p, err := NewPeer(h, 1, Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close(0)
		if p.SetRemote(Offer, text, 0) != nil {
			if p.signaling != Stable || len(p.transceivers) != 0 {
				t.Fatal("a refused description changed something")
			}
			return
		}
		answer, err := p.CreateAnswer()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parseSDP(answer, Answer); err != nil {
			t.Fatalf("our answer is refused: %v\n%s", err, answer)
		}
	})
}

func FuzzReceiver(f *testing.F) {
	f.Add([]byte{0, 1, 0x80, 0x10, 0x10, 1, 0, 3, 0x80, 0x10, 0x11, 1})
	f.Add([]byte{1, 200, 1, 0x90, 0x80, 0x80, 1, 2, 3})
	f.Fuzz(func(t *testing.T, data []byte) {
		p, tr := receiverFor(t)
		for len(data) >= 6 {
			k := rtp.Packet{PayloadType: 97 + data[0]%8, Sequence: uint16(data[1]) << (data[2] & 7), SSRC: 7, Marker: data[2]&0x80 != 0}
			k.Timestamp = uint32(data[3]) * 3000
			n := min(len(data)-4, int(data[3]))
			k.Payload = data[4 : 4+n]
			tr.receiver.packet(&k, data[2]&0x40 != 0)
			data = data[4+n:]
		}
		if tr.receiver.held > videoWindow || len(tr.receiver.missing) > 1<<16 {
			t.Fatal("it holds too much")
		}
		frames(p)
	})
}

func FuzzControl(f *testing.F) {
	f.Add([]byte{0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 7})
	f.Add([]byte{0x81, 205, 0, 3, 0, 0, 0, 1, 0, 0, 0, 7, 0, 5, 0xFF, 0xFF})
	f.Fuzz(func(t *testing.T, data []byte) {
		p, _ := receiverFor(t)
		p.control(data)
	})
}
