"""What the status strip shows: the link, the agent's state, usage."""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from tui import wire
from tui.conversation.items import CALLS
from tui.failures import events as failures
from tui.failures.table import Cause


class Link(enum.StrEnum):
    """The state of the connection."""

    IDLE = "idle"
    LISTENING = "listening"
    """Waiting for another client to connect here."""
    CONNECTING = "connecting"
    CONNECTED = "connected"
    WAITING = "waiting"
    """Not connected, and it will be tried again."""
    CLOSING = "closing"
    CLOSED = "closed"
    FAILED = "failed"


class AgentState(enum.StrEnum):
    """What the agent is doing."""

    IDLE = "idle"
    THINKING = "thinking"
    """A response was asked for, and nothing of it has come."""
    SPEAKING = "speaking"


class MicrophoneState(enum.StrEnum):
    """Whether the person is heard."""

    OFF = "off"
    """The device is closed."""
    ON = "on"
    HELD = "held"
    """Open, but nothing goes out while the agent is heard."""
    UNAVAILABLE = "unavailable"
    """It was asked for, and there is none, or it went away."""


class Choice(enum.StrEnum):
    """What the person can decide when something does not go on; each is the id of the binding that does it."""

    RECONNECT = "session.reconnect"
    RETRY = "session.retry"
    WAIT = "session.wait"


@dataclass(frozen=True, slots=True)
class Offer:
    """Something does not go on by itself, or will at a certain time, and the person may decide otherwise.

    Nothing waits for the decision: without one, it stays as it is until ``due_s``.
    """

    name: str
    """The cause that it is about: a row of the table."""
    text: str
    """What is the matter, in a few words; they end in "in" when there is a time."""
    choices: tuple[tuple[Choice, str], ...]
    """What can be chosen, and in one or two words what it does here."""
    due_s: float | None = None
    """When it happens by itself, by ``time.monotonic()``."""


@dataclass(frozen=True, slots=True)
class Status:
    """A snapshot of the session. Counts are since the program connected first."""

    link: Link = Link.IDLE
    cause: Cause | None = None
    """Set when the link failed or was closed by the other side, until it is there again."""
    offer: Offer | None = None
    """What the person can decide now."""
    failure: Cause | None = None
    """Why the last answer failed or was cut short, until the next one begins."""
    host: str = ""
    model: str = ""
    kind: str = ""
    """What it is a session of, where that is not plain Realtime: ``Live``, ``translation``."""
    simulator: bool = False
    """True when the far end is the embedded simulator."""
    replay: bool = False
    """True when all this was recorded, and nothing is connected now."""
    watched: bool = False
    """True for a session of another client: nothing can be said in it from here."""
    session_id: str = ""
    started_s: float | None = None
    """When session.created came, in seconds since the log's origin."""
    expires_at: float | None = None
    """Unix time at which the server ends the session."""
    agent: AgentState = AgentState.IDLE
    response_id: str = ""
    """The response that is running, "" when none is."""
    microphone: MicrophoneState = MicrophoneState.OFF
    alarm: int | None = None
    """The entry of the event log that said last that something failed."""
    answers: int = 0
    """Answers that came to their end."""
    modality: str = ""
    """``text`` or ``audio``: what answers are made of."""
    unheard: bool = False
    """Answers are audio, and there is no loudspeaker for them."""
    turn_detection: str = ""
    """Who decides that the person has finished, as the session has it: ``semantic_vad``, ``server_vad``, ``none`` for
    the person; "" while it has not said so."""
    queued: int = 0
    """Messages typed, but not sent yet."""
    received: int = 0
    sent: int = 0
    rate: float = 0.0
    """Events a second, both ways, over the last second."""
    tokens_in: int = 0
    tokens_out: int = 0
    waits_for: str = ""
    """What the agent waits for from outside, such as ``approval``; "" for nothing."""
    first_output_ms: int | None = None
    """From the request of the last answer to the first piece of it."""

    @property
    def ours(self) -> bool:
        """Whether the person takes part: not in a recording, nor in the session of another client."""
        return not (self.replay or self.watched)


_OUTPUT_DELTAS = (
    "response.output_text.delta",
    "response.output_audio.delta",
    "response.output_audio_transcript.delta",
    "response.text.delta",
    "response.audio.delta",
    "response.audio_transcript.delta",
)


_LEAVES_IT_OPEN = ("error", "expired", "update-refused", "audio-too-short", "active-response")
"""Causes of errors after which a question may still be answered, here or in the next session."""

_ENDED_KEPT = 64
"""Responses that are remembered when they are done; late events come within a few."""

_MAX_COUNT = 1 << 53
"""Larger figures are no counts of tokens; Python would refuse to print a few of them."""


class StatusReducer:
    """Feeds on parsed events, both ways, and keeps a :class:`Status` current."""

    def __init__(self, status: Status | None = None) -> None:
        self.status = status or Status()
        self.promised = False
        """A message went out, and the request for its response has not: one is running that must end first."""
        self.asked = False
        """A response was requested, and has not begun."""
        self.expected = False
        """The server has heard the person finish, and said before that it answers by itself then; it has not begun."""
        self.unnamed = False
        """A response is running to which the server gave no id."""
        self.silenced = False
        """The person interrupted that one: what still comes of it is not heard."""
        self.unanswered = False
        """A question of the user's is in flight: it was asked, and nothing of its answer has come."""
        self.requests = 0
        """How often the person was to be answered: messages that went out, turns that the server has heard."""
        self.begun = 0
        """Answers of which something has come."""
        self._ended: deque[str] = deque(maxlen=_ENDED_KEPT)
        """Responses that are done: what still comes of them is no speech."""
        self.expired = False
        """The server has said that the session's time is up."""
        self._asking = ""
        """The id of the event that asked for a response last."""
        self._asked_ns: int | None = None
        self._interrupted = ""
        self._reset_s: float | None = None
        self._answers_by_itself = False
        self._interrupts_by_itself = False

    def set(self, **changes: Any) -> None:
        """Replace fields of the status."""
        self.status = replace(self.status, **changes)

    def sent(self, event: Mapping[str, Any], t_ns: int) -> None:
        """Take an event that was sent at the given monotonic time, relative to the log's origin."""
        if event.get("type") == "response.create":
            self.promised, self.asked, self.expected = False, True, False
            self.unanswered = True
            self._asking = _text(event, "event_id")
            self.requests += 1
            self.set(failure=None)
            self._asked_ns = t_ns
            if not self.status.response_id:
                self.set(agent=AgentState.THINKING)

    def new_connection(self) -> None:
        """Forget what belongs to the previous connection."""
        self.promised = self.asked = self.expected = self.unanswered = False
        self.unnamed = self.silenced = False
        self._answers_by_itself = self._interrupts_by_itself = False
        self._asked_ns, self._interrupted = None, ""
        self.expired = False
        self._ended.clear()
        self.set(
            offer=None,
            failure=None,
            session_id="",
            started_s=None,
            expires_at=None,
            agent=AgentState.IDLE,
            response_id="",
            waits_for="",
            turn_detection="",
        )

    def give_up(self) -> None:
        """Wait no more for the answer that was asked for, or for the end of the one that is running."""
        self.promised = self.asked = self.expected = self.unanswered = False
        self.unnamed = False
        self.set(response_id="")

    def interrupted(self, response_id: str) -> None:
        """The person interrupted this response, or, when it is "", one without an id or what was still playing."""
        self._interrupted = response_id
        self.silenced = self.unnamed
        self.unanswered = False
        self._asked_ns = None
        self.set(agent=AgentState.IDLE)

    def received(self, event: Mapping[str, Any], t_ns: int) -> None:
        """Take an event that was received at the given monotonic time, relative to the log's origin."""
        event_type = event.get("type")
        if event_type in _OUTPUT_DELTAS:
            response_id = _text(event, "response_id")
            over = bool(response_id) and (response_id == self._interrupted or response_id in self._ended)
            if not (over or self.silenced):
                self._output(t_ns)
        elif event_type in ("session.created", "session.updated"):
            session = event.get("session")
            if self.status.started_s is None:
                self.set(started_s=t_ns / 1e9, session_id=_text(session, "id"))
            self._session(session)
        elif event_type == "input_audio_buffer.speech_stopped":
            self._asked_ns = t_ns
            self.requests += 1
            # While it answers, it may not begin another answer, unless it drops that one.
            self.expected = self._answers_by_itself and (self._interrupts_by_itself or not self.status.response_id)
            self.unanswered = self.unanswered or self.expected
        elif event_type in ("input_audio_buffer.speech_started", "input_audio_buffer.cleared"):
            self.expected = False
        elif event_type == "response.created":
            self._begin_again(_text(event.get("response"), "id"))
            self.asked = self.expected = False
            self.set(
                response_id=_text(event.get("response"), "id"), agent=AgentState.THINKING, failure=None, waits_for=""
            )
            self.unnamed, self.silenced = not self.status.response_id, False
        elif event_type == "response.done":
            self._done(event.get("response"))
        elif event_type == "rate_limits.updated":
            self._reset_s = failures.reset_after(event.get("rate_limits"))
        elif event_type == "error":
            self._error(wire.error_of(event))

    def _begin_again(self, response_id: str) -> None:
        """Take a response that begins with an id that an earlier one had: some servers use it again."""
        if response_id in self._ended:
            self._ended.remove(response_id)

    def _error(self, error: Mapping[str, Any]) -> None:
        """Wait no more for an answer in whose place an error came, unless one is running."""
        name = failures.of_error(error).name
        self.expired = self.expired or name == "expired"
        if self.status.response_id:
            return
        self.asked = self.expected = False
        self.set(agent=AgentState.IDLE)
        about = _text(error, "event_id")
        # An error about another event says nothing of the answer. What the server failed at, or ends the session with,
        # can be asked again in the next one; what it refuses for good is told.
        if about in ("", self._asking) and name not in _LEAVES_IT_OPEN:
            self.unanswered = self.promised

    def _output(self, t_ns: int) -> None:
        self.unnamed = not self.status.response_id
        if self._asked_ns is not None:
            self.set(first_output_ms=(t_ns - self._asked_ns) // 1_000_000)
            self._asked_ns = None
        if self.status.agent is not AgentState.SPEAKING:
            self.begun += 1
            self.set(agent=AgentState.SPEAKING)
        self.unanswered = self.promised or self.asked or self.expected

    def _session(self, session: object) -> None:
        if not isinstance(session, Mapping):
            return
        expires = session.get("expires_at")
        if isinstance(expires, int | float) and not isinstance(expires, bool) and 0 < expires < 1e11:
            self.set(expires_at=float(expires))
        model = _text(session, "model")
        if model and not self.status.model:
            self.set(model=model)
        modalities = session.get("output_modalities")
        if isinstance(modalities, list) and modalities:
            self.set(modality="audio" if "audio" in modalities else "text")
        detection = _turn_detection(session)
        self.set(turn_detection="none" if detection is None else _text(detection, "type"))
        self._answers_by_itself = _is_on(detection, "create_response")
        self._interrupts_by_itself = _is_on(detection, "interrupt_response")
        self.expected = self.expected and self._answers_by_itself

    def _done(self, response: object) -> None:
        response_id = _text(response, "id")
        if response_id:
            self._ended.append(response_id)
        if not self.status.response_id or response_id in {"", self.status.response_id}:
            self.set(response_id="", agent=AgentState.IDLE)
            self.unnamed = self.silenced = False
            if not _only_calls(response):  # else the answer is still to come
                self.unanswered = self.promised or self.asked or self.expected
        if isinstance(response, Mapping):
            self.set(
                failure=failures.of_response(response, self._reset_s),
                answers=self.status.answers + 1,
                waits_for="approval" if _asks_for_approval(response) else "",
            )
        usage = response.get("usage") if isinstance(response, Mapping) else None
        if isinstance(usage, Mapping):
            self.set(
                tokens_in=self.status.tokens_in + _count(usage.get("input_tokens")),
                tokens_out=self.status.tokens_out + _count(usage.get("output_tokens")),
            )


def _asks_for_approval(response: Mapping[str, Any]) -> bool:
    """Return whether a response ends with a request that somebody has to approve."""
    output = response.get("output")
    return isinstance(output, list) and any(_text(item, "type") == "mcp_approval_request" for item in output)


def _only_calls(response: object) -> bool:
    """Whether a response that is complete consists of nothing but calls of tools."""
    output = response.get("output") if isinstance(response, Mapping) else None
    if not isinstance(output, list) or not output or _text(response, "status") not in ("", "completed"):
        return False
    return all(_text(item, "type") in CALLS for item in output)


def _turn_detection(session: Mapping[str, Any]) -> object:
    """The turn detection of a ``session`` object, "" where it has none: GA has it with the input's audio, Beta at the
    top. ``None`` leaves the detection to the client."""
    audio = session.get("audio")
    heard = audio.get("input") if isinstance(audio, Mapping) else None
    for place in (heard, session):
        if isinstance(place, Mapping) and "turn_detection" in place:
            return place["turn_detection"]
    return ""


def _is_on(detection: object, name: str) -> bool:
    """Whether a turn detection does this too; what it does not mention, it does (as the API reference has it)."""
    return isinstance(detection, Mapping) and detection.get(name) is not False


def _text(mapping: object, key: str) -> str:
    value = mapping.get(key) if isinstance(mapping, Mapping) else None
    return value if isinstance(value, str) else ""


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < _MAX_COUNT else 0
