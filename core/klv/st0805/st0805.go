// Package st0805 turns ST 0601 records into Cursor on Target events (MISB ST
// 0805.2): the platform's position and the sensor's point of interest.
package st0805

import (
	"math"
	"strconv"
	"strings"

	"github.com/tstrans/tstrans/core/klv"
	"github.com/tstrans/tstrans/core/klv/st0601"
	"github.com/tstrans/tstrans/core/tsterr"
)

// Config is what an event says besides the record.
type Config struct {
	PlatformType     string // CoT type of the platform; it defaults to "a-f-A-M-F"
	UpdateIntervalUS uint64 // how long an event stays valid, in microseconds
	Producer         string // name of the flow tag; it is written as it is
	UndulationM      float64
	HasUndulation    bool // add UndulationM to heights above mean sea level
	How              string
	GeneratedUS      uint64 // when the event is made, in microseconds since 1970
}

// noError stands for an unknown circular or linear error in CoT.
const noError = "9999999"

// names are those of the items an event may need.
var names = map[string]string{
	"platform_designation": "Platform Designation", "mission_id": "Mission ID", "image_source_sensor": "Image Source Sensor",
	"timestamp_us": "Precision Time Stamp", "sensor_lat_deg": "Sensor Latitude", "sensor_lon_deg": "Sensor Longitude",
	"sensor_alt_m": "Sensor True Altitude", "frame_center_lat_deg": "Frame Center Latitude",
	"frame_center_lon_deg": "Frame Center Longitude", "frame_center_elev_m": "Frame Center Elevation",
}

// event collects one event; the first missing item sticks.
type event struct {
	rec *klv.Record
	cfg Config
	b   strings.Builder
	err error
}

func (e *event) missing(field string) {
	if e.err == nil {
		it := st0601.Set.ByName(field)
		err := tsterr.New(tsterr.InvalidArg, "KLV tag %d (%s) required for CoT conversion is missing", it.Tag, names[field]).With("tag", int64(it.Tag))
		err.Field = field
		e.err = err
	}
}

func (e *event) text(field string) string {
	s, ok := e.rec.Text(field)
	if !ok {
		e.missing(field)
	}
	return s
}

func (e *event) float(field string) float64 {
	v, ok := e.rec.Float(field)
	if !ok {
		e.missing(field)
	}
	return v
}

// undulated adds the geoid undulation to a height above mean sea level.
func (e *event) undulated(v float64) float64 {
	if e.cfg.HasUndulation {
		v += e.cfg.UndulationM
	}
	return v
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;")

func (e *event) attr(name, value string) {
	e.b.WriteByte(' ')
	e.b.WriteString(name)
	e.b.WriteString(`="`)
	_, _ = escaper.WriteString(&e.b, value)
	e.b.WriteByte('"')
}

func (e *event) number(name string, v float64) { e.attr(name, strconv.FormatFloat(v, 'f', -1, 64)) }

// optional writes an attribute of an item that may be absent.
func (e *event) optional(name, field string) {
	if v, ok := e.rec.Float(field); ok {
		e.number(name, v)
	}
}

func (e *event) platformUID() string {
	return e.text("platform_designation") + "_" + e.text("mission_id")
}

func (e *event) sensorUID() string { return e.platformUID() + "_" + e.text("image_source_sensor") }

// open writes everything up to the detail's first own element.
func (e *event) open(uid, kind string, lat, lon, hae float64, at uint64) {
	e.b.WriteString(`<?xml version='1.0' standalone='yes'?><event version="2.0"`)
	e.attr("uid", uid)
	e.attr("type", kind)
	e.attr("time", instant(at))
	e.attr("start", instant(at))
	stale := at + e.cfg.UpdateIntervalUS
	if stale < at {
		stale = math.MaxUint64
	}
	e.attr("stale", instant(stale))
	e.attr("how", e.cfg.How)
	e.b.WriteString("><point")
	e.number("lat", lat)
	e.number("lon", lon)
	e.number("hae", hae)
	e.attr("ce", noError)
	e.attr("le", noError)
	e.b.WriteString("/><detail><_flow-tags_ ")
	e.b.WriteString(e.cfg.Producer)
	e.b.WriteString(`="` + instant(e.cfg.GeneratedUS) + `"/>`)
}

func (e *event) close() (string, error) {
	if e.err != nil {
		return "", e.err
	}
	e.b.WriteString("</detail></event>")
	return e.b.String(), nil
}

func (e *event) timestamp() uint64 {
	v, ok := e.rec.Find("timestamp_us")
	if !ok {
		e.missing("timestamp_us")
	}
	return v
}

// PlatformUID is the uid of the platform's events.
func PlatformUID(r *klv.Record) (string, error) {
	e := event{rec: r}
	return e.platformUID(), e.err
}

// SensorUID is the uid of the sensor's point of interest.
func SensorUID(r *klv.Record) (string, error) {
	e := event{rec: r}
	return e.sensorUID(), e.err
}

// Platform renders the platform position event. The height is item 104, else
// 75, else 15 with the undulation.
func Platform(r *klv.Record, cfg Config) (string, error) {
	e := &event{rec: r, cfg: cfg}
	uid, at := e.platformUID(), e.timestamp()
	lat, lon := e.float("sensor_lat_deg"), e.float("sensor_lon_deg")
	hae, ok := r.Float("sensor_ellipsoid_height_extended_m")
	if !ok {
		hae, ok = r.Float("sensor_ellipsoid_height_m")
	}
	if !ok {
		hae = e.undulated(e.float("sensor_alt_m"))
	}
	e.open(uid, cfg.PlatformType, lat, lon, hae, at)
	heading, ok1 := r.Float("platform_heading_deg")
	azimuth, ok2 := r.Float("sensor_rel_az_deg")
	if ok1 && ok2 {
		e.b.WriteString("<sensor")
		e.number("azimuth", math.Mod(heading+azimuth, 360))
		e.optional("fov", "sensor_hfov_deg")
		e.optional("vfov", "sensor_vfov_deg")
		if model, ok := r.Text("image_source_sensor"); ok {
			e.attr("model", model)
		}
		e.optional("range", "slant_range_m")
		e.b.WriteString("/>")
	}
	return e.close()
}

// SensorPoint renders the sensor point of interest event: the target location
// (items 40 to 42) where it is whole, else the frame centre with item 78, else
// with item 25 and the undulation.
func SensorPoint(r *klv.Record, cfg Config) (string, error) {
	e := &event{rec: r, cfg: cfg}
	uid, at := e.sensorUID(), e.timestamp()
	lat, ok1 := r.Float("target_location_lat_deg")
	lon, ok2 := r.Float("target_location_lon_deg")
	hae, ok3 := r.Float("target_location_elev_m")
	if ok1 && ok2 && ok3 {
		hae = e.undulated(hae)
	} else {
		lat, lon = e.float("frame_center_lat_deg"), e.float("frame_center_lon_deg")
		var ok bool
		if hae, ok = r.Float("frame_center_ellipsoid_height_m"); !ok {
			hae = e.undulated(e.float("frame_center_elev_m"))
		}
	}
	e.open(uid, "b-m-p-s-p-i", lat, lon, hae, at)
	e.b.WriteString(`<link relation="p-p"`)
	e.attr("type", cfg.PlatformType)
	e.attr("uid", e.platformUID())
	e.b.WriteString("/>")
	return e.close()
}

// instant renders microseconds since 1970 in ISO 8601; years beyond 9999 get
// the digits they need.
func instant(us uint64) string {
	secs, frac := us/1e6, us%1e6
	days, rest := secs/86400, secs%86400
	y, m, d := civil(days)
	b := make([]byte, 0, 32)
	b = pad(b, y, 4)
	b = append(pad(append(pad(append(b, '-'), m, 2), '-'), d, 2), 'T')
	b = append(pad(append(pad(append(pad(b, rest/3600, 2), ':'), rest/60%60, 2), ':'), rest%60, 2), '.')
	return string(append(pad(b, frac, 6), 'Z'))
}

func pad(b []byte, v uint64, width int) []byte {
	s := strconv.FormatUint(v, 10)
	for n := len(s); n < width; n++ {
		b = append(b, '0')
	}
	return append(b, s...)
}

// civil turns days since 1970 into a date of the Gregorian calendar, counting
// in years that begin in March and eras of 400 of them.
func civil(days uint64) (y, m, d uint64) {
	const era = 146097
	z := days + 719468
	doe := z % era
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	d = doy - (153*mp+2)/5 + 1
	m = (mp+2)%12 + 1
	y = z/era*400 + yoe
	if m <= 2 {
		y++
	}
	return y, m, d
}
