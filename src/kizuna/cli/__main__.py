"""``python -m kizuna.cli`` is the program ``kizuna``."""

from kizuna.cli import main

main()
