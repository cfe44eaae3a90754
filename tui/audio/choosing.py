"""What there is to choose from for each direction, what is in use, and why something cannot be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from tui.audio import devices
from tui.audio.devices import AudioUnavailable, Device, Kind
from tui.audio.microphone import Microphone
from tui.audio.portaudio import refusal
from tui.audio.speaker import Speaker


@dataclass(frozen=True, slots=True)
class Choice:
    """One device, for one direction."""

    device: Device
    name: str
    """What to call it, so that no other is meant: its name, with its sound system where that is needed."""
    default: bool
    """Whether the system would choose it."""
    refused: AudioUnavailable | None
    """Why it cannot be used, where that is known."""


@dataclass(frozen=True, slots=True)
class Side:
    """One direction."""

    kind: Kind
    chosen: str
    """The name that was chosen, "" for the system's default."""
    device: str
    """The device that is open, "" when none is."""
    problem: AudioUnavailable | None
    """Why none is, where one should be."""
    choices: tuple[Choice, ...]


def look(microphone: Microphone, speaker: Speaker, *, anew: bool) -> tuple[Side, Side]:
    """What there is for the microphone and for the loudspeaker. May take a second; any thread. Raises AudioUnavailable.

    Args:
        microphone: it is not opened for this.
        speaker: it is opened, where it should be open and is not.
        anew: notice what was connected or pulled out, and try again what has failed. What is open falls silent for a
            moment: PortAudio cannot look while it plays.
    """
    with devices.CHANGING:
        if anew or microphone.problem or speaker.problem:
            devices.refresh()
        if speaker.problem is not None:
            speaker.open()
        found = devices.list_devices()
        if microphone.problem is not None and not microphone.is_open:
            microphone.problem = _in_the_way(found, Kind.MICROPHONE, microphone.name)
        return (
            _side(Kind.MICROPHONE, found, microphone.name, microphone.device, microphone.problem),
            _side(Kind.LOUDSPEAKER, found, speaker.name, speaker.device, speaker.problem),
        )


def choices(found: Iterable[Device], kind: Kind, in_use: str = "") -> tuple[Choice, ...]:
    """The devices for one direction, in the system's order; ``in_use`` names the one that this program has open."""
    able = [device for device in found if device.serves(kind)]
    named = Counter(device.name for device in able)
    return tuple(
        Choice(
            device,
            device.name if named[device.name] == 1 else device.full_name,
            device.is_default(kind),
            None if device.name == in_use else refusal(device, kind),
        )
        for device in able
    )


def _in_the_way(found: list[Device], kind: Kind, name: str) -> AudioUnavailable | None:
    """Why a device cannot be opened, as far as that can be told without doing so."""
    try:
        return refusal(devices.choose(found, kind, name), kind)
    except AudioUnavailable as unavailable:
        return unavailable


def _side(kind: Kind, found: list[Device], chosen: str, device: str, problem: AudioUnavailable | None) -> Side:
    if not device and problem is None:
        problem = _in_the_way(found, kind, chosen)
    return Side(kind, chosen, device, problem, choices(found, kind, device))
