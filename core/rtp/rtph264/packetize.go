package rtph264

import "github.com/tstrans/tstrans/core/rtp"

// Packetize appends the payloads of an access unit to out: small NAL units in a
// packet each, larger ones in FU-A (RFC 6184 §5.6, §5.8). Access unit
// delimiters are left out: the marker bit does their work. maxPayload is in
// bytes and at least 16.
func Packetize(out *rtp.Payloads, au []byte, maxPayload int) {
	maxPayload = max(maxPayload, 16)
	rtp.NALs(au, func(nal []byte) {
		if nal[0]&0x1F == nalAUD {
			return
		}
		if len(nal) <= maxPayload {
			out.Data = append(out.Data, nal...)
			out.Close()
			return
		}
		indicator, t := nal[0]&0xE0|typeFUA, nal[0]&0x1F
		first := byte(0x80)
		for rest := nal[1:]; len(rest) > 0; first = 0 {
			n := min(len(rest), maxPayload-2)
			last := byte(0)
			if n == len(rest) {
				last = 0x40
			}
			out.Data = append(append(out.Data, indicator, first|last|t), rest[:n]...)
			out.Close()
			rest = rest[n:]
		}
	})
}
