package st0903

import "github.com/tstrans/tstrans/core/klv"

const standard = "MISB ST 0903.6"

// Maps that several tables share.
func latLon(tag uint32, name string) klv.Item {
	return klv.Item{Tag: tag, Name: name, Type: klv.TIMAPB, Len: 3, Min: -19.2, Max: 19.2, Unit: "deg", NoTag: true, Exact: true}
}

func count(tag uint32, name string, n int, most float64) klv.Item {
	return klv.Item{Tag: tag, Name: name, Type: klv.TVarUint, MaxLen: n, Max: most}
}

func text(tag uint32, name string) klv.Item { return klv.Item{Tag: tag, Name: name, Type: klv.TText} }

func id(tag uint32, name string) klv.Item {
	return klv.Item{Tag: tag, Name: name, Type: klv.TVarUint, MaxLen: 8}
}

func confidence(tag uint32) klv.Item {
	return klv.Item{Tag: tag, Name: "confidence", Type: klv.TIMAPB, Len: 2, MaxLen: 3, Min: 0, Max: 100, Unit: "%"}
}

const (
	max24 = 1<<24 - 1
	max32 = 1<<32 - 1
	max48 = 1<<48 - 1
)

// VMTI is the local set (ST 0903.6 §7). Item 7 is deprecated and stays among
// the unknown items.
var VMTI = klv.NewSet(klv.Set{
	Name: "VmtiLs", Standard: standard, Key: klv.VMTIUL, Tail: true,
	Items: []klv.Item{
		{Tag: 1, Name: "checksum", Type: klv.TUint, Len: 2, DecodeOnly: true},
		{Tag: 2, Name: "precision_time_stamp", Type: klv.TUint, Len: 8, Unit: "us"},
		{Tag: 3, Name: "vmti_system_name", Type: klv.TText, MaxLen: 32},
		{Tag: 4, Name: "version_number", Type: klv.TVarUint, MaxLen: 2},
		{Tag: 5, Name: "total_targets_in_frame", Type: klv.TVarUint, MaxLen: 3, Wide: 4},
		{Tag: 6, Name: "num_targets_reported", Type: klv.TVarUint, MaxLen: 3, Wide: 4},
		{Tag: 8, Name: "frame_width", Type: klv.TVarUint, MaxLen: 3, Wide: 4, Unit: "px"},
		{Tag: 9, Name: "frame_height", Type: klv.TVarUint, MaxLen: 3, Wide: 4, Unit: "px"},
		{Tag: 10, Name: "source_sensor", Type: klv.TText, MaxLen: 128},
		{Tag: 11, Name: "horizontal_fov", Type: klv.TIMAPB, Len: 2, Min: 0, Max: 180, Unit: "deg", Exact: true, NoTag: true},
		{Tag: 12, Name: "vertical_fov", Type: klv.TIMAPB, Len: 2, Min: 0, Max: 180, Unit: "deg", Exact: true, NoTag: true},
		{Tag: 13, Name: "miis_id", Type: klv.TBytes},
		{
			Tag: 101, Name: "targets", Type: klv.TSeries, EmptyTuple: true, Partial: true, Record: "VTargetPack",
			Fields: []klv.Item{{Type: klv.TSet, Set: VTarget}},
		},
		{Tag: 102, Name: "algorithm_series", Type: klv.TBytes},
		{Tag: 103, Name: "ontology_series", Type: klv.TBytes},
	},
})

// VTarget is the target pack (ST 0903.6 §8.1). Nested sets stay bytes here:
// each has a table of its own below.
var VTarget = klv.NewSet(klv.Set{
	Name: "VTargetPack", Standard: standard, LeadID: "target_id",
	Items: []klv.Item{
		count(1, "centroid_pixel", 6, max48),
		count(2, "bbox_top_left_pixel", 6, max48),
		count(3, "bbox_bottom_right_pixel", 6, max48),
		{Tag: 4, Name: "priority", Type: klv.TUint, Len: 1},
		{Tag: 5, Name: "confidence_level", Type: klv.TUint, Len: 1, Unit: "%"},
		{Tag: 6, Name: "history", Type: klv.TVarUint, MaxLen: 2},
		{Tag: 7, Name: "percentage_of_target_pixels", Type: klv.TUint, Len: 1, Unit: "%"},
		{Tag: 8, Name: "target_color", Type: klv.TSeq, Lens: []int{3}, Fields: []klv.Item{
			{Name: "red", Type: klv.TUint, Len: 1}, {Name: "green", Type: klv.TUint, Len: 1}, {Name: "blue", Type: klv.TUint, Len: 1},
		}},
		count(9, "target_intensity", 3, max24),
		latLon(10, "centroid_lat_offset"),
		latLon(11, "centroid_lon_offset"),
		{Tag: 12, Name: "centroid_hae", Type: klv.TIMAPB, Len: 2, Min: -900, Max: 19000, Unit: "m", NoTag: true, Exact: true},
		latLon(13, "bbox_top_left_lat_offset"),
		latLon(14, "bbox_top_left_lon_offset"),
		latLon(15, "bbox_bottom_right_lat_offset"),
		latLon(16, "bbox_bottom_right_lon_offset"),
		{Tag: 17, Name: "target_location", Type: klv.TBytes},
		{Tag: 18, Name: "geospatial_contour_series", Type: klv.TBytes},
		count(19, "centroid_pix_row", 4, max32),
		count(20, "centroid_pix_col", 4, max32),
		count(22, "algorithm_id", 3, max24),
		{Tag: 23, Name: "detection_status", Type: klv.TUint, Len: 1},
		{Tag: 101, Name: "vmask", Type: klv.TBytes},
		{Tag: 104, Name: "vtracker", Type: klv.TBytes},
		{Tag: 105, Name: "vchip", Type: klv.TBytes},
		{Tag: 106, Name: "vchip_series", Type: klv.TBytes},
		{Tag: 107, Name: "vobject_series", Type: klv.TBytes},
	},
})

// groups holds values that may only be left out together, from the end.
func groups(names []string, lo, hi float64, unit string) []klv.Item {
	items := make([]klv.Item, 0, len(names))
	for _, n := range names {
		items = append(items, klv.Item{Name: n, Type: klv.TIMAPB, Len: 2, Min: lo, Max: hi, Unit: unit, Optional: true, Lenient: true})
	}
	return items
}

func join(parts ...[]klv.Item) []klv.Item {
	var all []klv.Item
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// location is the location pack: position, then standard deviations, then
// correlations (ST 0903.6 §8.5).
func location() []klv.Item {
	return join([]klv.Item{
		{Name: "lat_deg", Type: klv.TIMAPB, Len: 4, Min: -90, Max: 90, Unit: "deg", Lenient: true},
		{Name: "lon_deg", Type: klv.TIMAPB, Len: 4, Min: -180, Max: 180, Unit: "deg", Lenient: true},
		{Name: "hae_m", Type: klv.TIMAPB, Len: 2, Min: -900, Max: 19000, Unit: "m", Lenient: true},
	},
		groups([]string{"sigma_east_m", "sigma_north_m", "sigma_up_m"}, 0, 650, "m"),
		groups([]string{"rho_east_north", "rho_east_up", "rho_north_up"}, -1, 1, ""))
}

// motion is the velocity or acceleration pack (ST 0903.6 §8.6, §8.7).
func motion(unit string) []klv.Item {
	items := groups([]string{"east", "north", "up"}, -900, 900, unit)
	for i := range items {
		items[i].Optional = false
	}
	return join(items,
		groups([]string{"sigma_east", "sigma_north", "sigma_up"}, 0, 650, unit),
		groups([]string{"rho_east_north", "rho_east_up", "rho_north_up"}, -1, 1, ""))
}

var (
	locationLens = []int{22, 16, 10}
	motionLens   = []int{18, 12, 6}
)

// Location is the pack alone, Locations a series of it.
var (
	Location  = series("target_location", klv.Item{Type: klv.TSeq, Record: "VLocation", Fields: location(), Lens: locationLens}, false)
	Locations = series("locations", klv.Item{Type: klv.TSeq, Record: "VLocation", Fields: location(), Lens: locationLens}, true)
)

// series makes a table of one nameless item: the way to a pack or a series
// that stands alone.
func series(name string, element klv.Item, many bool) *klv.Set {
	element.Name = name
	if many {
		element = klv.Item{Name: name, Type: klv.TSeries, Fields: []klv.Item{element}}
	}
	return klv.NewSet(klv.Set{Name: name, Standard: standard, Items: []klv.Item{element}})
}

// Mask is the VMask set (§8.2.1): a contour of pixel numbers, and runs of pixels.
var Mask = klv.NewSet(klv.Set{Name: "VMask", Standard: standard, Items: []klv.Item{
	{Tag: 1, Name: "pixel_contour", Type: klv.TSeries, EmptyTuple: true, Fields: []klv.Item{{Type: klv.TVarUint, MaxLen: 6}}},
	{Tag: 2, Name: "bit_mask", Type: klv.TSeries, EmptyTuple: true, Record: "VMaskRun", Fields: []klv.Item{{Type: klv.TSeq, Fields: []klv.Item{
		{Name: "pixel", Type: klv.TVarUint, MaxLen: 6, Prefixed: true},
		{Name: "length", Type: klv.TBERLen},
	}}}},
}})

// Feature is the VFeature set (§8.2.3).
var Feature = klv.NewSet(klv.Set{Name: "VFeature", Standard: standard, Items: []klv.Item{
	text(1, "schema"), text(2, "schema_feature"), id(3, "ontology_id"), confidence(4),
}})

// Object is the VObject set (§8.2.2). Items 1 and 2 are deprecated.
var Object = klv.NewSet(klv.Set{Name: "VObject", Standard: standard, Items: []klv.Item{
	text(1, "ontology"), text(2, "ontology_class"), id(3, "ontology_id"), confidence(4),
	{Tag: 5, Name: "features", Type: klv.TSeries, EmptyTuple: true, Record: "VFeature", Fields: []klv.Item{{Type: klv.TSet, Set: Feature}}},
}})

// Tracker is the VTracker set (§8.2.4). Items 2, 6 and 8 are deprecated.
var Tracker = klv.NewSet(klv.Set{Name: "VTracker", Standard: standard, Items: []klv.Item{
	{Tag: 1, Name: "track_id", Type: klv.TBytes, Len: 16},
	{Tag: 2, Name: "detection_status", Type: klv.TUint, Len: 1},
	{Tag: 3, Name: "first_observation_us", Type: klv.TUint, Len: 8, Unit: "us"},
	{Tag: 4, Name: "latest_observation_us", Type: klv.TUint, Len: 8, Unit: "us"},
	{Tag: 5, Name: "boundary", Type: klv.TSeries, EmptyTuple: true, Record: "VLocation", Fields: []klv.Item{{Type: klv.TSeq, Fields: location(), Lens: locationLens}}},
	text(6, "algorithm"),
	{Tag: 7, Name: "confidence_level", Type: klv.TUint, Len: 1, Unit: "%"},
	{Tag: 8, Name: "num_track_points", Type: klv.TVarUint, MaxLen: 2},
	{Tag: 9, Name: "history", Type: klv.TSeries, EmptyTuple: true, Record: "VLocation", Fields: []klv.Item{{Type: klv.TSeq, Fields: location(), Lens: locationLens}}},
	{Tag: 10, Name: "velocity", Type: klv.TSeq, Record: "VMotion", Fields: motion("m/s"), Lens: motionLens},
	{Tag: 11, Name: "acceleration", Type: klv.TSeq, Record: "VMotion", Fields: motion("m/s2"), Lens: motionLens},
	{Tag: 12, Name: "algorithm_id", Type: klv.TVarUint, MaxLen: 3},
}})

// Chip is the VChip set (§8.2.5).
var Chip = klv.NewSet(klv.Set{Name: "VChip", Standard: standard, Items: []klv.Item{
	text(1, "image_type"), text(2, "image_iri"), {Tag: 3, Name: "embedded_image", Type: klv.TBytes},
}})

// Algorithm is an entry of item 102 (§8.3).
var Algorithm = klv.NewSet(klv.Set{Name: "VAlgorithm", Standard: standard, Items: []klv.Item{
	id(1, "id"), text(2, "name"), text(3, "version"), text(4, "algorithm_class"), id(5, "num_frames"),
}})

// Ontology is an entry of item 103 (§8.4).
var Ontology = klv.NewSet(klv.Set{Name: "VOntology", Standard: standard, Items: []klv.Item{
	id(1, "id"), id(2, "parent_id"), text(3, "ontology_iri"), text(4, "entity_iri"), text(5, "version_iri"), text(6, "label"),
}})

// The series that stand as bytes in the sets above.
var (
	Chips      = series("vchip_series", klv.Item{Type: klv.TSet, Set: Chip}, true)
	Objects    = series("vobject_series", klv.Item{Type: klv.TSet, Set: Object}, true)
	Algorithms = series("algorithm_series", klv.Item{Type: klv.TSet, Set: Algorithm}, true)
	Ontologies = series("ontology_series", klv.Item{Type: klv.TSet, Set: Ontology}, true)
)
