package flow

import "slices"

// History is how many packets a sender keeps, and how far back a receiver asks.
const History = 128

// Missing lists the numbers that a receiver still hopes for.
type Missing struct {
	begun bool
	max   uint16
	list  []uint16 // ascending, seen from max
}

// Max is the newest number; ok is false before the first.
func (m *Missing) Max() (seq uint16, ok bool) { return m.max, m.begun }

// List gives the missing numbers, oldest first. It is valid until the next call.
func (m *Missing) List() []uint16 { return m.list }

// Set takes another newest number and another list, ascending as seen from it.
func (m *Missing) Set(newest uint16, list []uint32) {
	m.begun, m.max, m.list = true, newest, m.list[:0]
	for _, seq := range list[:min(len(list), History)] {
		m.list = append(m.list, uint16(seq)) //nolint:gosec // a sequence number
	}
}

// Reset forgets everything.
func (m *Missing) Reset() { *m = Missing{list: m.list[:0]} }

// Add takes a number that arrived and tells whether numbers before it are newly missing.
func (m *Missing) Add(seq uint16) (gap bool) {
	if !m.begun {
		m.begun, m.max = true, seq
		return false
	}
	step := int16(seq - m.max) //nolint:gosec // the sign tells the order
	if step <= 0 {
		if i := slices.Index(m.list, seq); i >= 0 {
			m.list = slices.Delete(m.list, i, i+1)
		}
		return false
	}
	from := m.max + 1
	if uint16(step) > History { //nolint:gosec // positive
		from = seq - History
	}
	for s := from; s != seq; s++ {
		m.list = append(m.list, s)
	}
	m.max = seq
	m.Truncate()
	return step > 1
}

// Truncate drops numbers too old to be sent again.
func (m *Missing) Truncate() {
	for len(m.list) > 0 && m.max-m.list[0] > History {
		m.list = slices.Delete(m.list, 0, 1)
	}
}
