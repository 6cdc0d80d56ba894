package aio

import "container/heap"

// timer is one thing to do at a time, in nanoseconds of the monotonic clock.
type timer struct {
	due   int64
	index int // in the heap, -1: not set
	run   func(now int64)
}

func newTimer(run func(now int64)) *timer { return &timer{index: -1, run: run} }

type timers []*timer

func (t timers) Len() int           { return len(t) }
func (t timers) Less(i, j int) bool { return t[i].due < t[j].due }

func (t timers) Swap(i, j int) {
	t[i], t[j] = t[j], t[i]
	t[i].index, t[j].index = i, j
}

func (t *timers) Push(x any) {
	e := x.(*timer) //nolint:forcetypeassert // nothing else is pushed
	e.index = len(*t)
	*t = append(*t, e)
}

func (t *timers) Pop() any {
	old := *t
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*t = old[:len(old)-1]
	e.index = -1
	return e
}

func (t *timers) set(e *timer, due int64) {
	e.due = due
	if e.index >= 0 {
		heap.Fix(t, e.index)
		return
	}
	heap.Push(t, e)
}

func (t *timers) stop(e *timer) {
	if e != nil && e.index >= 0 {
		heap.Remove(t, e.index)
	}
}

// run does what is due and tells how much that was.
func (t *timers) run(now int64) (n int) {
	for len(*t) > 0 && (*t)[0].due <= now {
		e := (*t)[0]
		heap.Pop(t)
		e.run(now)
		n++
	}
	return n
}
