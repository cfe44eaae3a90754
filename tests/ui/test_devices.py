"""F5: the list of devices, in a terminal of 80 by 24, with devices that a test makes up."""

from __future__ import annotations

import threading
from array import array
from pathlib import Path

import pytest

from tests.support.apps import Running, fast, isolate, remap, running
from tests.support.virtual_device import VirtualInput, VirtualOutput
from tui.audio import AudioUnavailable
from tui.audio.choosing import Choice, Side
from tui.audio.devices import Device, Kind
from tui.audio.microphone import Microphone
from tui.audio.speaker import Speaker
from tui.settings.state import remembered
from tui.ui.screens import devices

LONG = "HDA Intel PCH: ALC257 Analog, with a name that no list has room for (hw:0,0)"

BUSY = AudioUnavailable("The loudspeaker is in use by another program.", "Close that, then try again.")


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    isolate(tmp_path, monkeypatch)


class Bench:
    """The devices of a machine, and the looks that were taken at them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.input, self.outputs = VirtualInput(), [VirtualOutput() for _ in range(4)]
        self.looks: list[bool] = []
        self.answers = threading.Event()
        self.answers.set()
        left = iter(self.outputs)
        monkeypatch.setattr("tui.ui.host.Microphone", self.input.microphone)
        monkeypatch.setattr(
            "tui.ui.host.Speaker",
            lambda name, **_: Speaker(name, open_output=lambda *arguments: next(left).connect(*arguments)),
        )
        monkeypatch.setattr(devices, "look", self.look)

    def look(self, microphone: Microphone, speaker: Speaker, *, anew: bool) -> tuple[Side, Side]:
        self.looks.append(anew)
        assert self.answers.wait(20)

        def choice(name: str, refused: AudioUnavailable | None = None, *, default: bool = False) -> Choice:
            return Choice(Device(0, name, "ALSA", 1, 1, 48_000, default, default), name, default, refused)

        def side(kind: Kind, used: Microphone | Speaker) -> Side:
            busy = BUSY if kind is Kind.LOUDSPEAKER else None
            offered = (choice(LONG, default=True), choice("evil [b]\x1b[31m", busy), choice("headset"))
            return Side(kind, used.name, used.name, used.problem, offered)

        return side(Kind.MICROPHONE, microphone), side(Kind.LOUDSPEAKER, speaker)


def about(shown: Running) -> str:
    """What is said about the device under the cursor."""
    return str(shown.app.screen.query_one("#about").visual)


async def test_the_lists_say_what_there_is_and_why_not(monkeypatch: pytest.MonkeyPatch) -> None:
    Bench(monkeypatch)
    async with running(fast(), size=(80, 24), modality="audio") as shown:
        await shown.connected()
        await shown.pilot.press("f5")
        await shown.shows("● The system's default")
        text = shown.text
        assert r"evil [b]\u001b[31m" in text and text.count("✗ ") == 2  # one in the legend
        assert text.count(" *HDA Intel PCH: ALC257") == 2 and LONG not in text
        await shown.pilot.press("down")
        await shown.shows(LONG)
        assert "ALSA, 48,000 Hz; the system's default" in about(shown)
        await shown.pilot.press("tab", "down", "down")
        await shown.shows("✗ The loudspeaker is in use by another program.")
        assert "Close that, then try again." in shown.text
        await shown.pilot.press("escape")
        await shown.until(lambda: "Sound" not in shown.text)


async def test_a_choice_is_used_at_once_and_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch)
    async with running(fast(), size=(80, 24), modality="audio") as shown:
        await shown.connected()
        session = shown.main.status.session_id
        await shown.pilot.press("f2")
        await shown.until(lambda: bench.input.started)
        await shown.pilot.press("f5")
        await shown.shows("● The system's default")
        assert bench.looks == [False], "it would be heard"
        await shown.pilot.press("down", "down", "down", "enter")
        await shown.shows("● headset")
        assert bench.input.opened == 2 and bench.input.started, "and it listens still"
        await shown.pilot.press("tab", "end", "enter")
        await shown.until(lambda: shown.text.count("● headset") == 2)
        assert bench.outputs[0].closed and not bench.outputs[1].closed
        await shown.pilot.press("home", "enter")
        await shown.until(lambda: bench.outputs[1].closed and shown.text.count("● headset") == 1)
        await shown.until(lambda: remembered() == {"input_device": "headset", "output_device": ""})
        assert shown.main.status.session_id == session
        await shown.pilot.press("r")
        await shown.until(lambda: bench.looks[-1])


async def test_a_microphone_is_tested_without_being_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remap(tmp_path, '"devices.test" = "m"\n')
    bench = Bench(monkeypatch)
    async with running(fast(), size=(80, 24)) as shown:
        await shown.connected()
        await shown.pilot.press("f5")
        await shown.shows("● The system's default")
        assert "▯" not in shown.text and bench.looks == [True]
        await shown.pilot.press("m")
        await shown.shows("Speak: nothing of it is sent. m ends it.")
        await shown.shows("you ▯")
        bench.input.say(array("h", [32_000] * 480).tobytes())
        await shown.shows("you ▮▮▮▮")
        await shown.pilot.press("escape")
        await shown.until(lambda: not bench.input.started, "leaving ends the test")
        assert not shown.server_got("input_audio_buffer.append")


async def test_a_sound_system_that_hangs_is_said_and_left(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch)
    monkeypatch.setattr(devices, "_PATIENCE_S", 0.05)
    async with running(fast(), size=(80, 24)) as shown:
        await shown.connected()
        bench.answers.clear()
        await shown.pilot.press("f5")
        await shown.shows("✗ The sound system does not answer. Text works as before.")
        bench.answers.set()
        await shown.shows("● The system's default")


async def test_the_key_for_turn_detection_goes_around(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(fast()) as shown:
        await shown.connected()
        for asked, says in ((None, "push-to-talk"), ("server_vad", "server VAD"), ("semantic_vad", "semantic VAD")):
            await shown.pilot.press("f9")
            await shown.until(lambda: says in shown.status_text, says)  # noqa: B023
            detection = shown.server_got("session.update")[-1]["session"]["audio"]["input"]["turn_detection"]
            assert (detection and detection["type"]) == asked
