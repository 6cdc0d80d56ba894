package mp4

import (
	"io"

	"github.com/Eyevinn/mp4ff/bits"
	"github.com/Eyevinn/mp4ff/mp4"
)

// rawBox is a box whose body is written here.
type rawBox struct {
	name string
	body []byte
}

var _ mp4.Box = (*rawBox)(nil)

// Type gives the four characters of the box.
func (b *rawBox) Type() string { return b.name }

// Size gives the length with the header.
func (b *rawBox) Size() uint64 { return uint64(8 + len(b.body)) }

// Encode writes the box to w.
func (b *rawBox) Encode(w io.Writer) error {
	sw := bits.NewFixedSliceWriter(int(b.Size()))
	if err := b.EncodeSW(sw); err != nil {
		return err
	}
	_, err := w.Write(sw.Bytes())
	return err
}

// EncodeSW writes the box to sw.
func (b *rawBox) EncodeSW(sw bits.SliceWriter) error {
	sw.WriteUint32(uint32(b.Size()))
	sw.WriteString(b.name, false)
	sw.WriteBytes(b.body)
	return sw.AccError()
}

// Info is for the library's dump tool, which these boxes never meet.
func (b *rawBox) Info(io.Writer, string, string, string) error { return nil }
