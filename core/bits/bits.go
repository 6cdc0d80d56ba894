// Package bits reads and writes bit fields, most significant bit first, as the
// syntax tables of ISO/IEC 13818-1, ITU-T H.264, H.265, H.266 and the AV1
// bitstream specification lay them out.
package bits
