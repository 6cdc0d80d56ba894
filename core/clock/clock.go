// Package clock holds the arithmetic of the clocks of ISO/IEC 13818-1: the
// 90 kHz time stamps of 33 bits and the 27 MHz program clock reference.
package clock

// Moduli and rates.
const (
	// TicksPerSecond is the rate of PTS and DTS (ISO/IEC 13818-1 §2.4.3.7).
	TicksPerSecond = 90_000
	// PTSModulus is the value at which PTS, DTS and the PCR base wrap.
	PTSModulus = int64(1) << 33
	// PCRRate is the rate of the program clock reference (ISO/IEC 13818-1 §2.4.2.2).
	PCRRate = 27_000_000
	// PCRModulus is the value at which a PCR in 27 MHz ticks wraps.
	PCRModulus = PTSModulus * 300
)

// DiffPTS returns the signed distance from one 33-bit time stamp to another,
// the shorter way round: -2^32 < d <= 2^32.
func DiffPTS(from, to int64) int64 { return wrapDiff(to-from, PTSModulus) }

// DiffPCR is DiffPTS for clock references in 27 MHz ticks.
func DiffPCR(from, to int64) int64 { return wrapDiff(to-from, PCRModulus) }

func wrapDiff(d, mod int64) int64 {
	d %= mod
	if d < 0 {
		d += mod
	}
	if d > mod/2 {
		d -= mod
	}
	return d
}
