"""Which file is meant, and what could not be read of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tui import paths
from tui.capture import CaptureError, CaptureReader
from tui.capture.file.folder import captures
from tui.printing import narrate


def path_of(name: str) -> Path | None:
    """The file that is meant: a path, a name that `sessions` lists, "" for the newest capture; None for stdin ("-").

    Raises CaptureError when there is no capture at all.
    """
    if name == "-":
        return None
    folder = paths.captures_dir()
    if not name:
        kept = captures(folder)
        if not kept:
            raise CaptureError(f"there is no capture in {paths.for_display(folder)}; name a FILE")
        return kept[-1]
    path = Path(name)
    if path.name == name and not path.exists():
        for candidate in (folder / name, folder / f"{name}.jsonl"):
            if candidate.exists():
                return candidate
    return path


@contextmanager
def opened(name: str) -> Iterator[CaptureReader]:
    """The capture that a person names. In the end, stderr says what could not be read of it. Raises CaptureError."""
    reader = CaptureReader(path_of(name), stdin=sys.stdin.fileno() if name == "-" else 0)
    try:
        yield reader
        for problem in reader.problems:
            narrate(f"{reader.name}: {problem}")
    finally:
        reader.close()
