"""The entry of ``azrt-tui`` and of ``python -m tui``."""

import os
import sys
from pathlib import Path

from tui.cli import run


def main() -> None:
    """Run the command line and exit with its code."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed by whoever started the program
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - open until the end
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
