package timeline

import (
	"context"
	"time"

	"github.com/tstrans/tstrans/core/tsterr"
)

// State is what a wait is told about.
type State struct {
	Epoch int64 // the current epoch
	Last  int64 // id of the stream's newest marker, of any epoch
}

// State gives the state as last seen.
func (s *Store) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return State{s.epoch, s.last}
}

// Wait waits until the state differs from what the caller has seen.
func (s *Store) Wait(ctx context.Context, seen State) (State, error) {
	s.mu.Lock()
	s.waits++
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.waits--
		s.mu.Unlock()
	}()
	select {
	case s.kick <- struct{}{}:
	default:
	}
	for {
		s.mu.Lock()
		now, news := State{s.epoch, s.last}, s.news
		s.mu.Unlock()
		if now != seen {
			return now, nil
		}
		select {
		case <-news:
		case <-s.done:
			return now, tsterr.New(tsterr.Closed, "the marker store was closed")
		case <-ctx.Done():
			return now, failed("", ctx.Err())
		}
	}
}

// follow looks for what other processes wrote, as long as somebody waits.
func (s *Store) follow(ctx context.Context) {
	defer close(s.done)
	for {
		select {
		case <-s.kick:
		case <-ctx.Done():
			return
		}
		for s.waiting() {
			// A fault here shows up in the reader's own query; the next look may work.
			_ = s.glance(ctx)
			select {
			case <-time.After(s.cfg.Poll):
			case <-ctx.Done():
				return
			}
		}
	}
}

func (s *Store) glance(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	return s.look(ctx)
}

func (s *Store) waiting() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.waits > 0
}
