module github.com/tstrans/tstrans

go 1.26.0

require (
	github.com/Eyevinn/mp4ff v0.48.0
	github.com/bluenviron/mediacommon/v2 v2.4.1
)

require golang.org/x/sys v0.49.0

require github.com/ebitengine/purego v0.8.4

require (
	github.com/pion/randutil v0.1.0 // indirect
	github.com/pion/rtcp v1.2.15 // indirect
	github.com/pion/rtp v1.8.21 // indirect
	golang.org/x/net v0.43.0 // indirect
)
