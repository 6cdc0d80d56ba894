package hls

import (
	"errors"
	"io"
	"os"
	"path/filepath"
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
	// write appends all of b, or fails and leaves the blob as it was.
	write(b []byte) error
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

// fileBlob is a file that grows with every write.
type fileBlob struct {
	path string
	f    *os.File // nil once sealed
	fd   int
	size int64
}

// write goes to the end of what was accepted: what a failed write left behind
// is cut off, or else written over by the next.
func (f *fileBlob) write(b []byte) error {
	if f.f == nil {
		return fail(tsterr.HLSIO, "segment: already closed")
	}
	for done := 0; done < len(b); {
		// The plain call: pushes are small and many, and a regular file never waits in the poller.
		n, err := unix.Pwrite(f.fd, b[done:], f.size+int64(done))
		if err == unix.EINTR { //nolint:errorlint // system calls return it bare
			continue
		}
		if err == nil && n == 0 {
			err = io.ErrShortWrite
		}
		if err != nil {
			_ = f.f.Truncate(f.size)
			return ioError(err, "segment")
		}
		done += n
	}
	f.size += int64(len(b))
	return nil
}

func (f *fileBlob) seal() error {
	if f.f == nil {
		return nil
	}
	// On network file systems an error may come as late as this.
	err := f.f.Close()
	f.f = nil
	if err != nil {
		return ioError(err, "segment")
	}
	return nil
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

// memBlob is one growing piece of memory; what readers were told of does not
// change when it grows.
type memBlob struct {
	store *memStore
	mu    sync.Mutex
	data  []byte
}

func (m *memBlob) write(b []byte) error {
	if err := m.store.take(int64(len(b))); err != nil {
		return err
	}
	m.mu.Lock()
	m.data = append(m.data, b...)
	m.mu.Unlock()
	return nil
}

func (m *memBlob) seal() error { return nil }

func (m *memBlob) send(w io.Writer, off, n int64) error {
	m.mu.Lock()
	data := m.data
	m.mu.Unlock()
	if off+n > int64(len(data)) {
		return os.ErrNotExist
	}
	_, err := w.Write(data[off : off+n])
	return err
}

func (m *memBlob) remove() {
	m.mu.Lock()
	n := int64(len(m.data))
	m.data = nil
	m.mu.Unlock()
	_ = m.store.take(-n)
}
