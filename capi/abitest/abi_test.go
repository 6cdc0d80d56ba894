// Package abitest tests the shared library as its users see it: through the
// header, from C99, C++ and a program without cgo.
package abitest

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"testing"
)

// library is the shared library the tests load, built once by TestMain.
var library string

func root() string {
	dir, err := filepath.Abs("../..")
	if err != nil {
		panic(err)
	}
	return dir
}

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "abitest")
		if err != nil {
			panic(err)
		}
		defer func() { _ = os.RemoveAll(dir) }()
		library = filepath.Join(dir, "libtstrans.so")
		if out, err := exec.Command(filepath.Join(root(), "build/packaging/build-lib.sh"), library).CombinedOutput(); err != nil {
			_, _ = os.Stderr.Write(out)
			return 1
		}
		return m.Run()
	}())
}

func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out.String())
	}
	return out.String()
}

// compile builds a C or C++ program against the header and the library.
func compile(t *testing.T, source string, flags ...string) string {
	t.Helper()
	compiler := "gcc"
	if strings.HasSuffix(source, ".cpp") {
		compiler = "g++"
	}
	program := filepath.Join(t.TempDir(), "program")
	args := append(flags, "-fsanitize=address", "-Wall", "-Wextra", "-Werror", "-pedantic", "-g", "-I"+filepath.Join(root(), "include"), //nolint:gocritic // a new list
		filepath.Join("testdata", source), "-o", program, "-L"+filepath.Dir(library), "-ltstrans",
		"-Wl,-rpath,"+filepath.Dir(library), "-lpthread")
	run(t, ".", compiler, args...)
	return program
}

// sanitized runs a program that compile built with AddressSanitizer and its
// leak check: a wrong access or a lost block ends it with an error.
func sanitized(t *testing.T, program string, args ...string) string {
	t.Helper()
	t.Setenv("ASAN_OPTIONS", "detect_leaks=1:abort_on_error=0:exitcode=99")
	return run(t, ".", program, args...)
}

func TestMisuseOfTheBase(t *testing.T) {
	sanitized(t, compile(t, "misuse.c", "-std=c99"))
}

var declaration = regexp.MustCompile(`(?m)^(?:const )?\w+ \*?(tst_\w+)\(`)

func declared(t *testing.T) []string {
	t.Helper()
	headers, err := filepath.Glob(filepath.Join(root(), "include/tstrans/*.h"))
	if err != nil || len(headers) == 0 {
		t.Fatal("no headers", err)
	}
	var names []string
	for _, h := range headers {
		text, err := os.ReadFile(h)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range declaration.FindAllStringSubmatch(string(text), -1) {
			names = append(names, m[1])
		}
		if umbrella, _ := os.ReadFile(filepath.Join(root(), "include/tstrans.h")); !strings.Contains(string(umbrella), `"tstrans/`+filepath.Base(h)+`"`) {
			t.Errorf("tstrans.h does not include %s", filepath.Base(h))
		}
	}
	sort.Strings(names)
	return names
}

// TestHeaderAndSymbolsAgree holds the header against the library's dynamic
// symbols, in both directions.
func TestHeaderAndSymbolsAgree(t *testing.T) {
	want := declared(t)
	var have []string
	for _, line := range strings.Split(run(t, ".", "nm", "-D", "--defined-only", library), "\n") {
		if f := strings.Fields(line); len(f) == 3 {
			have = append(have, f[2])
		}
	}
	sort.Strings(have)
	if strings.Join(want, "\n") != strings.Join(have, "\n") {
		t.Errorf("header declares\n%v\nlibrary exports\n%v", want, have)
	}
}

// TestHeaderDriftFailsTheBuild changes one parameter's type in a copy of the
// header: the library must not compile against it.
func TestHeaderDriftFailsTheBuild(t *testing.T) {
	dir := t.TempDir()
	for _, part := range []string{"core", "capi", "include", "go.mod", "go.sum"} {
		if _, err := os.Stat(filepath.Join(root(), part)); err == nil {
			run(t, root(), "cp", "-r", part, dir)
		}
	}
	header := filepath.Join(dir, "include/tstrans/base.h")
	text, err := os.ReadFile(header)
	if err != nil {
		t.Fatal(err)
	}
	drifted := strings.Replace(string(text), "tst_config_set_int(tst_config config, tst_cchar *key, int64_t value)",
		"tst_config_set_int(tst_config config, tst_cchar *key, int32_t value)", 1)
	if drifted == string(text) {
		t.Fatal("the declaration to change is not there")
	}
	if err = os.WriteFile(header, []byte(drifted), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "vet", "./capi")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err == nil || !bytes.Contains(out, []byte("tst_config_set_int")) {
		t.Errorf("a drifted header compiles: %v\n%s", err, out)
	}
}
