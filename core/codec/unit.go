package codec

// UnitFlags are findings about one unit, in the order in which they are found.
type UnitFlags uint8

// The findings. Dropped is not one of its own: it marks a unit that is only
// there for its findings.
const (
	UnitForbidden    UnitFlags = 1 << iota // the forbidden bit of the header is set
	UnitTemporalZero                       // nuh_temporal_id_plus1 is 0
	UnitReserved                           // a reserved bit of the header is set
	UnitExtReserved                        // reserved bits of the OBU extension are set
	UnitNoSize                             // the OBU has no size field
	UnitTileList                           // the OBU is a tile list, forbidden in MPEG-2 TS
	UnitHasExtension                       // the OBU has an extension header (not a finding)
	UnitDropped                            // not a unit: its header cannot be relied on

	// UnitLayerRange shares the bit of UnitExtReserved: nuh_layer_id of H.266 is
	// above 55.
	UnitLayerRange = UnitExtReserved
)

// UnitFindings masks what is a finding.
const UnitFindings = UnitForbidden | UnitTemporalZero | UnitReserved | UnitExtReserved | UnitNoSize | UnitTileList

// Unit is a NAL unit or an OBU of an access unit. The layout is that of tst_unit
// in the C ABI.
type Unit struct {
	Offset uint64 // where the payload, behind the header, starts
	Length uint64 // bytes of the payload
	Type   uint8
	// A is nal_ref_idc, nuh_layer_id, or temporal_id of an OBU.
	A uint8
	// B is nuh_temporal_id_plus1, or spatial_id of an OBU.
	B     uint8
	Flags UnitFlags
	_     uint32
}

// Put stores u as number n of dst while there is room, and counts on.
func Put(dst []Unit, n int, u Unit) int {
	if n < len(dst) {
		dst[n] = u
	}
	return n + 1
}
