// Package rtpvideo turns H.264 (RFC 6184), VP8 (RFC 7741) and VP9 (RFC 9628) into RTP payloads of one fixed, small
// shape and back: NAL units without start codes, whole frames.
package rtpvideo

// DefaultMTU is the largest payload in bytes where nothing else is said; MinMTU the smallest that makes sense.
const (
	DefaultMTU = 1400
	MinMTU     = 3
)

// MaxFrame bounds a frame or NAL unit that is put together: what grows beyond is dropped and counted.
const MaxFrame = 16 << 20

// Codec names a payload format.
type Codec uint8

// Codecs.
const (
	H264 Codec = iota
	VP8
	VP9
)

// Unit is a NAL unit or a frame. Data is valid until the next Feed.
type Unit struct {
	Data []byte
	Key  bool
}

// Depacketizer puts units together from payloads in their order.
type Depacketizer interface {
	// Feed takes a payload; marker tells that it ends a frame.
	Feed(payload []byte, marker bool) []Unit
	// Reset forgets what is incomplete.
	Reset()
}

// NewDepacketizer makes one for a codec.
func NewDepacketizer(c Codec) Depacketizer {
	switch c {
	case VP8:
		return &frames{offset: vp8Offset, first: vp8First, last: func(_ []byte, marker bool) bool { return marker }, key: IsKeyVP8}
	case VP9:
		return &frames{offset: vp9Offset, first: vp9First, last: vp9Last, key: BeginsKeyVP9}
	case H264:
	}
	return &h264{}
}

// Packetize appends the payloads of a unit to dst; ends gets the offset behind each. An empty unit has none.
func Packetize(c Codec, dst []byte, ends []int, unit []byte, mtu int, key bool) ([]byte, []int) {
	mtu = max(mtu, MinMTU)
	if len(unit) == 0 {
		return dst, ends
	}
	if c == H264 {
		return packetizeH264(dst, ends, unit, mtu)
	}
	for at := 0; at < len(unit); {
		n := min(len(unit)-at, mtu-1)
		var d byte
		if c == VP8 {
			if at == 0 {
				d = vp8Start
			}
		} else {
			if !key {
				d = vp9Inter
			}
			if at == 0 {
				d |= vp9Begin
			}
			if at+n == len(unit) {
				d |= vp9End
			}
		}
		dst = append(append(dst, d), unit[at:at+n]...)
		ends = append(ends, len(dst))
		at += n
	}
	return dst, ends
}

// frames puts together the frames of VP8 and VP9, which differ in their descriptors only.
type frames struct {
	offset func(b []byte) int // of the payload behind the descriptor, -1 where it is cut short
	first  func(b []byte) bool
	last   func(b []byte, marker bool) bool
	key    func(b []byte) bool

	buf   []byte
	isKey bool
	open  bool
	out   [1]Unit
}

func (f *frames) Reset() { f.buf, f.open, f.isKey = f.buf[:0], false, false }

func (f *frames) Feed(b []byte, marker bool) []Unit {
	if len(b) == 0 {
		return nil
	}
	at := f.offset(b)
	if at < 0 { // a descriptor that is cut short has nothing behind it, but its first byte counts
		at = len(b)
	}
	if f.first(b) { // what is open then lost its end
		f.buf, f.open = f.buf[:0], true
		f.isKey = f.key(b)
	}
	if f.open {
		if len(f.buf)+len(b)-at > MaxFrame {
			f.Reset()
			return nil
		}
		f.buf = append(f.buf, b[at:]...)
	}
	if !f.open || !f.last(b, marker) {
		return nil
	}
	f.open = false
	f.out[0] = Unit{f.buf, f.isKey}
	return f.out[:]
}
