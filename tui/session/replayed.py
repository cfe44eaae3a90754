"""What a recording has come to after so many of its entries: transcript, status, and what is being said."""

from __future__ import annotations

import base64
import binascii
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from tui import wire
from tui.audio_format import AudioFormat
from tui.capture import Entry, EventLog, Interrupted
from tui.conversation import AgentState, Cause, Link, Status, Transcript, Turn
from tui.conversation.status import StatusReducer
from tui.session.batch import Batch
from tui.wire import Direction

_RATE_WINDOW_NS: Final = 1_000_000_000

_CARRIED = re.compile(r"carried_(\d{1,6})_1")
"""The id of the first item that a new session was given of the conversation so far."""

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
        """How long it plays, in nanoseconds; 0 for a format that is not known."""
        audio = self.audio_format
        return len(self.data) * 1_000_000_000 // audio.bytes_per_second if audio.known else 0

    def from_ns(self, skipped_ns: int) -> Sound:
        """What is left of it after so many nanoseconds, from a whole sample on."""
        audio = self.audio_format
        sample = 1 if audio.coding else 2
        return replace(self, data=self.data[skipped_ns * audio.rate // 1_000_000_000 * sample :])


class Silence:
    """The agent was interrupted."""


@dataclass(slots=True)
class _Playing:
    start_ns: int
    end_ns: int
    sound: Sound


class Spoken:
    """When each piece was heard: as it came, or when what came before it had been heard."""

    def __init__(self) -> None:
        self._pieces: deque[_Playing] = deque()
        self._end_ns = 0

    def add(self, t_ns: int, sound: Sound) -> None:
        """A piece came at this time. Those that were heard by then are forgotten."""
        while self._pieces and self._pieces[0].end_ns <= t_ns:
            self._pieces.popleft()
        start_ns = max(t_ns, self._end_ns)
        self._end_ns = start_ns + sound.length_ns
        self._pieces.append(_Playing(start_ns, self._end_ns, sound))

    def stop(self, t_ns: int) -> None:
        """What was not heard by this time never was."""
        self._pieces.clear()
        self._end_ns = t_ns

    def lasts(self, t_ns: int) -> bool:
        """Whether something is heard at this time."""
        return t_ns < self._end_ns and bool(self._pieces)

    def after(self, t_ns: int) -> list[Sound]:
        """What is heard from this time on, of what came so far."""
        return [each.sound.from_ns(max(0, t_ns - each.start_ns)) for each in self._pieces if each.end_ns > t_ns]


class Replayed:
    """Takes the entries of a log, one after the other."""

    def __init__(self, log: EventLog, host: str, model: str) -> None:
        self.count = 0
        """Entries that were taken."""
        self.spoken = Spoken()
        self._log = log
        self._rows = 0
        self._transcript = Transcript()
        self._reducer = StatusReducer(Status(replay=True, host=host, model=model))
        self._counts = [0, 0, 0]
        self._marks = 0
        """Marks that were taken."""
        self._unsent: dict[str, str] = {}
        """Key -> text of messages that no session has confirmed; they were sent once more."""
        self._texts: dict[str, str] = {}
        """Key -> text of the messages that were sent in this session."""
        self._fresh = True
        """The screen may still show something else."""

    def anew(self) -> Replayed:
        """The same recording, before its first entry."""
        status = self._reducer.status
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
            self._reducer.sent(event, entry.t_ns)
            if entry.type == "conversation.item.create" and not entry.note:
                self._created(entry, event)
            return self._interruption(entry, event)
        self._transcript.received(event, entry.t_ns / 1e9)
        self._reducer.received(event, entry.t_ns)
        if entry.type in wire.OUTPUT_AUDIO:
            return self._sound(entry, event)
        if entry.type in ("session.created", "session.updated"):
            self._reducer.set(link=Link.CONNECTED)
        elif entry.type == "input_audio_buffer.speech_started":
            return self._silence(entry)
        return None

    def batch(self, t_ns: int) -> Batch:
        """What is new since the last one, at this time of the recording."""
        turns, order = self._transcript.take_changes()
        if self._fresh and order is None:
            order = ()
        self._fresh = False
        status = replace(
            self._reducer.status,
            received=self._counts[Direction.RECEIVED],
            sent=self._counts[Direction.SENT],
            rate=float(self.count - min(self.count, self._log.index_after(t_ns - _RATE_WINDOW_NS, self.count))),
        )
        if self.spoken.lasts(t_ns) and status.agent is AgentState.IDLE:
            status = replace(status, agent=AgentState.SPEAKING)
        return Batch(self.count, self._rows, (), turns, order, status)

    def _local(self, entry: Entry, event: Mapping[str, Any]) -> Silence | None:
        link = _LINKS.get(entry.type)
        text = wire.text(event.get("text"))
        if link is None:
            return None
        if link is Link.CONNECTING:
            self._reducer.new_connection()
            self._reducer.set(link=link, cause=None)
            return None
        self._unsent = {key: self._texts[key] for key in self._transcript.end_session() if key in self._texts}
        if entry.type != "websocket.close":
            self._transcript.say(text, entry.t_ns / 1e9)
            self._reducer.set(cause=Cause("recorded", text, ""))
        self._reducer.set(link=link, agent=AgentState.IDLE, response_id="")
        return self._silence(entry)

    def finish(self) -> None:
        """Take what was marked behind the last entry."""
        self._take_marks()

    def turns(self) -> tuple[Turn, ...]:
        """The whole transcript, in order."""
        return self._transcript.turns()

    def _take_marks(self) -> None:
        """What was heard when somebody interrupted, before the next entry."""
        marks = self._log.marks
        while self._marks < len(marks) and marks[self._marks][0] <= self.count:
            mark = marks[self._marks][1]
            self._marks += 1
            if isinstance(mark, Interrupted):
                self._transcript.interrupt(mark.response_id, mark.heard)
                self._reducer.interrupted(mark.response_id)

    def _created(self, entry: Entry, event: Mapping[str, Any]) -> None:
        """A message of the person's is in the transcript before the server confirms it, or if it never does."""
        item = event.get("item")
        if not isinstance(item, Mapping):
            return
        carried = _CARRIED.fullmatch(str(item.get("id")))
        if carried is not None:
            self._transcript.carry(int(carried[1]))
        text = wire.content_text(item.get("content"))
        if item.get("type") != "message" or item.get("role") != "user" or item.get("id") or not text:
            return
        key = next((key for key, unsent in self._unsent.items() if unsent == text), "")
        self._unsent.pop(key, None)
        key = key or self._transcript.queue(text, entry.t_ns / 1e9)
        self._transcript.mark_sent(key)
        self._texts[key] = text

    def _interruption(self, entry: Entry, event: Mapping[str, Any]) -> Silence | None:
        """What the person heard of an answer stands in the truncation that was sent."""
        item_id, heard_ms = event.get("item_id"), event.get("audio_end_ms")
        if entry.type == "conversation.item.truncate" and isinstance(item_id, str) and isinstance(heard_ms, int):
            self._transcript.interrupt("", {item_id: heard_ms})
            return self._silence(entry)
        if entry.type == "response.cancel":
            response_id = wire.text(event.get("response_id")) or self._reducer.status.response_id
            self._transcript.interrupt(response_id, {})
            self._reducer.interrupted(response_id)
            return self._silence(entry)
        return None

    def _silence(self, entry: Entry) -> Silence:
        self.spoken.stop(entry.t_ns)
        return Silence()

    def _sound(self, entry: Entry, event: Mapping[str, Any]) -> Sound | None:
        item_id, index, delta = event.get("item_id"), event.get("content_index"), event.get("delta")
        if not isinstance(item_id, str) or not isinstance(delta, str):
            return None
        try:
            data = base64.b64decode(delta)
        except (binascii.Error, ValueError):
            return None
        part = index if isinstance(index, int) else 0
        sound = Sound(item_id, part, data, self._log.audio_format(entry.index))
        self.spoken.add(entry.t_ns, sound)
        return sound
