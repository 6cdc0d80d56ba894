package mp4

import (
	"encoding/binary"
	"io"
	"math"
	"os"
	"path/filepath"

	"github.com/tstrans/tstrans/core/internal/prealloc"
	"github.com/tstrans/tstrans/core/tsterr"
)

// output is the file that grows. pos is where the next fragment goes.
type output struct {
	f       *os.File
	path    string
	regular bool // it can be written at any place; else it is a pipe or a device
	pos     int64
	ftyp    int64 // length of the file type box: where the reserve starts
	ahead   prealloc.File
}

func openOutput(path string) (*output, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, ioError(err, "cannot open for writing")
	}
	return &output{f: f, path: path, regular: isRegular(f), ahead: prealloc.New(f)}, nil
}

func ioError(err error, what string) error { return tsterr.IOError(err, what) }

// begin writes what stands before the first fragment. The reserve is a hole.
func (o *output) begin(ftyp, moov []byte) error {
	if !o.regular {
		_, err := o.write(append(ftyp, moov...))
		return err
	}
	o.ftyp = int64(len(ftyp))
	head := binary.BigEndian.AppendUint32(ftyp, moovReserve)
	head = append(head, "free"...)
	if _, err := o.f.WriteAt(head, 0); err != nil {
		return ioError(err, "cannot write")
	}
	o.pos = o.ftyp + moovReserve
	_, err := o.write(moov)
	return err
}

// write appends b and tells where it begins. After an error the position is
// that from before: a torn fragment is overwritten or cut off.
func (o *output) write(b []byte) (int64, error) {
	at := o.pos
	if !o.regular {
		n, err := o.f.Write(b)
		o.pos += int64(n)
		if err != nil {
			return at, ioError(err, "cannot write")
		}
		return at, nil
	}
	o.ahead.Before(at, int64(len(b)))
	// The size and type of the first box come last: until then readers see an
	// empty box to the end of the file, not half a fragment.
	_, err := o.f.WriteAt(b[8:], at+8)
	if err == nil {
		_, err = o.f.WriteAt(b[:8], at)
	}
	if err != nil {
		_ = o.f.Truncate(at)
		return at, ioError(err, "cannot write")
	}
	o.pos += int64(len(b))
	return at, nil
}

// flip turns the fragmented file into a plain one in place: see the package
// comment.
func (o *output) flip(moov []byte) error {
	at := o.ftyp + int64(len(moov))
	rest := o.pos - at
	hidden := append([]byte(nil), moov[8:]...)
	hidden = appendMdatHeader(hidden, rest)
	if _, err := o.f.WriteAt(hidden, o.ftyp+8); err != nil {
		return ioError(err, "cannot write the movie box")
	}
	if _, err := o.f.WriteAt(moov[:8], o.ftyp); err != nil {
		return ioError(err, "cannot write the movie box")
	}
	return nil
}

// appendMdatHeader writes the header of a box that is size bytes long with it.
func appendMdatHeader(b []byte, size int64) []byte {
	if size <= math.MaxUint32 {
		return append(binary.BigEndian.AppendUint32(b, uint32(size)), "mdat"...)
	}
	b = append(binary.BigEndian.AppendUint32(b, 1), "mdat"...)
	return binary.BigEndian.AppendUint64(b, uint64(size))
}

// rewrite copies the samples into a file without reserve and fragments, which
// then takes the place of the output.
func (o *output) rewrite(m *Muxer) error {
	// Only a name that still means our file is replaced, and no link.
	if st, err := os.Lstat(o.path); err != nil || !sameFile(st, o.f) {
		return tsterr.New(tsterr.IO, "the output was moved away")
	}
	var size int64
	for _, e := range m.table.entries {
		size += int64(e.size())
	}
	header := appendMdatHeader(nil, size+8)
	if len(header) > 8 {
		header = appendMdatHeader(nil, size+16)
	}
	ftyp := encodeBox(ftypBox())
	// The chunks of the new file follow each other; where they begin depends
	// on the length of the movie box, which depends on nothing but whether
	// offsets need 64 bits.
	moved := m.table
	moved.chunks = make([]chunk, len(m.table.chunks))
	place := func(start int64) {
		i := 0
		for k, c := range m.table.chunks {
			moved.chunks[k] = chunk{offset: start, samples: c.samples}
			for range c.samples {
				start += int64(moved.entries[i].size())
				i++
			}
		}
	}
	var moov []byte
	start := int64(0)
	for range 3 {
		place(start)
		moov = encodeBox(m.movie(&moved, 0))
		next := int64(len(ftyp) + len(moov) + len(header))
		if next == start {
			break
		}
		start = next
	}

	tmp, err := os.CreateTemp(filepath.Dir(o.path), "."+filepath.Base(o.path)+".*.partial")
	if err != nil {
		return ioError(err, "cannot write a file beside the output")
	}
	defer func() {
		if tmp != nil {
			_ = tmp.Close()
			_ = os.Remove(tmp.Name())
		}
	}()
	if st, err := o.f.Stat(); err == nil {
		_ = tmp.Chmod(st.Mode().Perm())
	}
	head := append(append(ftyp, moov...), header...)
	if _, err := tmp.Write(head); err != nil {
		return ioError(err, "cannot write")
	}
	for k, c := range m.table.chunks {
		n := start + size - moved.chunks[k].offset
		if k+1 < len(moved.chunks) {
			n = moved.chunks[k+1].offset - moved.chunks[k].offset
		}
		if _, err := o.f.Seek(c.offset, io.SeekStart); err != nil {
			return ioError(err, "cannot read back")
		}
		if _, err := io.CopyN(tmp, o.f, n); err != nil {
			return ioError(err, "cannot copy the samples")
		}
	}
	if err := tmp.Close(); err != nil {
		return ioError(err, "cannot write")
	}
	if err := os.Rename(tmp.Name(), o.path); err != nil {
		return ioError(err, "cannot replace the output")
	}
	tmp = nil
	o.pos = -1 // the file we hold is no longer the output
	return nil
}

func sameFile(st os.FileInfo, f *os.File) bool {
	own, err := f.Stat()
	return err == nil && os.SameFile(st, own)
}

// close gives back blocks that were asked for and not used.
func (o *output) close() error {
	if o.regular && o.pos >= 0 {
		o.ahead.End(o.pos)
	}
	if err := o.f.Close(); err != nil {
		return ioError(err, "cannot close")
	}
	return nil
}

// discard removes a file into which nothing was written.
func (o *output) discard() {
	st, err := os.Lstat(o.path)
	if err == nil && o.regular && sameFile(st, o.f) {
		_ = os.Remove(o.path)
	}
	_ = o.f.Close()
}
