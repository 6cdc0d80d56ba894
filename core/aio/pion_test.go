package aio

import (
	"net"
	"net/netip"
	"testing"
	"time"

	pionrtcp "github.com/pion/rtcp"
	pionrtp "github.com/pion/rtp"
)

// peer is a pair of sockets, RTP and RTCP, in the hands of pion's packets.
type peer struct {
	t              *testing.T
	media, control *net.UDPConn
}

func newPeer(t *testing.T) *peer {
	t.Helper()
	for range 100 {
		media, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		control, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: media.LocalAddr().(*net.UDPAddr).Port + 1}) //nolint:forcetypeassert // of this network
		if err != nil {
			_ = media.Close()
			continue
		}
		t.Cleanup(func() { _ = media.Close(); _ = control.Close() })
		return &peer{t, media, control}
	}
	t.Fatal("no two ports in a row")
	return nil
}

func (p *peer) read(c *net.UDPConn) []byte {
	p.t.Helper()
	b := make([]byte, 2048)
	if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		p.t.Fatal(err)
	}
	n, err := c.Read(b)
	if err != nil {
		p.t.Fatal(err)
	}
	return b[:n]
}

func (p *peer) send(c *net.UDPConn, to netip.AddrPort, b []byte, err error) {
	p.t.Helper()
	if err == nil {
		_, err = c.WriteToUDPAddrPort(b, to)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// TestPionAsPeer has both sides count the same: packets, octets, loss, and what the reports say of them.
func TestPionAsPeer(t *testing.T) {
	e := engine(t)
	p := newPeer(t)
	cfg := config(p.media.LocalAddr().(*net.UDPAddr).AddrPort()) //nolint:forcetypeassert // of this network
	cfg.RTCPInterval, cfg.NACK = 20*time.Millisecond, true
	s, err := e.Open(cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	media, control := s.Local()

	// Out: a digit, ten packets as pion reads them.
	if err = s.Press("7", 160, 4000); err != nil {
		t.Fatal(err)
	}
	var first, again pionrtp.Packet
	for i := range uint16(10) {
		var q pionrtp.Packet
		if err = q.Unmarshal(p.read(p.media)); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = q
		}
		if q.SSRC != 7 || q.PayloadType != 101 || q.Timestamp != 4000 || q.SequenceNumber != first.SequenceNumber+i ||
			q.Marker != (i == 7) || q.Payload[0] != 7 || (q.Payload[1]&0x80 != 0) != (i >= 7) {
			t.Fatalf("%d: %v %x", i, q.Header, q.Payload)
		}
	}
	// pion asks for one of them again.
	nack := pionrtcp.TransportLayerNack{SenderSSRC: 9, MediaSSRC: 7, Nacks: pionrtcp.NackPairsFromSequenceNumbers([]uint16{first.SequenceNumber})}
	b, err := nack.Marshal()
	p.send(p.control, control, b, err)
	if err = again.Unmarshal(p.read(p.media)); err != nil || again.SequenceNumber != first.SequenceNumber {
		t.Fatal(again, err)
	}

	// In: twenty packets of which two are missing, and a report of pion's own.
	for i := range uint16(20) {
		if i == 5 || i == 6 {
			continue
		}
		q := pionrtp.Packet{Header: pionrtp.Header{Version: 2, SequenceNumber: 65530 + i, Timestamp: 160 * uint32(i), SSRC: 9}, Payload: make([]byte, 160)}
		b, err = q.Marshal()
		p.send(p.media, media, b, err)
	}
	report := pionrtcp.SenderReport{SSRC: 9, NTPTime: 0x0123456789ABCDEF, RTPTime: 3040, PacketCount: 18, OctetCount: 2880, Reports: []pionrtcp.ReceptionReport{{
		SSRC: 7, FractionLost: 25, TotalLost: 3, LastSequenceNumber: uint32(first.SequenceNumber) + 9, Jitter: 11,
	}}}
	b, err = report.Marshal()
	p.send(p.control, control, b, err)

	for {
		var list []pionrtcp.Packet
		list, err = pionrtcp.Unmarshal(p.read(p.control))
		if err != nil {
			t.Fatal(err)
		}
		sr, ok := list[0].(*pionrtcp.SenderReport)
		if !ok || len(list) != 2 {
			t.Fatalf("%v", list)
		}
		if sr.PacketCount != 10 || sr.OctetCount != 40 || sr.RTPTime != 4000 || list[1].(*pionrtcp.SourceDescription).Chunks[0].Items[0].Text != "x" { //nolint:forcetypeassert // a failure says the same
			t.Fatalf("%v", list)
		}
		if len(sr.Reports) == 0 || sr.Reports[0].LastSequenceNumber != 1<<16+13 || sr.Reports[0].LastSenderReport == 0 {
			continue // it went out before everything was there
		}
		if r := sr.Reports[0]; r.SSRC != 9 || r.TotalLost != 2 || r.LastSenderReport != 0x456789AB {
			t.Fatalf("%+v", r)
		}
		break
	}
	st, err := s.Stats()
	if err != nil || st.Received != 18 || st.Lost != 2 || !st.Reported || st.RemoteFraction != 25 || st.RemoteLost != 3 || st.RemoteJitter != 11 {
		t.Fatalf("%+v, %v", st, err)
	}
	if err = s.Close(); err != nil {
		t.Fatal(err)
	}
	for {
		var list []pionrtcp.Packet
		list, err = pionrtcp.Unmarshal(p.read(p.control))
		if err != nil {
			t.Fatal(err)
		}
		if bye, ok := list[0].(*pionrtcp.Goodbye); ok {
			if len(bye.Sources) != 1 || bye.Sources[0] != 7 {
				t.Fatal(bye)
			}
			return
		}
	}
}
