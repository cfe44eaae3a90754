"""The sound devices of this machine, and, where something is in the way of one, what it is and what to do about it.

sounddevice loads the PortAudio library when it is imported: that happens in :func:`library`, for the first time when a
device is asked for. PortAudio freezes its list of devices then; :func:`refresh` makes it look again.
"""

from __future__ import annotations

import enum
import os
import re
import sys
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from tui.audio.fixes import SYSTEM_FIX, device_fix, library_fix
from tui.endpoint import escape_controls


class Kind(enum.Enum):
    """What a device is wanted for; the value is sounddevice's word for it."""

    MICROPHONE = "input"
    LOUDSPEAKER = "output"

    @property
    def noun(self) -> str:
        """The word for it in a sentence."""
        return self.name.lower()


class AudioUnavailable(Exception):  # noqa: N818 - a state of the machine that a person is told of, more than an error
    """A device that cannot be used."""

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(problem)
        self.problem = problem
        """Why, as one plain sentence."""
        self.fix = fix
        """What to do about it, as a line to type where there is one."""


class DeviceMissing(AudioUnavailable):
    """No device has the name that was asked for; others may be there."""


@dataclass(frozen=True, slots=True)
class Device:
    """One device. Names come from the system: they must be made printable before they are shown."""

    index: int
    """PortAudio's number for it, true until the list is refreshed."""
    name: str
    system: str
    """The sound system that it belongs to: ``ALSA``, ``Core Audio``, ``Windows WASAPI``."""
    inputs: int
    """Input channels; 0 for no microphone."""
    outputs: int
    """Output channels; 0 for no loudspeaker."""
    rate: int
    """Its own rate, in frames a second."""
    default_input: bool
    default_output: bool

    @property
    def full_name(self) -> str:
        """The name that tells it from devices of the same name in other sound systems."""
        return f"{self.name}, {self.system}"

    def serves(self, kind: Kind) -> bool:
        """Whether it can be used for this."""
        return (self.inputs if kind is Kind.MICROPHONE else self.outputs) > 0

    def is_default(self, kind: Kind) -> bool:
        """Whether the system would choose it for this."""
        return self.default_input if kind is Kind.MICROPHONE else self.default_output


_LONGEST_NAME: Final = 80

_CARD: Final = re.compile(r" \(hw:\d+,\d+\)$")
"""ALSA's number for a card: another one after it was pulled out and connected again."""

LOCK: Final = threading.RLock()
"""Held while PortAudio opens or closes a stream or looks for devices: none of that is thread-safe in it."""

streams: Final[set[object]] = set()
"""The streams that are open."""

CHANGING: Final = threading.RLock()
"""Held while a device is taken, given back or changed for another, and while the list of devices is made anew. Taken
before :data:`LOCK`, never after it."""


class User(Protocol):
    """Who has a device, and can do without it for a moment."""

    def release(self) -> None:
        """Give the device back; lose nothing that can wait."""

    def resume(self) -> None:
        """Take it again, and go on. Raises nothing: a device that is not there any more is lost."""


users: Final[set[User]] = set()
"""Who has a device open now."""


def library() -> Any:
    """Return the sounddevice module, which takes about 0.1 s the first time. Raises AudioUnavailable."""
    with LOCK:
        try:
            import sounddevice
        except (OSError, ImportError) as error:  # OSError: sounddevice is there, the PortAudio library is not
            raise AudioUnavailable("The PortAudio library is not installed.", library_fix()) from error
    return sounddevice


def refresh() -> bool:
    """Make PortAudio look for devices again; False when it cannot: a stream is open. Raises AudioUnavailable.

    Those who use a device give it back for as long: a tenth of a second, where the sound system is quick.
    """
    sounddevice = library()
    with CHANGING:
        held = list(users)
        for user in held:
            user.release()
        try:
            with LOCK:
                if streams:
                    return False
                sounddevice._terminate()
                sounddevice._initialize()
        except sounddevice.PortAudioError as error:
            raise AudioUnavailable(f"The sound system does not answer: {_said(error)}.", SYSTEM_FIX) from error
        finally:
            for user in held:
                user.resume()
    return True


def list_devices() -> list[Device]:
    """Return every device, an empty list when there is none. Raises AudioUnavailable."""
    sounddevice = library()
    try:
        with LOCK:
            found = sounddevice.query_devices()
            systems = [str(api["name"]) for api in sounddevice.query_hostapis()]
            default_input, default_output = sounddevice.default.device
            return [
                Device(
                    index=index,
                    name=str(each["name"]),
                    system=systems[each["hostapi"]],
                    inputs=each["max_input_channels"],
                    outputs=each["max_output_channels"],
                    rate=int(each["default_samplerate"]),
                    default_input=index == default_input,
                    default_output=index == default_output,
                )
                for index, each in enumerate(found)
            ]
    except (sounddevice.PortAudioError, ValueError, OSError) as error:
        raise AudioUnavailable(f"The sound system does not answer: {_said(error)}.", SYSTEM_FIX) from error


def choose(devices: Iterable[Device], kind: Kind, name: str = "", environ: Mapping[str, str] = os.environ) -> Device:
    """Return the device with this name, or with a name that holds it; for "" the system's default one.

    Raises AudioUnavailable when there is none, or more than one.
    """
    able = [device for device in devices if device.serves(kind)]
    if not able:
        raise AudioUnavailable(f"No {kind.noun} was found.", device_fix(kind.noun, environ))
    if not name:
        return next((device for device in able if device.is_default(kind)), able[0])
    wanted = name.casefold()
    matches = (
        [device for device in able if device.full_name.casefold() == wanted]
        or [device for device in able if device.name.casefold() == wanted]
        or [device for device in able if wanted in device.name.casefold()]
        or [device for device in able if _CARD.sub("", device.name.casefold()) == _CARD.sub("", wanted)]
    )
    if not matches:
        raise DeviceMissing(
            f'There is no {kind.noun} called "{_named(name)}".',
            f"azrt-tui devices lists what there is; AZRT_{kind.value.upper()}_DEVICE chooses one.",
        )
    # The same device under two sound systems is one choice: PortAudio lists the system's own first.
    if len({device.name for device in matches}) > 1:
        raise AudioUnavailable(
            f'More than one {kind.noun} is called something like "{_named(name)}".',
            f"Write more of its name in AZRT_{kind.value.upper()}_DEVICE; azrt-tui devices lists them.",
        )
    return matches[0]


def explain(error: Exception, kind: Kind, name: str, environ: Mapping[str, str] = os.environ) -> AudioUnavailable:
    """Say what it means that a stream on the device ``name`` could not be opened or started.

    The codes are PortAudio's (portaudio.h, PaErrorCode); sounddevice gives them as the error's second argument.
    """
    code = error.args[1] if len(error.args) > 1 else None
    what = f'The {kind.noun} "{_named(name)}"' if name else f"The {kind.noun}"
    if code == -9985:
        return AudioUnavailable(f"{what} is in use by another program.", "Close that program, then try again.")
    if code in (-9997, -9998):
        return AudioUnavailable(
            f"{what} takes neither 24 kHz nor its own rate, in mono or in stereo.",
            "Choose another one; azrt-tui devices lists them.",
        )
    if code in (-9996, None) and "-1" in str(error):
        return AudioUnavailable(f"No {kind.noun} was found.", device_fix(kind.noun, environ))
    return AudioUnavailable(f"{what} cannot be opened: {_said(error)}.", device_fix(kind.noun, environ))


def instead(missing: DeviceMissing, name: str) -> str:
    """Say that the system's default is used for a device that was chosen on another day."""
    return f'{missing.problem} "{_named(name)}" is used.'


def lost(kind: Kind, name: str) -> AudioUnavailable:
    """Say that a device went away while it was in use: nothing is raised then, its callbacks just stop."""
    return AudioUnavailable(f'The {kind.noun} "{_named(name)}" is gone.', "Connect it again, or choose another one.")


def only_silence(name: str, platform: str = sys.platform) -> AudioUnavailable:
    """Say that a microphone brings zeros only: no microphone is so quiet. macOS does that instead of refusing."""
    fix = {
        "darwin": "System Settings, Privacy & Security, Microphone: allow your terminal, then start it again.",
        "win32": "Settings, Privacy & security, Microphone: let desktop apps use it.",
    }.get(platform, "Is it muted? To unmute it: pactl set-source-mute @DEFAULT_SOURCE@ 0")
    return AudioUnavailable(f'The microphone "{_named(name)}" brings nothing but silence.', fix)


def _named(text: str) -> str:
    """A text of the system's, fit for a message."""
    text = escape_controls(text)
    return text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 1]}…"


def _said(error: Exception) -> str:
    """What the sound system said, as part of a sentence."""
    host = error.args[2] if len(error.args) > 2 else None  # (host API, code, text), only for unexpected host errors
    text = host[2] if isinstance(host, tuple) and len(host) > 2 and host[2] else (error.args or ("",))[0]
    return _named(str(text).strip().rstrip(".") or type(error).__name__)
