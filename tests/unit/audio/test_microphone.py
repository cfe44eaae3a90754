"""Whether there is a microphone, and what to do about it when there is none."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tui.audio import microphone
from tui.audio.microphone import check_microphone

WITHOUT_LIBRARY = """
import sys
sys.modules["sounddevice"] = None  # as if PortAudio could not be loaded
from tui.audio import check_microphone
found = check_microphone({})
print(found.problem, "|", bool(found.fix), "|", found.found)
"""


def test_this_machine() -> None:
    found = check_microphone()
    assert bool(found.found) != bool(found.problem), "there is one, or there is a reason why not"
    assert bool(found.problem) == bool(found.fix)


def test_without_the_library() -> None:
    found = subprocess.run([sys.executable, "-c", WITHOUT_LIBRARY], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "The PortAudio library is not installed. | True |"


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"SSH_CONNECTION": "1"}, "Over SSH"),
        ({"SSH_CONNECTION": "1", "PULSE_SERVER": "tcp:1"}, "then try again"),
        ({}, "then try again"),
    ],
)
def test_what_to_do_about_a_missing_device(environ: dict[str, str], says: str) -> None:
    assert says in microphone._device_fix(environ)


@pytest.mark.parametrize(("platform", "says"), [("linux", "libportaudio2"), ("darwin", "brew"), ("win32", "pip")])
def test_what_to_do_about_a_missing_library(monkeypatch: pytest.MonkeyPatch, platform: str, says: str) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    assert says in microphone._library_fix()
