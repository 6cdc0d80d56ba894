package abitest

import (
	"encoding/json"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// rank orders the rooms of core: a package imports only packages of a lower
// rank, or of its own room.
var rank = map[string]int{
	"tsterr": 0,
	"clock":  1, "bits": 1, "internal": 1,
	"codec": 2, "klv": 2, "transport": 2,
	"mpegts": 3, "mp4": 3, "rtp": 3, "audio": 3, "mediafile": 3,
	"udp": 4, "tcp": 4, "srt": 4, "rist": 4, "rtsp": 4, "webrtc": 4, "aio": 4,
	"pipeline": 5, "timeline": 5, "hls": 6,
}

// cgoAllowed lists the packages of core that wrap a native library.
var cgoAllowed = map[string]bool{"srt": true, "rist": true, "audio": true}

type listed struct {
	ImportPath string
	Imports    []string
	CgoFiles   []string
}

const module = "github.com/tstrans/tstrans/"

func roomOf(path string) string {
	room, _, _ := strings.Cut(strings.TrimPrefix(path, module+"core/"), "/")
	return room
}

// TestImportsFlowOneWay holds the direction in which the rooms of core may use
// one another, and that none of them knows the C ABI.
func TestImportsFlowOneWay(t *testing.T) {
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,CgoFiles", "./core/...")
	cmd.Dir = root()
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := dec.Decode(&p); err == io.EOF { //nolint:errorlint // Decode returns it as it is
			break
		} else if err != nil {
			t.Fatal(err)
		}
		seen++
		room := roomOf(p.ImportPath)
		own, known := rank[room]
		if !known {
			t.Errorf("%s: room %q has no place in the order", p.ImportPath, room)
			continue
		}
		if len(p.CgoFiles) > 0 && !cgoAllowed[room] {
			t.Errorf("%s imports \"C\"", p.ImportPath)
		}
		for _, imp := range p.Imports {
			if !strings.HasPrefix(imp, module) {
				continue
			}
			if !strings.HasPrefix(imp, module+"core/") {
				t.Errorf("%s imports %s", p.ImportPath, imp)
				continue
			}
			if other := roomOf(imp); other != room && rank[other] >= own && room != "internal" {
				t.Errorf("%s (rank %d) imports %s (rank %d)", p.ImportPath, own, imp, rank[other])
			}
		}
	}
	if seen == 0 {
		t.Fatal("no packages listed")
	}
}
