package mpegts

// EventType says what a Record reports. The numbers are part of the C ABI.
type EventType uint8

// The types of events.
const (
	EventProgramMap             EventType = 1
	EventVideo                  EventType = 2
	EventAudio                  EventType = 3
	EventSubtitle               EventType = 4
	EventKLV                    EventType = 5
	EventUnknownSample          EventType = 6
	EventDiscontinuity          EventType = 7
	EventNonConformant          EventType = 8
	EventReconnectDiscontinuity EventType = 9
)

// Flags of a Record. The numbers are part of the C ABI.
const (
	FlagLazy           uint16 = 1  // the payload is in the chunk, not in the arena
	FlagHasPTS         uint16 = 2  // the PES carried a PTS
	FlagHasDTS         uint16 = 4  // DTS is valid
	FlagRandomAccess   uint16 = 8  // random_access_indicator of the first packet
	FlagWasReassembled uint16 = 16 // joined from several AU cells
	FlagAligned        uint16 = 32 // data_alignment_indicator of the PES
	FlagHeld           uint16 = 64 // began before the PMT of its stream was known
)

// Detail of EventKLV: how the metadata were carried.
const (
	MetadataUnknown   uint8 = 0
	MetadataKLVAUCell uint8 = 1
	MetadataKLVAsync  uint8 = 2
)

// Detail of EventDiscontinuity.
const (
	DiscontinuityContinuityJump   uint8 = 1
	DiscontinuityAdaptationFlag   uint8 = 2
	DiscontinuityPESOversize      uint8 = 3
	DiscontinuityPESTotalOversize uint8 = 4
)

// Reason of a NonConformant of kind NCMultiCellAU.
const (
	ReasonOrphan          uint8 = 0
	ReasonSequenceGap     uint8 = 1
	ReasonConcurrentFirst uint8 = 2
	ReasonOverflow        uint8 = 3
	ReasonOverflowTotal   uint8 = 4
	ReasonTooManyPIDs     uint8 = 5
)

// Source of a KLVLink.
const (
	LinkDeclared uint8 = 1
	LinkInferred uint8 = 2
	LinkOverride uint8 = 3
)

// None stands in Reason, ObservedCFI, TreatedAs and the AV1 detail of a video
// event where there is no value.
const None uint8 = 255

// PayloadInlineMax is the largest payload copied into the arena, in bytes.
const PayloadInlineMax = 4096

// RecordSize is the size of a Record in bytes, here and in C.
const RecordSize = 64

// NoStream is the stream number of an identity beyond the number that is kept.
const NoStream = 0xFFFF

// Record is one event. Its layout is that of tst_record in include/tstrans/mpegts.h.
type Record struct {
	PTS           int64 // 90 kHz ticks
	DTS           int64 // 90 kHz ticks; valid with FlagHasDTS
	Payload       uint32
	PayloadLen    uint32
	PID           uint16
	ProgramNumber uint16
	StreamKind    StreamKind
	Codec         Codec
	Stream        uint16
	Type          EventType
	Detail        uint8
	Flags         uint16
	Text          uint32
	TextLen       uint32
	CellCount     uint32
	Position      uint64 // bytes since the demuxer began
	StreamType    uint8
	Reason        uint8
	ObservedCFI   uint8
	TreatedAs     uint8
	_             uint32
}

// ID is the stream the event is about.
func (r *Record) ID() StreamID {
	return StreamID{PID: r.PID, ProgramNumber: r.ProgramNumber, Kind: r.StreamKind, Codec: r.Codec}
}
