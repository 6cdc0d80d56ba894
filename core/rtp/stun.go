package rtp

import (
	"encoding/binary"
	"net/netip"
)

// STUN (RFC 8489): the magic cookie tells it from RTP on a shared port.
const (
	stunHeader      = 20
	stunMagic       = 0x2112A442
	stunBinding     = 0x0001
	stunSuccess     = 0x0101
	stunMappedXOR   = 0x0020
	stunFamilyIPv4  = 1
	stunFamilyIPv6  = 2
	stunTransaction = 12 // bytes
)

// IsSTUN tells a STUN message.
func IsSTUN(b []byte) bool {
	return len(b) >= stunHeader && b[0]&0xC0 == 0 && binary.BigEndian.Uint32(b[4:]) == stunMagic
}

// AppendSTUNAnswer appends the success response to a binding request from an address: the transaction and its
// XOR-MAPPED-ADDRESS, no integrity and no fingerprint. Other messages have none.
func AppendSTUNAnswer(dst, request []byte, from netip.AddrPort) []byte {
	if !IsSTUN(request) || binary.BigEndian.Uint16(request) != stunBinding || !from.IsValid() {
		return dst
	}
	addr := from.Addr().Unmap().WithZone("")
	family, n := byte(stunFamilyIPv4), 8
	if addr.Is6() {
		family, n = stunFamilyIPv6, 20
	}
	dst = binary.BigEndian.AppendUint16(dst, stunSuccess)
	dst = binary.BigEndian.AppendUint16(dst, uint16(n+4)) //nolint:gosec // 12 or 24
	key := request[4 : 8+stunTransaction]                 // the cookie and the transaction
	dst = append(dst, key...)
	dst = binary.BigEndian.AppendUint16(dst, stunMappedXOR)
	dst = binary.BigEndian.AppendUint16(dst, uint16(n)) //nolint:gosec // 8 or 20
	dst = append(dst, 0, family)
	dst = binary.BigEndian.AppendUint16(dst, from.Port()^uint16(stunMagic>>16))
	for i, b := range addr.AsSlice() {
		dst = append(dst, b^key[i])
	}
	return dst
}
