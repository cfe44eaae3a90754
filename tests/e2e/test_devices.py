"""Devices that are changed, pulled out, connected again or missing, in the whole program: what it says, and that the
session goes on."""

from __future__ import annotations

import json
import subprocess
import sys
from array import array
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from tests.support.terminal import Terminal, clean_environment
from tests.support.virtual_audio import VirtualAudio, need_virtual_audio, virtual_audio, without_sound_card

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("sound")]

HEADSET = """
pcm.headset { type pulse device "headset" }
pcm.faulty { type file slave { pcm "null" } file "/dev/null/no folder" }
"""
"""ALSA's names for a second loudspeaker, and for one that complains of each block: on descriptor 2, as drivers do."""

NO_LIBRARY = """
import ctypes.util
ctypes.util.find_library = lambda name: None
"""
"""What the interpreter runs first on a machine without the PortAudio library: sounddevice does not find it."""


@pytest.fixture
def audio(tmp_path: Path) -> Iterator[VirtualAudio]:
    need_virtual_audio()
    (tmp_path / ".asoundrc").write_text(HEADSET)
    with virtual_audio(tmp_path / "audio") as server:
        yield server


def demo(home: Path, environment: Mapping[str, str], *, through: Sequence[str] = ()) -> Terminal:
    """The demo, in the terminal of somebody who wants to talk; ``through`` is the command that starts it."""
    command = [*through, sys.executable, "-m", "tui", "demo"]
    return Terminal(command, home=home, environment={"AZRT_MODALITY": "auto", **environment})


def is_loud(data: bytes) -> bool:
    """Whether there is more than silence in it."""
    return max(map(abs, array("h", data)), default=0) > 1000


def log_of(home: Path) -> str:
    """The log file."""
    return (home / "state" / "azrt-tui" / "azrt-tui.log").read_text()


def test_another_loudspeaker_goes_on_in_mid_sentence(audio: VirtualAudio, tmp_path: Path) -> None:
    audio.plug_in("module-null-sink", "sink_name=headset", "rate=24000", "channels=1")
    audio.warm("headset")
    before, after = audio.record(), audio.record("headset")
    try:
        with demo(tmp_path, audio.environment) as terminal:
            terminal.wait_for("answers in audio")
            terminal.type("tell me a long story\r")
            terminal.wait_for("agent speaking")
            before.wait_for_ms(500)
            assert is_loud(before.data) and not is_loud(after.data)
            terminal.press("f5")
            terminal.wait_for("● The system's default")
            terminal.wait_for("✗ headset")  # it is no microphone
            terminal.press("tab")
            terminal.wait_for("default loudspeaker, now")
            terminal.press("down", "down")
            terminal.wait_for("ALSA, 44,100 Hz")
            terminal.press("enter")
            terminal.wait_for("● headset")
            begin = len(after.data)
            after.wait_for_ms(1000)
            assert is_loud(after.data[begin:]), "it goes on there"
            assert not is_loud(before.data[-24_000:]), "and not here"
            terminal.press("escape")
            terminal.wait_for(lambda screen: "Sound" not in screen and "agent speaking" in screen)
            terminal.press("escape")
            terminal.wait_for("interrupted at")
            terminal.press("ctrl+q")
            assert terminal.wait_until_ended() == 0
        assert terminal.output.count(b"New session.") == 0
    finally:
        before.close()
        after.close()
    environment = {**clean_environment(tmp_path, audio.environment), "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-m", "tui", "devices", "--json"]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    used = {line["name"]: line["used_for"] for line in map(json.loads, done.stdout.splitlines())}
    assert (used["headset"], used["default"]) == (["loudspeaker"], ["microphone"]), "it is remembered"


def test_each_direction_is_pulled_out_in_mid_sentence_and_returns(audio: VirtualAudio, tmp_path: Path) -> None:
    recorder = audio.record()
    try:
        with demo(tmp_path, {**audio.environment, "AZRT_ECHO": "headset"}) as terminal:
            terminal.wait_for("answers in audio")
            terminal.press("f2")
            terminal.wait_for("mic on")
            terminal.type("tell me a long story\r")
            terminal.wait_for("agent speaking")
            recorder.wait_for_ms(300)
            audio.disconnect("sink-input")
            terminal.wait_for('The loudspeaker "default" is gone.')
            terminal.wait_for("F5 shows the devices, and tries again.")
            screen = terminal.wait_for("no loudspeaker (F5)")
            assert "agent speaking" in screen and "mic " in screen and "mic unavailable" not in screen
            silent = len(recorder.data)
            recorder.wait_for_ms(300)
            assert not is_loud(recorder.data[silent:])
            terminal.press("f5")
            terminal.wait_for("Sound")
            terminal.press("escape")
            terminal.wait_for(lambda screen: "Sound" not in screen and "no loudspeaker" not in screen)
            begin = len(recorder.data)
            recorder.wait_for_ms(1500)
            assert is_loud(recorder.data[begin:]), "the same answer is heard again"
            audio.disconnect("source-output")
            terminal.wait_for('The microphone "default" is gone.')
            terminal.wait_for("F2 tries again.")
            terminal.wait_for("mic unavailable (F2)")
            begin = len(recorder.data)
            recorder.wait_for_ms(1000)
            assert is_loud(recorder.data[begin:]), "and still is"
            terminal.press("f2")
            terminal.wait_for("mic on")
            assert "agent speaking" in terminal.text
            terminal.press("escape")
            terminal.wait_for("interrupted at")
            terminal.press("ctrl+q")
            assert terminal.wait_until_ended() == 0
    finally:
        recorder.close()


def test_a_sound_server_that_dies_and_comes_back(audio: VirtualAudio, tmp_path: Path) -> None:
    (tmp_path / ".asoundrc").unlink()  # or there would be a device left
    with demo(tmp_path, audio.environment, through=without_sound_card()) as terminal:
        terminal.wait_for("answers in audio")
        terminal.press("f2")
        terminal.wait_for("mic on")
        audio.stop()
        terminal.wait_for("mic unavailable (F2)")
        terminal.press("f5")
        terminal.wait_for("PULSE_SERVER names does not answer")
        terminal.press("escape")
        terminal.wait_for(lambda screen: "Sound" not in screen)
        terminal.type("hello\r")
        terminal.wait_for("response.done")
        terminal.wait_for("no loudspeaker (F5)")
        audio.start()
        terminal.press("f5")
        terminal.wait_for("● The system's default")
        terminal.press("escape")
        terminal.wait_for("mic off")
        terminal.press("f2")
        terminal.wait_for("mic on")
        recorder = audio.record()
        try:
            terminal.type("hello again\r")
            terminal.wait_for("agent speaking")
            recorder.wait_for_ms(1500)
            assert is_loud(recorder.data)
        finally:
            recorder.close()
        terminal.press("ctrl+q")
        assert terminal.wait_until_ended() == 0


def test_a_sound_server_that_hangs_holds_nothing_up(audio: VirtualAudio, tmp_path: Path) -> None:
    audio.hang()
    with demo(tmp_path, audio.environment) as terminal:
        terminal.wait_for("answers in text")
        terminal.type("hello\r")
        terminal.wait_for("response.done")
        terminal.press("ctrl+q")
        assert terminal.wait_until_ended() == 0


def test_a_microphone_that_brings_only_zeros_and_a_driver_that_complains(audio: VirtualAudio, tmp_path: Path) -> None:
    with demo(tmp_path, {**audio.environment, "AZRT_OUTPUT_DEVICE": "faulty"}) as terminal:
        terminal.wait_for("answers in audio")
        terminal.press("f2")
        terminal.wait_for('The microphone "default" brings nothing but silence.')
        terminal.wait_for("To unmute it: pactl set-source-mute")
        terminal.type("hello\r")
        terminal.wait_for('The loudspeaker "faulty" is gone.')
        terminal.press("ctrl+q")
        assert terminal.wait_until_ended() == 0
    assert "ALSA lib pcm_file.c" in log_of(tmp_path) and "src/hostapi/alsa" in log_of(tmp_path)
    assert b"ALSA lib" not in terminal.output and b"hostapi" not in terminal.output


@pytest.mark.parametrize(
    ("environment", "problem", "fix"),
    [
        pytest.param({}, "No microphone was found.", "no sound card", id="no device"),
        pytest.param({"SSH_CONNECTION": "1"}, "No microphone was found.", "Over SSH", id="over SSH"),
        pytest.param(
            {"PYTHONPATH": NO_LIBRARY},
            "The PortAudio library is not installed.",
            "sudo apt install libportaudio2",
            id="no library",
        ),
    ],
)
def test_without_sound_it_is_said_what_to_do_and_text_goes_on(
    tmp_path: Path, environment: dict[str, str], problem: str, fix: str
) -> None:
    need_virtual_audio()
    if "PYTHONPATH" in environment:
        (tmp_path / "first").mkdir()
        (tmp_path / "first" / "sitecustomize.py").write_text(NO_LIBRARY)
        environment = {"PYTHONPATH": str(tmp_path / "first")}
    with demo(tmp_path, environment, through=without_sound_card()) as terminal:
        screen = terminal.wait_for("answers in text")
        assert problem not in screen, "nobody asked for sound"
        terminal.press("f2")
        terminal.wait_for(problem)
        terminal.wait_for(fix)
        terminal.wait_for("mic unavailable (F2)")
        terminal.press("f5")
        terminal.wait_for(lambda screen: "Sound" in screen and f"✗ {problem}" in screen)
        terminal.press("escape")
        terminal.type("hello\r")
        terminal.wait_for("response.done")
        terminal.press("ctrl+q")
        assert terminal.wait_until_ended() == 0
