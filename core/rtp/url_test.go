package rtp

import (
	"net/netip"
	"testing"
	"time"

	"github.com/tstrans/tstrans/core/tsterr"
)

func TestURLs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		url                          string
		sender, receiver, elementary tsterr.Kind
	}{
		{"rtp://127.0.0.1:5004", 0, 0, tsterr.RTPMissingPayloadTypeParam},
		{"RTP://user:pw@127.0.0.1:5004/some/path", 0, 0, tsterr.RTPMissingPayloadTypeParam},
		{"rtp://@239.1.1.1:5004?iface=127.0.0.1&ttl=3", 0, 0, tsterr.RTPMissingPayloadTypeParam},
		{"rtp://[::1]:5004?ssrc=0xDEADBEEF", 0, 0, tsterr.RTPMissingPayloadTypeParam},
		{"rtp://127.0.0.1:5004?pkt_size=1504&ssrc=12", 0, 0, tsterr.RTPMissingPayloadTypeParam},
		{"rtp://localhost:5004", tsterr.RTPHostNotLiteral, tsterr.RTPHostNotLiteral, tsterr.RTPHostNotLiteral},
		{"rtp://:5004", tsterr.RTPHostNotLiteral, tsterr.RTPHostNotLiteral, tsterr.RTPHostNotLiteral},
		{"rtp://127.0.0.1", tsterr.RTPURL, tsterr.RTPURL, tsterr.RTPURL},
		{"udp://127.0.0.1:5004", tsterr.RTPURL, tsterr.RTPURL, tsterr.RTPURL},
		{"rtp://127.0.0.1:5004?nothing=1", tsterr.RTPURL, tsterr.RTPURL, tsterr.RTPURL},
		{"rtp://127.0.0.1:5004?ttl=0", tsterr.RTPURL, tsterr.RTPURL, tsterr.RTPURL},
		{"rtp://127.0.0.1:5004?ttl=256", tsterr.RTPURL, tsterr.RTPURL, tsterr.RTPURL},
		{"rtp://127.0.0.1:5004?pkt_size=100", tsterr.RTPURL, tsterr.RTPURL, tsterr.RTPURL},
		{"rtp://127.0.0.1:5004?ssrc=0x1FFFFFFFF", tsterr.RTPURL, tsterr.RTPURL, tsterr.RTPURL},
		{"rtp://127.0.0.1:5004?ssrc=0x", tsterr.RTPURL, tsterr.RTPURL, tsterr.RTPURL},
		{"rtp://127.0.0.1:5004?rcvbuf=1M&source=10.0.0.1", tsterr.RTPURL, 0, tsterr.RTPMissingPayloadTypeParam},
		{"rtp://127.0.0.1:5004?recv_timeout=0", tsterr.RTPURL, tsterr.RTPURL, tsterr.RTPURL},
		{"rtp://127.0.0.1:5004?sndbuf=64K", 0, tsterr.RTPURL, tsterr.RTPURL},
		{"rtp://127.0.0.1:5004?pt=96", tsterr.RTPPayloadTypeParam, tsterr.RTPPayloadTypeParam, 0},
		{"rtp://127.0.0.1:5004?pt=33", tsterr.RTPPayloadTypeParam, tsterr.RTPURL, tsterr.RTPURL},
		{"rtp://127.0.0.1:5004?pt=128", tsterr.RTPPayloadTypeParam, tsterr.RTPURL, tsterr.RTPURL},
		{"rtp://127.0.0.1:5004?source=camera", tsterr.RTPURL, tsterr.RTPURL, tsterr.RTPURL},
	} {
		_, serr := ParseSenderURL(c.url)
		_, rerr := ParseReceiverURL(c.url)
		_, eerr := ParseElementaryURL(c.url)
		for i, got := range []error{serr, rerr, eerr} {
			if want := []tsterr.Kind{c.sender, c.receiver, c.elementary}[i]; tsterr.KindOf(got) != want {
				t.Errorf("%s (%d): %v, wanted kind %v", c.url, i, got, want)
			}
		}
	}
}

func TestURLValues(t *testing.T) {
	t.Parallel()
	c, err := ParseReceiverURL("rtp://239.1.2.3:5004?iface=10.0.0.1&recv_timeout=250&rcvbuf=2M&source=10.9.8.7&reorder=30&rtcp=1")
	want := ReceiverConfig{
		Addr: netip.MustParseAddrPort("239.1.2.3:5004"), Interface: "10.0.0.1", Source: netip.MustParseAddr("10.9.8.7"),
		ReceiveBuffer: 2 << 20, Timeout: 250 * time.Millisecond, Hold: 30 * time.Millisecond, PayloadType: 33, RTCP: true,
	}
	if err != nil || c != want {
		t.Errorf("%+v, %v", c, err)
	}
	s, err := ParseSenderURL("rtp://10.0.0.2:6000?ssrc=0xdeadBEEF&ttl=9")
	if err != nil || *s.SSRC != 0xDEADBEEF || s.TTL != 9 || s.Addr.Port() != 6000 || s.PacketSize != DefaultPacketSize {
		t.Errorf("%+v, %v", s, err)
	}
}

func FuzzURL(f *testing.F) {
	f.Add("rtp://239.1.2.3:5004?iface=10.0.0.1&recv_timeout=250&rcvbuf=2M&source=10.9.8.7&reorder=30&rtcp=1")
	f.Add("rtp://[::1]:5004?ssrc=0xDEADBEEF&pkt_size=188&ttl=1&sndbuf=1K")
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseReceiverURL(s)
		if err == nil && !c.Addr.IsValid() {
			t.Fatal("no address")
		}
		if sc, err := ParseSenderURL(s); err == nil && !sc.Addr.IsValid() {
			t.Fatal("no address")
		}
	})
}
