"""What a capture file holds, line by line: a header, frames, remarks on them, and marks of what happened here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from tui.wire import Direction

FORMAT: Final = "azrt-tui capture"
VERSION: Final = 1

MAX_LINE_BYTES: Final = 64 * 1024 * 1024
"""The longest line that is read: twice the largest message that is taken from the network."""

MAX_DEPTH: Final = 200
"""Frames nested deeper are kept as text: jq 1.6 stops at 256 levels."""

DIRECTION_NAMES: Final = ("received", "sent", "local")
"""What a line calls a direction, by its number."""


class Audio(NamedTuple):
    """Where the audio of a frame is, and where its base64 belongs in the frame."""

    start: int
    """Its first sample in the WAV file of the frame's direction."""
    size: int
    """Bytes in the frame; an odd number of PCM16 is padded to whole samples in the WAV file, not here."""
    at: int
    """Bytes of the frame that stand before the base64."""
    coding: str = ""
    """``pcmu`` or ``pcma`` where the WAV file has the PCM16 that those bytes were decoded to; "" for PCM16."""


class Decoded(NamedTuple):
    """Audio that somebody has decoded already."""

    base64: str
    """What stands in the frame."""
    sound: bytes
    """What :func:`base64.b64decode` makes of it."""


@dataclass(frozen=True, slots=True)
class Header:
    """The first line: where the capture is from."""

    program: str = ""
    host: str = ""
    deployment: str = ""
    started: str = ""
    """The time that is zero in the file, in UTC, ISO 8601."""
    received_audio: str = ""
    """Name of the WAV file, beside this one, of the audio that the server sent."""
    sent_audio: str = ""
    version: int = VERSION
    """0 for one that nobody writes."""
    odd_version: str = ""
    """What stands there then, in JSON; "" for nothing."""


class Stored(NamedTuple):
    """One frame as a line holds it."""

    t_ns: int
    direction: Direction
    size: int
    """Bytes of the frame, audio included."""
    rest: bytes
    """The frame without its audio."""
    audio: Audio | None = None
    binary: bool = False
    note: str = ""
    head: int = -1
    """Bytes of the line before ``rest``; -1 when that does not stand in the line as it is, but for its audio."""
    exact: bool = True
    """False when another program has rewritten the line, so that spaces and spellings may not be those of the wire."""
    timed: bool = True
    """False when the line has no time that can be read."""


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that was found out about an earlier frame."""

    about: int
    """Index of the frame, counted from 0."""
    note: str = ""
    alarm: bool = False


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The person, or the server on hearing the person, cut the agent short."""

    t_ns: int
    response_id: str
    """The response that was running, "" when only its audio was still playing."""
    heard: Mapping[str, int]
    """Item id -> milliseconds heard, for items whose audio was playing or waiting to."""


@dataclass(frozen=True, slots=True)
class Playing:
    """At this time, so much of an item had been heard: written where that does not follow from what was before."""

    t_ns: int
    item_id: str
    content_index: int
    ms: float


Mark = Interrupted | Playing
"""What happened here and not on the wire, and must be known to tell what was heard, and when."""


def encoded_size(size: int) -> int:
    """Characters of base64 for so many bytes."""
    return (size + 2) // 3 * 4
