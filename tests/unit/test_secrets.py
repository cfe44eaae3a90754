"""The one test for a secret, and the asterisks in its place."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote

import pytest

from tui.secrets import Mask, hidden, in_event, is_credential, is_credential_header, names_secret, parts

KEY = "sk-Canary_0123/456+789=AbCdEf"
LONG_KEY = "eyJhbGciOiJSUzI1NiJ9." + "aB3_x-" * 90 + ".sig"


@pytest.mark.parametrize(
    "name",
    "api-key api_key apikey apiKey key access_token token Authorization subscription-key Ocp-Apim-Subscription-Key "
    "agent-access-token client_secret code sig sas jwt bearer password passwd pwd x-api-key X-Goog-Api-Key Cookie "
    "Proxy-Authorization X-Amz-Signature accessToken id_token api%2Dkey api%252Dkey X-Auth ek".split(),
)
def test_names_of_secrets(name: str) -> None:
    for written in (name, name.upper(), name.lower()):
        assert names_secret(written)


@pytest.mark.parametrize(
    "name",
    "model deployment api-version voice intent call_id max_tokens max_output_tokens author authority keyword tokenizer "
    "language codec design passthrough prompt_cache_key OpenAI-Project OpenAI-Beta User-Agent Origin".split(),
)
def test_names_of_other_things(name: str) -> None:
    assert not names_secret(name.lower())


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("x", "ek_abc", True),
        ("x", "sk-abc", True),
        ("x", "Bearer abc", True),
        ("x", "0123456789abcdef0123456789abcdef", True),
        ("request_id", "0123456789abcdef0123456789abcdef", False),
        ("agent-authentication-identity-client-id", "0123456789abcdef0123456789abcdef", False),
        ("model", "gpt-realtime", False),
        ("model", "m&api-key=abc", True),
        ("auth", "true", False),
        ("token", "", False),
        ("Authorization", "Bearer", False),
        ("Authorization", "Bearer%20", False),
    ],
)
def test_what_a_client_signs_in_with(name: str, value: str, expected: bool) -> None:
    assert is_credential(name, value) is expected


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("Authorization", "Whatever abc", True),
        ("Accept", "text/html;q=0.9", False),
        ("Referer", "http://localhost/?x=1", False),
        ("X-Request-Id", "0123456789abcdef0123456789abcdef", False),
        ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", False),
        ("X-Gateway", "0123456789abcdef0123456789abcdef", True),
        ("X-Gateway", "ek_abc", True),
    ],
)
def test_headers_that_a_client_signs_in_with(name: str, value: str, expected: bool) -> None:
    assert is_credential_header(name, value) is expected


def every_spelling(key: str) -> dict[str, str]:
    basic = [base64.b64encode(f"{user}{key}".encode()).decode() for user in ("", "u", "us", "user:")]
    return {
        "plain": key,
        "lower": key.lower(),
        "upper": key.upper(),
        "percent": quote(key, safe=""),
        "percent, lower": quote(key, safe="").lower(),
        "percent twice": quote(quote(key, safe=""), safe=""),
        "html": html.escape(key).replace("+", "&#43;"),
        "slashes escaped": key.replace("/", "\\/"),
        "json in json": json.dumps(json.dumps(key.replace("/", "\\/"))),
        ".net": key.replace("+", "\\u002B").replace("/", "\\u002f"),
        "all escaped": "".join(f"\\u{ord(c):04x}" for c in key),
        **{f"base64 {number}": text for number, text in enumerate(basic)},
        **{f"urlsafe {number}": text.replace("+", "-").replace("/", "_") for number, text in enumerate(basic)},
        "cut off": f"expired: {key}"[:26],
    }


@pytest.mark.parametrize("spelling", every_spelling(KEY))
def test_a_secret_is_masked_however_it_is_spelled(spelling: str) -> None:
    text = f'{{"message": "Wrong key: {every_spelling(KEY)[spelling]}."}}'
    masked = Mask([KEY]).masked(text)
    assert len(masked) == len(text)
    assert masked.startswith('{"message": "Wrong key: ')
    assert "**********" in masked
    for piece in ("Canary", "canary", "CANARY", "AbCd", "YW5hcn", "0123"):
        assert piece not in masked
    assert Mask([KEY]).masked(text.encode()) == masked.encode()


def test_other_text_stays_as_it_is() -> None:
    text = json.dumps({"type": "x", "delta": base64.b64encode(bytes(range(256)) * 4).decode(), "text": "50% \\u0022"})
    for key in (KEY, LONG_KEY):
        assert Mask([key]).masked(text) == text
        assert Mask([key]).masked(text.encode()) == text.encode()
    assert Mask([]).masked(text) == text


def test_two_tokens_that_begin_alike_are_both_masked() -> None:
    other = LONG_KEY[:60] + "other" * 20
    masked = Mask([LONG_KEY]).masked(Mask([other]).masked(f"{LONG_KEY} and {other}"))
    assert set(masked) == set("* and")


def test_a_short_secret_that_is_a_word_is_masked_where_a_key_is_meant() -> None:
    mask = Mask(["test"])
    assert mask.masked("a test of the API key: test") == "a test of the API key: ****"
    assert Mask(["sk-mine"]).masked("it is sk-mine") == "it is *******"


def test_more_can_be_masked_later_and_nothing_shows_what() -> None:
    mask = Mask()
    assert not mask
    mask.add(["abcdefghijklmnop", "ab"])
    assert mask.masked("xabcdefghijklmnopx ab") == "x****************x ab"
    assert "abcd" not in repr(mask)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Bearer abc", {"abc"}),
        ("bearer%20abc", {"abc", "bearer%20abc"}),
        ("a%2Fb", {"a%2Fb", "a/b"}),
        (
            "Basic " + base64.b64encode(b"user:pass word").decode(),
            {"dXNlcjpwYXNzIHdvcmQ=", "user:pass word", "pass word"},
        ),
        ("Basic " + base64.b64encode(b"sk-abc:").decode(), {"c2stYWJjOg==", "sk-abc:", "sk-abc"}),
        ("Basic not base64!", {"not base64!"}),
        ("a=first; session=second", {"a=first; session=second", "first", "second"}),
        ("Bearer", set()),
        ("", set()),
    ],
)
def test_what_a_credential_may_be_echoed_as(value: str, expected: set[str]) -> None:
    assert set(parts(value)) == expected


def test_secrets_of_an_event() -> None:
    event = {
        "type": "auth",
        "token": "tok-1",
        "tools": [{"headers": {"X-Api-Key": "key-2", "Authorization": "Bearer key-3"}, "name": "key"}],
        "text": "key-4",
        "max_output_tokens": "inf",
        "prompt_cache_key": "mine",
        "instructions_about_the_token": "say what it is",
    }
    assert set(in_event(event)) == {"tok-1", "key-2", "key-3"}
    assert list(in_event(None)) == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("GET /x?model=m&api-key=abc HTTP/1.1", "GET /x?model=m&api-key=*** HTTP/1.1"),
        ("> Authorization: Bearer abcdef", "> Authorization: Bearer ***"),
        ("{'Ocp-Apim-Subscription-Key': 'abcdef'}", "{'Ocp-Apim-Subscription-Key': '***'}"),
        ("realtime, openai-insecure-api-key.abcdef", "realtime, openai-insecure-api-key.***"),
        ("key 0123456789abcdef0123456789abcdef", "key ***"),
        ('File "tui/watch/relay.py", line 3, in _ask', 'File "tui/watch/relay.py", line 3, in _ask'),
        ("    self._key = key or Secret()", "    self._key = key or Secret()"),
    ],
)
def test_a_line_of_the_log(line: str, expected: str) -> None:
    assert hidden(line) == expected
