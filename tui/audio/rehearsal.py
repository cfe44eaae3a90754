"""Trying a device before it is used: how loud the person is, and a tone. Nothing of it reaches the session."""

from __future__ import annotations

import math
from array import array
from typing import Final

from tui.audio.microphone import Microphone
from tui.audio.speaker import Speaker
from tui.wire import PCM16_RATE

TONE_HZ: Final = 440
TONE_S: Final = 0.5
_TONE_PEAK: Final = 0.2
_FADE_S: Final = 0.02


class Rehearsal:
    """At most one test at a time. Its methods may take a second, and raise AudioUnavailable; call them in a thread."""

    def __init__(self) -> None:
        self._microphone: Microphone | None = None
        self._speaker: Speaker | None = None

    @property
    def running(self) -> bool:
        """Whether there is something to stop."""
        return self._microphone is not None or (self._speaker is not None and self._speaker.remaining_s() > 0)

    @property
    def listening(self) -> bool:
        """Whether a microphone is open for it."""
        microphone = self._microphone
        return microphone is not None and microphone.is_open

    def level(self) -> float:
        """How loud the person is, 0 to 1."""
        microphone = self._microphone
        return microphone.level() if microphone is not None else 0.0

    def listen(self, used: Microphone, name: str) -> None:
        """Open the microphone called ``name``, unless the one that is ``used`` is open and that one."""
        self.stop()
        if used.is_open and used.name == name:
            return
        microphone = used.another(name)
        microphone.open(lambda _: None)
        self._microphone = microphone

    def sound(self, used: Speaker, name: str) -> None:
        """Play a tone on the loudspeaker called ``name``."""
        self.stop()
        speaker = used.another(name)
        if not speaker.open():
            assert speaker.problem is not None
            raise speaker.problem
        self._speaker = speaker
        speaker.feed("tone", 0, tone())

    def stop(self) -> None:
        """Give the device back."""
        microphone, self._microphone = self._microphone, None
        speaker, self._speaker = self._speaker, None
        if microphone is not None:
            microphone.close()
        if speaker is not None:
            speaker.close()


def tone() -> bytes:
    """Half a second that fades in and out, PCM16 mono 24 kHz: a step in it would be heard as a click."""
    frames, fade = round(TONE_S * PCM16_RATE), round(_FADE_S * PCM16_RATE)
    samples = (
        min(1.0, at / fade, (frames - 1 - at) / fade) * _TONE_PEAK * math.sin(2 * math.pi * TONE_HZ * at / PCM16_RATE)
        for at in range(frames)
    )
    return array("h", [round(32767 * sample) for sample in samples]).tobytes()
