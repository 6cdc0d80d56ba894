package audio

import "github.com/tstrans/tstrans/core/tsterr"

// L16 is linear PCM in network byte order (RFC 3551 §4.5.11).
type L16 struct{ stateless }

// Encode appends the samples in network byte order. Half a sample is an error.
func (L16) Encode(dst, pcm []byte) ([]byte, error) { return swapped(dst, pcm) }

// Decode appends the samples in little-endian order. Half a sample is an error.
func (L16) Decode(dst, payload []byte) ([]byte, error) { return swapped(dst, payload) }

func swapped(dst, b []byte) ([]byte, error) {
	if len(b)%2 != 0 {
		return dst, tsterr.New(tsterr.InvalidArg, "%d bytes are no whole number of 16-bit samples", len(b))
	}
	for ; len(b) >= 2; b = b[2:] {
		dst = append(dst, b[1], b[0])
	}
	return dst, nil
}
