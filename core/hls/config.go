package hls

import (
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"time"
)

// Config configures a Publisher. The zero value serves a live playlist on
// 127.0.0.1:8080.
type Config struct {
	// Addr is the "ip:port" the server listens on, the ip a literal; port 0
	// picks a free one. It defaults to 127.0.0.1:8080.
	Addr string
	// NoServer publishes without a server.
	NoServer bool
	// Dir is the folder of segments and playlist; it is made where it does not
	// exist, and stale segments in it are removed. It defaults to tstrans-hls
	// in the system's folder for temporary files.
	Dir string
	// Memory keeps segments and playlist in memory: no file is written.
	Memory bool
	// SegmentDuration is what a segment aims at. It defaults to 4 s; below
	// zero stands for an explicit 0, which is refused.
	SegmentDuration time.Duration
	// MaxSegmentDuration is the age at which a segment is cut where no key
	// frame came. It defaults to twice SegmentDuration.
	MaxSegmentDuration time.Duration
	// Window is the fewest segments that a live playlist keeps. It defaults to
	// 6; below zero stands for an explicit 0, which is refused for Live.
	Window int
	// Mode defaults to Live.
	Mode Mode

	// User and Password protect everything the server has, where Auth is set.
	Auth           bool
	User, Password string
	// TLS serves HTTPS with the certificate chain and key of two PEM files.
	// Giving the files implies it.
	TLS               bool
	CertFile, KeyFile string

	// Container defaults to TS. With FMP4 pushed packets are taken apart: H.264,
	// HEVC and AV1 video, AAC, and KLV go into the segments.
	Container Container
	// PartDuration turns on low latency: partial segments of at most this
	// long, blocking reload and delta updates. 0 means off; from 50 ms on.
	PartDuration time.Duration
	// KeyFrameCuts cuts at key frames of the pushed media so that every
	// segment fits the target duration: at the last key frame that does, and,
	// where none does, anywhere. Without it packets are cut by wall clock and
	// muxed pictures at every key frame. PartDuration and FMP4 imply it.
	KeyFrameCuts bool
	// Clock dates segments. It defaults to NoClock, with parts to WallClock.
	Clock Clock
	// EndLive ends a live playlist with EXT-X-ENDLIST at Finish, too.
	EndLive bool
	// FlushKLV ends every transport stream segment and part that holds KLV
	// with an empty KLV PES packet, so that hls.js gives out the last unit
	// before it (it waits for the next one to begin). Parts imply it.
	FlushKLV bool

	// Origin is the value of Access-Control-Allow-Origin, "*" for any page. It
	// defaults to none.
	Origin string
	// Gzip compresses playlists for clients that ask for it.
	Gzip bool
	// Ranges answers HEAD and OPTIONS and serves byte ranges (206).
	Ranges bool
	// CacheControl tells caches how long playlists and segments keep.
	CacheControl bool
	// MaxClients bounds open connections; further ones are closed at once and
	// counted. It defaults to 4096.
	MaxClients int
	// Handlers are served beside the presentation, by pattern of
	// http.ServeMux. Handle adds more.
	Handlers map[string]http.Handler

	// Now replaces the system's clock in tests.
	Now func() time.Time
	// Tests wait less; see the constants of these names.
	headerTimeout, patience time.Duration
	slowest                 int64
}

const (
	defaultAddr     = "127.0.0.1:8080"
	defaultSegment  = 4 * time.Second
	defaultWindow   = 6
	defaultClients  = 4096
	windowDurations = 3 // RFC 8216 §6.2.2: a live playlist holds three target durations
)

// withDefaults fills in what is not given.
func (c Config) withDefaults() Config {
	if c.Addr == "" {
		c.Addr = defaultAddr
	}
	if c.Dir == "" {
		c.Dir = filepath.Join(os.TempDir(), "tstrans-hls")
	}
	if c.SegmentDuration == 0 {
		c.SegmentDuration = defaultSegment
	}
	if c.Window == 0 {
		c.Window = defaultWindow
	}
	if c.MaxClients == 0 {
		c.MaxClients = defaultClients
	}
	if c.PartDuration > 0 || c.Container == FMP4 {
		c.KeyFrameCuts = true
	}
	if c.PartDuration > 0 {
		c.FlushKLV = true
		if c.Clock == NoClock {
			c.Clock = WallClock
		}
	}
	if c.CertFile != "" || c.KeyFile != "" {
		c.TLS = true
	}
	if c.headerTimeout == 0 {
		c.headerTimeout, c.patience, c.slowest = headerTimeout, patience, slowest
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// Validate names the first field that cannot be used.
func (c Config) Validate() error {
	c = c.withDefaults()
	if !c.NoServer {
		if _, err := netip.ParseAddrPort(c.Addr); err != nil {
			return configError("addr", "bind address %q is not ip:port", c.Addr)
		}
	}
	switch {
	case c.SegmentDuration <= 0:
		return configError("segment_duration", "segment_duration must be > 0")
	case c.SegmentDuration > maxDuration:
		return configError("segment_duration", "segment_duration %v is too long", c.SegmentDuration)
	case c.Mode > VOD:
		return configError("mode", "mode %d is unknown", c.Mode)
	case c.Container > FMP4:
		return configError("container", "container %d is unknown", c.Container)
	case c.Clock > SensorClock:
		return configError("clock", "clock %d is unknown", c.Clock)
	case c.MaxSegmentDuration != 0 && c.MaxSegmentDuration < c.SegmentDuration:
		return configError("max_segment_duration", "max_segment_duration (%.3fs) must be >= segment_duration (%.3fs)",
			c.MaxSegmentDuration.Seconds(), c.SegmentDuration.Seconds())
	case c.MaxSegmentDuration > 2*maxDuration:
		return configError("max_segment_duration", "max_segment_duration %v is too long", c.MaxSegmentDuration)
	case c.Mode == Live && c.Window < 1:
		return configError("playlist_window", "playlist_window must be > 0 in Live mode")
	case c.PartDuration != 0 && (c.PartDuration < minPart || c.PartDuration > c.SegmentDuration):
		return configError("part_duration", "part_duration %v is outside %v to the segment duration", c.PartDuration, minPart)
	case c.MaxClients < 0:
		return configError("max_clients", "max_clients %d is below 0", c.MaxClients)
	case c.TLS && c.CertFile == "" && c.KeyFile == "":
		return configError("cert", "TLS needs a certificate and a key: plain HTTP is not fallen back to")
	case c.TLS && c.KeyFile == "":
		return configError("key", "a certificate without a key")
	case c.TLS && c.CertFile == "":
		return configError("cert", "a key without a certificate")
	}
	target := time.Duration(wholeSeconds(c.SegmentDuration)) * time.Second
	// In this order no product overflows: a longer window is enough anyway.
	if c.Mode == Live && time.Duration(min(c.Window, 1000))*c.SegmentDuration < windowDurations*target && c.Window < 1000 {
		return configError("playlist_window",
			"playlist_window (%d) too small: %d x %.3fs cannot hold 3 x target duration (%ds) (RFC 8216 §6.2.2)",
			c.Window, c.Window, c.SegmentDuration.Seconds(), int(3*target.Seconds()))
	}
	return nil
}

// target is what EXT-X-TARGETDURATION says.
func (c *Config) target() time.Duration {
	d := c.SegmentDuration
	if c.KeyFrameCuts && c.MaxSegmentDuration != 0 {
		d = c.MaxSegmentDuration
	}
	return time.Duration(wholeSeconds(d)) * time.Second
}

// maxAge is the age at which a segment is cut without a key frame.
func (c *Config) maxAge() time.Duration {
	if c.MaxSegmentDuration != 0 {
		return c.MaxSegmentDuration
	}
	return 2 * c.SegmentDuration
}
