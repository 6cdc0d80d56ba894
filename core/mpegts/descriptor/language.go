package descriptor

// ISO639Entry is one language of an ISO639Language descriptor.
type ISO639Entry struct {
	Language  [3]byte // ISO 639-2 code
	AudioType uint8   // 0 undefined, 1 clean effects, 2 hearing impaired, 3 visual impaired commentary
}

// ISO639Language lists languages (ISO/IEC 13818-1 §2.6.18).
type ISO639Language struct{ Entries []ISO639Entry }

// Unmarshal reads the descriptor, tag first; trailing bytes short of an entry are left out.
func (d *ISO639Language) Unmarshal(buf []byte) (int, error) {
	b, n, err := body(buf, TagISO639Language, 0, "ISO_639_language_descriptor")
	if err != nil {
		return 0, err
	}
	d.Entries = d.Entries[:0]
	for ; len(b) >= 4; b = b[4:] {
		d.Entries = append(d.Entries, ISO639Entry{[3]byte(b[:3]), b[3]})
	}
	return n, nil
}

// MarshalSize is the length of the descriptor in bytes.
func (d *ISO639Language) MarshalSize() int { return headerSize + 4*len(d.Entries) }

// MarshalTo writes the descriptor.
func (d *ISO639Language) MarshalTo(buf []byte) (int, error) {
	return put(buf, TagISO639Language, 4*len(d.Entries), func(b []byte) {
		for i, e := range d.Entries {
			copy(b[4*i:], e.Language[:])
			b[4*i+3] = e.AudioType
		}
	})
}

// SubtitlingEntry is one service of a Subtitling descriptor.
type SubtitlingEntry struct {
	Language        [3]byte
	SubtitlingType  uint8
	CompositionPage uint16
	AncillaryPage   uint16
}

// Subtitling lists DVB subtitling services (EN 300 468 §6.2.42).
type Subtitling struct{ Entries []SubtitlingEntry }

// Unmarshal reads the descriptor, tag first; trailing bytes short of an entry are left out.
func (d *Subtitling) Unmarshal(buf []byte) (int, error) {
	b, n, err := body(buf, TagSubtitling, 0, "subtitling_descriptor")
	if err != nil {
		return 0, err
	}
	d.Entries = d.Entries[:0]
	for ; len(b) >= 8; b = b[8:] {
		d.Entries = append(d.Entries, SubtitlingEntry{
			[3]byte(b[:3]), b[3], uint16(b[4])<<8 | uint16(b[5]), uint16(b[6])<<8 | uint16(b[7]),
		})
	}
	return n, nil
}

// MarshalSize is the length of the descriptor in bytes.
func (d *Subtitling) MarshalSize() int { return headerSize + 8*len(d.Entries) }

// MarshalTo writes the descriptor.
func (d *Subtitling) MarshalTo(buf []byte) (int, error) {
	return put(buf, TagSubtitling, 8*len(d.Entries), func(b []byte) {
		for i, e := range d.Entries {
			p := b[8*i:]
			copy(p, e.Language[:])
			p[3] = e.SubtitlingType
			p[4], p[5] = byte(e.CompositionPage>>8), byte(e.CompositionPage)
			p[6], p[7] = byte(e.AncillaryPage>>8), byte(e.AncillaryPage)
		}
	})
}

// TeletextEntry is one page of a Teletext descriptor.
type TeletextEntry struct {
	Language       [3]byte
	TeletextType   uint8 // 5 bits
	MagazineNumber uint8 // 3 bits, 0 stands for 8
	PageNumber     uint8 // two BCD digits
}

// Teletext lists teletext pages (EN 300 468 §6.2.43).
type Teletext struct{ Entries []TeletextEntry }

// Unmarshal reads the descriptor, tag first; trailing bytes short of an entry are left out.
func (d *Teletext) Unmarshal(buf []byte) (int, error) {
	b, n, err := body(buf, TagTeletext, 0, "teletext_descriptor")
	if err != nil {
		return 0, err
	}
	d.Entries = d.Entries[:0]
	for ; len(b) >= 5; b = b[5:] {
		d.Entries = append(d.Entries, TeletextEntry{[3]byte(b[:3]), b[3] >> 3, b[3] & 7, b[4]})
	}
	return n, nil
}

// MarshalSize is the length of the descriptor in bytes.
func (d *Teletext) MarshalSize() int { return headerSize + 5*len(d.Entries) }

// MarshalTo writes the descriptor.
func (d *Teletext) MarshalTo(buf []byte) (int, error) {
	return put(buf, TagTeletext, 5*len(d.Entries), func(b []byte) {
		for i, e := range d.Entries {
			p := b[5*i:]
			copy(p, e.Language[:])
			p[3] = e.TeletextType<<3 | e.MagazineNumber&7
			p[4] = e.PageNumber
		}
	})
}
