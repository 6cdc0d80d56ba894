package hls

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/tstrans/tstrans/core/tsterr"
)

// memoryLimit bounds what a Stream in memory keeps: an event that outgrows it
// is refused, not swapped.
const memoryLimit = 2 << 30

// store keeps segments and the playlist.
type store interface {
	create(name string) (blob, error)
	playlist(b []byte) error
}

// blob is one segment or initialization section. One goroutine writes; any may
// read what was written before it was told of it.
type blob interface {
	// write appends all of b, or fails and leaves the blob as it was. What it took
	// may be held back until flush.
	write(b []byte) error
	// flush lets everybody read what was written; it may be repeated where it fails.
	flush() error
	// holds tells whether flush has something to do.
	holds() bool
	// seal ends writing.
	seal() error
	// send copies n bytes from off on.
	send(w io.Writer, off, n int64) error
	// remove gives the memory or the file back. Readers at work go on.
	remove()
}

// dirStore is a folder.
type dirStore struct{ dir string }

// openDir makes the folder and removes what an earlier run left in it.
func openDir(dir string, c Container) (*dirStore, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, ioError(err, "output_dir")
	}
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil, ioError(err, "output_dir")
	}
	for _, e := range list {
		n := e.Name()
		stale := n == PlaylistName || strings.HasPrefix(n, "segment_") &&
			(strings.HasSuffix(n, ".ts") || c == FMP4 && strings.HasSuffix(n, ".m4s"))
		if stale && !e.IsDir() {
			if err := os.Remove(filepath.Join(dir, n)); err != nil && !errors.Is(err, os.ErrNotExist) {
				return nil, ioError(err, "output_dir")
			}
		}
	}
	return &dirStore{dir: dir}, nil
}

func (d *dirStore) create(name string) (blob, error) {
	path := filepath.Join(d.dir, name)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, ioError(err, "segment")
	}
	return &fileBlob{path: path, f: f, fd: int(f.Fd())}, nil
}

// playlist replaces the file: readers see the old or the new one.
func (d *dirStore) playlist(b []byte) error {
	tmp := filepath.Join(d.dir, "."+PlaylistName+".tmp")
	if err := os.WriteFile(tmp, b, 0o644); err != nil {
		_ = os.Remove(tmp)
		return ioError(err, "playlist")
	}
	if err := os.Rename(tmp, filepath.Join(d.dir, PlaylistName)); err != nil {
		_ = os.Remove(tmp)
		return ioError(err, "playlist")
	}
	return nil
}

const (
	// gather is how much of small writes is brought to a file at once.
	gather = 64 << 10
	// small is the longest write that is gathered.
	small = gather / 4
)

var gathers = sync.Pool{New: func() any { b := make([]byte, 0, gather); return &b }}

// fileBlob is a file that grows with every write. Small writes are gathered, in room of the file
// that was reserved before: a disk that fills up cannot refuse what was taken.
type fileBlob struct {
	path     string
	f        *os.File // nil once sealed
	fd       int
	size     int64   // of what was taken
	held     *[]byte // the last of it, not in the file yet; nil without
	reserved int64   // where the room ends that the file has for sure
	unbacked bool    // the file system does not reserve: nothing is gathered
}

func (f *fileBlob) holds() bool { return f.held != nil && len(*f.held) > 0 }

func (f *fileBlob) write(b []byte) error {
	if f.f == nil {
		return fail(tsterr.HLSIO, "segment: already closed")
	}
	if f.holds() && len(*f.held)+len(b) > gather {
		if err := f.flush(); err != nil {
			return err
		}
	}
	// The first bytes of a segment are in the file at once: who only sends a little is not kept waiting.
	if len(b) <= small && f.size >= gather && f.reserve(int64(len(b))) {
		if f.held == nil {
			f.held = gathers.Get().(*[]byte) //nolint:errcheck,forcetypeassert // it holds nothing else
		}
		*f.held = append(*f.held, b...)
		f.size += int64(len(b))
		return nil
	}
	if err := f.flush(); err != nil {
		return err
	}
	if err := f.put(b, f.size); err != nil {
		if f.f.Truncate(f.size) == nil {
			f.reserved = 0 // that room is given back, too
		}
		return err
	}
	f.size += int64(len(b))
	return nil
}

// reserve makes sure that n more bytes fit, and tells whether they do.
func (f *fileBlob) reserve(n int64) bool {
	if f.unbacked {
		return false
	}
	if f.size+n <= f.reserved {
		return true
	}
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_FSIZE, &limit) != nil || uint64(f.size)+gather > limit.Cur { //nolint:gosec // never negative
		return false // reserving does not ask for this one
	}
	err := unix.Fallocate(f.fd, unix.FALLOC_FL_KEEP_SIZE, f.size, gather)
	if err == nil {
		f.reserved = f.size + gather
		return true
	}
	// Where there is just no room left each write has to find out for itself.
	f.unbacked = !errors.Is(err, unix.EINTR) && !errors.Is(err, unix.ENOSPC) && !errors.Is(err, unix.EDQUOT)
	return false
}

func (f *fileBlob) flush() error {
	if !f.holds() {
		return nil
	}
	if err := f.put(*f.held, f.size-int64(len(*f.held))); err != nil {
		return err
	}
	*f.held = (*f.held)[:0]
	return nil
}

// put writes b at a place. What a failed write left behind there is written over by the next.
func (f *fileBlob) put(b []byte, at int64) error {
	for done := 0; done < len(b); {
		// The plain call: writes are many, and a regular file never waits in the poller.
		n, err := unix.Pwrite(f.fd, b[done:], at+int64(done))
		if err == unix.EINTR { //nolint:errorlint // system calls return it bare
			continue
		}
		if err == nil && n == 0 {
			err = io.ErrShortWrite
		}
		if err != nil {
			return ioError(err, "segment")
		}
		done += n
	}
	return nil
}

func (f *fileBlob) seal() error {
	if f.f == nil {
		return nil
	}
	err := f.flush()
	if f.reserved > f.size {
		if e := f.f.Truncate(f.size); err == nil && e != nil {
			err = ioError(e, "segment")
		}
	}
	if f.held != nil {
		*f.held = (*f.held)[:0]
		gathers.Put(f.held)
		f.held = nil
	}
	// On network file systems an error may come as late as this.
	if e := f.f.Close(); err == nil && e != nil {
		err = ioError(e, "segment")
	}
	f.f = nil
	return err
}

// send lets the kernel copy from the file to a socket, where w is one.
func (f *fileBlob) send(w io.Writer, off, n int64) error {
	r, err := os.Open(f.path)
	if err != nil {
		return err
	}
	defer r.Close() //nolint:errcheck // read only
	if off > 0 {
		if _, err = r.Seek(off, io.SeekStart); err != nil {
			return err
		}
	}
	_, err = io.CopyN(w, r, n)
	return err
}

func (f *fileBlob) remove() {
	_ = f.seal()
	_ = os.Remove(f.path)
}

// memStore is memory.
type memStore struct {
	mu   sync.Mutex
	used int64
}

func (m *memStore) create(string) (blob, error) { return &memBlob{store: m}, nil }
func (m *memStore) playlist([]byte) error       { return nil }

func (m *memStore) take(n int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.used+n > memoryLimit {
		return fail(tsterr.HLSIO, "segments in memory would pass %d bytes", int64(memoryLimit))
	}
	m.used += n
	return nil
}

const (
	firstChunk = 16 << 10
	mostChunk  = 1 << 20
)

// memBlob is pieces of memory that grow with it; what is in one does not move.
type memBlob struct {
	store  *memStore
	mu     sync.Mutex
	chunks [][]byte
	size   int64
}

func (m *memBlob) write(b []byte) error {
	if err := m.store.take(int64(len(b))); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(b) > 0 {
		k := len(m.chunks) - 1
		if k < 0 || len(m.chunks[k]) == cap(m.chunks[k]) {
			room := min(max(firstChunk, m.size, int64(len(b))), mostChunk)
			m.chunks = append(m.chunks, make([]byte, 0, room))
			k++
		}
		c := m.chunks[k]
		n := min(len(b), cap(c)-len(c))
		m.chunks[k] = append(c, b[:n]...)
		m.size += int64(n)
		b = b[n:]
	}
	return nil
}

func (m *memBlob) flush() error { return nil }

func (m *memBlob) holds() bool { return false }

func (m *memBlob) seal() error { return nil }

func (m *memBlob) send(w io.Writer, off, n int64) error {
	m.mu.Lock()
	chunks, size := slices.Clone(m.chunks), m.size
	m.mu.Unlock()
	if off+n > size {
		return os.ErrNotExist
	}
	for _, c := range chunks {
		if off >= int64(len(c)) {
			off -= int64(len(c))
			continue
		}
		c = c[off:min(int64(len(c)), off+n)]
		if _, err := w.Write(c); err != nil || n == int64(len(c)) {
			return err
		}
		off, n = 0, n-int64(len(c))
	}
	return nil
}

func (m *memBlob) remove() {
	m.mu.Lock()
	n := m.size
	m.chunks, m.size = nil, 0
	m.mu.Unlock()
	_ = m.store.take(-n)
}
