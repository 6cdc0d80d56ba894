package codec

// Video names a video codec where a function serves several. The numbers are
// those of TST_CODEC_* in the C ABI.
type Video uint8

// The video codecs.
const (
	H264 Video = iota + 1
	H265
	H266
	AV1
	MPEG2
)
