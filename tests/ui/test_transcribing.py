"""What the user reads of his own words, where no transcription model is set."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.apps import Running, fast, isolate, running
from tests.support.drawing import lines
from tests.support.virtual_device import VirtualInput
from tests.unit.simulator.support import speech


@pytest.fixture(autouse=True)
def device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> VirtualInput:
    """The microphone of a machine of its own."""
    isolate(tmp_path, monkeypatch)
    found = VirtualInput()
    monkeypatch.setattr("tui.ui.host.Microphone", found.microphone)
    return found


async def speak(shown: Running, device: VirtualInput) -> None:
    """Say something, from the key to the end of the answer."""
    answers = shown.main.status.answers
    await shown.pilot.press("f2")
    await shown.shows("mic on")
    device.say(speech(400))
    await shown.pilot.press("f2")
    await shown.until(lambda: shown.main.status.answers > answers, "an answer")


def said(shown: Running) -> str:
    """The conversation, without the breaks between its lines."""
    return " ".join(" ".join(lines(shown.transcript)).split())


async def test_a_turn_without_words_says_why_and_the_next_one_has_them(device: VirtualInput) -> None:
    async with running(fast(faults=["whisper-only"]), turn_detection="none") as shown:
        await shown.connected()
        await speak(shown, device)
        await shown.until(
            lambda: (
                "Not transcribed: The API deployment for this resource does not exist. "
                "The next model is tried: whisper-1." in said(shown)
            ),
            "why there are no words",
        )
        await speak(shown, device)
        await shown.until(lambda: "s of speech" in said(shown), "the words")


async def test_when_no_model_works_it_says_which_to_deploy(device: VirtualInput) -> None:
    async with running(fast(faults=["no-transcriber"]), turn_detection="none") as shown:
        await shown.connected()
        await speak(shown, device)
        await speak(shown, device)
        await shown.until(
            lambda: (
                "Deploy gpt-live-transcribe on this resource. Set AZRT_TRANSCRIPTION_MODEL (or --transcription-model) "
                "to the name of that deployment, or to none." in said(shown)
            ),
            "what to do",
        )
