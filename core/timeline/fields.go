package timeline

import (
	"math"
	"net/http"
	"strconv"
	"sync"

	"github.com/tstrans/tstrans/core/clock"
	"github.com/tstrans/tstrans/core/klv"
	"github.com/tstrans/tstrans/core/klv/st0601"
)

// Decoding of readings for pages: numbers and texts of a record by field name, and
// the outline of what the sensor sees.

type decoder struct {
	d     st0601.Decoder
	block []byte
}

var decoders = sync.Pool{New: func() any { return new(decoder) }}

// Point is a latitude and a longitude, in degrees.
type Point [2]float64

// Decoded is a reading with its record decoded. Items that are out of range, not
// available or not numbers or texts are left out.
type Decoded struct {
	PTS   int64  `json:"pts"`
	Async bool   `json:"async,omitempty"`
	Error string `json:"error,omitempty"` // the record could not be read
	// Fields are named as in the record's class; units are part of the name.
	Fields map[string]any `json:"fields"`
	// Footprint has the corners of the picture on the ground, clockwise from the
	// upper left: items 82 to 89, else the offsets 26 to 33 (MISB ST 0601.19).
	Footprint []Point `json:"footprint,omitempty"`
}

// Decode decodes a reading.
func (r *Reading) Decode() Decoded {
	out := Decoded{PTS: r.PTS, Async: r.Async, Fields: map[string]any{}}
	d := decoders.Get().(*decoder) //nolint:errcheck,forcetypeassert // the pool holds nothing else
	defer decoders.Put(d)
	block, err := d.d.Decode(d.block[:0], r.Raw, st0601.Lenient)
	if err != nil {
		out.Error = err.Error()
		return out
	}
	d.block = block
	rec, fail := klv.ParseRecord(st0601.Set, block)
	if fail != nil {
		out.Error = fail.Error()
		return out
	}
	for i := range rec.Len() {
		it, slot := rec.Slot(i)
		switch it.Class() {
		case klv.ClassFloat:
			if v := math.Float64frombits(slot); !math.IsNaN(v) && !math.IsInf(v, 0) {
				out.Fields[it.Name] = v
			}
		case klv.ClassUint:
			out.Fields[it.Name] = slot
		case klv.ClassInt:
			out.Fields[it.Name] = int64(slot) //nolint:gosec // that is how the slot holds it
		case klv.ClassText:
			out.Fields[it.Name] = string(rec.Data(slot))
		default:
		}
	}
	out.Footprint = footprint(&rec)
	return out
}

func footprint(r *klv.Record) []Point {
	if p := corners(r, "corner_lat_p", "corner_lon_p", 0, 0); p != nil {
		return p
	}
	lat, ok := r.Float("frame_center_lat_deg")
	lon, too := r.Float("frame_center_lon_deg")
	if !ok || !too {
		return nil
	}
	return corners(r, "corner_lat_offset_p", "corner_lon_offset_p", lat, lon)
}

func corners(r *klv.Record, lat, lon string, lat0, lon0 float64) []Point {
	out := make([]Point, 0, 4)
	for i := 1; i <= 4; i++ {
		n := strconv.Itoa(i) + "_deg"
		a, ok := r.Float(lat + n)
		b, too := r.Float(lon + n)
		if !ok || !too {
			return nil
		}
		out = append(out, Point{lat0 + a, lon0 + b})
	}
	return out
}

// maxReadings bounds one answer of telemetry.
const maxReadings = 5000

// Register adds the routes of a track to a mux:
//
//	GET /telemetry?pts=&ticks=       records of a stretch of presentation time, decoded; what comes
//	                                 later than "until" may not be there yet
//	GET /telemetry/track?points=     positions spread over all that is kept
func (t *Track) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /telemetry", t.serveRange)
	mux.HandleFunc("GET /telemetry/track", t.serveTrack)
}

func (t *Track) serveRange(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	pts, err := strconv.ParseInt(q.Get("pts"), 10, 64)
	if err != nil || pts < 0 || pts >= clock.PTSModulus {
		refused(w, "query", "pts", "value is not 0 to 8589934591", "value_error")
		return
	}
	ticks := int64(clock.TicksPerSecond)
	if q.Has("ticks") {
		ticks, err = strconv.ParseInt(q.Get("ticks"), 10, 64)
		if err != nil || ticks < 1 || ticks > 3600*clock.TicksPerSecond {
			refused(w, "query", "ticks", "value is not 1 to 324000000", "value_error")
			return
		}
	}
	body := map[string]any{}
	if newest, ok := t.Newest(); ok { // before the records are read: none up to it is missed
		body["until"] = newest
	}
	readings := t.Range(pts, ticks, maxReadings)
	out := make([]Decoded, len(readings))
	for i := range readings {
		out[i] = readings[i].Decode()
	}
	body["records"], body["more"] = out, len(readings) == maxReadings
	answer(w, http.StatusOK, body)
}

func (t *Track) serveTrack(w http.ResponseWriter, r *http.Request) {
	points := 500
	if q := r.URL.Query(); q.Has("points") {
		n, err := strconv.Atoi(q.Get("points"))
		if err != nil || n < 1 || n > maxReadings {
			refused(w, "query", "points", "value is not 1 to 5000", "value_error")
			return
		}
		points = n
	}
	type fix struct {
		PTS int64   `json:"pts"`
		Lat float64 `json:"lat"`
		Lon float64 `json:"lon"`
	}
	out := []fix{}
	for _, x := range t.Sample(points) {
		d := x.Decode()
		lat, ok := d.Fields["sensor_lat_deg"].(float64)
		lon, too := d.Fields["sensor_lon_deg"].(float64)
		if ok && too {
			out = append(out, fix{x.PTS, lat, lon})
		}
	}
	answer(w, http.StatusOK, map[string]any{"points": out})
}
