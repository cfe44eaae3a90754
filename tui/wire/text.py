"""Words and figures for what frames hold: one short line each. No I/O.

Nothing here trusts the shape of what it is given: every function takes any JSON value and never raises.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from tui.audio_format import PCM16_24K, AudioFormat

PCM16_RATE = 24_000
"""Samples a second of PCM16 mono: the only audio format that azrt-tui asks for."""

PCM16_BYTES_PER_SECOND = 2 * PCM16_RATE


def text(value: object, limit: int = 200) -> str:
    """A JSON value as one short line of text: whitespace runs become one space."""
    if isinstance(value, str):
        return " ".join(value[: 4 * limit].split())[:limit]
    if value is None:
        return ""
    try:
        return json.dumps(value, ensure_ascii=False, default=str)[:limit]
    except (ValueError, RecursionError):  # an integer of too many digits, or nested about as deeply as can be parsed
        return "…"


def size(count: int) -> str:
    """Bytes for a narrow column: ``182``, ``1.9k``, ``268k``, ``1.2M``."""
    if count < 1000:
        return str(count)
    units = (("k", 1e3), ("M", 1e6), ("G", 1e9))
    unit, in_unit = next(((unit, count / one) for unit, one in units if count / one < 999.5), ("G", count / 1e9))
    return f"{in_unit:.1f}{unit}" if in_unit < 9.95 else f"{in_unit:.0f}{unit}"


def audio_duration(count: int, audio: AudioFormat = PCM16_24K) -> str:
    """Return how long so many bytes of audio play, as ``150 ms of audio``; or of what they are, where nobody knows."""
    if not audio.known:
        return f"{size(count)} bytes of {text(audio.name)}"
    ms = count * 1000 / audio.bytes_per_second
    return f"{ms:.0f} ms of audio" if ms < 1000 else f"{ms / 1000:.1f} s of audio"


def joined(text: str, delta: str) -> str:
    """A text and its next piece. A server in JavaScript may cut an emoji in two: the halves become one again."""
    if "\ud800" <= text[-1:] <= "\udbff" and "\udc00" <= delta[:1] <= "\udfff":
        return text[:-1] + (text[-1] + delta[0]).encode("utf-16", "surrogatepass").decode("utf-16") + delta[1:]
    return text + delta


def content_text(content: object) -> str:
    """What the parts of an item's ``content`` say, joined; parts without words are named in brackets."""
    if not isinstance(content, list):
        return ""
    words = []
    for part in content:
        if not isinstance(part, Mapping):
            continue
        said = part.get("text") or part.get("transcript")
        if isinstance(said, str) and said:
            words.append(said)
        elif part.get("type") == "input_image":
            words.append("[image]")
    return "\n".join(words)
