module github.com/tstrans/tstrans

go 1.26.0

require (
	github.com/Eyevinn/mp4ff v0.48.0
	github.com/bluenviron/mediacommon/v2 v2.4.1
)

require golang.org/x/sys v0.49.0

require (
	github.com/asticode/go-astits v1.13.0
	github.com/bluenviron/gortsplib/v4 v4.16.2
	github.com/datarhei/gosrt v0.9.0
	github.com/ebitengine/purego v0.8.4
	github.com/gotranspile/g722 v0.0.0-20240123003956-384a1bb16a19
	github.com/haivision/srtgo v0.0.0-20230627061225-a70d53fcd618
	github.com/lib/pq v1.10.9
	github.com/mattn/go-sqlite3 v1.14.28
	github.com/pion/datachannel v1.5.10
	github.com/pion/dtls/v3 v3.0.7
	github.com/pion/ice/v4 v4.0.10
	github.com/pion/logging v0.2.4
	github.com/pion/rtcp v1.2.15
	github.com/pion/rtp v1.8.21
	github.com/pion/sctp v1.8.39
	github.com/pion/sdp/v3 v3.0.15
	github.com/pion/srtp/v3 v3.0.7
	github.com/pion/stun/v3 v3.0.0
	github.com/pion/transport/v3 v3.0.7
	github.com/pion/webrtc/v4 v4.1.4
	golang.org/x/net v0.43.0
)

require (
	github.com/asticode/go-astikit v0.30.0 // indirect
	github.com/benburkert/openpgp v0.0.0-20160410205803-c2471f86866c // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/mattn/go-pointer v0.0.1 // indirect
	github.com/pion/interceptor v0.1.40 // indirect
	github.com/pion/mdns/v2 v2.0.7 // indirect
	github.com/pion/randutil v0.1.0 // indirect
	github.com/pion/turn/v4 v4.1.1 // indirect
	github.com/wlynxg/anet v0.0.5 // indirect
	golang.org/x/crypto v0.41.0 // indirect
)
