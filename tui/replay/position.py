"""What a recording has come to after so many of its entries: transcript, status, and what is being said."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from tui import wire
from tui.audio_format import AudioFormat
from tui.capture import Entry, EventLog, Interrupted
from tui.conversation import AgentState, Cause, Link, Status, Turn
from tui.conversation.fold import Fold
from tui.conversation.heard import Heard
from tui.session.batch import Batch
from tui.wire import Direction

_RATE_WINDOW_NS: Final = 1_000_000_000

_LINKS: Final = {
    "websocket.connect": Link.CONNECTING,
    "websocket.failed": Link.FAILED,
    "websocket.closed": Link.CLOSED,
    "websocket.close": Link.CLOSED,
}


@dataclass(frozen=True, slots=True)
class Sound:
    """A piece of what the agent said, as it came."""

    item_id: str
    content_index: int
    data: bytes
    audio_format: AudioFormat

    @property
    def length_ns(self) -> int:
        """How long it plays, in nanoseconds."""
        return self.audio_format.length_ns(len(self.data))

    def from_ns(self, skipped_ns: int) -> Sound:
        """Return what is left of it after so many nanoseconds, from a whole sample on."""
        sample = 1 if self.audio_format.coding else 2
        return replace(self, data=self.data[skipped_ns * self.audio_format.rate // 1_000_000_000 * sample :])


class Silence:
    """The agent was interrupted."""


class Replayed:
    """Takes the entries of a log, one after the other."""

    def __init__(self, log: EventLog, host: str, model: str) -> None:
        self.count = 0
        """Entries that were taken."""
        self.heard: Heard[Sound] = Heard()
        self._log = log
        self._rows = 0
        self._fold = Fold(Status(replay=True, host=host, model=model))
        self._counts = [0, 0, 0]
        self._marks = 0
        """Marks that were taken."""
        self._fresh = True
        """The screen may still show something else."""

    def anew(self) -> Replayed:
        """The same recording, before its first entry."""
        status = self._fold.status
        return Replayed(self._log, status.host, status.model)

    def take(self) -> Sound | Silence | None:
        """Take the next entry; return what there is to hear of it."""
        entry = self._log.entry(self.count)
        self._take_marks()
        self.count += 1
        self._rows = max(self._rows, self._log.row_of(entry.index) + 1)
        self._counts[entry.direction] += 1
        event = None if entry.binary else wire.parse(entry.data)
        if event is None:
            return None
        if entry.direction is Direction.LOCAL:
            return self._local(entry, event)
        if entry.direction is Direction.SENT:
            if entry.note:
                return None  # it was not sent
            self._fold.sent(event, entry.t_ns)
            self.heard.sent(event, entry.t_ns)
            interrupts = entry.type in ("response.cancel", "conversation.item.truncate")
            return Silence() if interrupts else None
        self._fold.received(event, entry.t_ns)
        if entry.type in ("session.created", "session.updated"):
            self._fold.reducer.set(link=Link.CONNECTED)
        sound = _sound(entry, event, self._log.audio_format(entry.index))
        heard = self.heard.received(event, entry.t_ns, sound.length_ns, sound)
        self.heard.forget_before(entry.t_ns)
        if entry.type == "input_audio_buffer.speech_started":
            return Silence()
        return sound if heard else None

    def after(self, t_ns: int) -> list[Sound]:
        """Return what is heard from this time on, of what came so far."""
        return [sound.from_ns(over_ns) for sound, over_ns in self.heard.after(t_ns)]

    def batch(self, t_ns: int) -> Batch:
        """What is new since the last one, at this time of the recording."""
        turns, order = self._fold.transcript.take_changes()
        if self._fresh and order is None:
            order = ()
        self._fresh = False
        status = replace(
            self._fold.status,
            received=self._counts[Direction.RECEIVED],
            sent=self._counts[Direction.SENT],
            rate=float(self.count - min(self.count, self._log.index_after(t_ns - _RATE_WINDOW_NS, self.count))),
        )
        if self.heard.lasts(t_ns) and status.agent is AgentState.IDLE:
            status = replace(status, agent=AgentState.SPEAKING)
        return Batch(self.count, self._rows, (), turns, order, status)

    def _local(self, entry: Entry, event: Mapping[str, Any]) -> Silence | None:
        link = _LINKS.get(entry.type)
        text = wire.text(event.get("text"))
        if link is None:
            return None
        if link is Link.CONNECTING:
            self._fold.new_connection()
            self.heard.new_connection()
            self._fold.reducer.set(link=link, cause=None)
            return None
        self._fold.transcript.end_session()
        if entry.type != "websocket.close":
            fix = wire.text(event.get("fix"))
            self._fold.transcript.say(text, entry.t_ns / 1e9, fix)
            self._fold.reducer.set(cause=Cause("recorded", text, fix))
        self._fold.reducer.set(link=link, agent=AgentState.IDLE, response_id="")
        self.heard.stop(entry.t_ns)
        return Silence()

    def finish(self) -> None:
        """Take what was marked behind the last entry."""
        self._take_marks()

    def turns(self) -> tuple[Turn, ...]:
        """The whole transcript, in order."""
        return self._fold.transcript.turns()

    def _take_marks(self) -> None:
        """What was heard when somebody interrupted, before the next entry."""
        marks = self._log.marks
        while self._marks < len(marks) and marks[self._marks][0] <= self.count:
            mark = marks[self._marks][1]
            self._marks += 1
            self.heard.mark(mark)
            if isinstance(mark, Interrupted):
                self._fold.interrupted(mark.response_id, mark.heard)


def _sound(entry: Entry, event: Mapping[str, Any], audio_format: AudioFormat) -> Sound:
    """Return the agent's audio in an event; nothing where it has none that can be read."""
    item_id, index = event.get("item_id"), event.get("content_index")
    delta = wire.audio_of(event)
    try:
        data = base64.b64decode(delta) if isinstance(delta, str) else b""
    except (binascii.Error, ValueError):
        data = b""
    return Sound(wire.text(item_id), index if isinstance(index, int) else 0, data, audio_format)
