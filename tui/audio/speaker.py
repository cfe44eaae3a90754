"""The loudspeaker as the session knows it: a device while there is one."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import partial

from tui.audio import devices
from tui.audio.devices import AudioUnavailable, DeviceMissing, Kind
from tui.audio.playback import Position, SilentPlayback
from tui.audio.player import Fill, Output, Player
from tui.audio.portaudio import OUTPUT_LATENCY_S, PortAudioOutput
from tui.audio.reference import Reference

logger = logging.getLogger(__name__)


class Speaker:
    """A :class:`~tui.audio.playback.Playback` on a device. Nothing is imported or opened before :meth:`open`."""

    def __init__(
        self,
        name: str = "",
        *,
        or_default: bool = False,
        latency_s: float = OUTPUT_LATENCY_S,
        delay_s: float = 0.0,
        open_output: Callable[[Fill, Callable[[], None]], Output] | None = None,
    ) -> None:
        """Prepare to play.

        Args:
            name: the device, "" for the default one.
            or_default: whether the default one is used when there is none of that name.
            latency_s: what the device is asked to hold, in seconds.
            delay_s: what the sound takes behind the sound system, in seconds.
            open_output: opens something else instead.
        """
        self.on_lost: Callable[[AudioUnavailable], None] = lambda _: None
        self.problem: AudioUnavailable | None = None
        """Why there is no loudspeaker, after an :meth:`open` that did not succeed and after a loss."""
        self.reference = Reference()
        """What the device plays."""
        self.on_other: Callable[[str], None] = lambda _: None
        self._name = name
        self._or_default = or_default
        self._latency_s, self._delay_s = latency_s, delay_s
        self._given = open_output
        self._open_output = open_output or self._open_portaudio
        self._lock = threading.Lock()
        """Held for what must not come between the end of one device and the beginning of the next."""
        self._player: Player | None = None
        self._silent = SilentPlayback()
        self._found = ""
        self._closed = False

    def open(self) -> bool:
        """Open the device, if it is not open; True when it is. What went on in silence is heard from here on."""
        with devices.CHANGING:
            try:
                if self.problem is not None and self._player is None and not self._closed:
                    devices.refresh()
                self._begin()
            except AudioUnavailable as unavailable:
                logger.info("No loudspeaker: %s", unavailable)
                self.problem = unavailable
            return self._player is not None

    def use(self, name: str) -> None:
        """Play on this device from now on, "" for the default one. What was not heard yet is heard there.

        Raises AudioUnavailable, and the device of before goes on.
        """
        with devices.CHANGING:
            before = self._name, self._or_default
            self._name, self._or_default = name, False
            was_open = self._player is not None
            self.release()  # the same device may be behind both names, and take one stream only
            try:
                self._begin()
            except AudioUnavailable:
                self._name, self._or_default = before
                if was_open:
                    self.resume()
                raise

    def another(self, name: str) -> Speaker:
        """One like this on another device, to try that."""
        return Speaker(name, latency_s=self._latency_s, delay_s=self._delay_s, open_output=self._given)

    def release(self) -> None:
        """Give the device back for a moment. What was not heard waits for the next one."""
        with devices.CHANGING:
            with self._lock:
                player, self._player = self._player, None
                if player is None:
                    return
                self._silent.hold()
                self._silent.carry_on(player.take_rest())
            devices.users.discard(self)
            player.wake.set()
            player.close()

    def resume(self) -> None:
        """Take the device again; when that cannot be, it is lost."""
        with devices.CHANGING:
            try:
                self._begin()
            except AudioUnavailable as unavailable:
                logger.warning("The loudspeaker is gone: %s", unavailable)
                self._silent.go_on()
                self.problem = unavailable
            else:
                return
        self.on_lost(self.problem)

    def close(self) -> None:
        """Fall silent, and give the device back for good."""
        with devices.CHANGING:
            self._closed = True
            self.release()

    @property
    def name(self) -> str:
        """The device that was chosen, "" for the default one."""
        return self._name

    @property
    def device(self) -> str:
        """The device that is open, "" when none is."""
        return self._found if self._player is not None else ""

    def feed(self, item_id: str, content_index: int, pcm: bytes) -> None:
        """Queue PCM16 mono 24 kHz audio of an item. Without a device, only what has begun goes on, for the next one."""
        with self._lock:
            if self._player is not None:
                self._player.feed(item_id, content_index, pcm)
            elif self._silent.held or self._silent.holds(item_id):
                self._silent.feed(item_id, content_index, pcm)

    def position(self) -> Position | None:
        """What is playing now; None when nothing is."""
        with self._lock:
            return playing.position() if (playing := self._playing) is not None else None

    def flush(self) -> dict[str, int]:
        """Fall silent at once, drop what is queued; return item id -> whole milliseconds heard of each item dropped.

        Without a device nothing is unheard: the text is on the screen.
        """
        with self._lock:
            heard = (self._player or self._silent).flush()
            return heard if self._playing is not None else {}

    def remaining_s(self) -> float:
        """Seconds of queued audio that were not heard yet."""
        with self._lock:
            return playing.remaining_s() if (playing := self._playing) is not None else 0.0

    def quiet_s(self) -> float:
        """Seconds since the last sample left the loudspeaker."""
        with self._lock:
            return (self._player or self._silent).quiet_s()

    def level(self) -> float:
        """The loudness of what is played, 0 to 1."""
        player = self._player
        return player.level() if player is not None else 0.0

    @property
    def _playing(self) -> Player | SilentPlayback | None:
        """The device, or what waits for the next one while it is changed; None where there is none."""
        return self._player or (self._silent if self._silent.held else None)

    def _open_portaudio(self, fill: Fill, finished: Callable[[], None]) -> Output:
        open_named = partial(
            PortAudioOutput,
            fill,
            finished,
            latency_s=self._latency_s,
            delay_s=self._delay_s,
            reference=self.reference,
        )
        try:
            output = open_named(name=self._name)
        except DeviceMissing as missing:
            if not self._or_default:
                raise
            output = open_named(name="")
            self.on_other(devices.instead(missing, output.name))
        self._found = output.name
        return output

    def _begin(self) -> None:
        """Open the device, if it is not open, and let it go on where silence was. Raises AudioUnavailable."""
        if self._player is not None or self._closed:
            return
        player: Player = Player(self._open_output, lambda: self._lose(player))
        with self._lock:
            player.carry_on(self._silent.take_rest())
            self._silent.go_on()
            self._player, self.problem = player, None
        devices.users.add(self)
        threading.Thread(target=self._tend, args=(player,), name="azrt-speaker", daemon=True).start()

    def _tend(self, player: Player) -> None:
        wait: float | None = None
        while self._player is player:
            player.wake.wait(wait)
            if self._player is player:
                wait = player.tend()

    def _lose(self, player: Player) -> None:
        """The device is gone: its answer goes on in silence, for a device that comes back; it is read meanwhile."""
        with devices.CHANGING:
            if player is not self._player:
                return
            self.release()
            self._silent.go_on()
            self.problem = devices.lost(Kind.LOUDSPEAKER, self._found)
        logger.warning("The loudspeaker is gone")
        self.on_lost(self.problem)
