package rtpvideo

// The first byte of a VP8 payload descriptor (RFC 7741 §4.2), and of its extension.
const (
	vp8Extended  = 0x80
	vp8Start     = 0x10
	vp8Partition = 0x07
	vp8Picture   = 0x80 // picture id
	vp8TL0       = 0x40
	vp8TID       = 0x20
	vp8KeyIndex  = 0x10
)

// vp8Offset is the length of the descriptor, -1 where it is cut short.
func vp8Offset(b []byte) int {
	if len(b) == 0 {
		return -1
	}
	at := 1
	if b[0]&vp8Extended != 0 {
		if len(b) < 2 {
			return -1
		}
		x := b[1]
		at = 2
		if x&vp8Picture != 0 {
			if at >= len(b) {
				return -1
			}
			if b[at]&0x80 != 0 {
				at++
			}
			at++
		}
		if x&vp8TL0 != 0 {
			at++
		}
		if x&(vp8TID|vp8KeyIndex) != 0 {
			at++
		}
	}
	if at > len(b) {
		return -1
	}
	return at
}

func vp8First(b []byte) bool { return b[0]&vp8Start != 0 && b[0]&vp8Partition == 0 }

// IsKeyVP8 tells whether a payload begins a key frame (RFC 6386 §9.1: the low bit of the first byte is clear).
func IsKeyVP8(b []byte) bool {
	at := vp8Offset(b)
	return at >= 0 && at < len(b) && vp8First(b) && b[at]&1 == 0
}
