// Package timeline holds what lies on a live stream's time axis beside its
// pictures: the clocks of capture, stream and player, the markers somebody set,
// and the telemetry of each picture. Markers are kept in a database, SQLite unless
// another one is named, and are acknowledged only once they are durable.
//
// A stream that begins anew starts a new epoch, whose clock begins at 0. Markers of
// earlier epochs stay in the database under theirs: no time of one is ever taken
// for a time of the other.
package timeline

import "github.com/tstrans/tstrans/core/tsterr"

// Limits of what a store takes.
const (
	// MaxText bounds a marker's text, in bytes: several lines of any script.
	MaxText = 4096
	// MaxData bounds the JSON that a program may attach to a marker, in bytes.
	MaxData = 16 << 10
	// MaxMarkers bounds the markers of one epoch.
	MaxMarkers = 1_000_000
	// MaxTime bounds a marker's time, in seconds: 100 years of one epoch.
	MaxTime = 100 * 366 * 86400.0
	// MaxStream bounds the name of a stream, in bytes.
	MaxStream = 200
)

func fault(k tsterr.Kind, field, format string, args ...any) *tsterr.Error {
	return tsterr.At(k, field, tsterr.NoOffset, format, args...)
}
