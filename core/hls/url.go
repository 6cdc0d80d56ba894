package hls

import (
	"net/netip"
	"strconv"
	"time"

	"github.com/tstrans/tstrans/core/transport"
	"github.com/tstrans/tstrans/core/tsterr"
)

// ParseURL reads hls://ip:port or hlss://ip:port with output_dir,
// segment_duration (whole seconds), playlist_window, mode (live, event, vod),
// auth_user, auth_pass, cert and key; other keys are ignored. hlss means TLS.
// What the URL names replaces what c has.
func (c Config) ParseURL(raw string) (Config, error) {
	u, err := transport.ParseURL(raw, tsterr.HLSURL, "hls", "hlss")
	if err != nil {
		return c, err
	}
	ip, err := netip.ParseAddr(u.Host)
	if err != nil {
		return c, fail(tsterr.HLSURL, "host %q is not a literal IPv4 or IPv6 address", u.Host)
	}
	c.Addr = netip.AddrPortFrom(ip, u.Port).String()
	c.TLS = u.Scheme == "hlss"
	for _, kv := range u.Query {
		switch kv.Key {
		case "output_dir":
			c.Dir = kv.Value
		case "segment_duration":
			n, err := kv.Int(tsterr.HLSURL, 0, int64(maxDuration/time.Second))
			if err != nil {
				return c, err
			}
			c.SegmentDuration = orExplicitZero(time.Duration(n) * time.Second)
		case "playlist_window":
			n, err := kv.Int(tsterr.HLSURL, 0, 1<<31-1)
			if err != nil {
				return c, err
			}
			c.Window = orExplicitZero(int(n))
		case "mode":
			m, ok := map[string]Mode{"live": Live, "event": Event, "vod": VOD}[kv.Value]
			if !ok {
				return c, fail(tsterr.HLSURL, "mode=%s is none of live, event, vod", strconv.Quote(kv.Value))
			}
			c.Mode = m
		case "auth_user":
			c.Auth, c.User = true, kv.Value
		case "auth_pass":
			c.Auth, c.Password = true, kv.Value
		case "cert":
			c.CertFile = kv.Value
		case "key":
			c.KeyFile = kv.Value
		}
	}
	return c, nil
}

// orExplicitZero turns a given 0 into the value that means so.
func orExplicitZero[T ~int | ~int64](v T) T {
	if v == 0 {
		return -1
	}
	return v
}
