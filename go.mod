module github.com/tstrans/tstrans

go 1.26.0

require (
	github.com/Eyevinn/mp4ff v0.48.0
	github.com/bluenviron/mediacommon/v2 v2.4.1
)

require golang.org/x/sys v0.49.0

require github.com/ebitengine/purego v0.8.4
