"""The lines of a capture file, as they are written. ``docs/capture-format.md`` describes them for others.

A frame that is plain JSON stands in its line as it was on the wire, byte for byte, so that jq reads it and nothing is
lost; what is not plain is kept beside it as text or base64.
"""

from __future__ import annotations

import binascii
import json
import re
from collections.abc import Mapping
from typing import Final, NoReturn

from tui import wire
from tui.capture.file.records import (
    DIRECTION_NAMES,
    FORMAT,
    MAX_DEPTH,
    MAX_LINE_BYTES,
    Audio,
    Decoded,
    Header,
    Interrupted,
    Mark,
    Remark,
    encoded_size,
)
from tui.wire import Direction

_PADDING: Final = ord("=")
_ENDS_OF_ONE: Final = b"AQgw"
"""Letters of base64 that may stand before two signs of padding."""
_ENDS_OF_TWO: Final = b"AEIMQUYcgkosw048"
"""Letters that may stand before one."""

_NAMES: Final = tuple(name.encode() for name in DIRECTION_NAMES)

_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*"|([\[{])|([\]}])')


def header_line(header: Header) -> bytes:
    """The first line of a file."""
    fields = {
        "format": FORMAT,
        "version": header.version,
        "program": header.program,
        "host": header.host,
        "deployment": header.deployment,
        "started": header.started,
        "sample_rate": wire.PCM16_RATE,
        "audio": {"received": header.received_audio, "sent": header.sent_audio},
    }
    return json.dumps(fields, separators=(",", ":")).encode() + b"\n"


def frame_line(
    t_ns: int, direction: Direction, data: bytes, *, binary: bool = False, audio: Audio | None = None
) -> tuple[bytes, int]:
    """The line of a frame, and how many bytes of it stand before the frame; -1 when that is not in it as it is.

    Args:
        t_ns: when it came, in nanoseconds.
        direction: who sent it.
        data: the frame.
        binary: True for a WebSocket binary frame.
        audio: which part of it is in the WAV file instead.
    """
    head = b'{"time_ns":%d,"direction":"%b","size":%d,' % (t_ns, _NAMES[direction], len(data))
    if binary:
        return b'%b"binary":true,"base64":"%b"}\n' % (head, binascii.b2a_base64(data, newline=False)), -1
    rest = data
    if audio is not None:
        rest = data[: audio.at] + data[audio.at + encoded_size(audio.size) :]
        coding = b',"coding":"%b"' % audio.coding.encode() if audio.coding else b""
        head += b'"audio":{"start":%d,"bytes":%d,"at":%d%b},' % (*audio[:3], coding)
    if _is_plain(rest):
        return b'%b"event":%b}\n' % (head, rest), len(head) + len('"event":')
    return b"%b%b}\n" % (head, _odd(rest)), -1


def remark_line(t_ns: int, remark: Remark) -> bytes:
    """The line of a remark."""
    fields: dict[str, object] = {"about": remark.about, "time_ns": t_ns}
    if remark.note:
        fields["note"] = remark.note
    if remark.alarm:
        fields["alarm"] = True
    return _line(fields)


def mark_line(mark: Mark) -> bytes:
    """The line of a mark."""
    if isinstance(mark, Interrupted):
        return _line(
            {
                "mark": "interrupted",
                "time_ns": mark.t_ns,
                "response_id": mark.response_id,
                "heard_ms": dict(mark.heard),
            }
        )
    return _line(
        {
            "mark": "playing",
            "time_ns": mark.t_ns,
            "item_id": mark.item_id,
            "content_index": mark.content_index,
            "heard_ms": round(mark.ms, 3),
        }
    )


def find_audio(data: bytes, quoted_key: bytes, decoded: Decoded | None = None) -> tuple[int, bytes] | None:
    """The audio under a key of a frame: the offset of its base64, and the bytes that it stands for.

    None when there is none, or when its base64 is not the one that the same bytes would be encoded to again.

    Args:
        data: the frame.
        quoted_key: the key in its quotes.
        decoded: what somebody who parsed the frame has decoded, to save doing it again.
    """
    _, start, end = wire.find_string(data, quoted_key)
    length = end - start
    if length < 4 or length % 4:
        return None
    if decoded is not None and len(decoded.base64) == length and data.startswith(decoded.base64.encode(), start):
        sound = decoded.sound
    else:
        try:
            sound = binascii.a2b_base64(memoryview(data)[start:end])
        except binascii.Error:
            return None
    # Decoding passes over what is no base64: then bytes are missing. The last letter holds more bits than the last byte
    # needs, and only one spelling has zeros there.
    if len(sound) != wire.decoded_size(data, start, end):
        return None
    if data[end - 1] == _PADDING:
        twice = data[end - 2] == _PADDING
        if (data[end - 3] not in _ENDS_OF_ONE) if twice else (data[end - 2] not in _ENDS_OF_TWO):
            return None
    return start, sound


def _line(fields: Mapping[str, object]) -> bytes:
    return json.dumps(fields, separators=(",", ":")).encode() + b"\n"


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


_STRICT: Final = json.JSONDecoder(parse_constant=_refuse)
"""Takes no NaN or Infinity; those letters inside a string, as base64 of an image has them, are no such number."""


def _is_plain(rest: bytes) -> bool:
    """True for a JSON object that can stand in a line as it is, for jq and every other parser."""
    if rest[:1] != b"{" or rest[-1:] != b"}" or b"\n" in rest or b"\r" in rest:
        return False
    try:
        event = _STRICT.decode(rest.decode())
        if b"\\u" in rest:  # half of a surrogate pair, at which jq stops
            json.dumps(event, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return False
    return _is_shallow(rest)


def _is_shallow(data: bytes) -> bool:
    if data.count(b"[") + data.count(b"{") <= MAX_DEPTH:
        return True
    depth = 0
    for found in _BRACKETS.finditer(data):
        depth += (found[1] is not None) - (found[2] is not None)
        if depth > MAX_DEPTH:
            return False
    return True


def _odd(rest: bytes) -> bytes:
    """The fields of a frame that is not plain: itself, and the event in it when there is one."""
    try:
        said = b'"text":' + json.dumps(rest.decode()).encode()
    except UnicodeDecodeError:
        said = b""
    if not said or len(said) > MAX_LINE_BYTES // 2:
        said = b'"base64":"%b"' % binascii.b2a_base64(rest, newline=False)
    event = wire.parse(rest) if _is_shallow(rest) else None
    if event is None:
        return said
    try:
        text = json.dumps(event, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
        return said + b',"event":' + text.encode(errors="replace")
    except (ValueError, RecursionError):  # a number that JSON does not have
        return said
