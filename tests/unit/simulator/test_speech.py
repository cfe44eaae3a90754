"""Speech: recordings, the speech programs, and the audio formats they go out in."""

from __future__ import annotations

import array
import os
import shutil
from pathlib import Path

import pytest

from tests.unit.simulator.support import opening, session, speech
from tui.simulator.audio import FORMATS, decode_au, encode_au, level_db, resample
from tui.simulator.script import ANSWERS, GENERIC, HELLO, STORY, Answer
from tui.simulator.speech import CHARS_PER_S, VOICES, Speaker, from_recordings, recording

PROGRAMS = [
    pytest.param(
        name,
        marks=pytest.mark.skipif(
            shutil.which(name) is None and not os.environ.get("AZRT_REQUIRE_AUDIO"), reason=f"{name} is not installed"
        ),
    )
    for name in ("flite", "espeak-ng")
]
"""Skipped where they are not installed; with ``AZRT_REQUIRE_AUDIO=1``, as in ``.ci/run``, that is a failure instead."""


def samples(pcm: bytes) -> array.array[int]:
    return FORMATS["audio/pcm"].samples(pcm)


def test_every_answer_has_a_recording_and_they_are_small() -> None:
    assert {path.stem for path in VOICES.glob("*.au")} == {answer.name for answer in (*ANSWERS, GENERIC)}
    assert sum(path.stat().st_size for path in VOICES.iterdir()) <= 1_000_000


@pytest.mark.parametrize("answer", [*ANSWERS, GENERIC], ids=lambda answer: answer.name)
def test_each_recording_is_audible_and_about_as_long_as_its_words(answer: Answer) -> None:
    pcm = recording(answer.name)
    assert pcm is not None
    assert -30 < level_db(samples(pcm)) < -10
    words = answer.spoken if answer is GENERIC else opening(answer)
    assert len(pcm) / 48_000 == pytest.approx(len(words) / CHARS_PER_S, rel=0.5, abs=0.7)


def test_what_has_no_recording_is_filled_up_to_the_length_of_its_words() -> None:
    pcm = from_recordings(STORY)
    assert len(pcm) == len(STORY.spoken) * 24_000 // CHARS_PER_S * 2
    start = recording(STORY.name)
    assert start is not None
    assert pcm.startswith(start)
    unknown = from_recordings(Answer("no-such-recording", "Some words that nobody recorded."))
    assert unknown.startswith(b"".join([recording(GENERIC.name) or b""])[:1000])
    assert len(unknown) // 48_000 == 2


def test_a_damaged_recording_is_refused() -> None:
    good = encode_au(speech(100), 12_000)
    assert len(samples(decode_au(good))) == 2400
    with pytest.raises(ValueError, match=r"\.au"):
        decode_au(b"RIFF" + good[4:])


@pytest.mark.parametrize("name", ["audio/pcm", "audio/pcmu", "audio/pcma"])
def test_a_voice_survives_each_format(name: str) -> None:
    audio_format = FORMATS[name]
    # 140 to 700 Hz: within what 8 kHz can hold.
    pcm = speech(500)
    encoded = audio_format.encode(pcm)
    assert audio_format.duration_ms(len(encoded)) == 500
    back = samples(resample(audio_format.samples(encoded).tobytes(), audio_format.rate, 24_000))
    error = array.array("h", (a - b for a, b in zip(back, samples(pcm), strict=True)))
    # G.711 is good for about 37 dB; the 16 bit format is exact.
    assert level_db(error) < (-96 if name == "audio/pcm" else -50) + 0.1


@pytest.mark.parametrize(
    ("name", "code", "value"),
    [
        ("audio/pcmu", 0xFF, 0),
        ("audio/pcmu", 0x80, 32124),
        ("audio/pcmu", 0x00, -32124),
        ("audio/pcma", 0xD5, 8),
        ("audio/pcma", 0x55, -8),
        ("audio/pcma", 0xAA, 32256),
        ("audio/pcma", 0x2A, -32256),
    ],
)
def test_g711_codes_mean_what_the_standard_says(name: str, code: int, value: int) -> None:
    assert list(FORMATS[name].samples(bytes([code]))) == [value]


@pytest.mark.parametrize("name", ["audio/pcmu", "audio/pcma"])
def test_g711_encoding_undoes_decoding(name: str) -> None:
    audio_format = FORMATS[name]
    codes = bytes(range(256))
    values = audio_format.samples(codes)
    # One constant second for each code, so that resampling changes nothing.
    for code, value in zip(codes[::37], values[::37], strict=True):
        encoded = audio_format.encode(array.array("h", [value] * 2400).tobytes())
        assert set(audio_format.samples(encoded)) == {value}, code


@pytest.mark.parametrize("engine", PROGRAMS)
async def test_a_speech_program_speaks_every_word(engine: str) -> None:
    speaker = Speaker(engine)
    pcm = await speaker.say(HELLO, "marin", 1.0)
    assert len(pcm) / 48_000 == pytest.approx(len(HELLO.spoken) / CHARS_PER_S, rel=0.4)
    assert -30 < level_db(samples(pcm)) < -8
    assert pcm != from_recordings(HELLO)
    low, fast = await speaker.say(HELLO, "ash", 1.0), await speaker.say(HELLO, "marin", 1.5)
    assert low != pcm
    assert len(fast) < 0.85 * len(pcm)
    assert await speaker.say(HELLO, "coral", 1.0) is pcm  # remembered: coral has the voice of marin


@pytest.mark.parametrize("script", ["exit 1", "true", 'for output; do :; done; echo noise > "$output"'])
async def test_a_program_that_fails_is_replaced_by_the_recordings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    broken = tmp_path / "flite"
    broken.write_text(f"#!/bin/sh\n{script}\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    speaker = Speaker("auto")
    assert speaker.engine == "flite"
    assert await speaker.say(HELLO, "alloy", 1.0) == from_recordings(HELLO)


async def test_only_the_last_answers_are_remembered() -> None:
    speaker = Speaker("recordings")
    first = await speaker.say(HELLO, "alloy", 1.0)
    assert await speaker.say(HELLO, "alloy", 1.0) is first
    for number in range(40):
        await speaker.say(Answer("none", f"Number {number}."), "alloy", 1.0)
    again = await speaker.say(HELLO, "alloy", 1.0)
    assert again == first
    assert again is not first


async def test_without_a_program_the_recordings_speak(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Speaker().engine == "recordings"
    async with session(engine="auto") as client:
        assert (await client.ask("hello"))["status"] == "completed"
