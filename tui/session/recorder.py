"""Takes every frame first, and makes the batches that the screen gets. Knows nothing of the SDK."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import logging
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from tui import wire
from tui.audio import Playback
from tui.capture import EventLog
from tui.conversation import Transcript
from tui.conversation.status import Status, StatusReducer
from tui.session.batch import Batch, Notice, Severity
from tui.settings import Secret
from tui.wire import Direction

logger = logging.getLogger(__name__)

_RATE_WINDOW_S = 1.0

_AUDIO_DELTAS = ("response.output_audio.delta", "response.audio.delta")


class Recorder:
    """The event log, the transcript and the status of a session, fed by the transport.

    Everything runs in the session thread. ``deliver`` is called there, at most ``fps`` times a second.
    """

    def __init__(
        self,
        log: EventLog,
        playback: Playback,
        deliver: Callable[[Batch], None],
        *,
        fps: float,
        key: Secret | None = None,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.log = log
        self.transcript = Transcript()
        self.reducer = StatusReducer()
        self.on_event: Callable[[Mapping[str, Any]], None] = lambda _: None
        """Called with each parsed event that was received."""
        self._playback = playback
        self._deliver = deliver
        self._interval_s = 1 / fps
        self._key = key or Secret()
        self._clock_ns = clock_ns
        self._notices: list[Notice] = []
        self._due: asyncio.TimerHandle | None = None
        self._fade: asyncio.TimerHandle | None = None
        self._delivered_at = 0.0
        # (monotonic seconds, events so far), one a batch, covering the last second
        self._history: deque[tuple[float, int]] = deque([(float("-inf"), self._events())])
        self._stopped = False
        self._dropped: set[str] = set()
        """Responses that the person interrupted: their late audio is not played."""

    @property
    def status(self) -> Status:
        """The current status."""
        return self.reducer.status

    def now_s(self) -> float:
        """Seconds since the log's origin."""
        return (self._clock_ns() - self.log.origin_ns) / 1e9

    # Frames

    def received(self, data: bytes, *, binary: bool) -> int | None:
        """Record a frame from the server, with the key masked where the server echoes it.

        Returns:
            Its index in the log, or None when it must not reach the SDK, because it would end the session there.
        """
        t_ns = self._clock_ns()
        data = self._key.masked(data)
        index = self.log.append(Direction.RECEIVED, data, t_ns, binary=binary)
        self.touch()
        event = None if binary else wire.parse(data)
        if event is None:
            why = "a binary frame, which the Realtime API does not use" if binary else wire.why_not_event(data)
            self.log.add_note(index, f"{why}; kept from the SDK")
            self.log.mark_alarm(index)
            return None
        if wire.is_alarm(event):
            self.log.mark_alarm(index)
        if event.get("type") in _AUDIO_DELTAS and not self._play(event):
            self.log.add_note(index, "audio that is not base64; kept from the SDK")
            self.log.mark_alarm(index)
            return None
        t_ns -= self.log.origin_ns
        try:
            self.transcript.received(event, t_ns / 1e9)
            self.reducer.received(event, t_ns)
            self.on_event(event)
        except Exception:
            # We are called by the transport: a fault of ours in reading one event must not cost the connection.
            logger.exception("An event could not be read: entry %d", index)
            self.log.add_note(index, "azrt-tui failed on it: the log file has the details")
        return index

    def sent(self, data: bytes, *, binary: bool = False) -> int:
        """Record a frame that goes to the server; return its index in the log."""
        t_ns = self._clock_ns()
        index = self.log.append(Direction.SENT, data, t_ns, binary=binary)
        self.touch()
        event = None if binary else wire.parse(data)
        if event is not None:
            self.reducer.sent(event, t_ns - self.log.origin_ns)
        return index

    def not_sent(self, index: int) -> None:
        """The connection ended before this frame was out."""
        self.log.add_note(index, "not sent: the connection had ended")
        self.log.mark_alarm(index)
        self.touch()

    def local(self, event_type: str, text: str, facts: Mapping[str, str] | None = None, *, alarm: bool = False) -> None:
        """Record something that happened to the connection itself."""
        data = json.dumps({"type": event_type, "text": text, **(facts or {})}, ensure_ascii=False)
        index = self.log.append(Direction.LOCAL, data.encode(errors="replace"), self._clock_ns())
        if alarm:
            self.log.mark_alarm(index)
        self.touch()

    def interrupted(self, response_id: str, heard: Mapping[str, int]) -> None:
        """The person interrupted: show it, and do not play what still comes of this response.

        Args:
            response_id: the response that is running, "" when only its audio was still playing.
            heard: item id -> milliseconds heard, for items whose audio was playing or waiting to.
        """
        if response_id:
            self._dropped.add(response_id)
        self.transcript.interrupt(response_id, heard)
        self.reducer.interrupted(response_id)
        self.touch()

    def new_connection(self) -> None:
        """Forget what belongs to the previous connection."""
        self._dropped.clear()
        self.reducer.new_connection()
        self.touch()

    def _play(self, event: Mapping[str, Any]) -> bool:
        """Hand audio to playback; False when it is not base64."""
        delta, item_id, index = event.get("delta"), event.get("item_id"), event.get("content_index")
        if not isinstance(delta, str):
            return True  # the SDK's own validation says what is wrong with it, and survives
        try:
            pcm = base64.b64decode(delta)
        except (binascii.Error, ValueError):
            return False
        response_id = event.get("response_id")
        if isinstance(item_id, str) and not (isinstance(response_id, str) and response_id in self._dropped):
            self._playback.feed(item_id, index if isinstance(index, int) else 0, pcm)
        return True

    # Batches

    def notify(self, text: str, severity: Severity = Severity.INFORMATION) -> None:
        """Tell the person something in passing."""
        self._notices.append(Notice(text, severity))
        self.touch()

    def set_status(self, **changes: Any) -> None:
        """Change fields of the status."""
        self.reducer.set(**changes)
        self.touch()

    def touch(self) -> None:
        """Something changed: a batch is due."""
        if self._due is None and not self._stopped:
            loop = asyncio.get_running_loop()
            delay = self._delivered_at + self._interval_s - loop.time()
            self._due = loop.call_later(max(0.0, delay), self.flush)

    def flush(self) -> None:
        """Deliver a batch now."""
        self._cancel_timers()
        loop = asyncio.get_running_loop()
        self._delivered_at = loop.time()
        rate = self._rate(self._delivered_at)
        turns, order = self.transcript.take_changes()
        self.reducer.set(received=self.log.count(Direction.RECEIVED), sent=self.log.count(Direction.SENT), rate=rate)
        notices, self._notices = tuple(self._notices), []
        self._deliver(Batch(len(self.log), self.log.rows, self.log.take_changed(), turns, order, self.status, notices))
        if rate > 0:
            # Nothing may come any more: the rate still has to fall to zero on the screen.
            self._fade = loop.call_later(_RATE_WINDOW_S, self.flush)

    def stop(self) -> None:
        """Deliver what is left, and nothing afterwards."""
        self.flush()
        self._stopped = True
        self._cancel_timers()

    def _cancel_timers(self) -> None:
        for timer in (self._due, self._fade):
            if timer is not None:
                timer.cancel()
        self._due = self._fade = None

    def _events(self) -> int:
        return self.log.count(Direction.RECEIVED) + self.log.count(Direction.SENT)

    def _rate(self, now: float) -> float:
        """Events of the last second: since the latest batch that is a second old."""
        events = self._events()
        history = self._history
        history.append((now, events))
        while len(history) > 1 and history[1][0] <= now - _RATE_WINDOW_S:
            history.popleft()
        return float(events - history[0][1])
