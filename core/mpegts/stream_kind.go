package mpegts

// StreamKind is the class of an elementary stream. The numbers are part of the C ABI.
type StreamKind uint8

// The kinds of elementary streams.
const (
	KindUnknown  StreamKind = 0
	KindVideo    StreamKind = 1
	KindAudio    StreamKind = 2
	KindSubtitle StreamKind = 3
	KindKLVSync  StreamKind = 4
	KindKLVAsync StreamKind = 5
)

// String gives the lower-case name used in every language.
func (k StreamKind) String() string {
	switch k {
	case KindVideo:
		return "video"
	case KindAudio:
		return "audio"
	case KindSubtitle:
		return "subtitle"
	case KindKLVSync:
		return "klv_sync"
	case KindKLVAsync:
		return "klv_async"
	case KindUnknown:
	}
	return "unknown"
}

// StreamID names an elementary stream in events.
type StreamID struct {
	PID           uint16
	ProgramNumber uint16
	Kind          StreamKind
	Codec         Codec // CodecNone for KLV and unknown kinds
}
