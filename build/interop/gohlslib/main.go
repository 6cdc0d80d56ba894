// Command gohlslib plays an HLS presentation with the client of that name, in a
// module of its own: it wants an older mediacommon than the project.
//
//	gohlslib URL PICTURES
//
// It prints the numbers of pictures and parts it was given, and fails where
// fewer than PICTURES came within 40 seconds.
package main

import (
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/bluenviron/gohlslib/v2"
	"github.com/bluenviron/gohlslib/v2/pkg/codecs"
)

func main() {
	want, err := strconv.ParseInt(os.Args[2], 10, 64)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	var pictures, parts atomic.Int64
	enough := make(chan struct{})
	c := &gohlslib.Client{URI: os.Args[1]}
	c.OnDownloadPart = func(string) { parts.Add(1) }
	c.OnDownloadPrimaryPlaylist = func(string) {}
	c.OnDownloadStreamPlaylist = func(string) {}
	c.OnDownloadSegment = func(string) {}
	c.OnDecodeError = func(err error) { fmt.Fprintln(os.Stderr, "decode error:", err) }
	c.OnTracks = func(tracks []*gohlslib.Track) error {
		for _, t := range tracks {
			if _, ok := t.Codec.(*codecs.H264); ok {
				c.OnDataH26x(t, func(_, _ int64, au [][]byte) {
					if len(au) > 0 && pictures.Add(1) == want {
						close(enough)
					}
				})
			}
		}
		return nil
	}
	if err := c.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	select {
	case <-enough:
	case err = <-c.Wait():
	case <-time.After(40 * time.Second):
		err = fmt.Errorf("too slow")
	}
	fmt.Println(pictures.Load(), parts.Load())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
