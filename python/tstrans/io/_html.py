"""How notebooks show a :class:`ProbeResult`: one small table, no scripts, no styles of its own."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._probe import ProbeResult

__all__ = ["probe_html"]


def probe_html(result: ProbeResult) -> str:
    """An HTML fragment."""
    rows = "".join(
        f"<tr><td>{p.program_number}</td><td>{s.pid:#06x}</td><td>{s.stream_type:#04x}</td>"
        f"<td>{escape(s.kind.name)}</td><td>{escape(s.codec.name) if s.codec else ''}</td></tr>"
        for p in result.programs
        for s in p.streams
    )
    head = "".join(f"<th>{h}</th>" for h in ("program", "PID", "stream type", "kind", "codec"))
    caption = (
        f"{result.size_bytes:,} bytes, {len(result.programs)} program map(s), "
        f"{result.packet_count:,} packets read"
    )
    return f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
