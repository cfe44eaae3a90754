"""The person's voice on its way to the service: the microphone's blocks, whose turn it is, and when a turn is over."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final

from websockets.exceptions import ConnectionClosed

from tui.audio import AudioUnavailable, Playback, devices
from tui.audio.microphone import Microphone
from tui.conversation import AgentState, MicrophoneState
from tui.session.batch import Severity
from tui.session.echo import EchoGuard
from tui.session.loop import SessionLoop
from tui.session.recorder import Recorder
from tui.settings.model import Echo
from tui.wire import PCM16_BYTES_PER_SECOND

if TYPE_CHECKING:
    from tui.session.sdk import Connection

MIN_TURN_MS: Final = 100
"""The service refuses to commit less."""

HOLD_S: Final = 0.2
"""How long the microphone is held after the agent was heard last: the room's echo, and what the device adds."""

SILENT_S: Final = 3.0
"""After so long with nothing but zeros it is said that the microphone is muted or not allowed."""

_LONGEST_QUEUE_S: Final = 2.0
"""What waits longer than this for a network that does not take it is dropped, the oldest first."""

_TRAIL_S: Final = 8.0
"""How long silence is sent after the microphone was closed in mid-speech: the longest that semantic_vad waits."""

_TRAIL_STEP_S: Final = 0.1

_CHECK_S: Final = 1.0

GAP_S: Final = 10.0
"""How long the microphone stays open without a connection. Nothing is kept of what it brings meanwhile. After that it
is closed: a person who has walked away must not be heard when the connection is there again."""


class Voice:
    """Runs in the session thread; one for all the sessions of a worker."""

    def __init__(
        self, loop: SessionLoop, recorder: Recorder, playback: Playback, microphone: Microphone, *, echo: Echo
    ) -> None:
        self._loop = loop
        self._recorder = recorder
        self._playback = playback
        self._microphone = microphone
        self._echo = EchoGuard(echo, playback, microphone, self._warn)
        self._outgoing: deque[bytes] = deque()
        self._queued = asyncio.Event()
        self._sent_bytes = 0  # of this turn
        self._dropped = False
        self._said_silent = False
        self._speaking = False
        self._check: asyncio.TimerHandle | None = None
        self._trailing: asyncio.Task[None] | None = None
        self._sending: asyncio.Task[None] | None = None
        self._gap: asyncio.TimerHandle | None = None
        microphone.on_lost = self._lost
        microphone.on_other = self._other

    @property
    def listening(self) -> bool:
        """Whether the microphone is open."""
        return self._microphone.is_open

    @property
    def in_speech(self) -> bool:
        """Whether the server hears the person speak."""
        return self._speaking

    def speech(self, speaking: bool) -> None:
        """The server hears the person begin, or stop, to speak."""
        self._speaking = speaking

    async def listen(self) -> bool:
        """Open the microphone; False, and it is said why, when that cannot be."""
        self._stop_trailing()
        try:
            await self._loop.in_thread("azrt-microphone", lambda: self._microphone.open(self._take))
        except AudioUnavailable as unavailable:
            self._recorder.set_status(microphone=MicrophoneState.UNAVAILABLE)
            self._say(unavailable, "Text works as before.", "session.devices")
            return False
        self._sent_bytes, self._dropped, self._said_silent = 0, False, False
        self._recorder.set_status(microphone=MicrophoneState.ON)
        self._check = self._loop.call_later(_CHECK_S, self._look)
        problem, self._echo.problem = self._echo.problem, None
        if problem is not None:
            self._say(problem, "Until then the microphone is held while the agent is heard.")
        return True

    async def turns_by_hand(self, connection: Connection) -> None:
        """The server stopped to detect turns. Unless the person speaks, what it has heard is nobody's turn."""
        if self.listening and not self._speaking:
            self._sent_bytes = 0
            await connection.clear_audio()

    def devices_changed(self) -> None:
        """Another microphone was chosen, or the one that had failed was tried again."""
        if self._recorder.status.microphone is MicrophoneState.UNAVAILABLE and self._microphone.problem is None:
            self._recorder.set_status(microphone=MicrophoneState.OFF)

    async def stop(self) -> None:
        """Close the microphone. A person who is still speaking then falls silent for the server's turn detection."""
        await self._close()
        if self._speaking:
            self._trailing = self._loop.create_task(self._trail())

    async def end_turn(self, connection: Connection) -> None:
        """Close the microphone and ask for the answer: the turn that the server does not detect."""
        await self._close()
        # What waits goes out here and not in send(), so that nothing of it can come after the commit.
        await self._send_queued(connection)
        ms = self._sent_bytes * 1000 // PCM16_BYTES_PER_SECOND
        if ms < MIN_TURN_MS:
            if ms:
                await connection.clear_audio()
            self._recorder.notify(f"Not sent: {ms} ms of audio, and the service takes {MIN_TURN_MS} ms or more.")
            return
        self._recorder.set_status(agent=AgentState.THINKING)
        self._recorder.reducer.promised = True
        await connection.end_turn()

    def connected(self, connection: Connection) -> None:
        """From now on, what the microphone brings goes there."""
        self._stop_gap()
        self._sent_bytes = 0
        self._sending = self._loop.create_task(self._send(connection))

    def disconnected(self) -> bool:
        """The connection is gone. The microphone stays open for a while, and nobody hears it.

        Returns:
            Whether the person was in the middle of a turn, which is lost.
        """
        self._stop_trailing()
        if self._sending is not None:
            self._sending.cancel()
            self._sending = None
        lost = self._speaking
        self._speaking = False
        self._outgoing.clear()
        if self.listening and self._gap is None:
            self._recorder.set_status(microphone=MicrophoneState.HELD)
            self._gap = self._loop.call_later(GAP_S, self._close_after_gap)
        return lost

    def close(self) -> None:
        """There will be no other connection: close the microphone."""
        self._stop_gap()
        if self.listening:
            self._stop_checking()
            self._loop.in_thread("azrt-microphone", self._microphone.close)
            self._recorder.set_status(microphone=MicrophoneState.OFF)

    def _close_after_gap(self) -> None:
        self.close()
        self._recorder.notify(
            f"The microphone was closed: there has been no connection for {GAP_S:g} s.", Severity.WARNING
        )

    def _stop_gap(self) -> None:
        if self._gap is not None:
            self._gap.cancel()
            self._gap = None

    async def _close(self) -> None:
        self._stop_checking()
        await self._loop.in_thread("azrt-microphone", self._microphone.close)
        # Blocks that are on their way into this thread were captured before, and belong to the turn.
        await asyncio.sleep(0)
        self._recorder.set_status(microphone=MicrophoneState.OFF)

    def _take(self, pcm: bytes) -> None:
        """Runs in the device's thread."""
        self._loop.call(self._captured, pcm)

    def _captured(self, pcm: bytes) -> None:
        held = self._sending is None or (self._echo.half_duplex and self._playback.quiet_s() < HOLD_S)
        state = MicrophoneState.HELD if held else MicrophoneState.ON
        if self.listening and self._recorder.status.microphone is not state:
            self._recorder.set_status(microphone=state)
        if held:
            if not self._speaking:
                return
            pcm = bytes(len(pcm))  # the turn detection must hear that the speech has ended
        self._queue(pcm)

    def _queue(self, pcm: bytes) -> None:
        self._outgoing.append(pcm)
        self._queued.set()
        while sum(map(len, self._outgoing)) > _LONGEST_QUEUE_S * PCM16_BYTES_PER_SECOND:
            self._outgoing.popleft()
            if not self._dropped:
                self._dropped = True
                self._recorder.notify(
                    "The connection is too slow for your voice: some of it is lost.", Severity.WARNING
                )

    async def _send(self, connection: Connection) -> None:
        try:
            while True:
                await self._queued.wait()
                self._queued.clear()
                await self._send_queued(connection)
        except ConnectionClosed:
            pass  # what it was is said where the connection ends

    async def _send_queued(self, connection: Connection) -> None:
        while self._outgoing:
            pcm = self._outgoing.popleft()
            self._sent_bytes += len(pcm)
            await connection.send_audio(pcm)

    async def _trail(self) -> None:
        sent_s = 0.0
        while self._speaking and sent_s < _TRAIL_S:
            self._queue(bytes(int(_TRAIL_STEP_S * PCM16_BYTES_PER_SECOND)))
            sent_s += _TRAIL_STEP_S
            await asyncio.sleep(_TRAIL_STEP_S)

    def _look(self) -> None:
        self._microphone.check()
        if self._microphone.silent_s > SILENT_S and not self._said_silent:
            self._said_silent = True
            silence = devices.only_silence(self._microphone.device)
            self._recorder.notify(f"{silence.problem}\n{silence.fix}", Severity.WARNING, "session.devices")
        self._check = self._loop.call_later(_CHECK_S, self._look)

    def _lost(self, unavailable: AudioUnavailable) -> None:
        """Runs in a thread of the device's."""

        def tell() -> None:
            self._stop_checking()
            self._recorder.set_status(microphone=MicrophoneState.UNAVAILABLE)
            self._say(unavailable, "Text works as before.", "session.microphone")

        self._loop.call(tell)

    def _warn(self, text: str) -> None:
        """From any thread."""
        self._loop.call(self._recorder.notify, text, Severity.WARNING)

    def _other(self, text: str) -> None:
        """Runs in a thread of the device's."""
        self._loop.call(self._recorder.notify, text, Severity.WARNING, "session.devices")

    def _say(self, unavailable: AudioUnavailable, comfort: str, command: str = "") -> None:
        self._recorder.notify(f"{unavailable.problem}\n{unavailable.fix}\n{comfort}", Severity.WARNING, command)

    def _stop_checking(self) -> None:
        if self._check is not None:
            self._check.cancel()
            self._check = None

    def _stop_trailing(self) -> None:
        if self._trailing is not None:
            self._trailing.cancel()
            self._trailing = None
