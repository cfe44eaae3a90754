"""The lines of a capture file, as they are read: those of azrt-tui without a parser, all others with distrust."""

from __future__ import annotations

import binascii
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from tui import wire
from tui.audio_format import CODINGS
from tui.capture.file.foreign import CUT_OFF, behind_prefix, direction_of, event_in, time_in
from tui.capture.file.records import (
    DIRECTION_NAMES,
    FORMAT,
    Audio,
    Header,
    Interrupted,
    Mark,
    Playing,
    Remark,
    Stored,
    encoded_size,
)
from tui.wire import Direction

_BY_NAME: Final = {
    **{name: Direction(at) for at, name in enumerate(DIRECTION_NAMES)},
    "in": Direction.RECEIVED,
    "out": Direction.SENT,
}
_BY_BYTES: Final = {name.encode(): Direction(at) for at, name in enumerate(DIRECTION_NAMES)}

_SHOWN: Final = 40
"""Characters of what cannot be understood."""

_LARGEST_BYTES: Final = 10**8

# Nearly every line of a capture; what does not match, or does not have the size that it says, is parsed as JSON.
_PLAIN = re.compile(
    rb'\{"time_ns":(-?\d{1,18}),"direction":"(received|sent|local)","size":(\d{1,8}),'
    rb'(?:"audio":\{"start":(\d{1,12}),"bytes":(\d{1,8}),"at":(\d{1,8})'
    rb'(?:,"coding":"(pcm[ua])")?\},)?"event":(?=\{)'
)


def read_plain(line: bytes) -> Stored | None:
    """The frame of a line as azrt-tui writes nearly all of them; None for any other line. Parses no JSON."""
    found = _PLAIN.match(line)
    if found is None or line[-2:] != b"}}":
        return None
    time, name, size, start, length, at, coding = found.groups()
    rest = line[found.end() : -1]
    if start is None:
        if len(rest) != int(size):
            return None
        return Stored(int(time), _BY_BYTES[name], len(rest), rest, head=found.end())
    audio = Audio(int(start), int(length), int(at), coding.decode() if coding else "")
    if len(rest) + encoded_size(audio.size) != int(size) or audio.at > len(rest):
        return None
    return Stored(int(time), _BY_BYTES[name], int(size), rest, audio, head=found.end())


def read_line(line: bytes, last_ns: int = 0) -> Stored | Remark | Mark | Header | None:
    """What a line of a capture holds, or of another file with an event a line; None when it is no such line.

    Args:
        line: without its line break.
        last_ns: the time of the frame before, for lines that name none.
    """
    stored = read_plain(line)
    if stored is not None:
        return stored
    fields = wire.parse(line)
    if fields is None:
        return _behind_prefix(line, last_ns)
    if fields.get("format") == FORMAT:
        return _header(fields)
    if isinstance(fields.get("mark"), str):
        return _mark(fields)
    if "about" in fields and "direction" not in fields:
        about = _count(fields["about"], 2**32)
        if about is None:
            return None
        return Remark(about, _text(fields.get("note")), fields.get("alarm") is True)
    return _stored(fields, line, last_ns)


def _header(fields: Mapping[str, Any]) -> Header:
    audio = fields.get("audio")
    names = audio if isinstance(audio, Mapping) else {}
    version = _count(fields.get("version"), 10**6) or 0
    return Header(
        program=_text(fields.get("program")),
        host=_text(fields.get("host")),
        deployment=_text(fields.get("deployment")),
        started=_text(fields.get("started")),
        received_audio=_text(names.get("received")),
        sent_audio=_text(names.get("sent")),
        version=version,
        odd_version="" if version or "version" not in fields else _shown(fields["version"]),
    )


def _shown(value: object) -> str:
    return "[…]" if isinstance(value, list | dict) else json.dumps(value)[:_SHOWN]


def _mark(fields: Mapping[str, Any]) -> Mark | None:
    t_ns = time_in(fields)
    heard = fields.get("heard_ms")
    if t_ns is None:
        return None
    if fields["mark"] == "interrupted" and isinstance(heard, Mapping):
        kept = {item: ms for item, ms in heard.items() if _count(ms, 10**12) is not None}
        return Interrupted(t_ns, _text(fields.get("response_id")), kept)
    if fields["mark"] == "playing" and isinstance(heard, int | float) and 0 <= heard < 1e12:
        return Playing(t_ns, _text(fields.get("item_id")), _count(fields.get("content_index"), 1000) or 0, float(heard))
    return None


def _behind_prefix(line: bytes, last_ns: int) -> Stored | None:
    """The event of a line that a log has made of it. A line that begins with a brace is one of ours, cut off."""
    found = behind_prefix(line) if not line.lstrip().startswith(b"{") else None
    if found is None:
        return None
    return Stored(
        t_ns=last_ns if found.t_ns is None else found.t_ns,
        direction=found.direction,
        size=len(found.data),
        rest=found.data,
        note="" if found.whole else CUT_OFF,
        head=line.find(found.data),
        exact=False,
        timed=found.t_ns is not None,
    )


def _stored(fields: Mapping[str, Any], line: bytes, last_ns: int) -> Stored | None:
    exact = True
    event: Mapping[str, Any] | str | None = None
    if isinstance(fields.get("base64"), str):
        try:
            rest = binascii.a2b_base64(fields["base64"])
        except (binascii.Error, ValueError):
            return None
    elif isinstance(fields.get("text"), str) and "direction" in fields:
        rest = fields["text"].encode(errors="surrogatepass")
    else:
        event = event_in(fields)
        if event is None:
            return None
        if isinstance(event, str):
            rest = event.encode(errors="surrogatepass")
        elif event is fields:
            rest = line.strip()  # the event itself, without anything around it
        else:
            try:
                rest = json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode(errors="replace")
            except (ValueError, RecursionError):
                return None
            exact = False
    audio = _audio(fields.get("audio"), rest) if event is not fields else None
    t_ns = time_in(fields)
    direction = _BY_NAME.get(_text(fields.get("direction")))
    if direction is None:
        direction = direction_of(event if isinstance(event, Mapping) else wire.parse(rest), fields)
    if not exact and audio is None and fields.get("size") == len(rest):
        exact = True
    return Stored(
        t_ns=last_ns if t_ns is None else t_ns,
        direction=direction,
        size=len(rest) + (encoded_size(audio.size) if audio is not None else 0),
        rest=rest,
        audio=audio,
        binary=fields.get("binary") is True,
        note=_text(fields.get("note")),
        head=line.find(rest),
        exact=exact,
        timed=t_ns is not None,
    )


def _audio(value: object, rest: bytes) -> Audio | None:
    if not isinstance(value, Mapping):
        return None
    start, size = _count(value.get("start"), 10**12), _count(value.get("bytes"), _LARGEST_BYTES)
    at = _count(value.get("at"), len(rest) + 1)
    if at is None or rest[max(0, at - 1) : at + 1] != b'""':
        # Another program has moved it.
        key = wire.event_type(wire.sniff_type(rest)).audio
        _, at, end = wire.find_string(rest, f'"{key}"'.encode())
        if at != end:
            return None
    coding = value.get("coding", "")
    if start is None or size is None or not at or not (coding == "" or coding in CODINGS):
        return None
    return Audio(start, size, at, coding)


def _count(value: object, limit: int) -> int | None:
    """A whole number from 0 to below the limit; None for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < limit else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
