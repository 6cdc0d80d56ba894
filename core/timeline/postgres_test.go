package timeline

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A PostgreSQL server of the tests' own, where Debian's package is there.
var cluster struct {
	once sync.Once
	url  string
	why  string
	stop func()
}

func TestMain(m *testing.M) {
	code := m.Run()
	if cluster.stop != nil {
		cluster.stop()
	}
	os.Exit(code)
}

func postgresURL(t *testing.T) string {
	t.Helper()
	cluster.once.Do(startPostgres)
	if cluster.url == "" {
		t.Skip(cluster.why)
	}
	return cluster.url
}

func startPostgres() {
	fail := func(format string, args ...any) { cluster.why = fmt.Sprintf(format, args...) }
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	if len(found) == 0 {
		fail("no PostgreSQL server is installed")
		return
	}
	bin := found[len(found)-1]
	dir, err := os.MkdirTemp("", "tstrans-pg")
	if err != nil {
		fail("%v", err)
		return
	}
	cluster.stop = func() { _ = os.RemoveAll(dir) }
	attr := &syscall.SysProcAttr{Pdeathsig: syscall.SIGQUIT}
	if os.Geteuid() == 0 { // the server refuses to run as root
		u, userErr := user.Lookup("postgres")
		if userErr != nil {
			fail("%v", userErr)
			return
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if userErr := os.Chown(dir, uid, gid); userErr != nil {
			fail("%v", userErr)
			return
		}
	}
	data := filepath.Join(dir, "data")
	c := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-A", "trust", "-U", "tst", "-E", "UTF8", "--no-sync")
	c.SysProcAttr, c.Dir = attr, dir
	if out, initErr := c.CombinedOutput(); initErr != nil {
		fail("initdb: %v %s", initErr, out)
		return
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fail("%v", err)
		return
	}
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	server := exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-k", dir, "-h", "127.0.0.1", "-p", strconv.Itoa(port), "-F")
	server.SysProcAttr, server.Dir = attr, dir
	if err := server.Start(); err != nil {
		fail("%v", err)
		return
	}
	cluster.stop = func() {
		_ = server.Process.Signal(syscall.SIGQUIT)
		_ = server.Wait()
		_ = os.RemoveAll(dir)
	}
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		c := exec.Command(filepath.Join(bin, "pg_isready"), "-h", "127.0.0.1", "-p", strconv.Itoa(port), "-q")
		if c.Run() == nil {
			cluster.url = fmt.Sprintf("postgres://tst@127.0.0.1:%d/postgres?sslmode=disable", port)
			return
		}
	}
	fail("the server did not start")
}
