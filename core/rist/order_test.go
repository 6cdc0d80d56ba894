package rist

import (
	"slices"
	"testing"
)

func TestOrder(t *testing.T) {
	const ms = 1 << 32 / 1000
	at := func(seq uint16, when uint64) arrival { return arrival{ts: when * ms, flow: 1, seq: seq} }
	anew := func(a arrival) arrival { a.start = true; return a }
	by := func(peer uintptr, a arrival) arrival { a.peer = peer; return a }
	of := func(flow uint32, a arrival) arrival { a.flow = flow; return a }
	for _, c := range []struct {
		name       string
		in         []arrival
		held       []int // the places of what is not handed out
		lost, late uint64
		fresh      bool // a sender after the first
	}{
		{"in order", []arrival{at(1, 1), at(2, 2), at(3, 3)}, nil, 0, 0, false},
		{"over the wrap", []arrival{at(65534, 1), at(65535, 2), at(0, 3), at(1, 4)}, nil, 0, 0, false},
		{"twice", []arrival{at(1, 1), at(2, 2), at(2, 2), at(3, 3)}, []int{2}, 0, 1, false},
		{"after its turn", []arrival{at(1, 1), at(2, 2), at(4, 4), at(3, 3), at(5, 5)}, []int{3}, 1, 1, false},
		{"a gap", []arrival{at(65533, 1), at(2, 9)}, nil, 4, 0, false},
		{"messages of one instant", []arrival{at(1, 1), at(2, 1), at(3, 1)}, nil, 0, 0, false},
		{"the clock wraps", []arrival{at(1, 1<<31), at(2, 0), at(3, 1)}, nil, 0, 0, false},
		{"a long outage", []arrival{at(1, 1), at(50001, 100_000), at(50002, 100_001)}, nil, 49_999, 0, false},
		{"an outage of exactly all numbers", []arrival{at(7, 1), at(7, 200_000)}, nil, 65535, 0, false},
		{"two senders", []arrival{at(1, 1), of(2, at(900, 1)), at(2, 2), of(2, at(901, 2)), of(2, at(900, 1))}, []int{4}, 0, 1, true},
		{"a sender that counts anew", []arrival{at(500, 500), anew(at(3, 1)), at(4, 2)}, nil, 0, 0, true},
		{"a sender that counts anew, further on", []arrival{at(500, 500), anew(at(600, 1)), at(601, 2)}, nil, 0, 0, true},
		{"librist begins anew in one stream", []arrival{at(500, 500), anew(at(510, 900))}, nil, 9, 0, false},
		{"another sender in one flow", []arrival{by(1, at(500, 500)), by(2, at(9000, 501)), by(2, at(9001, 502))}, nil, 0, 0, true},
		{"another sender of another host", []arrival{by(1, at(500, 500)), by(2, at(9000, 1)), by(2, at(9001, 2))}, nil, 0, 0, true},
		{"two paths", []arrival{by(1, at(1, 1)), by(2, at(2, 2)), by(2, at(2, 2)), by(1, at(4, 4))}, []int{2}, 1, 1, false},
		{"a new sender's later clock and lower number", []arrival{at(500, 500), anew(at(3, 900))}, nil, 0, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var o order
			var held []int
			for i, a := range c.in {
				if !o.take(a) {
					held = append(held, i)
				}
			}
			if !slices.Equal(held, c.held) || o.lost != c.lost || o.late != c.late || o.fresh != c.fresh {
				t.Errorf("held %v, lost %d, late %d, fresh %v", held, o.lost, o.late, o.fresh)
			}
		})
	}
}

func TestOrderForgetsTheOldestSenders(t *testing.T) {
	var o order
	for flow := range uint32(3 * maxFlows) {
		for seq := range uint16(2) {
			if !o.take(arrival{ts: uint64(seq), flow: flow, seq: seq}) {
				t.Fatal(flow, seq)
			}
		}
	}
	if o.lost != 0 || o.late != 0 {
		t.Errorf("lost %d, late %d", o.lost, o.late)
	}
}
