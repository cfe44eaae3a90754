"""Takes every frame first, and makes the batches that the screen gets. Knows nothing of the SDK."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
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
from tui.wire import Direction

_AUDIO_DELTAS = frozenset({"response.output_audio.delta", "response.audio.delta"})


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
        self._clock_ns = clock_ns
        self._notices: list[Notice] = []
        self._timer: asyncio.TimerHandle | None = None
        self._delivered_at = 0.0
        # (monotonic seconds, events so far), one a batch, covering the last second
        self._history: deque[tuple[float, int]] = deque()
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
        """Record a frame from the server.

        Returns:
            Its index in the log, or None when it must not reach the SDK, because it would end the session there.
        """
        t_ns = self._clock_ns()
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
        self.transcript.received(event, t_ns / 1e9)
        self.reducer.received(event, t_ns)
        self.on_event(event)
        return index

    def sent(self, data: bytes, *, binary: bool = False) -> None:
        """Record a frame that goes to the server."""
        t_ns = self._clock_ns()
        self.log.append(Direction.SENT, data, t_ns, binary=binary)
        self.touch()
        event = wire.parse(data)
        if event is not None:
            self.reducer.sent(event, t_ns - self.log.origin_ns)

    def local(self, event_type: str, text: str, facts: Mapping[str, str] | None = None, *, alarm: bool = False) -> None:
        """Record something that happened to the connection itself."""
        data = json.dumps({"type": event_type, "text": text, **(facts or {})}, ensure_ascii=False)
        index = self.log.append(Direction.LOCAL, data.encode(errors="replace"), self._clock_ns())
        if alarm:
            self.log.mark_alarm(index)
        self.touch()

    def drop_audio_of(self, response_id: str) -> None:
        """Do not play what still comes of this response."""
        if response_id:
            self._dropped.add(response_id)

    def new_connection(self) -> None:
        """Forget what belongs to the previous connection."""
        self._dropped.clear()

    def _play(self, event: Mapping[str, Any]) -> bool:
        """Hand audio to playback; False when it is not base64."""
        delta, item_id, index = event.get("delta"), event.get("item_id"), event.get("content_index")
        if not isinstance(delta, str):
            return True  # the SDK's own validation says what is wrong with it, and survives
        try:
            pcm = base64.b64decode(delta)
        except (binascii.Error, ValueError):
            return False
        if isinstance(item_id, str) and event.get("response_id") not in self._dropped:
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
        if self._timer is None:
            loop = asyncio.get_running_loop()
            delay = self._delivered_at + self._interval_s - loop.time()
            self._timer = loop.call_later(max(0.0, delay), self.flush)

    def flush(self) -> None:
        """Deliver a batch now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._delivered_at = asyncio.get_running_loop().time()
        rate = self._rate(self._delivered_at)
        turns, order = self.transcript.take_changes()
        self.reducer.set(received=self.log.counts[0], sent=self.log.counts[1], rate=rate)
        notices, self._notices = tuple(self._notices), []
        self._deliver(Batch(len(self.log), self.log.rows, self.log.take_changed(), turns, order, self.status, notices))
        if rate > 0:
            # Nothing may come any more: the rate still has to fall to zero on the screen.
            self._timer = asyncio.get_running_loop().call_later(1.0, self.flush)

    def stop(self) -> None:
        """Deliver what is left, and nothing afterwards."""
        self.flush()
        if self._timer is not None:
            self._timer.cancel()

    def _rate(self, now: float) -> float:
        events = self.log.counts[0] + self.log.counts[1]
        history = self._history
        history.append((now, events))
        while len(history) > 1 and history[1][0] <= now - 1.0:
            history.popleft()
        start, before = history[0]
        if start <= now - 1.0:
            return (events - before) / (now - start)
        return float(events - before)
