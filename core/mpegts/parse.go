package mpegts

// Bits of the packet header read as one big-endian word.
const (
	hdrSync       = uint32(SyncByte) << 24
	hdrTEI        = 0x00800000
	hdrPUSI       = 0x00400000
	hdrScrambling = 0x000000C0
	hdrAF         = 0x00000020
	hdrPayload    = 0x00000010
	hdrCC         = 0x0000000F
)

// parse processes the packets in buf[pos:end]. An error leaves pos behind the
// packet that caused it.
func (d *Demuxer) parse(end int) error {
	for {
		if !d.synced {
			if ok, err := d.search(end); err != nil {
				return err
			} else if !ok {
				return nil
			}
		}
		if err := d.packets(end); err != nil {
			return err
		}
		if d.synced {
			return nil
		}
	}
}

// packets processes packets as long as sync holds.
func (d *Demuxer) packets(end int) error {
	buf, stride := d.buf, d.stride
	first := d.pos + d.gap
	at := first
	n := uint64(0)
	for at+PacketSize <= end {
		h := be32(buf[at:])
		if h&0xFF000000 != hdrSync {
			break
		}
		s := d.pids[h>>8&PIDMask]
		if s == nil {
			// Most packets of PIDs nobody asked for have nothing to report.
			if h&(hdrTEI|hdrScrambling|hdrAF|hdrPayload) == hdrPayload && !d.hold.active {
				d.seen[h>>8&PIDMask] = uint8(h&hdrCC) + 1
				n++
				at += stride
				continue
			}
		} else if h == s.expect {
			if room := min(s.room, int((d.cfg.PESCapTotal-d.total)/MaxPayload)); room > 0 {
				k := 1
				next := h&^hdrCC | (h+1)&hdrCC
				p := at + stride
				for k < room && p+PacketSize <= end && be32(buf[p:]) == next {
					next = next&^hdrCC | (next+1)&hdrCC
					p += stride
					k++
				}
				s.extend(d, at, k, stride)
				s.expect = next
				n += uint64(k)
				at = p
				continue
			}
		}
		d.stats.PacketsTotal += n + 1
		n = 0
		d.at = d.base + uint64(at)
		d.packet(h, at, buf[at:at+PacketSize:at+PacketSize], s)
		if d.hold.dirty {
			d.replay()
		}
		at += stride
		if d.fault != nil {
			err := d.fault
			d.fault = nil
			d.pos, d.gap = at-(stride-PacketSize), stride-PacketSize
			return err
		}
	}
	d.stats.PacketsTotal += n
	if at != first {
		// Keep what lies between the last packet and the next: a search begins there.
		d.gap = stride - PacketSize
		d.pos = at - d.gap
	}
	if at < end && buf[at] != SyncByte {
		d.synced = false
		d.searched = 0
	}
	return nil
}
