package descriptor

// Format identifiers of registration descriptors (SMPTE registration authority).
const (
	FormatKLVA = 0x4B4C5641 // KLV, SMPTE RP 217
	FormatAV01 = 0x41563031 // AV1
	FormatAC3  = 0x41432D33 // AC-3
	FormatGA94 = 0x47413934 // ATSC captions, CEA-708
	FormatVTTC = 0x56545443 // WebVTT
)

// Registration names the format of a program or stream (ISO/IEC 13818-1 §2.6.8).
type Registration struct {
	FormatIdentifier uint32
	AdditionalInfo   []byte
}

// Unmarshal reads the descriptor, tag first. AdditionalInfo aliases buf.
func (d *Registration) Unmarshal(buf []byte) (int, error) {
	b, n, err := body(buf, TagRegistration, 4, "registration_descriptor")
	if err != nil {
		return 0, err
	}
	d.FormatIdentifier = uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	d.AdditionalInfo = b[4:]
	return n, nil
}

// MarshalSize is the length of the descriptor in bytes.
func (d *Registration) MarshalSize() int { return headerSize + 4 + len(d.AdditionalInfo) }

// MarshalTo writes the descriptor.
func (d *Registration) MarshalTo(buf []byte) (int, error) {
	return put(buf, TagRegistration, 4+len(d.AdditionalInfo), func(b []byte) {
		f := d.FormatIdentifier
		b[0], b[1], b[2], b[3] = byte(f>>24), byte(f>>16), byte(f>>8), byte(f)
		copy(b[4:], d.AdditionalInfo)
	})
}
