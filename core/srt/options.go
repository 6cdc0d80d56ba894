package srt

/*
#include <srt/srt.h>
*/
import "C"

import (
	"strconv"
	"strings"
	"time"

	"github.com/haivision/srtgo"
	"github.com/tstrans/tstrans/core/tsterr"
)

type kind uint8

const (
	kindInt kind = iota
	kindInt64
	kindBool
	kindText
)

const (
	maxInt32    = 1<<31 - 1
	maxStreamID = 512
	minSecret   = 10
	maxSecret   = 79
)

// option is one key of a URL: its type, its bounds, and libsrt's number for it.
// Units are libsrt's own; times are in ms, sizes in bytes.
type option struct {
	name    string
	aliases []string
	kind    kind
	sock    int
	lo, hi  int64
	allowed []int64
	post    bool // may only be set once connected, or is better so
	check   func(string) error
	own     func(*Config, value) error // handled here, not by libsrt
}

func (o *option) checkText(s string) error {
	if o.check == nil {
		return nil
	}
	return o.check(s)
}

func printable(s string, lo, hi int) bool {
	if len(s) < lo || len(s) > hi {
		return false
	}
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
}

func millis(v value) time.Duration { return time.Duration(v.num) * time.Millisecond }

func findOption(key string) *option {
	for i := range options {
		o := &options[i]
		if o.name == key {
			return o
		}
		for _, a := range o.aliases {
			if a == key {
				return o
			}
		}
	}
	return nil
}

// options lists what a URL may carry. It is never written to.
var options = []option{
	{name: "mode", kind: kindText, own: func(c *Config, v value) error {
		switch v.text {
		case "caller":
			c.Mode = Caller
		case "listener":
			c.Mode = Listening
		case "rendezvous":
			c.Mode = Rendezvous
		default:
			return invalid("mode=%s: caller, listener or rendezvous", v.text)
		}
		return nil
	}},
	{name: "localport", kind: kindInt, lo: 1, hi: 65535, own: func(c *Config, v value) error {
		c.LocalPort = uint16(v.num) //nolint:gosec // checked
		return nil
	}},
	{name: "passphrase", kind: kindText, sock: C.SRTO_PASSPHRASE, check: func(s string) error {
		if !printable(s, minSecret, maxSecret) {
			return invalid("passphrase: %d to %d printable ASCII characters", minSecret, maxSecret)
		}
		return nil
	}},
	{name: "pbkeylen", kind: kindInt, sock: C.SRTO_PBKEYLEN, hi: 32, allowed: []int64{16, 24, 32}},
	{name: "latency", aliases: []string{"tsbpddelay"}, kind: kindInt, sock: C.SRTO_LATENCY, hi: maxInt32},
	{name: "rcvlatency", kind: kindInt, sock: C.SRTO_RCVLATENCY, hi: maxInt32},
	{name: "peerlatency", kind: kindInt, sock: C.SRTO_PEERLATENCY, hi: maxInt32},
	{name: "mss", kind: kindInt, sock: C.SRTO_MSS, hi: 65535},
	{name: "payloadsize", aliases: []string{"pkt_size", "payload_size"}, kind: kindInt, sock: C.SRTO_PAYLOADSIZE, hi: MaxPayload},
	{name: "maxbw", kind: kindInt64, sock: C.SRTO_MAXBW, hi: 1<<63 - 1},
	{name: "inputbw", kind: kindInt64, sock: C.SRTO_INPUTBW, hi: 1<<63 - 1},
	{name: "mininputbw", kind: kindInt64, sock: C.SRTO_MININPUTBW, hi: 1<<63 - 1},
	{name: "oheadbw", kind: kindInt, sock: C.SRTO_OHEADBW, lo: 5, hi: 100},
	{name: "streamid", aliases: []string{"srt_streamid"}, kind: kindText, sock: C.SRTO_STREAMID, check: func(s string) error {
		if !printable(s, 0, maxStreamID) {
			return invalid("streamid: at most %d ASCII characters", maxStreamID)
		}
		return nil
	}},
	{name: "lossmaxttl", kind: kindInt, sock: C.SRTO_LOSSMAXTTL, hi: maxInt32},
	{name: "tlpktdrop", kind: kindBool, sock: C.SRTO_TLPKTDROP},
	{name: "fc", aliases: []string{"ffs"}, kind: kindInt, sock: C.SRTO_FC, hi: maxInt32},
	{name: "packetfilter", kind: kindText, sock: C.SRTO_PACKETFILTER, check: func(s string) error {
		if !printable(s, 1, 512) {
			return invalid("packetfilter: 1 to 512 ASCII characters")
		}
		return nil
	}},
	{name: "congestion", aliases: []string{"smoother"}, kind: kindText, sock: C.SRTO_CONGESTION, check: func(s string) error {
		if s != "live" && s != "file" {
			return invalid("congestion=%s: live or file", s)
		}
		return nil
	}},
	{name: "conntimeo", aliases: []string{"connect_timeout"}, kind: kindInt, hi: maxInt32, own: func(c *Config, v value) error {
		c.ConnectTimeout = millis(v)
		return nil
	}},
	{name: "linger", kind: kindInt, hi: 86400, own: func(c *Config, v value) error {
		c.Linger = int(v.num)
		return nil
	}},
	{name: "udprcvbuf", aliases: []string{"recv_buffer_size"}, kind: kindInt, sock: C.SRTO_UDP_RCVBUF, hi: maxInt32},
	{name: "udpsndbuf", aliases: []string{"send_buffer_size"}, kind: kindInt, sock: C.SRTO_UDP_SNDBUF, hi: maxInt32},
	{name: "x-recvtimeout", kind: kindInt, hi: maxInt32, own: func(c *Config, v value) error {
		c.RecvTimeout = millis(v)
		return nil
	}},
	{name: "x-sendtimeout", kind: kindInt, hi: maxInt32, own: func(c *Config, v value) error {
		c.SendTimeout = millis(v)
		return nil
	}},
	{name: "peeridletimeo", aliases: []string{"idle_timeout"}, kind: kindInt, lo: 1, hi: maxInt32, own: func(c *Config, v value) error {
		c.IdleTimeout = millis(v)
		return nil
	}},
	{name: "snddropdelay", kind: kindInt, sock: C.SRTO_SNDDROPDELAY, hi: maxInt32, post: true},
	{name: "enforcedencryption", kind: kindBool, sock: C.SRTO_ENFORCEDENCRYPTION},
	{name: "kmrefreshrate", kind: kindInt, sock: C.SRTO_KMREFRESHRATE, hi: maxInt32},
	{name: "kmpreannounce", kind: kindInt, sock: C.SRTO_KMPREANNOUNCE, hi: maxInt32},
	{name: "sndbuf", kind: kindInt, sock: C.SRTO_SNDBUF, lo: 1 << 14, hi: 1 << 30},
	{name: "rcvbuf", kind: kindInt, sock: C.SRTO_RCVBUF, lo: 1 << 14, hi: 1 << 30},
	{name: "nakreport", kind: kindBool, sock: C.SRTO_NAKREPORT},
	{name: "drifttracer", kind: kindBool, sock: C.SRTO_DRIFTTRACER},
	{name: "retransmitalgo", kind: kindInt, sock: C.SRTO_RETRANSMITALGO, hi: 1},
	{name: "iptos", kind: kindInt, sock: C.SRTO_IPTOS, hi: 255},
	{name: "ipttl", kind: kindInt, sock: C.SRTO_IPTTL, lo: 1, hi: 255},
	{name: "ipv6only", kind: kindInt, sock: C.SRTO_IPV6ONLY, hi: 1},
	{name: "bindtodevice", kind: kindText, sock: C.SRTO_BINDTODEVICE, check: func(s string) error {
		if !printable(s, 1, 15) {
			return invalid("bindtodevice: an interface name of 1 to 15 characters")
		}
		return nil
	}},
	{name: "minversion", kind: kindText, sock: C.SRTO_MINVERSION, check: func(s string) error {
		_, err := parseVersion(s)
		return err
	}},
}

// set applies one option to a socket.
func (v value) set(s *srtgo.SrtSocket) error {
	var err error
	switch v.opt.kind {
	case kindInt:
		err = s.SetSockOptInt(v.opt.sock, int(v.num))
	case kindInt64:
		err = s.SetSockOptInt64(v.opt.sock, v.num)
	case kindBool:
		err = s.SetSockOptBool(v.opt.sock, v.num == 1)
	case kindText:
		if v.opt.sock == C.SRTO_MINVERSION {
			n, _ := parseVersion(v.text) // checked when it was set
			err = s.SetSockOptInt(v.opt.sock, n)
			break
		}
		if v.text != "" {
			err = s.SetSockOptString(v.opt.sock, v.text)
		}
	}
	if err != nil {
		return tsterr.Wrap(tsterr.SRTConfigInvalid, err, "%s=%s is refused by libsrt", v.opt.name, strings.TrimSpace(v.text))
	}
	return nil
}

// parseVersion reads "1.5.1" as libsrt's 0x010501.
func parseVersion(s string) (int, error) {
	parts := strings.Split(s, ".")
	n := 0
	for _, p := range parts {
		b, err := strconv.ParseUint(p, 10, 8)
		if err != nil || len(parts) != 3 {
			return 0, invalid("minversion=%s: three numbers, such as 1.3.0", s)
		}
		n = n<<8 | int(b) //nolint:gosec // 8 bits
	}
	return n, nil
}
