"""The whole program in a terminal, with a loudspeaker that is recorded and a microphone that is spoken into."""

from __future__ import annotations

import json
import subprocess
import sys
from array import array
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.terminal import Terminal, clean_environment
from tests.support.virtual_audio import VirtualAudio, need_virtual_audio, virtual_audio

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("sound")]


@pytest.fixture
def audio(tmp_path: Path) -> Iterator[VirtualAudio]:
    need_virtual_audio()
    with virtual_audio(tmp_path / "audio") as server:
        yield server


def loudest(data: bytes) -> int:
    """The highest sample."""
    return max(map(abs, array("h", data)), default=0)


def spoken(audio: VirtualAudio) -> dict[str, str]:
    """The environment of a program that talks."""
    wanted = {"AZRT_MODALITY": "auto", "AZRT_TURN_DETECTION": "server_vad", "AZRT_ECHO": "half-duplex"}
    return {**audio.environment, **wanted}


def test_an_answer_is_heard_and_interrupted(audio: VirtualAudio, tmp_path: Path) -> None:
    recorder = audio.record()
    try:
        with Terminal.azrt("demo", home=tmp_path, environment=spoken(audio)) as terminal:
            terminal.wait_for("answers in audio")
            assert loudest(recorder.data) == 0
            terminal.type("tell me a long story\r")
            terminal.wait_for("agent speaking")
            before = len(recorder.data)
            recorder.wait_for_ms(1500)
            assert loudest(recorder.data[before:]) > 1000, "it is heard"
            terminal.press("escape")
            terminal.wait_for("interrupted at")
            recorder.wait_for_ms(300)
            after = len(recorder.data)
            recorder.wait_for_ms(1000)
            assert loudest(recorder.data[after:]) == 0, "and then it is not"
            terminal.press("ctrl+q")
            assert terminal.wait_until_ended() == 0
        assert b"Traceback" not in terminal.output and b"ALSA" not in terminal.output
    finally:
        recorder.close()


def test_a_spoken_question_gets_an_answer(audio: VirtualAudio, tmp_path: Path) -> None:
    with Terminal.azrt("demo", home=tmp_path, environment=spoken(audio)) as terminal:
        terminal.wait_for("answers in audio")
        terminal.wait_for("mic off")
        terminal.press("f2")
        terminal.wait_for("mic on")
        question = array("h", [12_000 if at // 40 % 2 else -12_000 for at in range(24_000)]).tobytes()
        audio.speak(question + bytes(48_000))
        terminal.wait_for("speech_started")
        terminal.wait_for("agent speaking")
        terminal.wait_for("mic held")
        terminal.press("f3")
        terminal.wait_for("mic on")
        terminal.press("f2")
        terminal.wait_for("mic off")
        terminal.press("ctrl+q")
        assert terminal.wait_until_ended() == 0
    assert b"Traceback" not in terminal.output


def test_the_devices_are_listed(audio: VirtualAudio, tmp_path: Path) -> None:
    environment = {**clean_environment(tmp_path, audio.environment), "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-m", "tui", "devices", "--json"]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    found = {line["name"]: line for line in map(json.loads, done.stdout.splitlines())}
    assert found["default"]["used_for"] == ["microphone", "loudspeaker"]
    assert found["pulse"]["used_for"] == []


def test_a_device_that_does_not_exist_is_said(audio: VirtualAudio, tmp_path: Path) -> None:
    environment = {**clean_environment(tmp_path, audio.environment), "AZRT_INPUT_DEVICE": "theremin"}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    command = [sys.executable, "-m", "tui", "devices"]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "* loudspeaker" in done.stdout and "* microphone" not in done.stdout
    assert done.stderr.startswith('azrt-tui: There is no microphone called "theremin".')
