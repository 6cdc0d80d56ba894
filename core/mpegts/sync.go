package mpegts

import (
	"bytes"

	"github.com/tstrans/tstrans/core/tsterr"
)

// How a packet start that was found by searching is confirmed: of syncWindow
// places at a stride, the candidate included, syncNeeded must hold the sync byte.
const (
	syncWindow = 7
	syncNeeded = 5
)

// maxSearch is how many bytes may be passed over without sync before that is
// an error: 32 packets.
const maxSearch = 32 * PacketSize

// verdict on a candidate.
type verdict int8

const (
	undecided verdict = iota // more input is needed
	confirmed
	rejected
)

// strides are the record sizes tried, in this order.
var strides = [...]int{PacketSize, StrideM2TS, StrideRS, StrideATSC}

// judge decides whether a candidate at buf[0] starts a packet. It waits for
// input rather than decide by what happens to be there: so the answer does not
// depend on how the input was cut.
func judge(buf []byte) (verdict, int) {
	for _, s := range strides {
		hits, misses := 0, 0
		for i := 0; i < syncWindow && i*s < len(buf); i++ {
			if buf[i*s] == SyncByte {
				hits++
			} else {
				misses++
			}
			if hits == syncNeeded {
				return confirmed, s
			}
			if misses > syncWindow-syncNeeded {
				break
			}
		}
		if misses <= syncWindow-syncNeeded {
			return undecided, 0
		}
	}
	return rejected, 0
}

// search looks for a packet start from pos on. It returns false when it needs
// more input.
func (d *Demuxer) search(end int) (bool, error) {
	for {
		i := bytes.IndexByte(d.buf[d.pos:end], SyncByte)
		if i < 0 {
			d.searched += end - d.pos
			d.pos = end
			return false, d.checkSearched()
		}
		d.searched += i
		d.pos += i
		if err := d.checkSearched(); err != nil {
			return false, err
		}
		v, stride := judge(d.buf[d.pos:d.end])
		switch v {
		case confirmed:
			d.synced, d.stride, d.gap, d.searched = true, stride, 0, 0
			return true, nil
		case undecided:
			return false, nil
		case rejected:
			d.searched++
			d.pos++
		}
	}
}

// checkSearched reports that sync is lost for good and starts counting anew.
func (d *Demuxer) checkSearched() error {
	if d.searched <= maxSearch {
		return nil
	}
	n := d.searched
	d.searched = 0
	return tsterr.New(tsterr.DemuxUnrecoverable, "no packet sync in %d bytes", n)
}
