package klv

import (
	"bytes"
	"encoding/hex"
	"math"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestLength(t *testing.T) {
	for _, c := range []struct {
		hex  string
		want uint64
		ok   bool
		min  bool // the hex is the minimal form
	}{
		{"00", 0, true, true},
		{"7f", 127, true, true},
		{"8180", 128, true, true},
		{"8101", 1, true, false}, // long forms need not be minimal
		{"82ffff", 65535, true, true},
		{"8400000005", 5, true, false},
		{"8800000000000000ff", 255, true, false},
		{"80", 0, false, false},                   // indefinite
		{"89000000000000000001", 0, false, false}, // nine octets
		{"82ff", 0, false, false},
		{"", 0, false, false},
		{"88ffffffffffffffff", 0, false, false},
	} {
		n, used, ok := ReadLength(unhex(t, c.hex))
		if ok != c.ok || ok && (n != c.want || used != len(c.hex)/2) {
			t.Errorf("%s: %d %d %v", c.hex, n, used, ok)
		}
		if c.min && hex.EncodeToString(AppendLength(nil, int(c.want))) != c.hex {
			t.Errorf("%d: %x", c.want, AppendLength(nil, int(c.want)))
		}
	}
}

func TestOID(t *testing.T) {
	for _, c := range []struct {
		hex  string
		want uint64
		ok   bool
	}{
		{"05", 5, true},
		{"8108", 136, true},
		{"822c", 300, true},
		{"81ffffffffffffffff7f", math.MaxUint64, true},
		{"82808080808080808000", 0, false},
		{"ff", 0, false},
	} {
		v, used, ok := ReadOID(unhex(t, c.hex))
		if ok != c.ok || ok && (v != c.want || used != len(c.hex)/2) {
			t.Errorf("%s: %d %d %v", c.hex, v, used, ok)
		}
		if ok && hex.EncodeToString(AppendOID(nil, v)) != c.hex {
			t.Errorf("%d: %x", v, AppendOID(nil, v))
		}
	}
}

// Every raw value of a linear map returns to itself.
func TestLinearRawRange(t *testing.T) {
	for _, l := range []Linear{
		NewLinear(2, 0, 360, false), NewLinear(2, -900, 19000, false), NewLinear(2, -20, 20, true),
		NewLinear(2, -0.075, 0.075, true), NewLinear(1, 0, 510, false),
	} {
		lo, hi := int64(0), int64(1)<<(8*l.Bytes)-1
		if l.Signed {
			hi >>= 1
			lo = -hi
		}
		for raw := lo; raw <= hi; raw++ {
			if got, ok := l.Encode(l.Decode(raw)); !ok || got != raw {
				t.Fatalf("[%v, %v]: %d became %d (%v)", l.Min, l.Max, raw, got, ok)
			}
		}
	}
	for _, l := range []Linear{NewLinear(4, -90, 90, true), NewLinear(4, -180, 180, true), NewLinear(4, 0, 360, false)} {
		step := int64(65521) // a prime, so that all residues come up
		lo, hi := int64(0), int64(math.MaxUint32)
		if l.Signed {
			lo, hi = -math.MaxInt32, math.MaxInt32
		}
		for raw := lo; raw <= hi; raw += step {
			if got, ok := l.Encode(l.Decode(raw)); !ok || got != raw {
				t.Fatalf("[%v, %v]: %d became %d (%v)", l.Min, l.Max, raw, got, ok)
			}
		}
	}
}

// Every IMAPB code that holds a value returns to itself.
func TestIMAPBRawRange(t *testing.T) {
	for _, m := range []*IMAPB{
		NewIMAPB(0, 1500000), NewIMAPB(-900, 19000), NewIMAPB(-19.2, 19.2), NewIMAPB(-1, 1), NewIMAPB(0.1, 0.9),
		NewIMAPB(1, 99999), NewIMAPB(-900, 40000),
	} {
		for n := 1; n <= 6; n++ {
			step := uint64(1)
			if n > 2 {
				step = uint64(math.Exp2(float64(8*n-17))) | 1
			}
			top := m.scale[n].top
			for code := uint64(0); code <= top; code += step {
				v, sp, _, ok := m.Decode(code, n)
				if !ok || sp != NotSpecial {
					t.Fatalf("[%v, %v] %d bytes: %x has no value", m.Min, m.Max, n, code)
				}
				if got, ok := m.Encode(v, n); !ok || got != code {
					t.Fatalf("[%v, %v] %d bytes: %x is %v, which became %x", m.Min, m.Max, n, code, v, got)
				}
			}
		}
	}
}

func TestIMAPBGolden(t *testing.T) {
	for _, c := range []struct {
		lo, hi, v float64
		n         int
		code      uint64
	}{
		{0, 1500000, 750000, 3, 0x2dc6c0},
		{0, 1500000, 1500000, 3, 0x5b8d80},
		{0, 360, 360, 2, 0x5a00},
		{-19.2, 19.2, 0, 3, 0x266667},
		{-19.2, 19.2, 19.2, 3, 0x4ccccd},
		{-19.2, 19.2, 1, 3, 0x286667},
		{-900, 19000, 0, 2, 0x0384},
		{-900, 19000, 19000, 2, 0x4dbc},
		{0, 180, 12.5, 2, 0x0640},
		{-1, 1, 0.5, 2, 0x6000},
		{-1, 1, 1, 2, 0x8000}, // the range is a power of two: the maximum has the top bit
	} {
		m := NewIMAPB(c.lo, c.hi)
		if got, ok := m.Encode(c.v, c.n); !ok || got != c.code {
			t.Errorf("[%v, %v] %v: %x, want %x", c.lo, c.hi, c.v, got, c.code)
		}
	}
	m := NewIMAPB(0, 1500000)
	for _, c := range []struct {
		code    uint64
		sp      Special
		payload uint64
		ok      bool
	}{
		{0xc80000, SpecialPosInfinity, 0, true},
		{0xe80000, SpecialNegInfinity, 0, true},
		{0xd00001, SpecialPosQuietNaN, 1, true},
		{0xf00000, SpecialNegQuietNaN, 0, true},
		{0xd80001, SpecialPosSignalingNaN, 1, true},
		{0xf80000, SpecialNegSignalingNaN, 0, true},
		{0xe00000, SpecialBelowMin, 0, true},
		{0xe10000, SpecialAboveMax, 0, true},
		{0xc10005, SpecialUserDefined, 65541, true},
		{0xc80005, SpecialReserved, 0xc80005, false},
		{0xe00001, SpecialReserved, 0xe00001, false},
		{0xa00000, SpecialReserved, 0xa00000, false},
		{0x800001, SpecialReserved, 0x800001, false},
		{0x5b8d81, NotSpecial, 0, false},
	} {
		_, sp, payload, ok := m.Decode(c.code, 3)
		if sp != c.sp || payload != c.payload || ok != c.ok {
			t.Errorf("%x: %v %x %v", c.code, sp, payload, ok)
		}
		if ok {
			if got, fits := EncodeSpecial(sp, payload, 3); !fits || got != c.code {
				t.Errorf("%v %d: %x, want %x", sp, payload, got, c.code)
			}
		}
	}
}

func TestChecksums(t *testing.T) {
	digits := []byte("123456789")
	if got := CRC32MPEG2(digits); got != 0x0376e6e7 {
		t.Errorf("CRC-32/MPEG-2: %x", got)
	}
	if got := CRC16CCITT(digits); got != 0xe5cc {
		t.Errorf("CRC-16: %x", got)
	}
	for n := range 5000 {
		b := bytes.Repeat([]byte{0xff, 0x7e, 1}, n/3+1)[:n]
		var want uint16
		for i, c := range b {
			want += uint16(c) << (8 * (1 - i%2))
		}
		if got := RunningSum(b); got != want {
			t.Fatalf("%d bytes: %x, want %x", n, got, want)
		}
	}
}

func TestUTF16(t *testing.T) {
	for _, c := range []struct{ text, hex string }{
		{"USA;CAN", "feff005500530041003b00430041004e"},
		{"\U0001F600", "feffd83dde00"},
		{"", "feff"},
	} {
		if got := hex.EncodeToString(appendUTF16(nil, []byte(c.text))); got != c.hex {
			t.Errorf("%q: %s", c.text, got)
		}
		if got, ok := decodeUTF16(nil, unhex(t, c.hex)); !ok || string(got) != c.text {
			t.Errorf("%s: %q", c.hex, got)
		}
	}
	for in, want := range map[string]string{"00550053": "US", "fffe55005300": "US"} {
		if got, ok := decodeUTF16(nil, unhex(t, in)); !ok || string(got) != want {
			t.Errorf("%s: %q %v", in, got, ok)
		}
	}
	for _, in := range []string{"00", "feff00", "feffd83d", "feffd83d0055", "feffde00"} {
		if _, ok := decodeUTF16(nil, unhex(t, in)); ok {
			t.Errorf("%s was accepted", in)
		}
	}
}

func FuzzTree(f *testing.F) {
	var w Tree
	w.Tuple(6)
	w.None()
	w.Bool(true)
	w.Uint(math.MaxUint64)
	w.Int(math.MinInt64)
	w.Float(1.5)
	w.Tuple(2)
	w.Text("é")
	w.Bytes([]byte{0})
	f.Add(w.B)
	f.Add([]byte("[\x02\x00\x00\x00NN"))
	f.Add([]byte("(\xff\xff\xff\x7fN"))
	f.Fuzz(func(t *testing.T, b []byte) {
		v, rest, err := ReadTree(b)
		if err != nil {
			return
		}
		if len(rest) > len(b) {
			t.Fatal("read backwards")
		}
		var again Tree
		copyTree(&again, v)
		u, _, err := ReadTree(again.B)
		if err != nil {
			t.Fatal(err)
		}
		var third Tree
		copyTree(&third, u)
		if !bytes.Equal(again.B, third.B) {
			t.Fatalf("%x became %x", again.B, third.B)
		}
	})
}

func copyTree(w *Tree, v Value) {
	switch v.Form {
	case 'N':
		w.None()
	case 'T', 'F':
		w.Bool(v.Form == 'T')
	case 'i':
		if v.Wide {
			w.Uint(uint64(v.Int))
		} else {
			w.Int(v.Int)
		}
	case 'g':
		w.Float(v.Num)
	case 's':
		w.Bytes(v.Data)
	case 'u':
		w.textBytes(v.Data)
	case '(':
		w.Tuple(v.Len)
		for _, e := range v.Tuple() {
			copyTree(w, e)
		}
	}
}

func FuzzNext(f *testing.F) {
	f.Add([]byte{2, 1, 7, 0x81, 8, 1, 37})
	f.Add([]byte{1, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		var again []byte
		for off := 0; off < len(b); {
			x, next, ok := Next(b, off)
			if !ok {
				return
			}
			if next <= off || next > len(b) || x.Start != off || x.Body+len(x.Value) != next {
				t.Fatalf("item at %d ends at %d of %d", off, next, len(b))
			}
			again = AppendTLV(again, x.Tag, x.Value)
			off = next
		}
		// Written anew with minimal lengths, the items read the same.
		n := 0
		for off := 0; off < len(again); n++ {
			_, next, ok := Next(again, off)
			if !ok {
				t.Fatal("the minimal form does not read")
			}
			off = next
		}
	})
}
