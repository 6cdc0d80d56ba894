//go:build !linux

package mp4

import "os"

// preallocate does nothing where the system has no such call.
func preallocate(*os.File, int64, int64) {}
