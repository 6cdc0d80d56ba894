"""Universal labels of the sets that users meet first (MISB ST 0807)."""

from __future__ import annotations

__all__ = [
    "PRECISION_TIMESTAMP_PACK_UL",
    "SECURITY_LS_UL",
    "ST_0601_UL",
    "VMTI_LS_UL",
    "is_st0601_family",
]

ST_0601_UL: bytes = bytes.fromhex("060e2b34020b01010e01030101000000")
SECURITY_LS_UL: bytes = bytes.fromhex("060e2b34020301010e01030302000000")
PRECISION_TIMESTAMP_PACK_UL: bytes = bytes.fromhex("060e2b34020501010e01010311000000")
VMTI_LS_UL: bytes = bytes.fromhex("060e2b34020b01010e01030306000000")


def is_st0601_family(buf: bytes) -> bool:
    """Whether `buf` begins with a key of ST 0601; bytes 13 and 14 carried versions and may be anything."""
    return len(buf) >= 16 and bytes(buf[:13]) == ST_0601_UL[:13] and buf[15] == 0
