"""The loudspeaker as the session knows it: a device while there is one, else silence at the speed of speech."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from tui.audio import devices
from tui.audio.devices import AudioUnavailable, Kind
from tui.audio.playback import Position, SilentPlayback
from tui.audio.player import Fill, Output, Player

logger = logging.getLogger(__name__)


class Speaker:
    """A :class:`~tui.audio.playback.Playback` on a device. Nothing is imported or opened before :meth:`open`."""

    def __init__(
        self, name: str = "", *, open_output: Callable[[Fill, Callable[[], None]], Output] | None = None
    ) -> None:
        """``name``: the device, "" for the default one; ``open_output``: opens something else instead."""
        self.on_lost: Callable[[AudioUnavailable], None] = lambda _: None
        self.problem: AudioUnavailable | None = None
        """Why there is no loudspeaker, after an :meth:`open` that did not succeed and after a loss."""
        self._name = name
        self._open_output = open_output or self._open_portaudio
        self._opening = threading.Lock()
        self._player: Player | None = None
        self._silent = SilentPlayback()
        self._found = ""
        self._closed = False

    def open(self) -> bool:
        """Open the device, if it is not open; True when it is."""
        with self._opening:
            if self._player is not None or self._closed:
                return self._player is not None
            try:
                if self.problem is not None:
                    devices.refresh()
                player = Player(self._open_output, self._lose)
            except AudioUnavailable as unavailable:
                logger.info("No loudspeaker: %s", unavailable)
                self.problem = unavailable
                return False
            self.problem = None
            self._player = player
        threading.Thread(target=self._tend, args=(player,), name="azrt-speaker", daemon=True).start()
        return True

    def close(self) -> None:
        """Fall silent, and give the device back for good."""
        with self._opening:
            self._closed = True
            player, self._player = self._player, None
        if player is not None:
            player.wake.set()
            player.close()

    def feed(self, item_id: str, content_index: int, pcm: bytes) -> None:
        """Queue PCM16 mono 24 kHz audio of an item."""
        self._playing.feed(item_id, content_index, pcm)

    def position(self) -> Position | None:
        """What is playing now; None when nothing is."""
        return self._playing.position()

    def flush(self) -> dict[str, int]:
        """Fall silent at once, drop what is queued; return item id -> whole milliseconds heard of each item dropped."""
        # A device that was lost just now may leave something to either of them.
        return {**self._silent.flush(), **self._playing.flush()}

    def remaining_s(self) -> float:
        """Seconds of queued audio that were not heard yet."""
        return self._playing.remaining_s()

    def quiet_s(self) -> float:
        """Seconds since the last sample left the loudspeaker."""
        return self._playing.quiet_s()

    def level(self) -> float:
        """The loudness of what is played, 0 to 1."""
        player = self._player
        return player.level() if player is not None else 0.0

    @property
    def _playing(self) -> Player | SilentPlayback:
        return self._player or self._silent

    def _open_portaudio(self, fill: Fill, finished: Callable[[], None]) -> Output:
        from tui.audio.portaudio import PortAudioOutput

        output = PortAudioOutput(fill, finished, name=self._name)
        self._found = output.name
        return output

    def _tend(self, player: Player) -> None:
        wait: float | None = None
        while self._player is player:
            player.wake.wait(wait)
            if self._player is player:
                wait = player.tend()

    def _lose(self) -> None:
        """The device is gone: what was not heard goes on in silence, so that the conversation stays in step."""
        with self._opening:
            player, self._player = self._player, None
            if player is None:
                return
            for one in player.take_unheard():
                self._silent.take_over(one.item_id, one.content_index, one.heard_s, one.length_s)
            self.problem = devices.lost(Kind.LOUDSPEAKER, self._found)
        logger.warning("The loudspeaker is gone")
        player.close()
        self.on_lost(self.problem)
