"""F2 in the program: what it says on a machine without sound, and what it does on one with devices."""

from __future__ import annotations

from array import array
from pathlib import Path

import pytest

from tests.support.apps import NO_SOUND, fast, isolate, running
from tests.support.virtual_device import VirtualInput


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    isolate(tmp_path, monkeypatch)


async def test_without_sound_everything_is_text_and_nobody_is_told_until_he_asks() -> None:
    async with running(fast()) as shown:
        await shown.connected()
        assert "answers in text" in shown.status_text and "mic off" in shown.status_text
        assert shown.toasts == []
        await shown.pilot.press("f2")
        await shown.shows("mic unavailable (F2)")
        await shown.until(lambda: len(shown.toasts) == 2, "both are said")
        for toast in shown.toasts:
            assert NO_SOUND in toast and "sudo apt install libportaudio2" in toast
        await shown.answered("hello", 1)


async def test_before_there_is_a_session_nothing_listens() -> None:
    async with running() as shown:
        shown.app.action_toggle_microphone()
        await shown.until(lambda: any("no session yet" in toast for toast in shown.toasts))
        assert shown.app._host._waiting == []


async def test_the_microphone_opens_is_metered_and_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    device = VirtualInput()
    monkeypatch.setattr("tui.ui.host.Microphone", device.microphone)
    async with running(fast()) as shown:
        await shown.connected()
        await shown.pilot.press("ctrl+t")
        await shown.shows("mic on ▁ (F2)")
        device.say(array("h", [32_000] * 480).tobytes())
        await shown.shows("mic on █ (F2)")
        await shown.until(lambda: shown.server_got("input_audio_buffer.append"), "it is sent")
        await shown.pilot.press("f2")
        await shown.shows("mic off (F2)")
        assert not device.started
    assert not device.started


async def test_quitting_closes_the_microphone(monkeypatch: pytest.MonkeyPatch) -> None:
    device = VirtualInput()
    monkeypatch.setattr("tui.ui.host.Microphone", device.microphone)
    async with running(fast()) as shown:
        await shown.connected()
        await shown.pilot.press("f2")
        await shown.shows("mic on")
        assert device.started
    assert not device.started
