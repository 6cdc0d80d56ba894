// Command hlsload compares the CPU time of the HLS server with that of another
// HTTP server over the same files.
//
//	go run ./build/bench/hlsload [-clients 500] [-seconds 20] [-rounds 2] [-nginx nginx]
//		[-python build/interop/env/fastapi/bin/python]
//
// One process publishes a stream of 4 Mb/s into a folder and serves it; nginx, or
// with -python the web server of files_app.py, serves the same folder. Clients follow the playlist and load every new
// segment from one of them, then from the other, in turns. A segment is late
// when it came more than a segment's duration after it was listed.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tstrans/tstrans/core/hls"
)

const segment = 2 * time.Second

func main() {
	serve := flag.String("serve", "", "publish into this folder and serve, instead")
	memory := flag.Bool("memory", false, "segments in memory")
	rate := flag.Int("rate", 4_000_000, "bits a second")
	clients := flag.Int("clients", 500, "clients")
	seconds := flag.Int("seconds", 20, "seconds a turn")
	rounds := flag.Int("rounds", 2, "turns of each server")
	nginx := flag.String("nginx", "nginx", "nginx's program")
	python := flag.String("python", "", "an interpreter with FastAPI, whose server takes nginx's place")
	flag.Parse()
	var err error
	if *serve != "" {
		err = publish(*serve, *rate, *memory)
	} else {
		err = compare(*clients, time.Duration(*seconds)*time.Second, *rounds, *rate, *nginx, *python)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// publish writes a stream until its input ends.
func publish(dir string, rate int, memory bool) error {
	p, err := hls.Open(hls.Config{Addr: "127.0.0.1:0", Dir: dir, Memory: memory, SegmentDuration: segment, Window: 6})
	if err != nil {
		return err
	}
	addr, err := p.Addr()
	if err != nil {
		return err
	}
	fmt.Println(addr)
	packet := append([]byte{0x47, 0x1F, 0xFF, 0x10}, make([]byte, 184)...)
	var burst []byte
	for range rate / 8 / 25 / 188 {
		burst = append(burst, packet...)
	}
	done := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(done)
	}()
	tick := time.NewTicker(40 * time.Millisecond)
	defer tick.Stop()
	for n := 1; ; n++ {
		select {
		case <-done:
			return p.Close()
		case <-tick.C:
		}
		if err := p.PushTS(burst); err != nil {
			return err
		}
		if n%50 == 0 {
			if err := p.CutSegmentWithDuration(segment); err != nil {
				return err
			}
		}
	}
}

type server struct {
	name string
	addr string
	pids func() []int
	cpu  time.Duration
	wall time.Duration
	got  int64
}

func compare(clients int, turn time.Duration, rounds, rate int, nginx, python string) error {
	dir, err := os.MkdirTemp("", "hlsload")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // temporary
	self, err := os.Executable()
	if err != nil {
		return err
	}
	var servers []*server
	for _, memory := range []bool{false, true} {
		cmd := exec.Command(self, "-serve", dir+"/out"+strconv.FormatBool(memory), "-rate", strconv.Itoa(rate), "-memory="+strconv.FormatBool(memory))
		in, startErr := cmd.StdinPipe()
		if startErr != nil {
			return startErr
		}
		out, startErr := cmd.StdoutPipe()
		if startErr != nil {
			return startErr
		}
		cmd.Stderr = os.Stderr
		if startErr = cmd.Start(); startErr != nil {
			return startErr
		}
		defer func() { _ = in.Close(); _ = cmd.Wait() }()
		addr, startErr := bufio.NewReader(out).ReadString('\n')
		if startErr != nil {
			return startErr
		}
		pid := cmd.Process.Pid
		name := "hls, files"
		if memory {
			name = "hls, memory"
		}
		servers = append(servers, &server{name: name, addr: strings.TrimSpace(addr), pids: func() []int { return []int{pid} }})
	}
	var peer *server
	var stop func()
	if python != "" {
		peer, stop, err = startPython(python, dir)
	} else {
		peer, stop, err = startNginx(nginx, dir)
	}
	if err != nil {
		return err
	}
	defer stop()
	servers = append(servers, peer)
	time.Sleep(4 * segment) // the list fills
	var late, fetched atomic.Int64
	for range rounds {
		for _, s := range servers {
			before := cpuTime(s.pids())
			start := time.Now()
			s.got += load(s.addr, clients, turn, &fetched, &late)
			s.wall += time.Since(start)
			s.cpu += cpuTime(s.pids()) - before
			fmt.Printf("%-12s %.3f cores, %.0f MB so far, %d segments, %d late\n", s.name,
				s.cpu.Seconds()/s.wall.Seconds(), float64(s.got)/1e6, fetched.Load(), late.Load())
		}
	}
	last := servers[len(servers)-1]
	base := last.cpu.Seconds() / float64(last.got)
	for _, s := range servers {
		fmt.Printf("%-12s %.3f cores, %.3f s of CPU a GB, %.2f x %s\n", s.name, s.cpu.Seconds()/s.wall.Seconds(),
			s.cpu.Seconds()/float64(s.got)*1e9, s.cpu.Seconds()/float64(s.got)/base, last.name)
	}
	fmt.Printf("%d segments, %d late\n", fetched.Load(), late.Load())
	return nil
}

// freeAddr is one that nobody listens on.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// startPython serves the folder with files_app.py.
func startPython(program, dir string) (*server, func(), error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, nil, err
	}
	_, port, _ := strings.Cut(addr, ":")
	cmd := exec.Command(program, "build/bench/hlsload/files_app.py", dir+"/outfalse", port) // its faults are its own
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	pid := cmd.Process.Pid
	return &server{name: "FastAPI", addr: addr, pids: func() []int { return []int{pid} }}, func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	}, nil
}

// startNginx serves the folder with one worker.
func startNginx(program, dir string) (*server, func(), error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, nil, err
	}
	conf := fmt.Sprintf(`daemon off; worker_processes 1; pid %[1]s/pid; error_log %[1]s/log;
user root; events { worker_connections 2048; }
http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000;
types { application/vnd.apple.mpegurl m3u8; video/mp2t ts; }
client_body_temp_path %[1]s/t1; proxy_temp_path %[1]s/t2; fastcgi_temp_path %[1]s/t3; uwsgi_temp_path %[1]s/t4; scgi_temp_path %[1]s/t5;
server { listen %[2]s; root %[1]s/outfalse; } }`, dir, addr)
	if err := os.WriteFile(filepath.Join(dir, "conf"), []byte(conf), 0o600); err != nil {
		return nil, nil, err
	}
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // the worker reads it
		return nil, nil, err
	}
	cmd := exec.Command(program, "-c", filepath.Join(dir, "conf"), "-p", dir)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	pids := func() []int {
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", cmd.Process.Pid, cmd.Process.Pid))
		children := strings.Fields(string(b))
		out := append(make([]int, 0, 1+len(children)), cmd.Process.Pid)
		for _, f := range children {
			n, _ := strconv.Atoi(f)
			out = append(out, n)
		}
		return out
	}
	return &server{name: "nginx", addr: addr, pids: pids}, func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	}, nil
}

// cpuTime is user and system time of processes.
func cpuTime(pids []int) (d time.Duration) {
	for _, pid := range pids {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue
		}
		f := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
		for _, k := range []int{11, 12} {
			n, _ := strconv.Atoi(f[k])
			d += time.Duration(n) * 10 * time.Millisecond // USER_HZ is 100
		}
	}
	return d
}

var buffers = sync.Pool{New: func() any { b := make([]byte, 256<<10); return &b }}

// load follows the playlist with every client for a while.
func load(addr string, clients int, turn time.Duration, fetched, late *atomic.Int64) int64 {
	var total atomic.Int64
	var wg sync.WaitGroup
	end := time.Now().Add(turn)
	tr := &http.Transport{MaxIdleConnsPerHost: clients, DisableCompression: true, WriteBufferSize: 512, ReadBufferSize: 64 << 10}
	defer tr.CloseIdleConnections()
	c := &http.Client{Transport: tr, Timeout: 30 * time.Second}
	for i := range clients {
		wg.Go(func() {
			time.Sleep(time.Duration(i) * segment / time.Duration(clients))
			seen := ""
			for time.Now().Before(end) {
				name := newest(c, addr)
				if name == "" || name == seen {
					time.Sleep(segment / 4)
					continue
				}
				start := time.Now()
				n := fetch(c, "http://"+addr+"/"+name)
				if n > 0 && seen != "" {
					fetched.Add(1)
					if time.Since(start) > segment {
						late.Add(1)
					}
				}
				total.Add(n)
				seen = name
				time.Sleep(segment/2 - min(segment/2, time.Since(start)))
			}
		})
	}
	wg.Wait()
	return total.Load()
}

func newest(c *http.Client, addr string) string {
	resp, err := c.Get("http://" + addr + "/" + hls.PlaylistName)
	if err != nil {
		return ""
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return ""
	}
	lines := strings.Fields(string(b))
	return lines[len(lines)-1]
}

func fetch(c *http.Client, url string) int64 {
	resp, err := c.Get(url)
	if err != nil {
		return 0
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	b := buffers.Get().(*[]byte)
	defer buffers.Put(b)
	n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, resp.Body, *b)
	if err != nil || n != resp.ContentLength {
		return 0
	}
	return n
}
