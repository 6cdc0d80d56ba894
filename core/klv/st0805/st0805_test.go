package st0805

import (
	"math"
	"strings"
	"testing"

	"github.com/tstrans/tstrans/core/klv"
	"github.com/tstrans/tstrans/core/klv/st0601"
	"github.com/tstrans/tstrans/core/tsterr"
)

func record(t *testing.T, without ...string) *klv.Record {
	t.Helper()
	var b klv.BlockBuilder
	b.Reset(st0601.Set)
	for n, v := range map[string]any{
		"mission_id": "M<1>&\"", "platform_designation": "PLAT'F", "image_source_sensor": "EO", "timestamp_us": 1700000000123456,
		"sensor_lat_deg": 10.5, "sensor_lon_deg": -20.25, "sensor_alt_m": 1000.0, "platform_heading_deg": 350.0,
		"sensor_rel_az_deg": 20.0, "sensor_hfov_deg": 12.0, "sensor_vfov_deg": 7.5, "slant_range_m": 5000.0,
		"frame_center_lat_deg": 11.0, "frame_center_lon_deg": -20.0, "frame_center_elev_m": 100.0,
	} {
		skip := false
		for _, w := range without {
			skip = skip || w == n
		}
		if skip {
			continue
		}
		it := st0601.Set.ByName(n)
		switch v := v.(type) {
		case float64:
			b.Number(it, math.Float64bits(v))
		case int:
			b.Number(it, uint64(v))
		case string:
			b.Data(it, []byte(v))
		}
	}
	r, err := klv.ParseRecord(st0601.Set, b.Append(nil, nil))
	if err != nil {
		t.Fatal(err)
	}
	return &r
}

var config = Config{PlatformType: "a-f-A-M-F", UpdateIntervalUS: 5000000, Producer: "ST0601CoT", How: "m-p", GeneratedUS: 1700000001000000}

// The events were compared with those of an independent implementation.
func TestEvents(t *testing.T) {
	got, err := Platform(record(t), config)
	want := `<?xml version='1.0' standalone='yes'?><event version="2.0" uid="PLAT&apos;F_M&lt;1&gt;&amp;&quot;" type="a-f-A-M-F" time="2023-11-14T22:13:20.123456Z" start="2023-11-14T22:13:20.123456Z" stale="2023-11-14T22:13:25.123456Z" how="m-p"><point lat="10.5" lon="-20.25" hae="1000" ce="9999999" le="9999999"/><detail><_flow-tags_ ST0601CoT="2023-11-14T22:13:21.000000Z"/><sensor azimuth="10" fov="12" vfov="7.5" model="EO" range="5000"/></detail></event>`
	if err != nil || got != want {
		t.Errorf("%v\n%s\n%s", err, got, want)
	}
	c := config
	c.HasUndulation, c.UndulationM = true, 30.5
	got, err = SensorPoint(record(t), c)
	want = `<?xml version='1.0' standalone='yes'?><event version="2.0" uid="PLAT&apos;F_M&lt;1&gt;&amp;&quot;_EO" type="b-m-p-s-p-i" time="2023-11-14T22:13:20.123456Z" start="2023-11-14T22:13:20.123456Z" stale="2023-11-14T22:13:25.123456Z" how="m-p"><point lat="11" lon="-20" hae="130.5" ce="9999999" le="9999999"/><detail><_flow-tags_ ST0601CoT="2023-11-14T22:13:21.000000Z"/><link relation="p-p" type="a-f-A-M-F" uid="PLAT&apos;F_M&lt;1&gt;&amp;&quot;"/></detail></event>`
	if err != nil || got != want {
		t.Errorf("%v\n%s\n%s", err, got, want)
	}
	if got, err = Platform(record(t, "sensor_rel_az_deg"), config); err != nil || strings.Contains(got, "<sensor") {
		t.Errorf("%v\n%s", err, got)
	}
}

func TestMissing(t *testing.T) {
	for field, tag := range map[string]string{"mission_id": "tag 3 ", "timestamp_us": "tag 2 ", "sensor_lat_deg": "tag 13 ", "sensor_alt_m": "tag 15 "} {
		_, err := Platform(record(t, field), config)
		if tsterr.KindOf(err) != tsterr.InvalidArg || !strings.Contains(err.Error(), tag) {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, err := SensorUID(record(t, "image_source_sensor")); err == nil || !strings.Contains(err.Error(), "tag 11 ") {
		t.Error(err)
	}
	if uid, err := PlatformUID(record(t)); err != nil || uid != `PLAT'F_M<1>&"` {
		t.Error(uid, err)
	}
}

func TestInstant(t *testing.T) {
	for us, want := range map[uint64]string{
		0:                   "1970-01-01T00:00:00.000000Z",
		951782400000001:     "2000-02-29T00:00:00.000001Z",
		9223372036854775808: "294247-01-10T04:00:54.775808Z",
	} {
		if got := instant(us); got != want {
			t.Errorf("%d: %s, want %s", us, got, want)
		}
	}
}
