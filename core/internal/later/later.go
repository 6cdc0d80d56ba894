// Package later does one thing after many occasions for it.
package later

import (
	"sync"
	"time"
)

// Later calls Do every Wait after an occasion, until the last one is Until ago.
type Later struct {
	Do          func()
	Wait, Until time.Duration

	mu    sync.Mutex
	armed bool
	last  time.Time
}

// Occasion is cheap and waits for nothing.
func (l *Later) Occasion() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = time.Now()
	if !l.armed {
		l.armed = true
		time.AfterFunc(l.Wait, l.fire)
	}
}

func (l *Later) fire() {
	l.Do()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.armed = time.Since(l.last) < l.Until; l.armed {
		time.AfterFunc(l.Wait, l.fire)
	}
}
