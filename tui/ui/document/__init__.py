"""The lines of one frame, whatever it holds, without a widget in sight.

A frame comes from the network: it may be 8 MiB long, nested a hundred thousand levels deep, or not JSON at all.
"""

from __future__ import annotations

from tui.audio_format import PCM16_24K, AudioFormat
from tui.ui.document.base import Document, Line, Match, Role, Search
from tui.ui.document.json_document import JsonDocument
from tui.ui.document.jsontext import parse
from tui.ui.document.plain import HexDocument, TextDocument

__all__ = ["Document", "Line", "Match", "Role", "Search", "open_frame"]


def open_frame(raw: bytes | str, audio: AudioFormat = PCM16_24K) -> Document:
    """The lines of a frame: as JSON if it is that, else as text, else as a hex dump with the reason.

    Args:
        raw: the frame.
        audio: the format of audio in it.
    """
    if isinstance(raw, str):
        return _open_text(raw, audio)
    if (zero := raw.find(0)) >= 0:
        return HexDocument(raw, f"binary: a zero byte at byte {zero:,}")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        return HexDocument(raw, f"not UTF-8 at byte {error.start:,}")
    return _open_text(text, audio)


def _open_text(text: str, audio: AudioFormat) -> Document:
    if not text:
        return TextDocument("", "an empty frame")
    try:
        return JsonDocument(parse(text), audio)
    except ValueError as error:
        return TextDocument(text, str(error))
