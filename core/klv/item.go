package klv

// Type is how an item's value is coded. One engine decodes and encodes them
// all; a new standard brings rows of these types, not code.
type Type uint8

// The types. "Rest" types take every byte that is left in their container.
const (
	TUint    Type = iota + 1 // unsigned integer of Len bytes
	TInt                     // two's complement integer of Len bytes
	TVarUint                 // unsigned integer in the fewest bytes, at most MaxLen (rest)
	TVarInt                  // two's complement integer in the fewest bytes, at most MaxLen (rest)
	TLinear                  // linear map of an unsigned integer of Len bytes to Min..Max
	TSLinear                 // linear map of a signed integer of Len bytes, most negative value reserved
	TIMAPB                   // IMAPB: Len bytes written, up to MaxLen read (a container's row reads exactly Len)
	TText                    // UTF-8, at most MaxLen bytes (0: no limit) (rest)
	TText16                  // UTF-16, big endian unless a byte order mark says otherwise (rest)
	TBytes                   // opaque bytes, at most MaxLen (0: no limit), exactly Len where Len > 0 (rest)
	TOID                     // BER-OID integer
	TOIDs                    // BER-OID integers one after the other (rest)
	TSeq                     // Fields one after the other: a defined-length or truncation pack (rest)
	TSeries                  // elements, each behind its BER length; Fields[0] describes one (rest)
	TSet                     // a nested local set (rest)
	TBERLen                  // number in BER length form
	TSDCC                    // ST 1010 matrix that refers to the items written just before it
)

// Class is the form of a decoded value in a record block.
type Class uint8

// The classes of slots.
const (
	ClassFloat Class = iota // IEEE 754 double
	ClassUint               // uint64
	ClassInt                // int64
	ClassText               // offset and length of UTF-8
	ClassBytes              // offset and length of bytes
	ClassTree               // offset and length of a value tree
)

// Meaning says what the reserved value of a signed linear item stands for.
type Meaning uint8

// The meanings that the standards give.
const (
	NoMeaning Meaning = iota
	MeansOutOfRange
	MeansReserved
	MeansNotAvailable
)

var meaningNames = [...]string{"", "out_of_range", "reserved", "not_available"}

// String names the meaning.
func (m Meaning) String() string { return meaningNames[m] }

// Item is one row of a set's table.
type Item struct {
	Tag      uint32
	Name     string // the field's name in every language
	Type     Type
	Len      int // bytes written; TSeq with Lens: the fewest bytes, fewer are a truncated field
	MaxLen   int // bytes accepted; 0 means Len for fixed types, no limit for text and bytes
	Min, Max float64
	Unit     string
	Sentinel Meaning
	Enum     string // name of the enumeration that the integer belongs to
	Multi    bool   // the item may occur repeatedly; the value is the tuple of all
	Fields   []Item // TSeq: parts; TSeries: one element
	Set      *Set   // TSet
	Record   string // Python record of a TSeq, TSet, or an element of a TSeries
	Hint     string // field of wider range, named when a value is out of range

	// Parts of a TSeq.
	Prefixed bool   // the part stands behind its own BER length
	Nullable bool   // a Prefixed part of length 0 means none
	Optional bool   // the part may be missing at the end
	Default  uint64 // value of a missing optional integer (with HasDefault)
	HasDef   bool
	Copies   bool // a missing part equals the one before it
	Share    bool // IMAPB whose width is an equal share of the bytes left
	KeepLen  bool // TSeq: the tuple ends with the length its last part was read in, 0 where it is missing
	Full     bool // TVarUint: values wider than four bytes are written in MaxLen bytes
	Lenient  bool // a value outside the range decodes as none, and none is written as the special value "user defined 0"

	// Sets other than ST 0601.
	DecodeOnly bool  // read, never written (checksums)
	EmptyTuple bool  // an absent series is the empty tuple rather than none
	Required   bool  // a nested set cannot be written without it
	Partial    bool  // TSeries: elements that can be read are kept where others cannot
	Exact      bool  // TIMAPB: any code that is no value counts as a wrong length
	NoTag      bool  // encode errors carry tag 0
	Wide       int   // TVarUint: bytes that are written although readers take MaxLen only
	Lens       []int // TSeq: the only lengths allowed, the longest first

	Check func([]byte) bool // TSDCC: whether the bytes can be read

	lin   Linear
	imapb *IMAPB
	fixed bool // TIMAPB: no other length than Len
	class Class
	least int   // TVarUint, TVarInt: fewest bytes written
	index uint8 // position in the table
}

// Class tells the form of the item's decoded value.
func (it *Item) Class() Class { return it.class }

func (it *Item) classOf() Class {
	if it.Multi {
		return ClassTree
	}
	switch it.Type {
	case TLinear, TSLinear, TIMAPB:
		return ClassFloat
	case TInt, TVarInt:
		return ClassInt
	case TUint, TVarUint, TOID, TBERLen:
		return ClassUint
	case TText, TText16:
		return ClassText
	case TBytes:
		return ClassBytes
	}
	return ClassTree
}

// Index is the item's position in its set's table.
func (it *Item) Index() int { return int(it.index) }

// Resolution is the value of one count of the item's map as it is written; 0
// for items that are not mapped.
func (it *Item) Resolution() float64 {
	switch it.Type {
	case TLinear, TSLinear:
		return it.lin.step
	case TIMAPB:
		return it.imapb.Resolution(it.Len)
	}
	return 0
}

// prepare computes what the rows imply. It runs once, while a package's table
// is built.
func (it *Item) prepare() {
	it.class = it.classOf()
	switch it.Type {
	case TLinear, TSLinear:
		it.lin = NewLinear(it.Len, it.Min, it.Max, it.Type == TSLinear)
	case TIMAPB:
		it.imapb = NewIMAPB(it.Min, it.Max)
		if it.MaxLen == 0 {
			it.MaxLen, it.fixed = it.Len, true
		}
	case TVarUint, TVarInt:
		if it.MaxLen == 0 {
			it.MaxLen = 8
		}
	}
	for i := range it.Fields {
		it.Fields[i].prepare()
	}
}

// Set is a local set: its table of items and what the standard asks of it.
type Set struct {
	Name      string // name of the record
	Standard  string // for citations
	Key       UL
	Items     []Item // in field order
	Reserved  []uint32
	LeadID    string // name of the BER-OID number that precedes the items of a pack ("" for a plain set)
	Sentinels bool   // the record lists items that carry the reserved value
	Tail      bool   // a tail that is no whole item is a field error of tag 0, not the end of the set
	Plain     bool   // the record has neither unknown items nor field errors

	byTag [256]*Item
	hot   [128]hotItem
	big   map[uint32]*Item
	order []*Item // ascending by tag
}

// hotItem is what the decoding loop needs of a fixed-size number, in one half
// of a cache line: rows are an order of magnitude larger.
type hotItem struct {
	kind         hotKind
	size, index  uint8
	step, offset float64
}

type hotKind uint8

const (
	hotNone hotKind = iota // take the general way
	hotUint
	hotInt
	hotLinear
	hotSLinear
	hotText // size is the most bytes
)

func (it *Item) hot() hotItem {
	if it.Type == TText && !it.Multi && it.MaxLen > 0 && it.MaxLen < 0x80 {
		return hotItem{kind: hotText, size: uint8(it.MaxLen), index: it.index}
	}
	h := hotItem{size: uint8(it.Len), index: it.index, step: it.lin.step, offset: it.lin.offset}
	if it.Multi || it.Max > 0 && it.Type == TUint || it.Len != 1 && it.Len != 2 && it.Len != 4 && it.Len != 8 {
		return hotItem{}
	}
	switch it.Type {
	case TUint:
		h.kind = hotUint
	case TInt:
		h.kind = hotInt
	case TLinear:
		h.kind = hotLinear
	case TSLinear:
		h.kind = hotSLinear
	}
	return h
}

// NewSet completes a table. The set is read-only from then on.
func NewSet(s Set) *Set {
	set := &s
	for i := range set.Items {
		it := &set.Items[i]
		it.index = uint8(i)
		it.prepare()
		if int(it.Tag) < len(set.byTag) {
			set.byTag[it.Tag] = it
			if int(it.Tag) < len(set.hot) {
				set.hot[it.Tag] = it.hot()
			}
		} else {
			if set.big == nil {
				set.big = map[uint32]*Item{}
			}
			set.big[it.Tag] = it
		}
		at := len(set.order)
		for at > 0 && set.order[at-1].Tag > it.Tag {
			at--
		}
		set.order = append(set.order, nil)
		copy(set.order[at+1:], set.order[at:])
		set.order[at] = it
	}
	return set
}

// Item finds the row of a tag, or nil.
func (s *Set) Item(tag uint64) *Item {
	if tag < uint64(len(s.byTag)) {
		return s.byTag[tag]
	}
	if s.big == nil || tag > 1<<32-1 {
		return nil
	}
	return s.big[uint32(tag)]
}

// ByName finds the row of a field, or nil.
func (s *Set) ByName(name string) *Item {
	for i := range s.Items {
		if s.Items[i].Name == name {
			return &s.Items[i]
		}
	}
	return nil
}

// Ordered lists the items ascending by tag.
func (s *Set) Ordered() []*Item { return s.order }

// IsReserved tells tags that the encoder writes itself.
func (s *Set) IsReserved(tag uint64) bool {
	for _, r := range s.Reserved {
		if uint64(r) == tag {
			return true
		}
	}
	return false
}
