// Package st0806 is the remote video terminal local set (MISB ST 0806.4) with
// its points and areas of interest and user defined data.
package st0806

import (
	"encoding/binary"

	"github.com/tstrans/tstrans/core/klv"
	"github.com/tstrans/tstrans/core/tsterr"
)

const standard = "MISB ST 0806.4"

func lat(tag uint32, name string) klv.Item {
	return klv.Item{Tag: tag, Name: name, Type: klv.TSLinear, Len: 4, Min: -90, Max: 90, Unit: "deg", Sentinel: klv.MeansReserved, Required: true}
}

func lon(tag uint32, name string) klv.Item {
	it := lat(tag, name)
	it.Min, it.Max = -180, 180
	return it
}

func number(tag uint32, name string, n int, unit string) klv.Item {
	return klv.Item{Tag: tag, Name: name, Type: klv.TUint, Len: n, Unit: unit}
}

func text(tag uint32, name string, most int) klv.Item {
	return klv.Item{Tag: tag, Name: name, Type: klv.TText, MaxLen: most}
}

func must(it klv.Item) klv.Item {
	it.Required = true
	return it
}

func enum(it klv.Item, name string) klv.Item {
	it.Enum = name
	return it
}

// UserData is the user defined data set (§7).
var UserData = klv.NewSet(klv.Set{Name: "RvtUserData", Standard: standard, Plain: true, Items: []klv.Item{
	must(number(1, "numeric_id_raw", 1, "")),
	{Tag: 2, Name: "data", Type: klv.TBytes},
}})

// POI is the point of interest set (§8).
var POI = klv.NewSet(klv.Set{Name: "RvtPoi", Standard: standard, Sentinels: true, Items: []klv.Item{
	must(number(1, "number", 2, "")),
	lat(2, "lat_deg"), lon(3, "lon_deg"),
	{Tag: 4, Name: "alt_m", Type: klv.TLinear, Len: 2, Min: -900, Max: 19000, Unit: "m"},
	enum(number(5, "poi_type", 1, ""), "RvtPoiType"),
	text(6, "text", 2048), text(7, "source_icon", 127), text(8, "source_id", 255), text(9, "label", 16), text(10, "operation_id", 127),
}})

// AOI is the area of interest set (§9).
var AOI = klv.NewSet(klv.Set{Name: "RvtAoi", Standard: standard, Sentinels: true, Items: []klv.Item{
	must(number(1, "number", 2, "")),
	lat(2, "corner_lat_p1_deg"), lon(3, "corner_lon_p1_deg"), lat(4, "corner_lat_p3_deg"), lon(5, "corner_lon_p3_deg"),
	must(enum(number(6, "aoi_type", 1, ""), "RvtAoiType")),
	text(7, "text", 2048), text(8, "source_id", 255), text(9, "label", 16), text(10, "operation_id", 127),
}})

func metres(tag uint32, name string) klv.Item {
	it := number(tag, name, 3, "m")
	it.Max = 99999
	return it
}

func multi(tag uint32, name string, s *klv.Set) klv.Item {
	return klv.Item{Tag: tag, Name: name, Type: klv.TSet, Set: s, Multi: true, Record: s.Name}
}

// Set is the local set (§6).
var Set = klv.NewSet(klv.Set{Name: "RvtLs", Standard: standard, Key: klv.RVTUL, Items: []klv.Item{
	{Tag: 1, Name: "crc32", Type: klv.TUint, Len: 4, DecodeOnly: true},
	number(2, "timestamp_us", 8, "us"),
	number(3, "platform_true_airspeed", 2, "m/s"),
	number(4, "platform_indicated_airspeed", 2, "m/s"),
	number(5, "telemetry_accuracy_indicator", 1, ""),
	number(6, "frag_circle_radius_m", 2, "m"),
	number(7, "frame_code", 4, ""),
	number(8, "rvt_ls_version", 1, ""),
	number(9, "video_data_rate", 4, "bit/s"),
	text(10, "digital_video_file_format", 127),
	multi(11, "user_defined", UserData),
	multi(12, "points_of_interest", POI),
	multi(13, "areas_of_interest", AOI),
	number(14, "aircraft_mgrs_zone", 1, ""),
	text(15, "aircraft_mgrs_band_grid", 3),
	metres(16, "aircraft_mgrs_easting_m"),
	metres(17, "aircraft_mgrs_northing_m"),
	number(18, "frame_center_mgrs_zone", 1, ""),
	text(19, "frame_center_mgrs_band_grid", 3),
	metres(20, "frame_center_mgrs_easting_m"),
	metres(21, "frame_center_mgrs_northing_m"),
}})

// Decode decodes a set's body; the CRC is not verified.
func Decode(w *klv.Tree, body []byte) error {
	if _, err := Set.Decode(w, body); err != nil {
		return err
	}
	return nil
}

// DecodeStandalone decodes a set with its label and verifies the CRC, which
// may be missing. Bytes behind the set are ignored.
func DecodeStandalone(w *klv.Tree, b []byte) error {
	if len(b) >= klv.ULSize && klv.UL(b[:klv.ULSize]) != klv.RVTUL {
		return tsterr.At(tsterr.KLVBadUniversalLabel, "universal_label", 0, "not the universal label of ST 0806")
	}
	body, start, _, err := klv.Envelope(b)
	if err != nil {
		return err
	}
	at := -1
	var declared uint32
	for off := 0; off < len(body); {
		t, next, ok := klv.Next(body, off)
		if !ok {
			break // Decode reports it
		}
		if t.Tag == 1 && len(t.Value) == 4 {
			at, declared = start+t.Body, binary.BigEndian.Uint32(t.Value)
		}
		off = next
	}
	if at >= 0 {
		if computed := klv.CRC32MPEG2(b[:at]); computed != declared {
			return tsterr.At(tsterr.KLVChecksumMismatch, "crc32", int64(at), "CRC mismatch: declared 0x%08x, computed 0x%08x", declared, computed)
		}
	}
	return Decode(w, body)
}

// Append appends a set's body, or with standalone the whole set: then item 2
// is mandatory and the CRC comes last (§6.1).
func Append(dst []byte, v klv.Value, standalone bool) ([]byte, error) {
	if !standalone {
		out, err := Set.AppendTree(dst, v, false, 0)
		if err != nil {
			return dst, err
		}
		return out, nil
	}
	if err := klv.RequireTags(Set, v, []uint64{2}); err != nil {
		return dst, err
	}
	start := len(dst)
	at := start + len(klv.RVTUL)
	out, err := Set.AppendTree(append(append(dst, klv.RVTUL[:]...), 0), v, false, 0)
	if err != nil {
		return dst, err
	}
	out = append(out, 1, 4, 0, 0, 0, 0)
	out = klv.InsertLength(out, at, len(out)-at-1)
	end := len(out) - 4
	binary.BigEndian.PutUint32(out[end:], klv.CRC32MPEG2(out[start:end]))
	return out, nil
}
