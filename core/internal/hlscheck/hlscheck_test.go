package hlscheck

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const good = `#EXTM3U
#EXT-X-VERSION:6
#EXT-X-TARGETDURATION:4
#EXT-X-MEDIA-SEQUENCE:7
#EXTINF:4.000,
a.ts
#EXTINF:4.400,
b.ts
`

func TestCheck(t *testing.T) {
	p, problems := Check(good)
	if len(problems) > 0 || len(p.Segments) != 2 || p.Segments[1].Sequence != 8 {
		t.Fatalf("%+v %v", p, problems)
	}
	for name, c := range map[string][2]string{
		"long segment":    {"4.400", "4.500"},
		"no comma":        {"4.000,", "4.000"},
		"no version":      {"VERSION:6", "VERSION:2"},
		"attribute list":  {"#EXTINF:4.000,", "#EXT-X-MAP:URI=x y\n#EXTINF:4.000,"},
		"unknown tag":     {"a.ts", "#EXT-X-NEW\na.ts"},
		"blank line":      {"a.ts", "a.ts\n"},
		"bad number":      {"SEQUENCE:7", "SEQUENCE:-7"},
		"part alone":      {"#EXTINF:4.000", `#EXT-X-PART:DURATION=1,URI="x"` + "\n#EXTINF:4.000"},
		"range no date":   {"#EXTINF:4.000", `#EXT-X-DATERANGE:ID="x",START-DATE="2026-01-01T00:00:00.000Z"` + "\n#EXTINF:4.000"},
		"late tag":        {"b.ts", "b.ts\n#EXT-X-TARGETDURATION:4"},
		"control":         {"a.ts", "a\x01.ts"},
		"repeated":        {"#EXTINF:4.000", "#EXT-X-ENDLIST\n#EXT-X-ENDLIST\n#EXTINF:4.000"},
		"no extinf":       {"#EXTINF:4.000,\n", ""},
		"open extinf":     {"b.ts\n", ""},
		"attribute twice": {"#EXTINF:4.000", `#EXT-X-MAP:URI="a",URI="b"` + "\n#EXTINF:4.000"},
	} {
		if _, problems := Check(strings.Replace(good, c[0], c[1], 1)); len(problems) == 0 {
			t.Errorf("%s: nothing found", name)
		}
	}
	for name, c := range map[string][2]string{
		"sequence back": {"SEQUENCE:7", "SEQUENCE:6"},
		"renamed":       {"b.ts", "c.ts"},
		"taken back":    {"#EXTINF:4.400,\nb.ts\n", ""},
		"target":        {"DURATION:4", "DURATION:5"},
		"too short":     {"SEQUENCE:7\n#EXTINF:4.000,\na.ts\n", "SEQUENCE:8\n"},
	} {
		b, _ := Check(strings.Replace(good, c[0], c[1], 1))
		if problems := CheckUpdate(p, b); len(problems) == 0 {
			t.Errorf("%s: nothing found", name)
		}
	}
}

// Lists of others read as they are meant, though they use tags not known here.
func TestOthers(t *testing.T) {
	files, _ := filepath.Glob("../../../../shared/testdata/hls/*vod*.m3u8")
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if p, _ := Check(string(b)); len(p.Segments) < 10 {
			t.Errorf("%s: %d segments", f, len(p.Segments))
		}
	}
}
