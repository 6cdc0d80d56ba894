// Package st1204 is the motion imagery identification system core identifier
// (MISB ST 1204.3).
package st1204

import (
	"strings"

	"github.com/tstrans/tstrans/core/klv"
	"github.com/tstrans/tstrans/core/tsterr"
)

// UUIDSize is the size of each identifier in bytes.
const UUIDSize = 16

// Kinds of a sensor or platform identifier, as the usage byte codes them.
const (
	KindNone     = 0
	KindManaged  = 1
	KindVirtual  = 2
	KindPhysical = 3
)

// CoreID is a decoded core identifier. A nil identifier is absent.
type CoreID struct {
	Version              int64
	SensorKind, PlatKind byte
	Sensor, Platform     []byte
	Window, Minor        []byte
}

// version is the only version the standard has defined.
const version = 1

// Bits of the usage byte (§6.2.2).
const (
	usageReserved = 0x81
	usageWindow   = 0x04
	usageMinor    = 0x02
)

func malformed(off int64, msg string) error {
	return tsterr.At(tsterr.KLVMalformedBytes, "core_id", off, "core identifier: %s", msg)
}

// Decode reads a core identifier; the result aliases b.
func Decode(b []byte) (c CoreID, err error) {
	if len(b) > 0 && b[0] != version {
		return c, malformed(0, "unknown version")
	}
	if len(b) < 2 {
		return c, tsterr.At(tsterr.KLVTruncatedSet, "core_id", int64(len(b)), "core identifier of %d bytes is shorter than version and usage", len(b))
	}
	u := b[1]
	switch {
	case u&usageReserved != 0:
		return c, malformed(1, "reserved usage bits are set")
	case u == 0:
		return c, malformed(1, "it names no identifier")
	case u&usageMinor != 0 && u != usageMinor:
		return c, malformed(1, "a minor identifier stands alone")
	}
	c.Version, c.SensorKind, c.PlatKind = version, u>>5&3, u>>3&3
	rest := b[2:]
	for _, part := range []struct {
		on bool
		to *[]byte
	}{{c.SensorKind != 0, &c.Sensor}, {c.PlatKind != 0, &c.Platform}, {u&usageWindow != 0, &c.Window}, {u&usageMinor != 0, &c.Minor}} {
		if !part.on {
			continue
		}
		if len(rest) < UUIDSize {
			return c, tsterr.At(tsterr.KLVTruncatedSet, "core_id", int64(len(b)), "core identifier ends inside an identifier")
		}
		*part.to, rest = rest[:UUIDSize], rest[UUIDSize:]
	}
	if len(rest) > 0 {
		return c, malformed(int64(len(b)-len(rest)), "bytes follow it")
	}
	return c, nil
}

func (c *CoreID) usage() byte {
	u := c.SensorKind<<5 | c.PlatKind<<3
	if c.Window != nil {
		u |= usageWindow
	}
	if c.Minor != nil {
		u |= usageMinor
	}
	return u
}

func (c *CoreID) ids() [][]byte {
	var ids [][]byte
	for _, id := range [][]byte{c.Sensor, c.Platform, c.Window, c.Minor} {
		if id != nil {
			ids = append(ids, id)
		}
	}
	return ids
}

// Append appends the binary form. Combinations that Decode refuses are written
// as asked; only sizes are checked.
func (c *CoreID) Append(dst []byte) ([]byte, error) {
	if c.Version < 0 || c.Version > 255 {
		return dst, tsterr.New(tsterr.Overflow, "version %d does not fit a byte", c.Version)
	}
	ids := c.ids()
	for _, id := range ids {
		if len(id) != UUIDSize {
			return dst, tsterr.New(tsterr.InvalidArg, "identifier of %d bytes, must have %d", len(id), UUIDSize)
		}
	}
	dst = append(dst, byte(c.Version), c.usage())
	for _, id := range ids {
		dst = append(dst, id...)
	}
	return dst, nil
}

const hexDigits = "0123456789ABCDEF"

// Text gives the text form (§6.3): version and usage, the identifiers in
// groups of four digits, and a check value.
func (c *CoreID) Text() (string, error) {
	b, err := c.Append(nil)
	if err != nil {
		return "", err
	}
	var s strings.Builder
	put := func(x byte) { s.WriteByte(hexDigits[x>>4]); s.WriteByte(hexDigits[x&15]) }
	put(b[0])
	put(b[1])
	s.WriteByte(':')
	for i, id := range c.ids() {
		if i > 0 {
			s.WriteByte('/')
		}
		for j, x := range id {
			if j > 0 && j%2 == 0 {
				s.WriteByte('-')
			}
			put(x)
		}
	}
	s.WriteByte(':')
	put(check(s.String()))
	return s.String(), nil
}

// check is the check value of the text form (§6.3.1): two digits of GF(16)
// with the polynomial x^4+x^3+1. Digit i, counted from 1, weighs 2^i in the
// high one and 2^-i in the low one. Separators do not count.
func check(text string) byte {
	const two, half = 2, 12
	up, down := byte(two), byte(half)
	var h, l byte
	for i := range len(text) {
		d := strings.IndexByte(hexDigits, text[i])
		if d < 0 {
			continue
		}
		h ^= mul16(byte(d), up)
		l ^= mul16(byte(d), down)
		up, down = mul16(up, two), mul16(down, half)
	}
	return h<<4 | l
}

// mul16 multiplies in GF(16).
func mul16(a, b byte) (p byte) {
	for ; b != 0; b >>= 1 {
		if b&1 != 0 {
			p ^= a
		}
		if a <<= 1; a&0x10 != 0 {
			a ^= 0x19
		}
	}
	return p
}

// Tree appends (version, sensor, platform, window, minor); sensor and platform
// are (kind, bytes) or nothing.
func (c *CoreID) Tree(w *klv.Tree) {
	w.Tuple(5)
	w.Int(c.Version)
	pair := func(kind byte, id []byte) {
		if id == nil {
			w.None()
			return
		}
		w.Tuple(2)
		w.Uint(uint64(kind))
		w.Bytes(id)
	}
	pair(c.SensorKind, c.Sensor)
	pair(c.PlatKind, c.Platform)
	for _, id := range [][]byte{c.Window, c.Minor} {
		if id == nil {
			w.None()
		} else {
			w.Bytes(id)
		}
	}
}

// FromTree is the inverse of Tree.
func FromTree(v klv.Value) (c CoreID, err error) {
	bad := tsterr.New(tsterr.InvalidArg, "not a core identifier")
	p := v.Tuple()
	if len(p) != 5 || p[0].Form != 'i' {
		return c, bad
	}
	c.Version = p[0].Int
	for i, to := range []struct {
		kind *byte
		id   *[]byte
	}{{&c.SensorKind, &c.Sensor}, {&c.PlatKind, &c.Platform}} {
		if p[1+i].None() {
			continue
		}
		q := p[1+i].Tuple()
		if len(q) != 2 || q[0].Form != 'i' || q[0].Int < 1 || q[0].Int > 3 || q[1].Form != 's' {
			return c, bad
		}
		*to.kind, *to.id = byte(q[0].Int), nonNil(q[1].Data)
	}
	for i, to := range []*[]byte{&c.Window, &c.Minor} {
		if p[3+i].None() {
			continue
		}
		if p[3+i].Form != 's' {
			return c, bad
		}
		*to = nonNil(p[3+i].Data)
	}
	return c, nil
}

func nonNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
