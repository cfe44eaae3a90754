"""Whether there is a microphone, and what to do about it when there is none."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MicrophoneCheck:
    """The outcome of looking for a microphone."""

    found: str
    """The name of the default input device, "" when there is none."""
    problem: str
    """Why there is none, as one sentence; "" when there is one."""
    fix: str
    """What to do about it, as a line to type where there is one."""


def check_microphone(environ: Mapping[str, str] = os.environ) -> MicrophoneCheck:
    """Look for the default input device. Takes about 0.1 s the first time; call it off the UI thread.

    sounddevice reports a missing PortAudio library as OSError, a missing device as PortAudioError or as -1.
    """
    try:
        import sounddevice
    except (OSError, ImportError):
        return MicrophoneCheck("", "The PortAudio library is not installed.", _library_fix())
    try:
        index = sounddevice.default.device[0]
        devices = sounddevice.query_devices()
        if index is None or index < 0 or index >= len(devices):
            return MicrophoneCheck("", "No microphone was found.", _device_fix(environ))
        return MicrophoneCheck(str(devices[index]["name"]), "", "")
    except (sounddevice.PortAudioError, ValueError, OSError) as error:
        return MicrophoneCheck("", f"The sound system does not answer: {error}.", _device_fix(environ))


def _library_fix() -> str:
    if sys.platform == "darwin":
        return "brew install portaudio"
    if sys.platform.startswith("linux"):
        return "sudo apt install libportaudio2   (Fedora, Arch, Alpine: the package is called portaudio)"
    return "pip install --force-reinstall sounddevice"


def _device_fix(environ: Mapping[str, str]) -> str:
    if environ.get("SSH_CONNECTION") and not environ.get("PULSE_SERVER"):
        return "Over SSH there is no sound device: run azrt-tui on the machine you sit at, or go on in text."
    if sys.platform.startswith("linux"):
        return "sudo apt install libasound2-plugins   (lets PortAudio reach PulseAudio or PipeWire), then try again"
    return "Connect a microphone, or choose one in the system's sound settings, then try again."
