"""Behaviour of tstrans.srt, udp, tcp and rist as a table of small experiments and their outcomes.

`test_live_facts.py` compares the outcomes with what is wanted. `python live_facts` prints them as one JSON
object with whatever `tstrans` the interpreter has: that is how another implementation is asked.
"""

from __future__ import annotations

from live_facts import (  # noqa: F401 - in the order of the table
    arguments,
    datagrams,
    rist_facts,
    srt_building,
    srt_bytes,
    srt_media,
    srt_reconnecting,
    srt_urls,
    streams,
)
from live_facts.common import FACTS

__all__ = ["FACTS"]
