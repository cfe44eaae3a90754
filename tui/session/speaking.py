"""The agent's voice as the session sees it: opening the loudspeaker, when it has finished, and being interrupted."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from tui.audio import AudioUnavailable, Playback
from tui.conversation import AgentState
from tui.session.batch import Severity
from tui.session.loop import SessionLoop
from tui.session.recorder import Recorder

if TYPE_CHECKING:
    from tui.session.sdk import Connection

_OPENING_S: Final = 3.0
"""How long a session waits for the loudspeaker before it goes on without."""


class Speaking:
    """Runs in the session thread; one for all the sessions of a worker."""

    def __init__(self, loop: SessionLoop, recorder: Recorder, playback: Playback) -> None:
        self._loop = loop
        self._recorder = recorder
        self._playback = playback
        self._timer: asyncio.TimerHandle | None = None
        playback.on_lost = self._lost
        playback.on_other = self._other

    def open(self) -> asyncio.Future[bool]:
        """Begin to open the loudspeaker; the result is whether answers can be heard."""
        return asyncio.ensure_future(self._bounded(self._loop.in_thread("azrt-speaker-open", self._playback.open)))

    def keep_speaking(self) -> None:
        """The response is complete, but what it said is still being played."""
        remaining_s = self._playback.remaining_s()
        if remaining_s <= 0 or self._recorder.status.response_id:
            return
        self._recorder.set_status(agent=AgentState.SPEAKING)
        self.stop()
        self._timer = self._loop.call_later(remaining_s, self._stop_speaking)

    def barge_in(self, connection: Connection) -> list[str]:
        """The server hears the person, and cancels the answer: silence first. The SDK truncates what was playing.

        Returns:
            The items that waited behind it: nobody heard of them, and the SDK does not truncate them.
        """
        position = self._playback.position()
        heard = self._playback.flush()
        connection.silenced(position)
        self._recorder.interrupted(self._recorder.status.response_id, heard)
        return [item_id for item_id in heard if position is None or item_id != position.item_id]

    def stop(self) -> None:
        """Wait for nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def _bounded(self, opening: asyncio.Future[bool]) -> bool:
        await asyncio.wait({opening}, timeout=_OPENING_S)
        return opening.done() and opening.result()

    def _stop_speaking(self) -> None:
        self._timer = None
        status = self._recorder.status
        if status.response_id or status.agent is not AgentState.SPEAKING:
            return
        if self._playback.remaining_s() > 0:  # a device takes a moment longer than its samples do
            self.keep_speaking()
        else:
            self._recorder.set_status(agent=AgentState.IDLE)

    def _lost(self, problem: AudioUnavailable) -> None:
        """Runs in a thread of the device's."""
        text = f"{problem.problem} Answers go on as text.\n{problem.fix}"
        self._loop.call(self._tell, text)

    def _other(self, text: str) -> None:
        """Runs in a thread of the device's."""
        self._loop.call(self._recorder.notify, text, Severity.WARNING, "session.devices")

    def _tell(self, text: str) -> None:
        self._recorder.set_status(unheard=True)
        self._recorder.notify(text, Severity.WARNING, "session.devices")
