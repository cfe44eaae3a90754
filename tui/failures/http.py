"""What an HTTP answer in place of a WebSocket says in its own words: JSON of many makes, a web page, or plain text."""

from __future__ import annotations

import html
import json
import re
import zlib
from collections.abc import Mapping
from typing import Final

from websockets.exceptions import InvalidStatus
from websockets.http11 import Response
from websockets.streams import StreamReader

from tui import wire

MOST_READ: Final = 64 * 1024
"""Bytes of a body: nobody says more in an error, and a compressed one may come to gigabytes."""

_TITLE: Final = re.compile(r"<(title|h1)\b[^>]*>(.*?)</\1\s*>", re.IGNORECASE | re.DOTALL)


def unfinished(data: bytes) -> InvalidStatus | None:
    """The answer whose beginning this is, with what there is of its body; None where its head is not whole, or none.

    The library gives an answer when its body is whole, and some never are: a stream of events, a wrong length.
    """
    reader = StreamReader()
    reader.feed_data(data)
    try:
        next(Response.parse(reader.read_line, reader.read_exact, reader.read_to_eof, proxy=True))
    except StopIteration as done:
        response: Response = done.value
    except Exception:  # as the library has it: a head can be wrong in any way
        return None
    else:
        return None
    response.body = b"" if "Transfer-Encoding" in response.headers else bytes(reader.buffer)
    return InvalidStatus(response)


def words(response: Response) -> tuple[str, str]:
    """Code and message of an answer, each one short line; "" where it has none.

    Azure and OpenAI say ``{"error": {"code", "message"}}``, Azure's gateway ``{"statusCode", "message"}``, servers
    made with FastAPI (vLLM, speaches, LiteLLM) ``{"detail"}``, proxies a page or a line of text.
    """
    body = _unpacked(bytes(response.body or b""), response.headers.get("Content-Encoding", ""))
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return "", _prose(body.decode(errors="replace"))
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, str):
        return "", wire.text(value)
    if not isinstance(value, Mapping):
        return "", ""
    error = wire.error_of(value)
    message = error.get("message") or _detail(value.get("detail"))
    return wire.text(error.get("code") or error.get("type"), 60), wire.text(message)


def _unpacked(body: bytes, encoding: str) -> bytes:
    if encoding.strip().lower() not in ("gzip", "x-gzip", "deflate"):
        return body[:MOST_READ]
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(body, MOST_READ)  # either kind of header
    except zlib.error:
        return b""


def _detail(detail: object) -> object:
    """FastAPI gives a string, or what is wrong with each field."""
    if not isinstance(detail, list):
        return wire.error_of(detail).get("message", detail) if isinstance(detail, Mapping) else detail
    return ", ".join(
        ": ".join(part for part in (_place(each.get("loc")), wire.text(each.get("msg"))) if part)
        for each in detail
        if isinstance(each, Mapping)
    )


def _place(loc: object) -> str:
    return ".".join(wire.text(part) for part in loc) if isinstance(loc, list) else ""


def _prose(text: str) -> str:
    """The title of a page, or the text itself; "" for what is no text."""
    if text.lstrip().startswith("<"):
        found = _TITLE.search(text)
        return wire.text(html.unescape(found[2]), 100) if found else ""
    return "" if "\ufffd" in text or "\0" in text else wire.text(text)
