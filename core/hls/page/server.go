package page

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tstrans/tstrans/core/tsterr"
)

// maxClients bounds the open connections of a Server; further ones are closed.
const maxClients = 4096

// Server serves one site by HTTP. Any number of goroutines.
type Server struct {
	http *http.Server
	addr string
	open atomic.Int64
	stop context.CancelFunc
	done chan struct{}
	once sync.Once
}

// Listen binds "ip:port" (port 0: a free one) and serves.
func Listen(addr string, s http.Handler) (*Server, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		e := tsterr.IOError(err, "HTTP server bind failed")
		e.Kind = tsterr.HLSBindFailed
		return nil, e
	}
	ctx, cancel := context.WithCancel(context.Background())
	x := &Server{addr: l.Addr().String(), stop: cancel, done: make(chan struct{})}
	x.http = &http.Server{
		Handler: s, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: 60 * time.Second,
		MaxHeaderBytes: 16 << 10, ConnState: x.track,
		ErrorLog:    log.New(io.Discard, "", 0), // a library writes to nobody's terminal
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	go func() {
		defer close(x.done)
		if err := x.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			cancel()
		}
	}()
	return x, nil
}

func (x *Server) track(c net.Conn, st http.ConnState) {
	switch st {
	case http.StateNew:
		if x.open.Add(1) > maxClients {
			_ = c.Close() // the server notices at its first read
		}
	case http.StateClosed, http.StateHijacked:
		x.open.Add(-1)
	default:
	}
}

// Addr is the bound "ip:port".
func (x *Server) Addr() string { return x.addr }

// Close ends feeds, gives other answers half a second, and stops.
func (x *Server) Close() error {
	x.once.Do(func() {
		x.stop()
		ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
		defer cancel()
		if x.http.Shutdown(ctx) != nil {
			_ = x.http.Close() // nothing is left to do about it
		}
	})
	<-x.done
	return nil
}
