"""Both voices in one WAV file: where they were spoken and heard, sample by sample."""

from __future__ import annotations

import io
import wave
from array import array
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from tests.unit.export.support import MS, RECEIVED, SENT, Happening, audio, capture, tone
from tui.capture import CaptureError, CaptureReader, Interrupted, Playing
from tui.export.sound import write_wav


def append(ms: int, value: int) -> dict[str, Any]:
    """A piece of the microphone's."""
    return {"type": "input_audio_buffer.append", "audio": tone(ms, value)}


def sides(folder: Path, *happenings: Happening) -> tuple[list[tuple[int, int, int]], list[tuple[int, int, int]]]:
    """What each side of the export holds: (from ms, to ms, value) of each stretch that is not silent."""
    reader = CaptureReader(capture(folder, *happenings))
    out = io.BytesIO()
    seconds = write_wav(reader, lambda: nullcontext(out))
    reader.close()
    out.seek(0)
    with wave.open(out) as sound:
        assert sound.getparams()[:3] == (2, 2, 24_000)
        samples = array("h", sound.readframes(sound.getnframes()))
        assert sound.getnframes() == round(seconds * 24_000)
    return _stretches(samples[0::2]), _stretches(samples[1::2])


def _stretches(samples: array[int]) -> list[tuple[int, int, int]]:
    found: list[tuple[int, int, int]] = []
    begin = 0
    for at in range(1, len(samples) + 1):
        if at == len(samples) or samples[at] != samples[begin]:
            if samples[begin]:
                found.append((round(begin / 24), round(at / 24), samples[begin]))
            begin = at
    return found


def test_the_person_is_where_he_spoke_and_the_agent_where_it_was_heard(tmp_path: Path) -> None:
    left, right = sides(
        tmp_path,
        (120, SENT, append(20, 1)),
        (141, SENT, append(20, 2)),  # jitter makes no gap
        (600, SENT, append(20, 3)),
        (700, RECEIVED, audio("item_1", 100, 4)),
        (710, RECEIVED, audio("item_1", 100, 5)),  # comes sooner than it is heard
        (1_000, RECEIVED, audio("item_1", 100, 6)),  # comes later
    )
    assert left == [(100, 120, 1), (120, 140, 2), (580, 600, 3)]
    assert right == [(700, 800, 4), (800, 900, 5), (1_000, 1_100, 6)]


def test_a_device_that_begins_later_moves_what_is_still_to_come(tmp_path: Path) -> None:
    _, right = sides(
        tmp_path,
        (0, RECEIVED, audio("item_1", 100, 4)),
        (10, RECEIVED, audio("item_1", 100, 5)),
        Playing(80 * MS, "item_1", 0, 10.0),
        (200, RECEIVED, audio("item_1", 100, 6)),
        Playing(400 * MS, "item_1", 0, 250.0),
        Playing(401 * MS, "item_9", 0, 250.0),
    )
    assert right == [(70, 170, 4), (170, 270, 5), (350, 450, 6)]


def test_what_nobody_heard_is_left_out(tmp_path: Path) -> None:
    _, right = sides(
        tmp_path,
        (0, RECEIVED, audio("item_1", 300, 4)),
        (5, RECEIVED, audio("item_1", 300, 5)),
        (6, RECEIVED, audio("item_2", 300, 6)),
        Interrupted(450 * MS, "resp_1", {"item_1": 400, "item_2": 0}),
        (460, RECEIVED, audio("item_2", 300, 7)),
        (500, RECEIVED, audio("item_3", 100, 8, "resp_2")),
    )
    assert right == [(0, 300, 4), (300, 400, 5), (500, 600, 8)]


def test_without_marks_the_truncation_that_was_sent_says_what_was_heard(tmp_path: Path) -> None:
    _, right = sides(
        tmp_path,
        (0, RECEIVED, audio("item_1", 1_000, 4)),
        (300, SENT, {"type": "conversation.item.truncate", "item_id": "item_1", "audio_end_ms": 250}),
        (700, RECEIVED, audio("item_2", 100, 5)),
    )
    assert right == [(0, 250, 4), (700, 800, 5)]


def test_odd_audio_does_no_harm(tmp_path: Path) -> None:
    delta = {"type": "response.output_audio.delta", "item_id": "i"}
    left, right = sides(
        tmp_path,
        (0, RECEIVED, {**delta, "delta": "not base64"}),
        (1, RECEIVED, {**delta, "delta": 3}),
        (2, RECEIVED, {**delta, "item_id": None, "delta": "AAAA"}),
        (3, RECEIVED, {**delta, "delta": "/w=="}),
        (4, SENT, {"type": "conversation.item.truncate", "item_id": ["x"], "audio_end_ms": -4}),
        (5, SENT, append(20, 1)),
        (30, RECEIVED, audio("i", 10, 2)),
    )
    assert left == [(0, 20, 1)], "it began before the capture did, and time begins with it"
    assert right == [(45, 55, 2)]


def test_no_audio_is_said(tmp_path: Path) -> None:
    reader = CaptureReader(capture(tmp_path, (0, SENT, {"type": "response.create"})))
    with pytest.raises(CaptureError, match=r"\.jsonl: there is no audio in it$"):
        write_wav(reader, lambda: nullcontext(io.BytesIO()))
    reader.close()
