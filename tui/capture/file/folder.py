"""The folder of captures: a new one, the ones that are there, and how many of them stay."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tui import paths

_NAME = re.compile(r"\d{8}T\d{6}Z-\d{1,10}-[0-9a-f]{6}\.jsonl")
"""What azrt-tui calls a capture. Files with other names, such as those that a person has renamed, are never removed."""

_AUDIO: Final = ("received", "sent")


@dataclass(frozen=True, slots=True)
class Retention:
    """How much is kept; the oldest go first. 0 is without a limit."""

    count: int = 100
    """Captures."""
    size: int = 2_000_000_000
    """Bytes of all captures together, audio included. One that is being written is kept whole, whatever its size."""


class NewCapture:
    """A capture that is about to be written, with a name that nobody else's has. Making one touches no disk."""

    def __init__(self, folder: Path, retention: Retention | None = None) -> None:
        self._folder = folder
        self._retention = retention or Retention()
        self._fd = -1
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        self.path = folder / f"{stamp}-{os.getpid()}-{secrets.token_hex(3)}.jsonl"

    def audio_path(self, side: str) -> Path:
        """Where the audio that was ``received`` or ``sent`` goes."""
        return audio_path(self.path, side)

    def open(self) -> int:
        """Create the file, make room for it, and return its descriptor, which stays ours. Raises OSError.

        The file is locked while this process has it open: that is how another program knows not to remove it.
        """
        paths.private_dir(self._folder.parent)
        paths.private_dir(self._folder)
        flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_APPEND | os.O_CLOEXEC
        self._fd = os.open(self.path, flags, 0o600)
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        make_room(self._folder, self._retention, keep=self.path)
        return self._fd

    @property
    def limit(self) -> int:
        """Bytes that all captures together may have; 0 is without a limit."""
        return self._retention.size

    def make_room(self) -> bool:
        """Remove older captures because this one has grown; return whether it alone is within the limit."""
        make_room(self._folder, self._retention, keep=self.path)
        return not 0 < self.limit < size_of(self.path)

    def discard(self) -> None:
        """Remove the file, if it was created: nothing could be written to it."""
        if self._fd >= 0:
            with contextlib.suppress(OSError):
                self.path.unlink()
        self.close()

    def close(self) -> None:
        """Let the file go."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def audio_path(capture: Path, side: str) -> Path:
    """The WAV file beside a capture; ``side`` is ``received`` or ``sent``."""
    return capture.with_name(f"{capture.stem}.{side}.wav")


def captures(folder: Path) -> list[Path]:
    """The captures in a folder that have azrt-tui's names, oldest first; none when there is no such folder."""
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if _NAME.fullmatch(entry.name))
    except OSError:
        return []
    return [folder / name for name in names]


def size_of(capture: Path) -> int:
    """Bytes of a capture and its audio; 0 when it is gone."""
    total = 0
    for path in (capture, *(audio_path(capture, side) for side in _AUDIO)):
        with contextlib.suppress(OSError):
            total += path.stat().st_size
    return total


def is_being_written(capture: Path) -> bool:
    """Whether a running program writes it. True also when that cannot be found out."""
    try:
        fd = os.open(capture, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(fd)
    return False


def make_room(folder: Path, retention: Retention, *, keep: Path) -> None:
    """Remove the oldest captures that are beyond the limits. Never ``keep``, nor one that a running program writes."""
    there = captures(folder)
    sizes = {path: size_of(path) for path in there}
    count, size = len(there), sum(sizes.values())
    for path in there:
        if not (0 < retention.count < count or 0 < retention.size < size):
            return
        if path != keep and _remove(path):
            count -= 1
            size -= sizes[path]


def _remove(capture: Path) -> bool:
    try:
        fd = os.open(capture, os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        # Held until it is gone, so that two programs that start together do not count it twice.
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        capture.unlink()
        for side in _AUDIO:
            audio_path(capture, side).unlink(missing_ok=True)
    except OSError:
        return False
    finally:
        os.close(fd)
    return True
