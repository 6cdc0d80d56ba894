// Command tsdump prints the events of transport streams as JSON lines, for
// comparing the demuxer with other implementations.
//
// usage: tsdump [-seed N] [-hold BYTES] [-file] FILE...
package main

import (
	"bufio"
	"crypto/sha1" //nolint:gosec // a digest to compare, not a protection
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"github.com/tstrans/tstrans/core/mpegts"
	"github.com/tstrans/tstrans/core/mpegts/descriptor"
	"github.com/tstrans/tstrans/core/tsterr"
)

// arenaSize holds the largest batch of inlined bytes that one read takes.
const arenaSize = 1 << 20

// sizes in which a seeded run cuts its input.
var sizes = []int{1, 100, 187, 188, 189, 1316, 4000, 65536}

type dumper struct {
	out   *json.Encoder
	recs  []mpegts.Record
	arena []byte
}

func main() {
	seed := flag.Uint64("seed", 0, "cut the input in random pieces; 0: whole")
	hold := flag.Int("hold", 0, "bytes held before the PMT")
	unmapped := flag.Bool("unmapped", false, "deliver what no PMT names")
	file := flag.Bool("file", false, "let the library read the file")
	strict := flag.Uint("strict", 0, "strict mode, 0 to 3")
	unwrap := flag.Bool("unwrap", false, "unwrap time stamps")
	flag.Parse()
	w := bufio.NewWriter(os.Stdout)
	d := &dumper{out: json.NewEncoder(w), recs: make([]mpegts.Record, 512), arena: make([]byte, arenaSize)}
	cfg := mpegts.DemuxerConfig{HoldBeforePMT: *hold, DeliverUnmapped: *unmapped, StrictMode: mpegts.StrictMode(*strict), UnwrapTimestamps: *unwrap}
	code := 0
	for _, path := range flag.Args() {
		var err error
		if *file {
			err = d.file(path, cfg)
		} else {
			err = d.feed(path, cfg, *seed)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, path, err)
			code = 1
		}
	}
	if err := w.Flush(); err != nil {
		code = 1
	}
	os.Exit(code)
}

func (d *dumper) file(path string, cfg mpegts.DemuxerConfig) error {
	r, err := mpegts.OpenReader(path, cfg)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	for {
		n, _, chunk, _, err := r.Read(d.recs, d.arena, -time.Second)
		if err != nil {
			if tsterr.KindOf(err) == tsterr.EOS {
				return nil
			}
			d.print(map[string]any{"t": "error", "kind": tsterr.KindOf(err).String()})
			return nil
		}
		d.events(n, chunk)
	}
}

func (d *dumper) feed(path string, cfg mpegts.DemuxerConfig, seed uint64) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	cfg.SyncBufCap = 1 << 40
	dm, err := mpegts.NewDemuxer(cfg)
	if err != nil {
		return err
	}
	defer func() { _ = dm.Close() }()
	rnd := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // repeatable on purpose
	for len(data) > 0 {
		n := len(data)
		if seed != 0 {
			n = min(n, sizes[rnd.IntN(len(sizes))])
		}
		piece := data[:n]
		for {
			err := dm.Feed(piece)
			if err == nil {
				break
			}
			d.print(map[string]any{"t": "error", "kind": tsterr.KindOf(err).String()})
			if k := tsterr.KindOf(err); k != tsterr.DemuxStrictRejection && k != tsterr.DemuxMalformedPES {
				break
			}
			piece = nil // go on behind the packet
		}
		data = data[n:]
		d.drain(dm)
	}
	dm.Flush()
	d.drain(dm)
	return nil
}

func (d *dumper) drain(dm *mpegts.Demuxer) {
	for {
		n, _, chunk, _ := dm.Read(d.recs, d.arena)
		if n == 0 {
			return
		}
		d.events(n, chunk)
	}
}

func (d *dumper) print(v map[string]any) {
	if err := d.out.Encode(v); err != nil {
		panic(err)
	}
}

var types = []string{"", "ProgramMap", "Video", "Audio", "Subtitle", "Klv", "UnknownSample", "Discontinuity", "NonConformant"}

func (d *dumper) events(n int, chunk *mpegts.Chunk) {
	for i := range d.recs[:n] {
		r := &d.recs[i]
		v := map[string]any{"t": types[r.Type]}
		if r.Type != mpegts.EventProgramMap {
			v["pid"], v["kind"], v["codec"], v["prog"] = r.PID, r.StreamKind.String(), r.Codec.String(), r.ProgramNumber
		}
		switch r.Type {
		case mpegts.EventProgramMap:
			v["map"] = programMap(d.arena[r.Text : r.Text+r.TextLen])
		case mpegts.EventDiscontinuity, mpegts.EventNonConformant:
			v["detail"] = r.Detail
			if r.Reason != mpegts.None {
				v["reason"] = r.Reason
			}
			if r.ObservedCFI != mpegts.None {
				v["cfi"] = r.ObservedCFI
			}
		default:
			p := d.arena[r.Payload : int(r.Payload)+int(r.PayloadLen)%(arenaSize+1)*b2i(r.Flags&mpegts.FlagLazy == 0)]
			if r.Flags&mpegts.FlagLazy != 0 {
				p = make([]byte, r.PayloadLen)
				if _, err := chunk.Gather(p, r.Payload); err != nil {
					panic(err)
				}
			}
			sum := sha1.Sum(p) //nolint:gosec // see above
			v["pts"], v["len"], v["sha"] = r.PTS, len(p), hex.EncodeToString(sum[:4])
			if r.Flags&mpegts.FlagHasDTS != 0 {
				v["dts"] = r.DTS
			}
			if r.Type == mpegts.EventVideo {
				v["rai"] = r.Flags&mpegts.FlagRandomAccess != 0
			}
			if r.Type == mpegts.EventKLV {
				v["detail"], v["re"], v["cells"] = r.Detail, r.Flags&mpegts.FlagWasReassembled != 0, r.CellCount
			}
			if r.Type == mpegts.EventUnknownSample {
				v["st"] = r.StreamType
			}
		}
		d.print(v)
	}
	if chunk != nil {
		chunk.Release()
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func programMap(b []byte) []any {
	var m mpegts.ProgramMap
	if _, err := m.Unmarshal(b); err != nil {
		panic(err)
	}
	out := make([]any, 0, 3+len(m.Streams)+len(m.KLVLinks))
	out = append(out, m.ProgramNumber, m.PCRPID, m.PMTPID)
	for _, s := range m.Streams {
		descriptors := []any{}
		for x, rest, ok := descriptor.Next(s.Descriptors); ok; x, rest, ok = descriptor.Next(rest) {
			descriptors = append(descriptors, fmt.Sprintf("%d:%x", x.Tag, x.Data))
		}
		out = append(out, []any{s.PID, s.StreamType, s.Kind.String(), s.Codec.String(), descriptors})
	}
	for _, l := range m.KLVLinks {
		out = append(out, []any{l.KLVPID, l.VideoPID, []string{"", "declared", "inferred", "override"}[l.Source]})
	}
	return out
}
