from __future__ import annotations

import subprocess
import sys

import pytest

import kizuna.models
from kizuna.models import btyd


def test_every_name_is_there_in_both_places():
    for name in btyd.__all__:
        assert getattr(kizuna.models, name) is getattr(btyd, name)
        assert getattr(btyd, name).__name__ == name
    assert set(btyd.__all__) <= set(kizuna.models.__all__)
    with pytest.raises(AttributeError, match=r"^module 'kizuna\.models\.btyd' has no attribute 'ParetoNBD'$"):
        _ = btyd.ParetoNBD


def test_importing_the_package_loads_nothing_heavy():
    code = "import kizuna.models.btyd, sys; print([m for m in ('numba', 'scipy', 'sklearn') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
