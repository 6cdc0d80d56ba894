package mpegts

import "github.com/tstrans/tstrans/core/tsterr"

// Defaults of DemuxerConfig, in bytes.
const (
	DefaultPESCapPerPID    = 4 << 20
	DefaultPESCapTotal     = 64 << 20
	DefaultAUCellCapPerPID = 1 << 20
	DefaultSyncBufCap      = 4 << 20
)

// maxCap is the largest cap that a configuration may name, in bytes.
const maxCap = 1 << 62

// maxHold is the largest HoldBeforePMT, in bytes.
const maxHold = 1 << 30

// DemuxerConfig configures a Demuxer. The zero value works.
type DemuxerConfig struct {
	// StrictMode says which findings become errors. It defaults to StrictOff.
	StrictMode StrictMode
	// PESCapPerPID bounds one PES packet, header included, in bytes.
	// It defaults to 4 MiB.
	PESCapPerPID int64
	// PESCapTotal bounds all PES packets being assembled, in bytes.
	// It defaults to 64 MiB.
	PESCapTotal int64
	// NoCFITolerance turns off taking an orphaned Middle or Last cell that holds
	// exactly one KLV record for a Complete one. It defaults to false.
	NoCFITolerance bool
	// AV1Carriage is the carriage of AV1 that is expected.
	// It defaults to AV1MPEG2TSBinding.
	AV1Carriage AV1Carriage
	// AUCellCapPerPID bounds an access unit joined from cells, in bytes.
	// It defaults to 1 MiB.
	AUCellCapPerPID int64
	// LenientPSIReassembly keeps a section whose packets have a gap in the
	// continuity counter and lets the CRC decide. It defaults to false.
	LenientPSIReassembly bool
	// SyncBufCap bounds one feed together with what the last one left over, in
	// bytes. It defaults to 4 MiB.
	SyncBufCap int64
	// UnwrapTimestamps continues PTS and DTS beyond 33 bits. It defaults to false.
	UnwrapTimestamps bool
	// HoldBeforePMT bounds the packets kept of PIDs that no PMT has named yet, in
	// bytes; they are processed behind the program map. It defaults to 0: none.
	HoldBeforePMT int
	// DeliverUnmapped delivers, when the input is flushed while a table is still
	// missing, the PES held by HoldBeforePMT as unknown samples of program 0: a
	// damaged recording without an intact PMT is not lost. It defaults to false.
	DeliverUnmapped bool
	// ReadLimit ends the input of a Reader after this many bytes, rounded up to
	// 64 KiB. It defaults to 0: no limit.
	ReadLimit int64
	// Memory is where chunks of input come from and go back to, shared among
	// demuxers: one that opens many finds warm pages. It defaults to memory of
	// the demuxer's own.
	Memory *Memory
}

// Validate names the first field outside its range.
func (c *DemuxerConfig) Validate() error {
	if c.StrictMode > StrictFull {
		return tsterr.At(tsterr.InvalidArg, "strict_mode", tsterr.NoOffset, "strict_mode: %d is outside 0 to 3", c.StrictMode)
	}
	if c.AV1Carriage > AV1InteropRawOBU {
		return tsterr.At(tsterr.InvalidArg, "av1_carriage", tsterr.NoOffset, "av1_carriage: %d is outside 0 to 1", c.AV1Carriage)
	}
	for _, f := range []struct {
		name string
		v    int64
		max  int64
	}{
		{"pes_cap_per_pid", c.PESCapPerPID, maxCap},
		{"pes_cap_total", c.PESCapTotal, maxCap},
		{"au_cell_cap_per_pid", c.AUCellCapPerPID, maxCap},
		{"sync_buf_cap", c.SyncBufCap, maxCap},
		{"hold_before_pmt_bytes", int64(c.HoldBeforePMT), maxHold},
		{"read_limit", c.ReadLimit, maxCap},
	} {
		if f.v < 0 || f.v > f.max {
			return tsterr.At(tsterr.InvalidArg, f.name, tsterr.NoOffset, "%s: %d is outside 0 to %d bytes", f.name, f.v, f.max)
		}
	}
	return nil
}

// withDefaults fills what was left zero.
func (c DemuxerConfig) withDefaults() DemuxerConfig {
	for _, f := range []struct {
		v   *int64
		def int64
	}{
		{&c.PESCapPerPID, DefaultPESCapPerPID},
		{&c.PESCapTotal, DefaultPESCapTotal},
		{&c.AUCellCapPerPID, DefaultAUCellCapPerPID},
		{&c.SyncBufCap, DefaultSyncBufCap},
	} {
		if *f.v == 0 {
			*f.v = f.def
		}
	}
	return c
}
