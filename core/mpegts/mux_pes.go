package mpegts

// pesParts is one PES packet as it is pushed: the header, and the payload in
// pieces that are never joined in memory.
type pesParts struct {
	header [maxPESHeader]byte
	pieces [][]byte // the header is the first; none is empty
	size   int      // bytes of all pieces
}

func (p *pesParts) add(b []byte) {
	if len(b) > 0 {
		p.pieces = append(p.pieces, b)
		p.size += len(b)
	}
}

// begin writes the PES header. payload is the number of bytes that follow it.
func (p *pesParts) begin(h *PESHeader, payload int) {
	n := h.MarshalSize()
	if h.PacketLength != 0 {
		h.PacketLength = n - pesPrefixSize + payload
	}
	// Sizes were checked against maxPESPayload, and the header always fits.
	n, _ = h.MarshalTo(p.header[:])
	p.pieces, p.size = p.pieces[:0], 0
	p.add(p.header[:n])
}

// firstField is what the adaptation field of the first packet has to say.
type firstField struct {
	pcr          bool
	randomAccess bool
	base         int64
}

// size is the length of the field in bytes, with its length byte.
func (f firstField) size() int {
	switch {
	case f.pcr:
		return 2 + pcrSize
	case f.randomAccess:
		return 2
	}
	return 0
}

// packets is the number of transport packets of a PES packet.
func (f firstField) packets(size int) int {
	room := MaxPayload - f.size()
	if size <= room {
		return 1
	}
	return 1 + (size-room+MaxPayload-1)/MaxPayload
}

// writePES cuts a PES packet into transport packets (ISO/IEC 13818-1 §2.4.3).
// dst holds exactly them. It returns the next continuity counter.
func (p *pesParts) writePES(dst []byte, pid uint16, cc uint8, f firstField) uint8 {
	hi, lo := byte(pid>>8), byte(pid)
	piece, at := 0, 0
	left := p.size
	start := byte(0x40)
	for len(dst) > 0 {
		pkt := (*[PacketSize]byte)(dst)
		dst = dst[PacketSize:]
		pkt[0], pkt[1], pkt[2] = SyncByte, start|hi, lo
		body := HeaderSize
		if field := f.size(); start != 0 && field > 0 || left < MaxPayload {
			body = HeaderSize + putField(pkt, f, start != 0, left)
			pkt[3] = 0x30 | cc
		} else {
			pkt[3] = 0x10 | cc
		}
		start = 0
		cc = (cc + 1) & 0x0F
		left -= PacketSize - body
		// The common case is a whole packet from one piece; its size, known in advance, makes the copy cheap.
		if src := p.pieces[piece][at:]; body == HeaderSize && len(src) > MaxPayload {
			*(*[MaxPayload]byte)(pkt[HeaderSize:]) = *(*[MaxPayload]byte)(src)
			at += MaxPayload
			continue
		}
		for body < PacketSize {
			src := p.pieces[piece][at:]
			n := copy(pkt[body:], src)
			body += n
			at += n
			if n == len(src) {
				piece++
				at = 0
			}
		}
	}
	return cc
}

// putField writes the adaptation field of a packet: what the first packet has
// to say, then stuffing for what the payload leaves free. It returns its
// length.
func putField(pkt *[PacketSize]byte, f firstField, first bool, left int) int {
	n := 0
	if first {
		n = f.size()
	}
	stuffing := max(0, MaxPayload-n-left)
	total := n + stuffing
	field := pkt[HeaderSize : HeaderSize+total]
	field[0] = byte(total - 1)
	if total == 1 {
		return 1
	}
	field[1] = 0
	end := 2
	if n > 0 {
		if f.randomAccess {
			field[1] |= afRandomAccess
		}
		if f.pcr {
			field[1] |= afPCR
			PutPCR(field[2:], f.base, 0)
			end += pcrSize
		}
	}
	for i := end; i < total; i++ {
		field[i] = 0xFF
	}
	return total
}

// writePCR writes an adaptation-only packet with the clock. It carries no
// payload, so the continuity counter is that of the packet before it
// (ISO/IEC 13818-1 §2.4.3.3).
func writePCR(dst []byte, pid uint16, next uint8, base int64) {
	pkt := (*[PacketSize]byte)(dst)
	for i := range pkt {
		pkt[i] = 0xFF
	}
	pkt[0], pkt[1], pkt[2] = SyncByte, byte(pid>>8), byte(pid)
	pkt[3] = 0x20 | (next-1)&0x0F
	pkt[4], pkt[5] = MaxPayload-1, afPCR
	PutPCR(pkt[6:], base, 0)
}
