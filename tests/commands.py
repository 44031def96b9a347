"""The command line, run inside the test's process."""

from __future__ import annotations

import contextlib
import io

import pytest

from kizuna import cli


def kizuna(*arguments: object) -> tuple[int, str, str]:
    """(exit code, standard output, standard error) of one command."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        patch.setattr("sys.argv", ["kizuna", *(str(argument) for argument in arguments)])
        code = cli.run(debug=False)
    return code, out.getvalue(), err.getvalue()
