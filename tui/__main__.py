"""The entry of ``azrt-tui`` and of ``python -m tui``."""

import sys

from tui.cli import run


def main() -> None:
    """Run the command line and exit with its code."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
