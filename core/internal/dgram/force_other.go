//go:build unix && !linux

package dgram

import "errors"

func force(uintptr, int) error { return errors.ErrUnsupported }
