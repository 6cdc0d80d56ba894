// Package audio holds the codecs of telephony and what is done to their PCM: G.711 (ITU-T G.711), linear PCM
// (RFC 3551 §4.5.11), G.722 (ITU-T G.722, 64 kbit/s), concealment of lost frames and comfort noise (RFC 3389).
// Opus is a package of its own below, as it needs a native library.
//
// PCM is signed 16-bit little-endian everywhere, channels interleaved.
package audio

import "github.com/tstrans/tstrans/core/tsterr"

// MaxSamples bounds one frame in samples: two seconds of 48 kHz stereo.
const MaxSamples = 2 * 2 * 48000

// Codec turns PCM into payloads and back. One belongs to one stream: it may keep state.
type Codec interface {
	// Encode appends the payload of pcm to dst.
	Encode(dst, pcm []byte) ([]byte, error)
	// Decode appends the PCM of a payload to dst.
	Decode(dst, payload []byte) ([]byte, error)
	// Conceal appends what stands for lost samples (a channel) to dst; ok is false where the codec has no way
	// of its own, and a Concealer serves.
	Conceal(dst []byte, samples int) (out []byte, ok bool, err error)
	// Close frees what the codec holds. Calling it again is fine.
	Close() error
}

// stateless is the part that codecs without memory share.
type stateless struct{}

func (stateless) Conceal(dst []byte, _ int) ([]byte, bool, error) { return dst, false, nil }

// Close does nothing.
func (stateless) Close() error { return nil }

func tooLong(n int) error {
	return tsterr.New(tsterr.InvalidArg, "%d samples in one frame: at most %d", n, MaxSamples)
}
