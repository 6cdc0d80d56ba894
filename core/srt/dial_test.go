package srt

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/tstrans/tstrans/core/tsterr"
)

// libsrt shows a connecting socket as broken for a moment: one dial in some hundred failed of it.
func TestDialsDoNotFailOnTheirWay(t *testing.T) {
	var wg sync.WaitGroup
	end := time.Now().Add(4 * time.Second)
	for range 4 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for time.Now().Before(end) {
				dialOnce(t)
			}
		}()
	}
	wg.Wait()
}

func dialOnce(t *testing.T) {
	t.Helper()
	cfg, err := ParseURL("srt://127.0.0.1:0?mode=listener&latency=20", NewConfig())
	if err != nil {
		t.Fatal(err)
	}
	l, err := Listen(context.Background(), cfg)
	if err != nil {
		t.Error(err)
		return
	}
	defer func() { _ = l.Close() }()
	cfg, err = ParseURL("srt://127.0.0.1:"+strconv.Itoa(int(l.LocalAddr().Port()))+"?latency=20", NewConfig())
	if err != nil {
		t.Error(err)
		return
	}
	c, err := Dial(context.Background(), cfg)
	if tsterr.KindOf(err) == tsterr.SRTConnectFailed {
		t.Error(err)
	}
	if err == nil {
		_ = c.Close()
	}
}
