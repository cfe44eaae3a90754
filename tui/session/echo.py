"""What is done so that the agent does not hear itself: the setting ``echo``, put into effect on this machine."""

from __future__ import annotations

from collections.abc import Callable

from tui.audio import AudioUnavailable, Playback, echo
from tui.audio.microphone import Microphone
from tui.audio.own_voice import OwnVoiceWatch
from tui.settings.model import Echo


class EchoGuard:
    """Decides once, for all the sessions of a worker, and puts what is needed behind the microphone's device."""

    def __init__(self, setting: Echo, playback: Playback, microphone: Microphone, say: Callable[[str], None]) -> None:
        """``say``: tells the person that the microphone hears the agent, once; called from any thread."""
        self.problem: AudioUnavailable | None = None
        """Why the setting is not in effect; half-duplex is, instead."""
        self._say = say
        if setting == "auto":
            setting = "cancel" if echo.installed() else "half-duplex"
        if setting == "cancel" and not echo.installed():
            self.problem = echo.missing()
            setting = "half-duplex"
        self.half_duplex = setting == "half-duplex"
        """Whether the microphone is held while the agent is heard."""
        if setting == "cancel":
            microphone.through = echo.EchoCancellation(playback.reference)
        elif setting == "headset":
            microphone.through = OwnVoiceWatch(playback.reference, self._own_voice)

    def _own_voice(self) -> None:
        if echo.installed():
            self._say("The microphone hears the agent. Start with --echo cancel to take that out.")
        else:
            self._say(
                "The microphone hears the agent. Start with --echo half-duplex, or take it out: "
                f"{echo.missing().fix} and --echo cancel."
            )
