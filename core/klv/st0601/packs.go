package st0601

import "github.com/tstrans/tstrans/core/klv"

// The structured items of ST 0601, part by part.
var (
	// Item 81: pixel percentages of the line's two ends, then their positions.
	imageHorizon = []klv.Item{
		{Tag: 81, Name: "x0_pct", Type: klv.TUint, Len: 1, Unit: "%"},
		{Tag: 81, Name: "y0_pct", Type: klv.TUint, Len: 1, Unit: "%"},
		{Tag: 81, Name: "x1_pct", Type: klv.TUint, Len: 1, Unit: "%"},
		{Tag: 81, Name: "y1_pct", Type: klv.TUint, Len: 1, Unit: "%"},
		{Tag: 81, Name: "start_lat_deg", Type: klv.TSLinear, Len: 4, Min: -90, Max: 90, Optional: true, Unit: "deg"},
		{Tag: 81, Name: "start_lon_deg", Type: klv.TSLinear, Len: 4, Min: -180, Max: 180, Optional: true, Unit: "deg"},
		{Tag: 81, Name: "end_lat_deg", Type: klv.TSLinear, Len: 4, Min: -90, Max: 90, Optional: true, Unit: "deg"},
		{Tag: 81, Name: "end_lon_deg", Type: klv.TSLinear, Len: 4, Min: -180, Max: 180, Optional: true, Unit: "deg"},
	}
	// Item 115. The time is eight bytes in the standard; small numbers, which are
	// no times, take fewer, as another writer of this form does.
	controlCommand = []klv.Item{
		{Name: "id", Type: klv.TOID},
		{Tag: 115, Name: "command", Type: klv.TText, Prefixed: true, MaxLen: 127},
		{Name: "time_us", Type: klv.TVarUint, MaxLen: 8, Full: true, Optional: true, Unit: "us"},
	}
	// Item 122.
	countryCodes = []klv.Item{
		{Name: "coding_method", Type: klv.TVarUint, MaxLen: 8, Prefixed: true},
		{Name: "overflight", Type: klv.TText, Prefixed: true, Nullable: true},
		{Name: "operator", Type: klv.TText, Prefixed: true, Nullable: true, Optional: true},
		{Name: "manufacture", Type: klv.TText, Prefixed: true, Nullable: true, Optional: true},
	}
	// Item 127.
	frameRate = []klv.Item{
		{Name: "numerator", Type: klv.TOID},
		{Name: "denominator", Type: klv.TOID, HasDef: true, Default: 1},
	}
	// Item 128.
	wavelength = []klv.Item{
		{Name: "id", Type: klv.TOID},
		{Name: "min_nm", Type: klv.TIMAPB, Len: 4, Min: 0, Max: 1e9, Unit: "nm"},
		{Name: "max_nm", Type: klv.TIMAPB, Len: 4, Min: 0, Max: 1e9, Unit: "nm"},
		{Name: "name", Type: klv.TText},
	}
	// Location truncation pack of items 130 and 141.
	location = []klv.Item{
		{Name: "lat_deg", Type: klv.TIMAPB, Len: 4, Min: -90, Max: 90, Lenient: true, Unit: "deg"},
		{Name: "lon_deg", Type: klv.TIMAPB, Len: 4, Min: -180, Max: 180, Lenient: true, Unit: "deg"},
		{Name: "hae_m", Type: klv.TIMAPB, Len: 3, Min: -900, Max: 9000, Optional: true, Lenient: true, Unit: "m"},
	}
	locationLens = []int{11, 8}
	// Item 130: a recovery location that is left out equals the take-off location.
	airbase = []klv.Item{
		{Name: "take_off", Type: klv.TSeq, Record: "Location", Fields: location, Lens: locationLens, Prefixed: true, Nullable: true},
		{Name: "recovery", Type: klv.TSeq, Record: "Location", Fields: location, Lens: locationLens, Prefixed: true, Nullable: true, Optional: true, Copies: true},
	}
	// Item 138: the count tells all payloads aboard, the records may be fewer.
	payloadList = []klv.Item{
		{Name: "count", Type: klv.TOID},
		{Name: "records", Type: klv.TSeries, Record: "PayloadRecord", EmptyTuple: true, Optional: true, Fields: []klv.Item{{Type: klv.TSeq, Fields: []klv.Item{
			{Name: "id", Type: klv.TOID},
			{Name: "payload_type", Type: klv.TOID, Enum: "PayloadType"},
			{Name: "name", Type: klv.TText, Prefixed: true},
		}}}},
	}
	// Item 140.
	weaponsStore = []klv.Item{
		{Name: "station_id", Type: klv.TOID},
		{Name: "hardpoint_id", Type: klv.TOID},
		{Name: "carriage_id", Type: klv.TOID},
		{Name: "store_id", Type: klv.TOID},
		{Name: "status_raw", Type: klv.TOID},
		{Name: "weapon_type", Type: klv.TText, Prefixed: true},
	}
	// Item 141.
	waypoint = []klv.Item{
		{Name: "id", Type: klv.TOID},
		{Name: "prosecution_order", Type: klv.TInt, Len: 2},
		{Name: "info", Type: klv.TOID, Max: 255, Optional: true},
		{Name: "location", Type: klv.TSeq, Record: "Location", Fields: location, Lens: locationLens, Optional: true},
	}
	// Item 142: start and range share the bytes of a pair equally.
	viewDomain = []klv.Item{
		{Name: "azimuth", Type: klv.TSeq, Record: "ViewDomainPair", Prefixed: true, Nullable: true, Optional: true, Fields: turn},
		{Name: "elevation", Type: klv.TSeq, Record: "ViewDomainPair", Prefixed: true, Nullable: true, Optional: true, Fields: []klv.Item{
			{Name: "start_deg", Type: klv.TIMAPB, Len: 3, MaxLen: 8, Share: true, Min: -180, Max: 180, Unit: "deg"},
			{Name: "range_deg", Type: klv.TIMAPB, Len: 3, MaxLen: 8, Share: true, Min: 0, Max: 360, Unit: "deg"},
		}},
		{Name: "roll", Type: klv.TSeq, Record: "ViewDomainPair", Prefixed: true, Nullable: true, Optional: true, Fields: turn},
	}
	turn = []klv.Item{
		{Name: "start_deg", Type: klv.TIMAPB, Len: 3, MaxLen: 8, Share: true, Min: 0, Max: 360, Unit: "deg"},
		{Name: "range_deg", Type: klv.TIMAPB, Len: 3, MaxLen: 8, Share: true, Min: 0, Max: 360, Unit: "deg"},
	}
	// Item 143.
	substreamID = []klv.Item{
		{Name: "local_id", Type: klv.TOID},
		{Name: "uuid", Type: klv.TBytes, Len: 16, Optional: true},
	}
)
