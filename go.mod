module github.com/tstrans/tstrans

go 1.26.0

require (
	github.com/Eyevinn/mp4ff v0.48.0
	github.com/bluenviron/mediacommon/v2 v2.4.1
)

require golang.org/x/sys v0.49.0

require (
	github.com/bluenviron/gortsplib/v4 v4.16.2
	github.com/ebitengine/purego v0.8.4
	github.com/pion/rtcp v1.2.15
	github.com/pion/rtp v1.8.21
	golang.org/x/net v0.43.0
)

require github.com/pion/randutil v0.1.0 // indirect
