"""What the commands print: text from the network on stdout, and azrt-tui's own words on stderr."""

from __future__ import annotations

import base64
import json
import os
import sys
from typing import IO, Any, Final

from tui.capture import Entry
from tui.endpoint import escape_controls

BROKEN_PIPE: Final = 141
"""The exit code of a program whose reader has gone, as shells give it for SIGPIPE: 128 and 13."""


class Output:
    """stdout. To a terminal, control characters from the network are escaped; to a pipe, the text goes as it is."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._terminal = stream.isatty()
        self._encoding = getattr(stream, "encoding", None) or "utf-8"

    def write(self, text: str) -> None:
        """Print text. Raises OSError, and BrokenPipeError when nobody reads it any more."""
        if self._terminal:
            text = escape_controls(text, keep="\n\t")
        # Lone surrogates, and whatever a terminal that is not UTF-8 cannot show.
        self._stream.write(text.encode(self._encoding, errors="replace").decode(self._encoding))

    def flush(self) -> None:
        """Let it be seen."""
        self._stream.flush()

    def broken(self) -> int:
        """The reader of the pipe has gone: that is no failure worth a word. Return the exit code."""
        drop_rest(self._stream)
        return BROKEN_PIPE


def drop_rest(stream: IO[str]) -> None:
    """Nobody takes what is printed: what is still buffered is flushed when the program ends, and must not fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def json_line(entry: Entry, event: dict[str, Any] | None) -> str:
    """An entry as `say --json` and `events --json` print it, without a line break; ``event`` is its parsed frame."""
    line: dict[str, Any] = {"time": round(entry.t_ns / 1e9, 6), "direction": entry.direction.name.lower()}
    if event is not None:
        line["event"] = event
    elif entry.binary:
        line["base64"] = base64.b64encode(entry.data).decode()
    else:
        line["text"] = entry.data.decode(errors="replace")
    if entry.note:
        line["note"] = entry.note
    try:
        return _strict_json(line)
    except (ValueError, RecursionError):
        line["text"] = entry.data.decode(errors="replace")
        try:
            line["event"] = json.loads(json.dumps(event, allow_nan=False, ensure_ascii=False).encode(errors="replace"))
        except (ValueError, RecursionError):  # a number that JSON does not have, or nested too deeply to write
            del line["event"]
        return json.dumps(line)


def _strict_json(value: object) -> str:
    """JSON for every parser. Raises ValueError for NaN, infinities and halves of surrogate pairs (jq stops there)."""
    text = json.dumps(value, allow_nan=False)
    if "\\ud" in text:
        json.dumps(value, ensure_ascii=False).encode()
    return text


def narrate(text: str) -> None:
    """Say one line on stderr."""
    print(f"azrt-tui: {escape_controls(text)}", file=sys.stderr, flush=True)  # noqa: T201
