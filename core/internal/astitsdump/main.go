// Command astitsdump prints what go-astits, an independent demuxer, reads in
// transport streams: for tests that compare readers.
//
//	astitsdump FILE...    one JSON line a file
package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/asticode/go-astits"
)

type sample struct {
	PTS  *int64 `json:"pts"` // 90 kHz ticks
	DTS  *int64 `json:"dts"`
	Data string `json:"data"` // hexadecimal
}

type stream struct {
	Type        uint8     `json:"type"`
	Descriptors [][2]any  `json:"descriptors"` // tag and length
	Language    string    `json:"language"`
	Samples     []*sample `json:"samples"`
}

type dump struct {
	File    string             `json:"file"`
	PCRPID  uint16             `json:"pcr_pid"`
	Streams map[uint16]*stream `json:"streams"`
}

func main() {
	out := json.NewEncoder(os.Stdout)
	for _, name := range os.Args[1:] {
		d, err := read(name)
		if err == nil {
			err = out.Encode(d)
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
			os.Exit(1)
		}
	}
}

func read(name string) (*dump, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // it was only read
	d := &dump{File: name, Streams: map[uint16]*stream{}}
	demuxer := astits.NewDemuxer(context.Background(), bufio.NewReader(f), astits.DemuxerOptPacketSize(188))
	for {
		data, err := demuxer.NextData()
		if errors.Is(err, astits.ErrNoMorePackets) {
			return d, nil
		}
		if err != nil {
			return nil, err
		}
		switch {
		case data.PMT != nil:
			d.program(data.PMT)
		case data.PES != nil:
			if s := d.Streams[data.PID]; s != nil {
				s.Samples = append(s.Samples, sampleOf(data.PES))
			}
		}
	}
}

func (d *dump) program(pmt *astits.PMTData) {
	d.PCRPID = pmt.PCRPID
	for _, es := range pmt.ElementaryStreams {
		if d.Streams[es.ElementaryPID] != nil {
			continue
		}
		s := &stream{Type: uint8(es.StreamType), Descriptors: [][2]any{}}
		for _, x := range es.ElementaryStreamDescriptors {
			s.Descriptors = append(s.Descriptors, [2]any{x.Tag, x.Length})
			if x.ISO639LanguageAndAudioType != nil {
				s.Language = string(x.ISO639LanguageAndAudioType.Language)
			}
		}
		d.Streams[es.ElementaryPID] = s
	}
}

func sampleOf(pes *astits.PESData) *sample {
	s := &sample{Data: hex.EncodeToString(pes.Data)}
	if o := pes.Header.OptionalHeader; o != nil {
		if o.PTS != nil {
			s.PTS = &o.PTS.Base
		}
		if o.DTS != nil {
			s.DTS = &o.DTS.Base
		}
	}
	return s
}
