package webrtc

import (
	"encoding/binary"
	"errors"
	"unsafe"

	"golang.org/x/sys/unix"
)

func putCmsg(b []byte, h *unix.Cmsghdr, v uint16) {
	*(*unix.Cmsghdr)(unsafe.Pointer(&b[0])) = *h
	binary.NativeEndian.PutUint16(b[unix.CmsgLen(0):], v)
}

func segmentSize(b []byte) int { return int(binary.NativeEndian.Uint16(b[unix.CmsgLen(0):])) }

func isUnsupported(err error) bool {
	return errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EIO) || errors.Is(err, unix.ENOPROTOOPT) || errors.Is(err, unix.EOPNOTSUPP)
}
