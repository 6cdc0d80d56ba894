package abitest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// captures lists the media the programs read: the project's own and, where they
// are present, the shared ones.
func captures(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"testdata/*.ts", "testdata/*.m2ts", "../shared/testdata/ts/*.ts"} {
		found, err := filepath.Glob(filepath.Join(root(), pattern))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
	}
	if len(all) == 0 {
		t.Fatal("no captures")
	}
	return all
}

// TestEventsFromEveryLanguage reads each capture with the C99, the C++ and the
// cgo-free Go program: all three print the same lines.
func TestEventsFromEveryLanguage(t *testing.T) {
	c := compile(t, "events.c", "-std=c99")
	cpp := compile(t, "events.cpp", "-std=c++17")
	nocgo := filepath.Join(t.TempDir(), "nocgo")
	build := exec.Command("go", "build", "-o", nocgo, "./nocgo")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, path := range captures(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			want := sanitized(t, c, path)
			if strings.Count(want, "\n") == 0 && !strings.Contains(path, "shared") {
				t.Error("no events")
			}
			if got := sanitized(t, cpp, path); got != want {
				t.Error("C++ prints other lines than C")
			}
			if got := run(t, ".", nocgo, library, path); got != want {
				t.Error("Go without cgo prints other lines than C")
			}
		})
	}
}

// TestInstalledForC installs library and headers as `make install` does and
// builds a program with what pkg-config says.
func TestInstalledForC(t *testing.T) {
	prefix := t.TempDir()
	run(t, root(), "build/packaging/install.sh", library, prefix)
	t.Setenv("PKG_CONFIG_PATH", filepath.Join(prefix, "lib/pkgconfig"))
	flags := strings.Fields(run(t, ".", "pkg-config", "--cflags", "--libs", "tstrans"))
	program := filepath.Join(prefix, "events")
	run(t, ".", "gcc", append([]string{"testdata/events.c", "-o", program}, flags...)...)
	t.Setenv("LD_LIBRARY_PATH", filepath.Join(prefix, "lib"))
	if out := run(t, ".", program, captures(t)[0]); out == "" {
		t.Error("no events")
	}
}
