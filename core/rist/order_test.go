package rist

import (
	"slices"
	"testing"
)

func TestOrder(t *testing.T) {
	const ms = 1 << 32 / 1000
	at := func(seq uint16, when uint64) arrival { return arrival{ts: when * ms, flow: 1, seq: seq} }
	anew := func(a arrival) arrival { a.start = true; return a }
	of := func(flow uint32, a arrival) arrival { a.flow = flow; return a }
	for _, c := range []struct {
		name       string
		in         []arrival
		held       []int // the places of what is not handed out
		lost, late uint64
	}{
		{"in order", []arrival{at(1, 1), at(2, 2), at(3, 3)}, nil, 0, 0},
		{"over the wrap", []arrival{at(65534, 1), at(65535, 2), at(0, 3), at(1, 4)}, nil, 0, 0},
		{"twice", []arrival{at(1, 1), at(2, 2), at(2, 2), at(3, 3)}, []int{2}, 0, 1},
		{"after its turn", []arrival{at(1, 1), at(2, 2), at(4, 4), at(3, 3), at(5, 5)}, []int{3}, 1, 1},
		{"a gap", []arrival{at(65533, 1), at(2, 9)}, nil, 4, 0},
		{"messages of one instant", []arrival{at(1, 1), at(2, 1), at(3, 1)}, nil, 0, 0},
		{"the clock wraps", []arrival{at(1, 1<<31), at(2, 0), at(3, 1)}, nil, 0, 0},
		{"a long outage", []arrival{at(1, 1), at(50001, 100_000), at(50002, 100_001)}, nil, 49_999, 0},
		{"an outage of exactly all numbers", []arrival{at(7, 1), at(7, 200_000)}, nil, 65535, 0},
		{"two senders", []arrival{at(1, 1), of(2, at(900, 1)), at(2, 2), of(2, at(901, 2)), of(2, at(900, 1))}, []int{4}, 0, 1},
		{"a sender that counts anew", []arrival{at(500, 500), anew(at(3, 1)), at(4, 2)}, nil, 0, 0},
		{"a sender that counts anew, further on", []arrival{at(500, 500), anew(at(600, 1)), at(601, 2)}, nil, 0, 0},
		{"librist begins anew in one stream", []arrival{at(500, 500), anew(at(510, 900))}, nil, 9, 0},
		{"a new sender's later clock and lower number", []arrival{at(500, 500), anew(at(3, 900))}, nil, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var o order
			var held []int
			for i, a := range c.in {
				if !o.take(a) {
					held = append(held, i)
				}
			}
			if !slices.Equal(held, c.held) || o.lost != c.lost || o.late != c.late {
				t.Errorf("held %v, lost %d, late %d", held, o.lost, o.late)
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
