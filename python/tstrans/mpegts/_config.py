"""How a demuxer shall behave."""

from __future__ import annotations

from .._value import Value
from ._enums import Av1CarriageMode, StrictMode

__all__ = ["DemuxerConfig"]

_set = object.__setattr__


def _check_cap(name: str, value: object, lowest: int = 1) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be int; got {type(value).__name__}")
    if value < lowest:
        raise ValueError(f"{name} must be {'> 0' if lowest else '>= 0'}; got {value}")


def _check_bool(name: str, value: object) -> None:
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be bool; got {type(value).__name__}")


class DemuxerConfig(Value):
    """Limits and tolerances of a demuxer. All caps are in bytes.

    Args:
        strict_mode: findings that become a ``DemuxError``.
        pes_cap_per_pid: a PES that grows past this is dropped with a ``Discontinuity``.
        pes_cap_total: the same for all PES in progress together.
        cfi_tolerance: accept an orphan metadata cell that holds one whole KLV record.
        av1_carriage: framing of AV1; None means ``MPEG2_TS_BINDING``.
        au_cell_cap_per_pid: bytes of a fragmented metadata access unit; None means 1 MiB.
        lenient_psi_reassembly: let the CRC decide about a section with a continuity gap.
        sync_buf_cap: the most that one ``feed`` and the unparsed rest may hold.
        unwrap_timestamps: give timestamps that run on across the 33-bit wrap.
        hold_before_pmt_bytes: hold PES that come before their PMT, up to this many bytes, and deliver them in
            order after the ``ProgramMap``. 0 is off; None is 4 MiB where a whole file is read
            (``parse_file``, ``probe`` and their kin) and off for a bare ``Demuxer``.
    """

    __slots__ = (
        "strict_mode",
        "pes_cap_per_pid",
        "pes_cap_total",
        "cfi_tolerance",
        "av1_carriage",
        "au_cell_cap_per_pid",
        "lenient_psi_reassembly",
        "sync_buf_cap",
        "unwrap_timestamps",
        "hold_before_pmt_bytes",
    )
    strict_mode: StrictMode
    pes_cap_per_pid: int
    pes_cap_total: int
    cfi_tolerance: bool
    av1_carriage: Av1CarriageMode | None
    au_cell_cap_per_pid: int | None
    lenient_psi_reassembly: bool
    sync_buf_cap: int
    unwrap_timestamps: bool
    hold_before_pmt_bytes: int | None

    def __init__(
        self,
        strict_mode: StrictMode = StrictMode.OFF,
        pes_cap_per_pid: int = 4 * 1024 * 1024,
        pes_cap_total: int = 64 * 1024 * 1024,
        cfi_tolerance: bool = True,
        av1_carriage: Av1CarriageMode | None = None,
        au_cell_cap_per_pid: int | None = None,
        lenient_psi_reassembly: bool = False,
        sync_buf_cap: int = 4 * 1024 * 1024,
        unwrap_timestamps: bool = False,
        hold_before_pmt_bytes: int | None = None,
    ) -> None:
        if not isinstance(strict_mode, StrictMode):
            raise TypeError(f"strict_mode must be a StrictMode; got {strict_mode!r}")
        _check_cap("pes_cap_per_pid", pes_cap_per_pid)
        _check_cap("pes_cap_total", pes_cap_total)
        _check_bool("cfi_tolerance", cfi_tolerance)
        if av1_carriage is not None and not isinstance(av1_carriage, Av1CarriageMode):
            raise TypeError(f"av1_carriage must be an Av1CarriageMode or None; got {av1_carriage!r}")
        if au_cell_cap_per_pid is not None:
            _check_cap("au_cell_cap_per_pid", au_cell_cap_per_pid)
        _check_bool("lenient_psi_reassembly", lenient_psi_reassembly)
        _check_cap("sync_buf_cap", sync_buf_cap)
        _check_bool("unwrap_timestamps", unwrap_timestamps)
        if hold_before_pmt_bytes is not None:
            _check_cap("hold_before_pmt_bytes", hold_before_pmt_bytes, 0)
        _set(self, "strict_mode", strict_mode)
        _set(self, "pes_cap_per_pid", pes_cap_per_pid)
        _set(self, "pes_cap_total", pes_cap_total)
        _set(self, "cfi_tolerance", cfi_tolerance)
        _set(self, "av1_carriage", av1_carriage)
        _set(self, "au_cell_cap_per_pid", au_cell_cap_per_pid)
        _set(self, "lenient_psi_reassembly", lenient_psi_reassembly)
        _set(self, "sync_buf_cap", sync_buf_cap)
        _set(self, "unwrap_timestamps", unwrap_timestamps)
        _set(self, "hold_before_pmt_bytes", hold_before_pmt_bytes)
