"""Files that are one JSON document, or have events over many lines, as lines with an event each."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from tui import wire

MAX_BYTES: Final = 256 * 1024 * 1024
"""The largest document: it is read as a whole."""

_HAR = re.compile(rb'\s*\{\s*"log"\s*:')
_OPENS = re.compile(rb"[\[{][ \t\r]*\n")
"""A line that ends with an opening bracket: what it opens goes on in the next ones."""

_ENCODINGS: Final = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig"))

_MOST_TRIES: Final = 3
"""Braces of a line at which an object may begin."""

_MOST_FAILURES: Final = 10_000
"""Objects in a row that do not end, after which none is looked for any more."""

_BETWEEN: Final = " \t\r[],"
"""What stands between the elements of an array."""

_DECODER: Final = json.JSONDecoder()


class NoEventsError(ValueError):
    """A document without events. The text says why."""


def is_document(start: bytes) -> bool:
    """Whether a file that begins so is to be read as a whole, and not line by line."""
    if start.startswith(tuple(mark for mark, _ in _ENCODINGS)):
        return True
    begun = start.lstrip()
    if begun.startswith(b"{"):
        line, end, _ = begun.partition(b"\n")
        return _HAR.match(begun) is not None or (bool(end) and not line.rstrip().endswith(b"}"))
    return (begun.startswith(b"[") and _begins_array(begun)) or _OPENS.search(begun) is not None


def _begins_array(begun: bytes) -> bool:
    """A bracket may also open the prefix of a line: ``[INFO] {...}``."""
    return begun[1:].lstrip()[:1] in (b"{", b"")


def lines_of(data: bytes) -> Iterator[bytes]:
    """The lines of a document, each with one event where there is any. Raises NoEventsError."""
    encoding = next((name for mark, name in _ENCODINGS if data.startswith(mark)), "utf-8")
    text = data.decode(encoding, errors="replace")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        yield from _scan(text)
        return
    if isinstance(document, dict) and isinstance(document.get("log"), dict):
        yield from _har(document["log"])
        return
    for element in _elements(document):
        yield _line(element)


def _elements(document: object) -> list[Any]:
    """What a document lists: itself, or the longest list of objects under one of its keys."""
    if isinstance(document, list):
        return document
    if not isinstance(document, dict) or isinstance(document.get("type"), str):
        return [document]
    lists = [value for value in document.values() if isinstance(value, list) and value and isinstance(value[0], dict)]
    return max(lists, key=len, default=[document])


def _line(element: object) -> bytes:
    return json.dumps(element, ensure_ascii=False).encode(errors="surrogatepass") + b"\n"


def _scan(text: str) -> Iterator[bytes]:
    """Each line with the object that begins in it, however many lines that takes."""
    at, failures = 0, 0
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        found = _object_in(text, at, end) if failures < _MOST_FAILURES else None
        if found is not None:
            failures = 0
            start, value, stop = found
            yield text[at:start].lstrip(_BETWEEN).encode(errors="surrogatepass") + _line(value)
            at = stop
            continue
        failures += text.find("{", at, end) >= 0
        if text[at:end].strip(_BETWEEN):
            yield text[at:end].encode(errors="surrogatepass") + b"\n"
        at = end + 1


def _object_in(text: str, at: int, end: int) -> tuple[int, Mapping[str, Any], int] | None:
    """The first object that begins between two places: where, what it is, and where it ends."""
    for _ in range(_MOST_TRIES):
        at = text.find("{", at, end)
        if at < 0:
            return None
        try:
            value, stop = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            at += 1
            continue
        if value:
            return at, value, stop
        at = stop
    return None


def _har(log: Mapping[str, Any]) -> Iterator[bytes]:
    """The messages of the sockets that a browser, or mitmproxy, has recorded. Addresses go without their query."""
    entries = log.get("entries")
    sockets = [entry for entry in entries if _speaks(entry)] if isinstance(entries, list) else []
    if not sockets:
        raise NoEventsError(
            "is a HAR file without messages of a Realtime session: record it with the browser's network tools open"
        )
    for socket in sockets:
        messages = [each for each in socket["_webSocketMessages"] if isinstance(each, dict)]
        request = socket.get("request")
        url = request.get("url") if isinstance(request, dict) else ""
        text = str(url).partition("?")[0].partition("#")[0].rpartition("@")[2]
        yield _line(
            {
                "timestamp": messages[0].get("time"),
                "direction": "local",
                "event": {"type": "websocket.connect", "text": text},
            }
        )
        for message in messages:
            direction = "sent" if message.get("type") in ("send", "request") else "received"
            binary = message.get("opcode") == 2
            said = {"base64": message.get("data"), "binary": True} if binary else {"text": message.get("data")}
            yield _line({"timestamp": message.get("time"), "direction": direction, **said})


def _speaks(entry: object) -> bool:
    """Whether this is a socket with an event of the API's kind in it."""
    messages = entry.get("_webSocketMessages") if isinstance(entry, dict) else None
    if not isinstance(messages, list):
        return False
    return any(
        isinstance(each, dict)
        and isinstance(each.get("data"), str)
        and wire.starts_event(each["data"].lstrip()[:2_000])
        for each in messages
    )
