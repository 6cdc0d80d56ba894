package rtp

import "bytes"

// NALs cuts a byte stream (ITU-T H.264 and H.265 Annex B) into its NAL units
// and calls f with each, without start code and trailing zeros.
func NALs(b []byte, f func(nal []byte)) {
	_, b, found := cutStartCode(b)
	for found {
		var nal []byte
		nal, b, found = cutStartCode(b)
		if nal = bytes.TrimRight(nal, "\x00"); len(nal) > 0 {
			f(nal)
		}
	}
}

// cutStartCode splits at the first start code prefix.
func cutStartCode(b []byte) (before, after []byte, found bool) {
	at := 0
	for {
		i := bytes.IndexByte(b[at:], 1)
		if i < 0 {
			return b, nil, false
		}
		at += i
		if at >= 2 && b[at-1] == 0 && b[at-2] == 0 {
			return b[:at-2], b[at+1:], true
		}
		at++
	}
}

// Payloads are the payloads of the packets of one unit: they lie one after the
// other in Data, payload i ends at Ends[i]. The last one bears the marker.
type Payloads struct {
	Data []byte
	Ends []int
}

// Reset empties p and keeps its memory.
func (p *Payloads) Reset() { p.Data, p.Ends = p.Data[:0], p.Ends[:0] }

// Close ends a payload.
func (p *Payloads) Close() { p.Ends = append(p.Ends, len(p.Data)) }

// At gives payload i and whether it is the last.
func (p *Payloads) At(i int) (b []byte, last bool) {
	from := 0
	if i > 0 {
		from = p.Ends[i-1]
	}
	return p.Data[from:p.Ends[i]], i == len(p.Ends)-1
}
