package mpegts_test

import (
	"encoding/binary"
	"testing"

	"github.com/tstrans/tstrans/core/mpegts"
)

// The streams of these tests are built by hand, byte by byte, so that they can
// be wrong in exactly one place.

// packet makes one packet; payload shorter than the room is stuffed with an
// adaptation field that begins with af.
func packet(pid uint16, cc int, pusi bool, af, payload []byte) []byte {
	p := make([]byte, 0, mpegts.PacketSize)
	b1 := byte(pid >> 8)
	if pusi {
		b1 |= 0x40
	}
	control := byte(0)
	if len(payload) > 0 {
		control |= 0x10
	}
	room := mpegts.MaxPayload - len(payload)
	if room > 0 || af != nil {
		control |= 0x20
	}
	p = append(p, mpegts.SyncByte, b1, byte(pid), control|byte(cc&15))
	if control&0x20 != 0 {
		p = append(p, byte(room-1))
		if room > 1 {
			if af == nil {
				af = []byte{0}
			}
			p = append(p, af...)
		}
		for len(p) < mpegts.PacketSize-len(payload) {
			p = append(p, 0xFF)
		}
	}
	return append(p, payload...)
}

// section puts a PSI section into packets.
func section(pid uint16, cc int, sec []byte) []byte {
	var out []byte
	data := append([]byte{0}, sec...)
	for pusi := true; len(data) > 0; pusi = false {
		n := min(len(data), mpegts.MaxPayload)
		p := make([]byte, mpegts.PacketSize)
		for i := range p {
			p[i] = 0xFF
		}
		p[0], p[1], p[2], p[3] = mpegts.SyncByte, byte(pid>>8), byte(pid), 0x10|byte(cc&15)
		if pusi {
			p[1] |= 0x40
		}
		copy(p[4:], data[:n])
		out = append(out, p...)
		data = data[n:]
		cc++
	}
	return out
}

func pat(version uint8, programs ...mpegts.PATEntry) []byte {
	t := mpegts.PAT{TransportStreamID: 1, VersionNumber: version, CurrentNextIndicator: true, Programs: programs}
	b := make([]byte, t.MarshalSize())
	if _, err := t.MarshalTo(b); err != nil {
		panic(err)
	}
	return b
}

func pmt(program uint16, version uint8, pcr uint16, streams ...mpegts.PMTStream) []byte {
	t := mpegts.PMT{ProgramNumber: program, VersionNumber: version, CurrentNextIndicator: true, PCRPID: pcr, Streams: streams}
	b := make([]byte, t.MarshalSize())
	if _, err := t.MarshalTo(b); err != nil {
		panic(err)
	}
	return b
}

const (
	pmtPID   = 0x100
	videoPID = 0x101
	otherPID = 0x102
)

var klva = []byte{5, 4, 'K', 'L', 'V', 'A'}

// tables are a PAT and a PMT of program 1.
func tables(version uint8, streams ...mpegts.PMTStream) []byte {
	return append(section(0, 0, pat(0, mpegts.PATEntry{ProgramNumber: 1, PID: pmtPID})),
		section(pmtPID, int(version), pmt(1, version, videoPID, streams...))...)
}

func h264() mpegts.PMTStream { return mpegts.PMTStream{StreamType: 0x1B, PID: videoPID} }

func aac() mpegts.PMTStream { return mpegts.PMTStream{StreamType: 0x0F, PID: otherPID} }

func syncKLV() mpegts.PMTStream { return mpegts.PMTStream{StreamType: 0x15, PID: otherPID} }

func asyncKLV() mpegts.PMTStream {
	return mpegts.PMTStream{StreamType: 6, PID: otherPID, Descriptors: klva}
}

// pesPacket makes a PES packet; pts below 0 leaves the stamp out. length -1 counts.
func pesPacket(streamID byte, pts int64, length int, data []byte) []byte {
	h := mpegts.PESHeader{StreamID: streamID, HasPTS: pts >= 0, PTS: pts}
	b := make([]byte, h.MarshalSize(), h.MarshalSize()+len(data))
	if _, err := h.MarshalTo(b); err != nil {
		panic(err)
	}
	if length < 0 {
		length = len(b) - 6 + len(data)
	}
	binary.BigEndian.PutUint16(b[4:], uint16(length))
	return append(b, data...)
}

// carry puts a PES packet into transport packets, the first with af.
func carry(pid uint16, cc int, af, p []byte) []byte {
	var out []byte
	for pusi := true; len(p) > 0 || pusi; pusi = false {
		room := mpegts.MaxPayload
		if af != nil {
			room -= 1 + len(af)
		}
		n := min(len(p), room)
		out = append(out, packet(pid, cc, pusi, af, p[:n])...)
		p, af = p[n:], nil
		cc++
	}
	return out
}

// picture is one unbounded picture.
func picture(cc int, pts int64, data ...byte) []byte {
	return carry(videoPID, cc, nil, pesPacket(0xE0, pts, 0, data))
}

func pcrField(v int64, flags byte) []byte {
	b := make([]byte, 7)
	b[0] = flags
	mpegts.PutPCR(b[1:], v/300, uint16(v%300))
	return b
}

// event is a record with its bytes.
type event struct {
	mpegts.Record
	payload []byte
	text    string
}

// drain reads all events, and takes lazy payloads too.
func drain(t testing.TB, d *mpegts.Demuxer) []event {
	t.Helper()
	recs, arena := make([]mpegts.Record, 7), make([]byte, 8<<10) // small on purpose: batches are split
	var out []event
	for {
		n, _, chunk, need := d.Read(recs, arena)
		if need > 0 {
			arena = make([]byte, need)
			continue
		}
		if n == 0 {
			return out
		}
		for _, r := range recs[:n] {
			e := event{Record: r}
			if r.Type == mpegts.EventNonConformant {
				e.text = string(arena[r.Text : r.Text+r.TextLen])
			}
			if r.Type == mpegts.EventProgramMap {
				e.payload = append([]byte{}, arena[r.Text:r.Text+r.TextLen]...)
			}
			if r.Flags&mpegts.FlagLazy != 0 {
				e.payload = make([]byte, r.PayloadLen)
				if k, err := chunk.Gather(e.payload, r.Payload); err != nil || k != len(e.payload) {
					t.Fatal(k, err)
				}
			} else if r.PayloadLen > 0 {
				e.payload = append([]byte{}, arena[r.Payload:r.Payload+r.PayloadLen]...)
			}
			out = append(out, e)
		}
		if chunk != nil {
			chunk.Release()
		}
	}
}

func newDemuxer(t testing.TB, cfg mpegts.DemuxerConfig) *mpegts.Demuxer {
	t.Helper()
	d, err := mpegts.NewDemuxer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// demux feeds data whole and flushes; errors that come of it fail the test.
func demux(t testing.TB, cfg mpegts.DemuxerConfig, data ...[]byte) []event {
	t.Helper()
	d := newDemuxer(t, cfg)
	for _, p := range data {
		if err := d.Feed(p); err != nil {
			t.Fatal(err)
		}
	}
	d.Flush()
	return drain(t, d)
}

func join(parts ...[]byte) []byte {
	var out []byte
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}
