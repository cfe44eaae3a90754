"""The devices of a machine, and every reason why one cannot be used."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from tui.audio import AudioUnavailable
from tui.audio.devices import Device, Kind, choose, explain, lost

WITHOUT_LIBRARY = """
import sys
sys.modules["sounddevice"] = None  # as if PortAudio could not be loaded
from tui.audio import AudioUnavailable, devices
from tui.audio.speaker import Speaker
for use in (devices.library, devices.list_devices, devices.refresh):
    try:
        use()
    except AudioUnavailable as problem:
        print(problem.problem, "|", bool(problem.fix))
speaker = Speaker()
print(speaker.open(), "|", speaker.problem)
"""


def device(name: str, **changes: Any) -> Device:
    """A device of this name that can do both."""
    values: dict[str, Any] = {
        "index": 0,
        "system": "ALSA",
        "inputs": 2,
        "outputs": 2,
        "rate": 48_000,
        "default_input": False,
        "default_output": False,
    }
    return Device(name=name, **{**values, **changes})


def test_without_the_library() -> None:
    found = subprocess.run([sys.executable, "-c", WITHOUT_LIBRARY], capture_output=True, text=True, check=True)
    sentence = "The PortAudio library is not installed."
    assert found.stdout.splitlines() == [f"{sentence} | True"] * 3 + [f"False | {sentence}"]


def test_the_default_one_is_chosen_unless_one_is_named() -> None:
    found = [
        device("Webcam", outputs=0),
        device("Built-in", default_output=True, default_input=True),
        device("USB Headset", index=2),
    ]
    assert choose(found, Kind.MICROPHONE).name == "Built-in"
    assert choose(found, Kind.MICROPHONE, "webcam").name == "Webcam"
    assert choose(found, Kind.LOUDSPEAKER, "headset").index == 2
    assert choose([device("Webcam", outputs=0)], Kind.MICROPHONE).name == "Webcam", "no default: the first that can"


def test_an_exact_name_wins_over_a_part_of_another() -> None:
    found = [device("pulse monitor"), device("pulse", index=1)]
    assert choose(found, Kind.LOUDSPEAKER, "Pulse").index == 1


def test_the_same_device_in_two_sound_systems_is_one() -> None:
    found = [device("Headset", system="MME"), device("Headset", system="Windows WASAPI", index=1)]
    assert choose(found, Kind.MICROPHONE, "headset").index == 0


@pytest.mark.parametrize(
    ("found", "kind", "name", "problem", "fix"),
    [
        ([], Kind.MICROPHONE, "", "No microphone was found.", ""),
        ([device("Webcam", outputs=0)], Kind.LOUDSPEAKER, "", "No loudspeaker was found.", ""),
        ([device("Webcam")], Kind.MICROPHONE, "usb", 'no microphone called "usb"', "AZRT_INPUT_DEVICE"),
        ([device("USB 1"), device("USB 2")], Kind.LOUDSPEAKER, "usb", "More than one", "AZRT_OUTPUT_DEVICE"),
        ([device("x")], Kind.MICROPHONE, "a\x1b[31m\n", r"a\x1b[31m\n", "azrt-tui devices"),
        ([device("x")], Kind.MICROPHONE, "a" * 500, "aaa…", "azrt-tui devices"),
    ],
)
def test_what_cannot_be_chosen_says_why(found: list[Device], kind: Kind, name: str, problem: str, fix: str) -> None:
    with pytest.raises(AudioUnavailable) as refused:
        choose(found, kind, name, {})
    assert problem in refused.value.problem and fix in refused.value.fix
    assert len(refused.value.problem) < 200


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (Exception("Error opening RawInputStream: Device unavailable", -9985), "is in use by another program."),
        (Exception("Error opening RawInputStream: Invalid sample rate", -9997), "takes neither 24 kHz"),
        (Exception("Error opening RawInputStream: Invalid number of channels", -9998), "takes neither 24 kHz"),
        (Exception("Error querying device -1"), "No microphone was found."),
        (
            Exception("Unanticipated host error", -9999, (0, -5, "Input/output error")),
            'The microphone "mic" cannot be opened: Input/output error.',
        ),
        (Exception("Internal PortAudio error", -9986), "cannot be opened: Internal PortAudio error."),
        (ValueError(), "cannot be opened: ValueError."),
        (OSError(5, "broken"), "cannot be opened"),
    ],
)
def test_each_failure_is_one_sentence_and_a_fix(error: Exception, problem: str) -> None:
    explained = explain(error, Kind.MICROPHONE, "mic", {})
    assert problem in explained.problem and explained.fix
    assert explained.problem.endswith(".") and "\n" not in explained.problem + explained.fix


@pytest.mark.parametrize("kind", list(Kind))
def test_a_lost_device_says_how_to_have_it_back(kind: Kind) -> None:
    problem = lost(kind, "Headset")
    assert problem.problem == f'The {kind.noun} "Headset" is gone.'
    assert problem.fix == "Connect it again, or choose another one."
