package rtpvideo

// The first byte of a VP9 payload descriptor (RFC 9628 §4.2).
const (
	vp9Picture  = 0x80
	vp9Inter    = 0x40
	vp9Layers   = 0x20
	vp9Flexible = 0x10
	vp9Begin    = 0x08
	vp9End      = 0x04
	vp9Scale    = 0x02
)

// vp9Offset is the length of the descriptor, -1 where it is cut short.
func vp9Offset(b []byte) int {
	if len(b) == 0 {
		return -1
	}
	d, at := b[0], 1
	if d&vp9Picture != 0 {
		if at >= len(b) {
			return -1
		}
		if b[at]&0x80 != 0 {
			at++
		}
		at++
	}
	if d&vp9Layers != 0 {
		at++
		if d&vp9Flexible == 0 {
			at++
		}
	}
	if d&vp9Inter != 0 && d&vp9Flexible != 0 {
		for range 3 { // at most three references (RFC 9628 §4.2)
			if at >= len(b) {
				return -1
			}
			at++
			if b[at-1]&1 == 0 {
				break
			}
		}
	}
	if d&vp9Scale != 0 {
		if at = vp9Structure(b, at); at < 0 {
			return -1
		}
	}
	if at > len(b) {
		return -1
	}
	return at
}

// vp9Structure skips the scalability structure (RFC 9628 §4.2.1).
func vp9Structure(b []byte, at int) int {
	if at >= len(b) {
		return -1
	}
	v := b[at]
	at++
	if v&0x10 != 0 {
		at += 4 * (int(v>>5) + 1)
	}
	if v&0x08 != 0 {
		if at >= len(b) {
			return -1
		}
		n := int(b[at])
		at++
		for range n {
			if at >= len(b) {
				return -1
			}
			at += 1 + int(b[at]>>2&3)
		}
	}
	return at
}

func vp9First(b []byte) bool { return b[0]&vp9Begin != 0 }

// vp9Last goes by the descriptor alone: the marker ends the picture, which may have a frame for each layer.
func vp9Last(b []byte, _ bool) bool { return b[0]&vp9End != 0 }

// IsKeyVP9 tells whether a payload begins a key frame by its descriptor.
func IsKeyVP9(b []byte) bool { return len(b) > 0 && vp9First(b) && b[0]&vp9Inter == 0 }

// BeginsKeyVP9 goes by the frame header of profiles 0 and 1, too: some senders set the inter bit on key frames.
func BeginsKeyVP9(b []byte) bool {
	if IsKeyVP9(b) {
		return true
	}
	if len(b) == 0 || !vp9First(b) {
		return false
	}
	at := vp9Offset(b)
	if at < 0 || at >= len(b) {
		return false
	}
	// frame_marker 10, profile low and high bit, show_existing_frame, frame_type (VP9 bitstream §6.2).
	h := b[at]
	return h>>6 == 2 && h&0x10 == 0 && h&0x08 == 0 && h&0x04 == 0
}
