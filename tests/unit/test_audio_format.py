"""Formats of audio: what a session calls them, how long their bytes play, G.711, and which format holds when."""

from __future__ import annotations

import itertools
import math
from array import array
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.properties import PROPERTY
from tui.audio_format import CODINGS, PCM16_24K, AudioFormat, Formats, parse_format

PCMU, PCMA = CODINGS["pcmu"], CODINGS["pcma"]
PCM16_16K = AudioFormat("audio/pcm", 16_000)


def samples(pcm: bytes) -> list[int]:
    """PCM16 as numbers."""
    return array("h", pcm).tolist()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"type": "audio/pcm"}, PCM16_24K),
        ({"type": "audio/pcm", "rate": 24000}, PCM16_24K),
        ({"type": "audio/pcm", "rate": 16000}, PCM16_16K),
        ({"type": "audio/pcmu"}, PCMU),
        ({"type": "audio/pcmu", "rate": 8000}, PCMU),
        ({"type": "audio/pcma"}, PCMA),
        ("pcm16", PCM16_24K),
        ("g711_ulaw", PCMU),
        ("g711_alaw", PCMA),
        ("pcm16_16000hz", PCM16_16K),
        ("audio/opus", AudioFormat("audio/opus", 0)),
        ({"type": "audio/opus", "rate": 48000}, AudioFormat("audio/opus", 0)),
        ({"type": "audio/pcm", "rate": 0}, AudioFormat("audio/pcm at an odd rate", 0)),
        ({"type": "audio/pcm", "rate": 10**400}, AudioFormat("audio/pcm at an odd rate", 0)),
        ({"type": "audio/pcm", "rate": True}, AudioFormat("audio/pcm at an odd rate", 0)),
        ({"type": "audio/pcm", "rate": "24000"}, AudioFormat("audio/pcm at an odd rate", 0)),
        ({"type": "audio/pcm", "rate": []}, AudioFormat("audio/pcm at an odd rate", 0)),
        ("x" * 500, AudioFormat("x" * 40, 0)),
        ({}, None),
        ({"type": 5}, None),
        ("", None),
        (None, None),
        ([], None),
    ],
)
def test_what_a_session_calls_a_format(value: object, expected: AudioFormat | None) -> None:
    assert parse_format(value) == expected


def test_how_long_a_second_is() -> None:
    assert [each.bytes_per_second for each in (PCM16_24K, PCM16_16K, PCMU, PCMA)] == [48_000, 32_000, 8_000, 8_000]
    assert not AudioFormat("audio/opus", 0).known


def test_g711_has_the_values_of_the_standard() -> None:
    assert samples(PCMU.decode(bytes((0x00, 0x80, 0xFF, 0x7E, 0xFE, 0x3F)))) == [-32124, 32124, 0, -8, 8, -1980]
    assert samples(PCMA.decode(bytes((0x2A, 0xAA, 0xD5, 0x55, 0x85)))) == [-32256, 32256, 8, -8, 4224]
    assert samples(PCMU.decode(b"\x7f")) == [-1], "the other zero, by one apart"


@pytest.mark.parametrize("audio", [PCMU, PCMA], ids=lambda audio: audio.name)
def test_every_code_comes_back_and_sizes_rise(audio: AudioFormat) -> None:
    codes = bytes(range(256))
    pcm = audio.decode(codes)
    assert audio.encode(pcm) == codes
    assert len(set(samples(pcm))) == 256
    inverted = bytes(code ^ (0x00 if audio is PCMU else 0x55) for code in range(256))
    by_code = samples(audio.decode(inverted))
    steps = [b - a for a, b in itertools.pairwise(by_code[:128])]
    assert all(step > 0 for step in steps) or all(step < 0 for step in steps)


def test_what_is_of_no_code_is_not_encoded() -> None:
    assert PCMU.encode(b"\x01\x00") is None
    assert PCMU.encode(b"\x01") is None
    assert PCM16_24K.encode(b"\x01") == b"\x01"
    assert AudioFormat("audio/opus", 0).decode(b"OggS") == b""


def test_a_tone_is_the_tone_that_it_was() -> None:
    tone = [round(8_000 * math.sin(2 * math.pi * 440 * at / 8_000)) for at in range(8_000)]
    nearest = {code: samples(PCMU.decode(bytes((code,))))[0] for code in range(256)}
    coded = bytes(min(nearest, key=lambda code: abs(nearest[code] - value)) for value in tone)
    decoded = samples(PCMU.decode(coded))
    assert max(abs(a - b) for a, b in zip(tone, decoded, strict=True)) <= 8_000 / 32


# Which format holds


def session(event_type: str, output: object = None, input: object = None, **fields: Any) -> dict[str, Any]:
    """A session event as GA has it."""
    sides = {"output": {"format": output} if output else {}, "input": {"format": input} if input else {}}
    return {"type": event_type, "session": {"audio": sides}, **fields}


U, A = {"type": "audio/pcmu"}, {"type": "audio/pcma"}


def follow(*events: tuple[str, dict[str, Any]]) -> Formats:
    """What holds behind these: ``<`` received, ``>`` sent."""
    formats = Formats()
    for direction, event in events:
        formats.take(event, sent=direction == ">")
    return formats


@pytest.mark.parametrize(
    "echo",
    [
        session("session.updated", U, A),
        {"type": "session.updated", "session": {"output_audio_format": "g711_ulaw", "input_audio_format": "g711_alaw"}},
        {"type": "session.created", "session": {"output_audio_format": "g711_ulaw", "input_audio_format": "g711_alaw"}},
    ],
)
def test_the_echo_names_the_format_of_each_direction(echo: dict[str, Any]) -> None:
    now = follow(("<", echo)).now
    assert (now.received, now.sent) == (PCMU, PCMA)


def test_transcription_and_live_sessions_have_their_own_places() -> None:
    beta = {"type": "transcription_session.updated", "session": {"input_audio_format": "g711_ulaw"}}
    assert follow(("<", beta)).now.sent == PCMU
    live = {"type": "session.started", "session": {"audio": {"format": {"type": "audio/pcm", "rate": 16000}}}}
    now = follow(("<", live)).now
    assert (now.received, now.sent) == (PCM16_16K, PCM16_16K)
    azure = {"input_audio_format": "pcm16", "input_audio_sampling_rate": 16000, "output_audio_format": "pcm16"}
    now = follow(("<", {"type": "session.updated", "session": azure})).now
    assert (now.received, now.sent) == (PCM16_24K, PCM16_16K)


def test_what_is_sent_behind_an_update_is_in_the_format_that_it_asks_for() -> None:
    ask = (">", session("session.update", U, U, event_id="u1"))
    assert follow(ask).now.sent == PCMU
    assert follow(ask).now.received == PCM16_24K, "until the server says so"
    created = ("<", session("session.created", {"type": "audio/pcm", "rate": 24000}, {"type": "audio/pcm"}))
    assert follow(ask, created).now.sent == PCMU, "the client did not wait for session.created"
    refused = ("<", {"type": "error", "error": {"event_id": "u1", "code": "invalid_value"}})
    assert follow(ask, created, refused).now.sent == PCM16_24K
    assert follow(ask, created, ("<", {"type": "error", "error": {"event_id": "other"}})).now.sent == PCMU
    insists = ("<", session("session.updated", A, A))
    assert follow(ask, created, insists).now[:2] == (PCMA, PCMA), "the echo decides"
    silent = ("<", {"type": "session.updated", "session": {}})
    assert follow(ask, created, silent).now[:2] == (PCMU, PCMU), "an echo that names none agrees"


def test_an_update_that_names_no_format_changes_none() -> None:
    plain = (">", {"type": "session.update", "session": {"instructions": "x"}})
    echo = ("<", session("session.updated", U, U))
    assert follow(("<", session("session.created", U, U)), plain, echo).now[:2] == (PCMU, PCMU)
    later = (">", session("session.update", A, A))
    assert follow(plain, later, echo).now[:2] == (PCMU, PCMA), "the second is still without its echo"


def test_a_response_may_have_a_format_of_its_own() -> None:
    own = {"type": "response.created", "response": {"id": "r1", "audio": {"output": {"format": U}}}}
    now = follow(("<", own)).now
    assert now.received == PCM16_24K
    assert now.responses == {"r1": PCMU}
    beta = {"type": "response.created", "response": {"id": "r1", "output_audio_format": "g711_alaw"}}
    assert follow(("<", beta)).now.responses == {"r1": PCMA}


def test_a_response_that_runs_keeps_its_format() -> None:
    began = ("<", {"type": "response.created", "response": {"id": "r1"}})
    now = follow(began, ("<", session("session.updated", U, U))).now
    assert now.received == PCMU
    assert now.responses == {"r1": PCM16_24K}


def test_a_new_connection_has_nothing_of_the_one_before() -> None:
    events = [(">", session("session.update", U, U)), ("<", session("session.updated", U, U))]
    assert follow(*events, ("<", {"type": "websocket.connect"})).now == Formats().now


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["g711_ulaw", "audio/pcm"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                ["audio", "input", "output", "format", "type", "rate", "id", "event_id", "input_audio_format"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
TYPES = st.sampled_from(
    ["session.created", "session.updated", "session.update", "response.created", "error", "websocket.connect"]
)


@PROPERTY
@given(st.lists(st.tuples(TYPES | JSON, JSON, st.booleans()), max_size=12))
def test_nothing_is_too_odd(events: list[tuple[object, object, bool]]) -> None:
    formats = Formats()
    for event_type, inner, sent in events:
        formats.take({"type": event_type, "session": inner, "response": inner, "error": inner}, sent=sent)
        for audio in (formats.now.received, formats.now.sent, *formats.now.responses.values()):
            assert audio.known == (audio.bytes_per_second > 0)
        assert len(formats.now.responses) <= 8
