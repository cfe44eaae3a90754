"""Replay: a session that was recorded, shown as it went, with its own timing. Nothing is sent.

It stands where the session worker stands: a thread of its own that takes commands and delivers batches, so that the
screen need not know which of them it shows. The events are not copied: a position is a number of entries of the log.
Going back means to begin anew, up to there.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from tui.audio import Playback, SilentPlayback
from tui.audio.conversion import Conversion
from tui.capture import EventLog
from tui.replay.position import Replayed, Silence, Sound
from tui.replay.speeds import ReplayMove, ReplayState, Seek, SeekBy, SetSpeed, TogglePlay
from tui.session.batch import Batch, Notice, Severity
from tui.session.commands import Close
from tui.session.loop import LoopThread

logger = logging.getLogger(__name__)

_OPENING_S: Final = 5.0
"""How long a loudspeaker may take to open."""


ReplayCommand = ReplayMove | Close


class Replay:
    """Plays the entries that ``log`` has at the beginning. ``deliver`` is called in the replay's thread."""

    def __init__(
        self,
        log: EventLog,
        deliver: Callable[[Batch], None],
        *,
        host: str = "",
        model: str = "",
        start_s: float = 0.0,
        speed: float = 1.0,
        playing: bool = True,
        fps: float = 30,
        playback: Playback | None = None,
    ) -> None:
        self.log = log
        self._deliver = deliver
        self._interval_s = 1 / fps
        self._playback = playback if playback is not None else SilentPlayback()
        self._conversion = Conversion()
        self._sound: asyncio.Future[bool] | None = None
        self._thread = LoopThread("azrt-replay", self._run)
        self._commands: deque[ReplayCommand] = deque()
        self._called = asyncio.Event()
        self._total = len(log)
        self._length_ns = max(0, log.time_of(self._total - 1)) if self._total else 0
        self._playing = playing
        self._speed = speed
        self._at_ns = int(min(start_s * 1e9, self._length_ns))
        self._since = time.monotonic()
        self._target: int | None = None
        """Entries up to the position, where a step says so; None: those up to its time."""
        self._replayed = Replayed(log, host, model)
        self._moved = True
        """The position jumped: what is heard has to follow once the entries up to there were taken."""
        self._delivered_at = float("-inf")
        self.state = self._state()
        """Where it stands. Any thread may read it."""

    def start(self) -> None:
        """Start the thread, and play."""
        self._thread.start()

    def submit(self, command: ReplayCommand) -> None:
        """Hand over a command, from any thread. Ignored once the replay has ended."""

        def take() -> None:
            self._commands.append(command)
            self._called.set()

        self._thread.call(take)

    def stop(self, timeout: float = 3.0) -> bool:
        """End it and wait for the thread, for ``timeout`` seconds at most; True when it ended."""
        return self._thread.end(lambda: self.submit(Close()), timeout)

    # The thread

    async def _run(self) -> None:
        try:
            await self._main()
        except Exception:
            logger.exception("The replay failed")
            said = Notice("The replay ended: a fault of azrt-tui. The log file has the details.", Severity.ERROR)
            self._deliver(replace(self._replayed.batch(self._position_ns()), notices=(said,)))

    async def _main(self) -> None:
        self._since = time.monotonic()
        while self._obey():
            self._advance()
            complete = self._replayed.count >= self._goal()
            if complete and self._moved:
                self._moved = False
                await self._let_hear()
            self._report()
            if complete:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._idle_s()):
                        await self._called.wait()
            else:
                await asyncio.sleep(0)  # commands come in
        self._playback.flush()

    def _obey(self) -> bool:
        """Carry out the commands that wait; False when one of them is the last."""
        self._called.clear()
        while self._commands:
            command = self._commands.popleft()
            if isinstance(command, Close):
                return False
            at_ns, goal = self._position_ns(), self._goal()
            self._target = None
            if isinstance(command, TogglePlay):
                if not self._playing and goal == self._total:
                    at_ns = 0
                self._playing = not self._playing
            elif isinstance(command, SetSpeed):
                self._speed = command.speed
            elif isinstance(command, SeekBy):
                at_ns += int(command.seconds * 1e9)
            elif isinstance(command, Seek):
                at_ns = int(command.seconds * 1e9)
            else:
                self._target = min(max(0, goal + command.events), self._total)
                self._playing = False
                at_ns = self.log.time_of(self._target - 1) if self._target else 0
            self._at_ns = min(max(0, at_ns), self._length_ns)
            self._since = time.monotonic()
            self._moved = True
            self._playback.flush()
        return True

    def _advance(self) -> None:
        """Take the entries up to the position, or as many as there is time for between two batches."""
        if self._replayed.count > self._goal():
            self._replayed = self._replayed.anew()
        goal, until = self._goal(), time.monotonic() + self._interval_s
        while self._replayed.count < goal and time.monotonic() < until:
            heard = self._replayed.take()
            if heard is not None and self._hears and not self._moved:
                if isinstance(heard, Silence):
                    self._playback.flush()
                else:
                    self._feed(heard)
        ended = self._replayed.count == self._total and not self._replayed.heard.lasts(self._position_ns())
        if self._playing and ended:
            self._at_ns, self._playing = self._length_ns, False

    async def _let_hear(self) -> None:
        """Play what was being said at the position, from there on."""
        if not self._hears:
            return
        if self._sound is None:
            self._sound = self._thread.loop.in_thread("azrt-speaker-open", self._playback.open)
            await asyncio.wait({self._sound}, timeout=_OPENING_S)
        for one in self._replayed.after(self._position_ns()):
            self._feed(one)

    def _feed(self, sound: Sound) -> None:
        part = sound.item_id, sound.content_index
        self._playback.feed(*part, self._conversion.feed(part, sound.data, sound.audio_format))

    def _report(self) -> None:
        self.state = self._state()
        self._delivered_at = time.monotonic()
        self._deliver(self._replayed.batch(self._position_ns()))

    # Where it is

    @property
    def _hears(self) -> bool:
        return self._playing and self._speed == 1.0

    def _position_ns(self) -> int:
        if not self._playing:
            return self._at_ns
        # Beyond the last entry, too: what it said is still heard.
        return self._at_ns + int((time.monotonic() - self._since) * self._speed * 1e9)

    def _goal(self) -> int:
        """Entries up to the position."""
        return self.log.index_after(self._position_ns(), self._total) if self._target is None else self._target

    def _idle_s(self) -> float | None:
        """How long there is nothing to do; None: until somebody asks for something."""
        if not self._playing:
            return None
        due_s = self._interval_s  # the agent's last words are still heard
        if self._replayed.count < self._total:
            due_s = (self.log.time_of(self._replayed.count) - self._position_ns()) / 1e9 / self._speed
        return max(0.0, due_s, self._delivered_at + self._interval_s - time.monotonic())

    def _state(self) -> ReplayState:
        return ReplayState(
            at_ns=self._position_ns(),
            since=time.monotonic(),
            playing=self._playing,
            speed=self._speed,
            events=self._replayed.count,
            total=self._total,
            length_ns=self._length_ns,
        )
