"""What the parts of the worker share: the plan, the connection of the moment, and the queue of what is to be done."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tui.audio import Playback
from tui.conversation import AgentState
from tui.session.commands import Work
from tui.session.loop import SessionLoop
from tui.session.plan import SessionPlan
from tui.session.recorder import Recorder
from tui.session.speaking import Speaking
from tui.session.transcribing import Transcribing
from tui.session.voice import Voice

if TYPE_CHECKING:
    from tui.session.sdk import Connection


@dataclass(slots=True)
class Shared:
    """Everything here belongs to the session thread; one for all the sessions of a worker."""

    plan: SessionPlan
    loop: SessionLoop
    recorder: Recorder
    playback: Playback
    speaking: Speaking
    voice: Voice
    transcribing: Transcribing
    work: asyncio.Queue[Work] = field(default_factory=asyncio.Queue)
    connection: Connection | None = None
    """The connection, while it can be talked to."""
    to_cancel: int = 0
    """Responses that were interrupted before they began."""
    outbox: deque[str] = field(default_factory=deque)
    """Messages that wait to be sent, by their key in the transcript, in order."""
    response_event_at: float = 0.0
    """When an event of a response came last, by ``time.monotonic()``."""
    expired_at: float | None = None
    """When the server said that the time of this session is up, by ``time.monotonic()``."""
    asked_detection: bool = False
    """The person asked for another turn detection, and the session has not confirmed it."""

    def new_connection(self) -> None:
        """Forget what belongs to the connection before."""
        self.to_cancel = 0
        self.expired_at = None
        self.transcribing.new_connection()

    @property
    def turns_by_hand(self) -> bool:
        """Whether the person ends a turn by key: as the session has it, else as it was asked for."""
        return (self.recorder.status.turn_detection or self.plan.turn_detection) == "none"

    @property
    def answering(self) -> bool:
        """Whether the agent answers, or is still heard."""
        status = self.recorder.status
        return self.connection is not None and (
            bool(status.response_id) or status.agent is not AgentState.IDLE or self.playback.remaining_s() > 0
        )

    @property
    def in_flight(self) -> bool:
        """Whether the user waits for an answer of which nothing has come; what he interrupted he does not wait for."""
        reducer = self.recorder.reducer
        asked = reducer.promised + reducer.asked
        return (reducer.unanswered or reducer.promised) and not 0 < asked <= self.to_cancel

    @property
    def awaiting_response(self) -> bool:
        """Whether a response is running, or was asked for."""
        status = self.recorder.status
        return bool(status.response_id) or status.agent is AgentState.THINKING
