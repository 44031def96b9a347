"""Makes ``tests`` importable from any working directory, and hypothesis draw the same examples everywhere."""

from __future__ import annotations

import sys
from pathlib import Path

from hypothesis import settings

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
settings.register_profile("kizuna", derandomize=True, deadline=None)
settings.load_profile("kizuna")
