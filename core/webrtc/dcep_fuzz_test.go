package webrtc

import (
	"encoding/binary"
	"net"
	"testing"
	"time"

	"github.com/pion/sctp"
)

// opening is what a message that opens a channel says, read as RFC 8832 §5.1 has it.
type opening struct {
	unordered     bool
	retransmits   int
	lifetime      int
	label, protoc []byte
}

func readOpening(b []byte) (o opening, ok bool) {
	if len(b) < 12 || b[0] != 3 {
		return o, false
	}
	l, p := int(binary.BigEndian.Uint16(b[8:])), int(binary.BigEndian.Uint16(b[10:]))
	if len(b) != 12+l+p || len(b) > 8192 { // what opens a channel is read into so much
		return o, false
	}
	o = opening{unordered: b[1]&0x80 != 0, retransmits: -1, lifetime: -1, label: b[12 : 12+l], protoc: b[12+l : 12+l+p]}
	switch b[1] &^ 0x80 {
	case 0:
	case 1:
		o.retransmits = int(binary.BigEndian.Uint32(b[4:]))
	case 2:
		o.lifetime = int(binary.BigEndian.Uint32(b[4:]))
	default:
		return o, false
	}
	return o, true
}

// associations are the two ends of SCTP over a pipe.
type associations struct {
	near, far *sctp.Association
	used      uint16
}

func associate(t testing.TB) *associations {
	a, b := net.Pipe()
	type end struct {
		a   *sctp.Association
		err error
	}
	ends := make(chan end, 1)
	go func() {
		far, err := sctp.Server(sctp.Config{NetConn: datagrams{b}, LoggerFactory: quietLogs})
		ends <- end{far, err}
	}()
	near, err := sctp.Client(sctp.Config{NetConn: datagrams{a}, LoggerFactory: quietLogs})
	if err != nil {
		t.Fatal(err)
	}
	far := <-ends
	if far.err != nil {
		t.Fatal(far.err)
	}
	return &associations{near: near, far: far.a}
}

// datagrams keeps a pipe's writes from waiting for a reader that has gone.
type datagrams struct{ net.Conn }

func (d datagrams) Write(b []byte) (int, error) {
	_ = d.SetWriteDeadline(time.Now().Add(time.Second))
	return d.Conn.Write(b)
}

// FuzzChannelOpening sends a channel's first message: what opens one opens what it
// says, and all else opens none.
func FuzzChannelOpening(f *testing.F) {
	f.Add([]byte("\x03\x00\x01\x00\x00\x00\x00\x00\x00\x04\x00\x00chat"), true)
	f.Add([]byte("\x03\x81\x00\x00\x00\x00\x00\x05\x00\x01\x00\x02aab"), true)
	f.Add([]byte("\x03\x02\x00\x00\xff\xff\xff\xff\x00\x00\x00\x03klv"), true)
	f.Add([]byte("\x03\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xffshort"), true)
	f.Add([]byte("\x02"), true)
	f.Add([]byte("a message before its channel"), false)
	var pair *associations
	f.Fuzz(func(t *testing.T, b []byte, dcep bool) {
		if len(b) == 0 || len(b) > 1<<16 {
			return
		}
		if pair == nil || pair.used > 500 {
			if pair != nil {
				pair.near.Abort("")
			}
			pair = associate(t)
		}
		p, _ := receiverFor(t)
		kind := sctp.PayloadTypeWebRTCBinary
		if dcep {
			kind = sctp.PayloadTypeWebRTCDCEP
		}
		near, err := pair.near.OpenStream(pair.used, kind)
		if err != nil {
			t.Fatal(err)
		}
		pair.used++
		if _, err = near.WriteSCTP(b, kind); err != nil {
			t.Fatal(err)
		}
		far, err := pair.far.AcceptStream()
		if err != nil {
			t.Fatal(err)
		}
		want, opens := readOpening(b)
		opens = opens && dcep
		check(t, p, near, far, opens, want)
	})
}

func check(t *testing.T, p *Peer, near, far *sctp.Stream, opens bool, want opening) {
	d := newDataTransport(p)
	greeted := make(chan struct{})
	go func() {
		defer close(greeted)
		d.greet(far)
	}()
	end := time.After(20 * time.Second)
	if opens {
		// The answer says that the channel is there.
		buf := make([]byte, 64)
		_ = near.SetReadDeadline(time.Now().Add(20 * time.Second))
		n, kind, err := near.ReadSCTP(buf)
		if err != nil || kind != sctp.PayloadTypeWebRTCDCEP || n == 0 || buf[0] != 2 {
			t.Fatalf("the answer to an opening: % x, %v", buf[:n], err)
		}
		for {
			p.mu.Lock()
			c := d.channels[1]
			p.mu.Unlock()
			if c != nil {
				if c.cfg.Label != string(want.label) || c.cfg.Protocol != string(want.protoc) ||
					c.cfg.Unordered != want.unordered || c.cfg.MaxRetransmits != want.retransmits || c.cfg.MaxLifetime != want.lifetime {
					t.Fatalf("opened %+v, not %+v", c.cfg, want)
				}
				_ = c.dc.Close()
				break
			}
			select {
			case <-greeted:
				t.Fatalf("no channel of %+v", want)
			case <-time.After(time.Millisecond):
			}
		}
	}
	_ = near.Close()
	select {
	case <-greeted:
	case <-end:
		t.Fatal("it waits for more")
	}
	if !opens && len(d.channels) != 0 {
		t.Fatal("what opens no channel did")
	}
}
