"""Commands in forked children of a process that has imported everything: a run begins at once, and a kill meets its work.

Reads one JSON list of arguments a line; says the child's number, then, when it has ended, how.
"""

from __future__ import annotations

import json
import os
import sys


def main() -> None:
    import duckdb  # noqa: F401
    import lightgbm  # noqa: F401
    import mlflow  # noqa: F401
    import openpyxl  # noqa: F401
    import xlsxwriter  # noqa: F401

    import kizuna.cli
    import kizuna.project
    import kizuna.scoring.job

    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            with open(os.devnull) as nothing:
                os.dup2(nothing.fileno(), 0)
            os.dup2(2, 1)
            sys.argv = ["kizuna", *json.loads(line)]
            kizuna.cli.main()
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
