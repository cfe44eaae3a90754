"""Runs the program, and writes down when the session is told to interrupt: a line of monotonic nanoseconds each."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from tui import commands as cli
from tui.session import Command, Interrupt, SessionWorker


def main(report: Path, arguments: list[str]) -> int:
    """Run azrt-tui with these arguments; ``report`` gets the lines as the commands come."""
    submit = SessionWorker.submit

    def watched(self: SessionWorker, command: Command) -> None:
        if isinstance(command, Interrupt):
            told = time.monotonic_ns()
            with report.open("a") as lines:
                lines.write(f"{told}\n")
        submit(self, command)

    SessionWorker.submit = watched  # type: ignore[method-assign]
    return cli.run(arguments)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
