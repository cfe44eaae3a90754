"""The words of an HTTP answer, from the servers and proxies that people have."""

from __future__ import annotations

import gzip
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.datastructures import Headers
from websockets.http11 import Response

from tests.support.properties import PROPERTY
from tui.failures.http import unfinished, words

AZURE = json.dumps({"error": {"code": "DeploymentNotFound", "message": "It does not exist."}}).encode()
NGINX = b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>"


def answer(body: bytes, encoding: str = "") -> tuple[str, str]:
    """The words of an answer with this body."""
    headers = Headers({"Content-Encoding": encoding} if encoding else {})
    return words(Response(500, "", headers, body))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (AZURE, ("DeploymentNotFound", "It does not exist.")),
        (b'{"statusCode": 401, "message": "Access denied."}', ("", "Access denied.")),
        (b'{"error": "short and stout"}', ("", "short and stout")),
        (b'{"error": "Unauthorized", "message": "Which key?"}', ("Unauthorized", "Which key?")),
        (b'{"detail": "Not Found"}', ("", "Not Found")),
        (b'{"detail": {"error": "No such model."}}', ("", "No such model.")),
        (b'{"detail": {"odd": 1}}', ("", '{"odd": 1}')),
        (
            b'{"detail": [{"loc": ["query", "model"], "msg": "Field required"}, {"msg": "Bad"}, 7]}',
            ("", "query.model: Field required, Bad"),
        ),
        (b'[{"error": {"code": 403, "message": "In a list."}}]', ("403", "In a list.")),
        (b'"A string."', ("", "A string.")),
        (NGINX, ("", "502 Bad Gateway")),
        (b"\n<H1 class='x'>No &amp; never</H1>", ("", "No & never")),
        (b"<p>nothing that stands out</p>", ("", "")),
        (b"404 page not found\n", ("", "404 page not found")),
        (b"\x16\x03\x01 bytes", ("", "\x16\x03\x01 bytes")),
        (b"\xff\xfe\x00", ("", "")),
        (b"null", ("", "")),
        (b"", ("", "")),
        (b"[" * 100_000, ("", "[" * 200)),
    ],
)
def test_what_it_says(body: bytes, said: tuple[str, str]) -> None:
    assert answer(body) == said


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (gzip.compress(AZURE), "gzip"),
        (zlib.compress(AZURE), "deflate"),
        (gzip.compress(AZURE), " X-Gzip "),
    ],
    ids=["gzip", "deflate", "in the way of old servers"],  # what gzip makes of it depends on the time
)
def test_a_compressed_answer_says_the_same(body: bytes, encoding: str) -> None:
    assert answer(body, encoding) == ("DeploymentNotFound", "It does not exist.")


def test_a_bomb_is_not_unpacked() -> None:
    assert answer(gzip.compress(b"a" * 10_000_000), "gzip") == ("", "a" * 200)
    assert answer(b"no gzip", "gzip") == ("", "")


@PROPERTY
@given(
    st.one_of(
        st.binary(),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["error", "detail", "message", "code", "loc", "msg", "type"]), inner, max_size=4
                )
            ),
            max_leaves=8,
        ).map(lambda value: json.dumps(value).encode()),
    ),
    st.sampled_from(["", "gzip", "br"]),
)
def test_nothing_is_too_odd(body: bytes, encoding: str) -> None:
    code, message = answer(body, encoding)
    assert len(code) <= 60 and len(message) <= 200
    assert "\n" not in code + message


@pytest.mark.parametrize(
    ("data", "status", "said"),
    [
        (b'HTTP/1.1 403 Forbidden\r\nContent-Length: 99\r\n\r\n{"error": {"message": "No."}}', 403, "No."),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n", 200, "data: 1"),
        (b"HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nsor\r\n", 503, ""),
        (b"HTTP/1.0 502 Bad Gateway\r\n\r\n", 502, ""),
        (b"HTTP/1.1 403 Forbidden\r\nContent-Le", None, ""),
        (b"HTTP/1.1 403 Forbidden\r\n:\r\n\r\n", None, ""),
        (b"SSH-2.0-OpenSSH_9.6\r\n", None, ""),
        (b"", None, ""),
    ],
)
def test_an_answer_that_never_ends(data: bytes, status: int | None, said: str) -> None:
    refused = unfinished(data)
    assert (refused and refused.response.status_code) == status
    assert refused is None or words(refused.response) == ("", said)
