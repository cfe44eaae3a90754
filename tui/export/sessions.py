"""`azrt-tui sessions`: the captures that there are, with their length, events and size."""

from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tui import paths, wire
from tui.capture.file.decoding import read_line
from tui.capture.file.folder import is_being_written, size_of
from tui.capture.file.records import VERSION, Header
from tui.capture.log.captured import read_at
from tui.clock import clock
from tui.endpoint import escape_controls
from tui.printing import Output, narrate

_CHUNK: Final = 4 * 1024 * 1024
_EVENT: Final = b'\n{"time_ns":'
_TIME = re.compile(rb'^\{"time_ns":(-?\d{1,18}),', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Session:
    """A capture, as it is listed."""

    path: Path
    header: Header
    events: int
    length_s: float
    """Seconds from the start to the last event."""
    size: int
    """Bytes, audio included."""
    running: bool
    """Whether it is still being written."""


def print_sessions(*, json_output: bool) -> int:
    """Print the captures, the newest first; return the exit code."""
    out = Output(sys.stdout)
    found = sessions(paths.captures_dir())
    try:
        if not json_output and found:
            out.write(f"{'started':<16}  {'length':>8} {'events':>9} {'size':>6}  {'name':<33}  with\n")
        for session in found:
            out.write((_json_line if json_output else _text_line)(session) + "\n")
        out.flush()
    except BrokenPipeError:
        return out.broken()
    if not found:
        narrate(f"there is no capture in {paths.for_display(paths.captures_dir())}")
    return 0


def sessions(folder: Path) -> list[Session]:
    """The captures in a folder, the newest first. Files that are none are left out."""
    found = [session for path in folder.glob("*.jsonl") if (session := session_of(path)) is not None]
    return sorted(found, key=lambda session: (session.header.started, session.path.name), reverse=True)


def session_of(path: Path) -> Session | None:
    """What a list says of a capture; None when it is none. Parses no event."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        header = read_line(read_at(fd, 0))
        if not isinstance(header, Header):
            return None
        events, length_s = _measure(fd)
    except OSError:
        return None
    finally:
        os.close(fd)
    return Session(path, header, events, length_s, size_of(path), is_being_written(path))


def _measure(fd: int) -> tuple[int, float]:
    """Events, and seconds until the last one."""
    events = at = 0
    end = b""
    while chunk := os.pread(fd, _CHUNK, at):
        at += len(chunk)
        # What stands across two chunks counts in the second.
        events += (end[-len(_EVENT) + 1 :] + chunk).count(_EVENT)
        end = chunk if len(chunk) > len(_EVENT) else end + chunk
    last_ns = 0
    size = 64 * 1024
    while True:
        times = _TIME.findall(os.pread(fd, size, max(0, at - size)))
        if times or size >= at:
            last_ns = int(times[-1]) if times else 0
            return events, max(0.0, last_ns / 1e9)
        size *= 16


def _text_line(session: Session) -> str:
    started = session.header.started
    try:
        started = datetime.fromisoformat(started).replace(tzinfo=UTC).astimezone().strftime("%Y-%m-%d %H:%M")
    except ValueError:
        started = started[:16] or "?"
    length = clock(session.length_s) + ("+" if session.running else " ")
    header = session.header
    form = "" if header.version == VERSION else f"(format {header.version or header.odd_version or 'unknown'})"
    where = " ".join(part for part in (header.host, header.deployment, form) if part)
    columns = f"{length:>9} {session.events:>8,} {wire.size(session.size):>6}  {session.path.stem:<33}  {where}"
    return escape_controls(f"{started:<16} {columns}".rstrip())


def _json_line(session: Session) -> str:
    header = session.header
    return json.dumps(
        {
            "name": session.path.stem,
            "file": str(session.path),
            "started": header.started,
            "host": header.host,
            "deployment": header.deployment,
            "program": header.program,
            "format": header.version,
            "length_s": round(session.length_s, 3),
            "events": session.events,
            "bytes": session.size,
            "running": session.running,
        }
    )
