"""The entry of ``azrt-tui`` and of ``python -m tui``."""

import contextlib
import os
import sys
import threading
from pathlib import Path
from typing import NoReturn

from tui.commands import run


def main() -> None:
    """Run the command line and exit with its code."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed by whoever started the program
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - open until the end
    leave(run(sys.argv[1:]))


def leave(code: int) -> NoReturn:
    """End the process with this exit code, whatever a daemon thread is doing.

    A sound system that takes its time keeps a thread inside PortAudio, which the interpreter would unload under it: the
    process died of a segmentation fault in one run of three of ``azrt-tui doctor --demo --json | head -1``.
    """
    if not any(thread.daemon for thread in threading.enumerate()):
        sys.exit(code)
    import logging  # slow, and most commands that end so have it already

    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # nobody reads it any more, or it is closed
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
