"""Makes ``tests`` importable from any working directory, so that tests of one room can share an oracle."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
