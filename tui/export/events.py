"""`azrt-tui events`: the events of a capture on stdout, a line each."""

from __future__ import annotations

import sys
from typing import Final

from tui import wire
from tui.capture import CaptureReader, Entry
from tui.capture.filter import Filter
from tui.endpoint import escape_controls
from tui.export.opening import opened
from tui.printing import Output, json_line
from tui.wire import Direction

_ARROWS: Final = {Direction.RECEIVED: "←", Direction.SENT: "→", Direction.LOCAL: "·"}


def print_events(name: str, chosen: Filter, *, json_output: bool) -> int:
    """Print the events that match.

    Args:
        name: a file, a capture's name, "" for the newest one, or "-" for stdin.
        chosen: which of them.
        json_output: print each as a line of JSON, as `say --json` does.

    Returns:
        The exit code.

    Raises CaptureError for a file in which nothing can be read.
    """
    out = Output(sys.stdout)
    with opened(name) as reader:
        try:
            _print(reader, chosen, out, json_output=json_output)
        except BrokenPipeError:
            return out.broken()
    return 0


def _print(reader: CaptureReader, chosen: Filter, out: Output, *, json_output: bool) -> None:
    position = 0
    for entry in reader:
        if isinstance(entry, Entry) and chosen.matches(entry):
            event = None if entry.binary else wire.parse(entry.data)
            line = json_line(entry, event) if json_output else _text_line(entry, event, reader)
            out.write(line + "\n")
        if reader.position != position:
            # What comes through a pipe is seen as it comes.
            position = reader.position
            out.flush()
    out.flush()


def _text_line(entry: Entry, event: dict[str, object] | None, reader: CaptureReader) -> str:
    """Time, direction, size, type and what it says, in columns."""
    if event is not None:
        said = wire.summary(event, reader.log.audio_format(entry.index))
    else:
        said = wire.text(entry.data.decode(errors="replace"))
    if entry.note:
        said = f"{said} · {entry.note}" if said else entry.note
    time, size = f"{entry.t_ns / 1e9:10.3f}", wire.size(len(entry.data))
    sign = "!" if entry.alarm else " "
    return escape_controls(
        f"{time} {_ARROWS[entry.direction]} {size:>5} {sign}{wire.label(entry.type):<34} {said}".rstrip()
    )
