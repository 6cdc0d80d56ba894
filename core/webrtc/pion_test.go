package webrtc

import (
	"bytes"
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	pion "github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"

	"github.com/tstrans/tstrans/core/internal/leak"
)

// inbox reads a hub in the background.
type inbox struct {
	mu     sync.Mutex
	events []Event
	h      *Hub
	stop   chan struct{}
	done   chan struct{}
}

func newInbox(t *testing.T) *inbox {
	t.Helper()
	h, err := NewHub()
	if err != nil {
		t.Fatal(err)
	}
	b := &inbox{h: h, stop: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(b.done)
		for {
			select {
			case <-b.stop:
				return
			default:
			}
			_, _ = unix.Poll([]unix.PollFd{{Fd: int32(h.FD()), Events: unix.POLLIN}}, 20)
			h.Read(func(e *Event) bool {
				b.mu.Lock()
				b.events = append(b.events, *e)
				b.mu.Unlock()
				return true
			})
		}
	}()
	t.Cleanup(func() {
		close(b.stop)
		<-b.done
		h.Close()
	})
	return b
}

func (b *inbox) count(match func(*Event) bool) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for i := range b.events {
		if match(&b.events[i]) {
			n++
		}
	}
	return n
}

func (b *inbox) wait(t *testing.T, n int, what string, match func(*Event) bool) {
	t.Helper()
	end := time.Now().Add(20 * time.Second)
	for b.count(match) < n {
		if time.Now().After(end) {
			t.Fatalf("%s: %d of %d", what, b.count(match), n)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func local(t *testing.T, b *inbox, p *Peer, typ DescriptionType, text string, op uint64) string {
	t.Helper()
	if err := p.SetLocal(typ, text, op); err != nil {
		t.Fatal(err)
	}
	b.wait(t, 1, "gathering", func(e *Event) bool { return e.Kind == EventDone && e.Object == op })
	s, _, _ := p.Local()
	return s
}

// TestPionPeer talks to the whole of pion, which shares only ICE, DTLS and SCTP with
// this package: it answers, gets H.264, sends VP8, echoes messages.
func TestPionPeer(t *testing.T) {
	leak.Check(t)
	b := newInbox(t)
	p, err := NewPeer(b.h, 1, Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close(0)
	in, _ := p.AddTransceiver(Video, RecvOnly, "") // first: pion hangs its track on the first section
	out, _ := p.AddTransceiver(Video, SendOnly, "mine")
	if err = p.SetPreferences(out, []string{"video/H264 90000 0 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"}); err != nil {
		t.Fatal(err)
	}
	channel, err := p.OpenChannel(ChannelConfig{Label: "chat", MaxRetransmits: -1, MaxLifetime: -1, ID: -1})
	if err != nil {
		t.Fatal(err)
	}

	other, err := pion.NewPeerConnection(pion.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close() //nolint:errcheck // the end of the test
	var packets atomic.Int64
	other.OnTrack(func(tr *pion.TrackRemote, _ *pion.RTPReceiver) {
		for {
			if _, _, readErr := tr.ReadRTP(); readErr != nil {
				return
			}
			packets.Add(1)
		}
	})
	other.OnDataChannel(func(c *pion.DataChannel) {
		c.OnMessage(func(m pion.DataChannelMessage) {
			if m.IsString {
				_ = c.SendText(string(m.Data))
			} else {
				_ = c.Send(m.Data)
			}
		})
	})
	offer, err := p.CreateOffer()
	if err != nil {
		t.Fatal(err)
	}
	if err = other.SetRemoteDescription(pion.SessionDescription{Type: pion.SDPTypeOffer, SDP: local(t, b, p, Offer, offer, 1)}); err != nil {
		t.Fatal(err)
	}
	track, err := pion.NewTrackLocalStaticSample(pion.RTPCodecCapability{MimeType: pion.MimeTypeVP8}, "theirs", "s")
	if err != nil {
		t.Fatal(err)
	}
	if _, err = other.AddTrack(track); err != nil {
		t.Fatal(err)
	}
	answer, err := other.CreateAnswer(nil)
	if err != nil {
		t.Fatal(err)
	}
	gathered := pion.GatheringCompletePromise(other)
	if err := other.SetLocalDescription(answer); err != nil {
		t.Fatal(err)
	}
	<-gathered
	if err := p.SetRemote(Answer, other.LocalDescription().SDP, 2); err != nil {
		t.Fatal(err)
	}
	b.wait(t, 1, "connected", func(e *Event) bool { return e.Kind == EventConnection && e.Code == uint32(Connected) })
	b.wait(t, 1, "open", func(e *Event) bool { return e.Kind == EventChannelOpen && e.Object == channel })
	for _, m := range []struct {
		data []byte
		text bool
	}{{[]byte("hello"), true}, {[]byte{0, 1, 2}, false}, {nil, true}, {nil, false}, {bytes.Repeat([]byte{7}, 60000), false}} {
		if err := p.SendMessage(channel, m.data, m.text); err != nil {
			t.Fatal(err)
		}
	}
	b.wait(t, 5, "echoes", func(e *Event) bool { return e.Kind == EventText || e.Kind == EventBinary })
	b.wait(t, 3, "binary echoes", func(e *Event) bool { return e.Kind == EventBinary })

	ctx, cancel := context.WithCancel(context.Background())
	var senders sync.WaitGroup
	senders.Add(1)
	go func() {
		defer senders.Done()
		frame := append([]byte{0x10, 0, 0, 0x9D, 1, 0x2A}, bytes.Repeat([]byte{0x55}, 5000)...) // bit 0 clear: a key frame
		for i := 0; ctx.Err() == nil; i++ {
			_ = track.WriteSample(media.Sample{Data: frame, Duration: 33 * time.Millisecond})
			au := append([]byte{0, 0, 0, 1, 0x65}, bytes.Repeat([]byte{0x88}, 4000)...)
			_ = p.Send(out, H264, au, int64(i)*3000)
			time.Sleep(10 * time.Millisecond)
		}
	}()
	b.wait(t, 20, "VP8 frames", func(e *Event) bool {
		return e.Kind == EventFrame && e.Object == in && e.Code == uint32(VP8) && len(e.Data) == 5006
	})
	end := time.Now().Add(10 * time.Second)
	for packets.Load() < 50 && time.Now().Before(end) {
		time.Sleep(5 * time.Millisecond)
	}
	cancel()
	senders.Wait()
	if packets.Load() < 50 {
		t.Errorf("pion got %d packets", packets.Load())
	}
	if s, err := p.ReceiverStats(in); err != nil || s.Lost != 0 || s.Packets < 20 {
		t.Errorf("%+v, %v", s, err)
	}
	_ = other.Close()
	b.wait(t, 1, "closed", func(e *Event) bool { return e.Kind == EventConnection && e.Code == uint32(ConnectionClosed) })
	<-p.Closed()
}
