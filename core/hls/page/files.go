package page

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"strings"
	"time"
)

// maxPage bounds a file of the page once it is not compressed any more.
const maxPage = 16 << 20

func inflate(gz []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(gz))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(r, maxPage))
}

// takesGzip reads Accept-Encoding (RFC 9110 §12.5.3) as far as gzip goes.
func takesGzip(accept string) bool {
	for _, f := range strings.Split(accept, ",") {
		name, q, _ := strings.Cut(strings.TrimSpace(f), ";")
		if name == "gzip" || name == "*" {
			_, v, found := strings.Cut(q, "=")
			return !found || strings.Trim(strings.TrimSpace(v), "0.") != ""
		}
	}
	return false
}

// folder serves a file of a folder, with its subfolders, and nothing outside of
// it, links out of it included. False where there is none.
func (s *Site) folder(w http.ResponseWriter, r *http.Request, dir, name string) bool {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return false
	}
	defer root.Close() //nolint:errcheck // read only
	f, err := root.Open(name)
	if err != nil {
		return false
	}
	defer f.Close() //nolint:errcheck // read only
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	if t, ok := types[path.Ext(name)]; ok {
		w.Header().Set("Content-Type", t)
	}
	tag(w, info)
	http.ServeContent(w, r, name, info.ModTime(), f)
	return true
}

func tag(w http.ResponseWriter, info fs.FileInfo) {
	w.Header().Set("ETag", fmt.Sprintf(`"%x-%x"`, info.ModTime().UnixNano(), info.Size()))
}

// video serves playlists and segments that an encoder writes into a folder.
func (s *Site) video(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	if name == "" || strings.ContainsAny(name, "/\\\x00") || strings.HasPrefix(name, ".") {
		notFound(w, r)
		return
	}
	root, err := os.OpenRoot(s.cfg.Video)
	if err != nil {
		notFound(w, r) // not made yet, or never
		return
	}
	defer root.Close() //nolint:errcheck // read only
	h := w.Header()
	switch path.Ext(name) {
	case ".m3u8":
		s.playlist(w, r, root, name)
		return
	case ".ts":
		h.Set("Content-Type", "video/mp2t")
	case ".m4s", ".mp4":
		h.Set("Content-Type", "video/mp4")
	case ".vtt":
		h.Set("Content-Type", "text/vtt")
	}
	f, err := root.Open(name)
	if err != nil {
		notFound(w, r)
		return
	}
	defer f.Close() //nolint:errcheck // read only
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		notFound(w, r)
		return
	}
	tag(w, info)
	patience(w, info.Size())
	http.ServeContent(w, r, name, info.ModTime(), f)
}

// patience bounds a transfer to what the slowest client that could play needs.
func patience(w http.ResponseWriter, bytes int64) {
	end := time.Now().Add(10*time.Second + time.Duration(bytes)*time.Second/(8<<10))
	_ = http.NewResponseController(w).SetWriteDeadline(end) // not every connection has one
}

// playlist serves a playlist that an encoder may be writing at this moment: one
// that is not whole is read again.
func (s *Site) playlist(w http.ResponseWriter, r *http.Request, root *os.Root, name string) {
	var body []byte
	var info fs.FileInfo
	for try := 0; ; try++ {
		var err error
		body, info, err = readPlaylist(root, name)
		if err != nil {
			notFound(w, r)
			return
		}
		if whole(body) || try == 20 {
			break
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-r.Context().Done():
			return
		}
	}
	h := w.Header()
	h.Set("Content-Type", "application/vnd.apple.mpegurl")
	h.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", name))
	h.Set("Cache-Control", "no-cache")
	tag(w, info)
	patience(w, int64(len(body)))
	http.ServeContent(w, r, name, info.ModTime(), bytes.NewReader(body))
}

// maxPlaylist bounds a playlist: a day of segments of two seconds takes 2 MB.
const maxPlaylist = 16 << 20

var errFile = errors.New("not a playlist file")

func readPlaylist(root *os.Root, name string) ([]byte, fs.FileInfo, error) {
	f, err := root.Open(name)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close() //nolint:errcheck // read only
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxPlaylist {
		return nil, nil, errFile
	}
	body, err := io.ReadAll(io.LimitReader(f, maxPlaylist))
	return body, info, err
}

// whole tells a playlist that was written to its end: each tag that announces a
// segment has its name, and the last line its end.
func whole(b []byte) bool {
	if !bytes.HasPrefix(b, []byte("#EXTM3U")) || b[len(b)-1] != '\n' {
		return false
	}
	lines := bytes.Split(bytes.TrimRight(b, "\r\n"), []byte("\n"))
	return !bytes.HasPrefix(lines[len(lines)-1], []byte("#EXTINF"))
}
