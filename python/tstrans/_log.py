"""The ``tstrans`` logger. Import this where something is logged, never at the top of a public module:
``logging`` alone costs several milliseconds."""

from __future__ import annotations

import logging

__all__ = ["logger"]

#: Silent unless the application configures logging.
logger = logging.getLogger("tstrans")
logger.addHandler(logging.NullHandler())
