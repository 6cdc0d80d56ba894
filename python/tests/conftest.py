"""Property tests draw the same examples in every run; TSTRANS_SOAK draws new ones."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("same", derandomize=True)
if not os.environ.get("TSTRANS_SOAK"):
    settings.load_profile("same")
