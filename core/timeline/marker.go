package timeline

import (
	"encoding/json"
	"math"
	"unicode/utf8"

	"github.com/tstrans/tstrans/core/tsterr"
)

// Marker is a named moment of a stream.
type Marker struct {
	ID      int64           `json:"id"`    // grows with every marker of the database
	Epoch   int64           `json:"epoch"` // which run of the stream
	Time    float64         `json:"time"`  // HLS clock, in seconds
	Text    string          `json:"text"`
	Data    json.RawMessage `json:"data,omitempty"` // what the program attached
	Created int64           `json:"created_us"`     // Unix time, in microseconds
}

// Validate names the first field that a store would refuse.
func (m *Marker) Validate() error {
	switch {
	case math.IsNaN(m.Time) || math.IsInf(m.Time, 0) || math.Abs(m.Time) > MaxTime:
		return fault(tsterr.TimelineInvalid, "time", "time %v is outside %v to %v s", m.Time, -MaxTime, MaxTime)
	case len(m.Text) > MaxText:
		return fault(tsterr.TimelineTooLarge, "text", "text of %d bytes, at most %d are taken", len(m.Text), MaxText)
	case !utf8.ValidString(m.Text):
		return fault(tsterr.TimelineInvalid, "text", "text is not UTF-8")
	case len(m.Data) > MaxData:
		return fault(tsterr.TimelineTooLarge, "data", "data of %d bytes, at most %d are taken", len(m.Data), MaxData)
	case !utf8.Valid(m.Data): // a JSON reader takes it, not every database does
		return fault(tsterr.TimelineInvalid, "data", "data is not UTF-8")
	case len(m.Data) > 0 && !json.Valid(m.Data):
		return fault(tsterr.TimelineInvalid, "data", "data is not JSON")
	}
	for i := range len(m.Text) {
		if m.Text[i] == 0 { // PostgreSQL takes none; one rule for every database
			return fault(tsterr.TimelineInvalid, "text", "text holds a NUL")
		}
	}
	return nil
}
