// Command nocgo prints the same lines as testdata/events.c through purego: a
// program without cgo that opens the library at run time, as any language's
// foreign function interface does. Usage: nocgo LIBRARY FILE.
package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"os"
	"unsafe"

	"github.com/ebitengine/purego"
)

const (
	recordSize = 64
	records    = 256
	arenaSize  = 1 << 20
	flagLazy   = 1
	statusEOS  = -7
)

type api struct {
	openPath    func(out *uint64, path *byte, n uintptr, config uint64) int32
	read        func(recs *byte, recsCap uintptr, n *uintptr, arena *byte, arenaCap uintptr, used *uintptr, chunk *uint64, demuxer uint64, timeoutMS int32) int32
	gather      func(out *byte, capacity uintptr, n *uintptr, chunk uint64, payload uint32) int32
	closeChunk  func(chunk uint64) int32
	closeDemux  func(demuxer uint64) int32
	handleCount func() uint64
	statusName  func(status int32) string
}

func load(path string) (*api, error) {
	lib, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return nil, err
	}
	a := &api{}
	purego.RegisterLibFunc(&a.openPath, lib, "tst_demuxer_open_path")
	purego.RegisterLibFunc(&a.read, lib, "tst_demuxer_read")
	purego.RegisterLibFunc(&a.gather, lib, "tst_chunk_gather")
	purego.RegisterLibFunc(&a.closeChunk, lib, "tst_chunk_close")
	purego.RegisterLibFunc(&a.closeDemux, lib, "tst_demuxer_close")
	purego.RegisterLibFunc(&a.handleCount, lib, "tst_handle_count")
	purego.RegisterLibFunc(&a.statusName, lib, "tst_status_name")
	return a, nil
}

func run(library, path string) (err error) {
	a, err := load(library)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(os.Stdout)
	defer func() {
		if flushErr := out.Flush(); err == nil {
			err = flushErr
		}
	}()
	var demuxer uint64
	name := []byte(path)
	if st := a.openPath(&demuxer, &name[0], uintptr(len(name)), 0); st < 0 {
		return fmt.Errorf("open: %s", a.statusName(st))
	}
	recs, arena := make([]byte, records*recordSize), make([]byte, arenaSize)
	for {
		var n, used uintptr
		var chunk uint64
		st := a.read(&recs[0], records, &n, &arena[0], arenaSize, &used, &chunk, demuxer, -1)
		if st == statusEOS {
			break
		}
		if st < 0 {
			return fmt.Errorf("read: %s", a.statusName(st))
		}
		for i := range int(n) {
			r := recs[i*recordSize : (i+1)*recordSize]
			pts := int64(binary.NativeEndian.Uint64(r))
			at, size := binary.NativeEndian.Uint32(r[16:]), binary.NativeEndian.Uint32(r[20:])
			var payload []byte
			if binary.NativeEndian.Uint16(r[34:])&flagLazy != 0 {
				payload = make([]byte, size)
				var got uintptr
				if st := a.gather(unsafe.SliceData(payload), uintptr(size), &got, chunk, at); st < 0 {
					return fmt.Errorf("gather: %s", a.statusName(st))
				}
			} else {
				payload = arena[at : at+size]
			}
			h := fnv.New32a()
			h.Write(payload)
			_, _ = fmt.Fprintf(out, "%d %04x %d %d %08x\n", r[32], binary.NativeEndian.Uint16(r[24:]), pts, size, h.Sum32()) // Flush tells
		}
		a.closeChunk(chunk)
	}
	a.closeDemux(demuxer)
	if left := a.handleCount(); left != 0 {
		return fmt.Errorf("%d handles left open", left)
	}
	return nil
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: nocgo LIBRARY FILE")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
