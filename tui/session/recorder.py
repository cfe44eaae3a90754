"""Takes every frame first, and makes the batches that the screen gets. Knows nothing of the SDK."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import logging
import math
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, AnyStr, Protocol

from tui import wire
from tui.audio import Playback
from tui.audio.conversion import Conversion
from tui.audio_format import AudioFormat
from tui.capture import Decoded, EventLog, Interrupted, Playing
from tui.conversation import Status
from tui.conversation.fold import Fold
from tui.conversation.heard import Heard
from tui.session.batch import Batch, Notice, Severity
from tui.session.capturing import capture_failed, capture_oversized
from tui.settings import Secret
from tui.wire import Direction

logger = logging.getLogger(__name__)

_RATE_WINDOW_S = 1.0

_GROWTH_INTERVAL_S = 0.2
"""Between two batches that say nothing but that rows grew and counters rose: nobody reads faster, and fifty appends a
second of an open microphone would keep the screen drawing."""

_DRIFT_NS = 40_000_000
"""An item that is heard so much later than its beginning says has waited for the network in between."""


class Masking(Protocol):
    """A secret, or something that knows some."""

    def masked(self, text: AnyStr) -> AnyStr:
        """The text with asterisks for each secret, in the same length."""


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
        key: Masking | None = None,
        ours: bool = False,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.log = log
        self.fold = Fold(ours=ours)
        self.transcript, self.reducer = self.fold.transcript, self.fold.reducer
        self.on_event: Callable[[Mapping[str, Any]], None] = lambda _: None
        """Called with each parsed event that was received."""
        self.unusable = "kept from the SDK"
        """What becomes of a frame that the SDK could not take."""
        self.plays = True
        """Whether the agent's voice is handed to playback."""
        self._playback = playback
        self._conversion = Conversion()
        self._deliver = deliver
        self._interval_s = 1 / fps
        self._key: Masking = key or Secret()
        self._clock_ns = clock_ns
        self._notices: list[Notice] = []
        self._due: asyncio.TimerHandle | None = None
        self._fade: asyncio.TimerHandle | None = None
        self._delivered_at = 0.0
        # (monotonic seconds, events so far), one a batch, covering the last second
        self._history: deque[tuple[float, int]] = deque([(float("-inf"), self._events())])
        self._stopped = False
        self._capture_failed = self._capture_oversized = False
        self._playing: tuple[tuple[str, int], int] | None = None
        """Item and part that were heard last, and when they began, in nanoseconds since the log's origin."""
        self._heard: Heard[None] = Heard()

    @property
    def status(self) -> Status:
        """The current status."""
        return self.reducer.status

    def masked(self, text: AnyStr) -> AnyStr:
        """The text with asterisks for the key."""
        return self._key.masked(text)

    def now_s(self) -> float:
        """Seconds since the log's origin."""
        return (self._clock_ns() - self.log.origin_ns) / 1e9

    def begin(self) -> None:
        """Let all times count from now on, when the program connects: importing the SDK took seconds before."""
        self.transcript.rebase(self.now_s())
        self.log.origin_ns = self._clock_ns()

    # Frames

    def received(self, data: bytes, *, binary: bool) -> int | None:
        """Record a frame from the server, with the key masked where the server echoes it.

        Returns:
            Its index in the log, or None when it must not reach the SDK, because it would end the session there.
        """
        t_ns = self._clock_ns()
        data = self._key.masked(data)
        rows, status = self.log.rows, self.status
        # Neither of these raises, and what is decoded here need not be decoded once more for the capture.
        event = None if binary else wire.parse(data)
        audio = _audio(event) if event is not None else None
        index = self.log.append(Direction.RECEIVED, data, t_ns, binary=binary, audio=audio)
        self._touch_since(rows, status)
        if event is None:
            why = "a binary frame, which the Realtime API does not use" if binary else wire.why_not_event(data)
            self.log.add_note(index, f"{why}; {self.unusable}")
            self._alarm(index)
            self.touch()
            return None
        if wire.is_alarm(event):
            self._alarm(index)
        sound = audio.sound if audio is not None else b""
        self._play(event, t_ns - self.log.origin_ns, sound, self.log.audio_format(index))
        if audio is None and wire.audio_of(event):
            self.log.add_note(index, f"audio that is not base64; {self.unusable}")
            self._alarm(index)
            self.touch()
            return None
        t_ns -= self.log.origin_ns
        try:
            self.fold.received(event, t_ns)
            self.on_event(event)
        except Exception:
            # We are called by the transport: a fault of ours in reading one event must not cost the connection.
            logger.exception("An event could not be read: entry %d", index)
            self.log.add_note(index, "azrt-tui failed on it: the log file has the details")
            self.touch()
        self._touch_since(rows, status)
        return index

    def sent(self, data: bytes, *, binary: bool = False) -> int:
        """Record a frame that goes to the server; return its index in the log."""
        t_ns = self._clock_ns()
        rows, status = self.log.rows, self.status
        index = self.log.append(Direction.SENT, self._key.masked(data), t_ns, binary=binary)
        event = None if binary else wire.parse(data)
        if event is not None:
            self.fold.sent(event, t_ns - self.log.origin_ns)
        self._touch_since(rows, status)
        return index

    def _alarm(self, index: int) -> None:
        """Something failed, as this entry says."""
        self.log.mark_alarm(index)
        self.set_status(alarm=index)

    def not_sent(self, index: int) -> None:
        """The connection ended before this frame was out."""
        self.log.add_note(index, "not sent: the connection had ended")
        self._alarm(index)
        self.touch()

    def local(self, event_type: str, text: str, facts: Mapping[str, str] | None = None, *, alarm: bool = False) -> None:
        """Record something that happened to the connection itself."""
        data = json.dumps({"type": event_type, "text": text, **(facts or {})}, ensure_ascii=False)
        index = self.log.append(Direction.LOCAL, self._key.masked(data.encode(errors="replace")), self._clock_ns())
        if alarm:
            self._alarm(index)
        self.touch()

    def interrupted(self, response_id: str, heard: Mapping[str, int]) -> None:
        """The person interrupted: show it, and do not play what still comes of this response.

        Args:
            response_id: the response that is running, "" when it has no id, or only its audio was still playing.
            heard: item id -> milliseconds heard, for items whose audio was playing or waiting to.
        """
        mark = Interrupted(self._clock_ns() - self.log.origin_ns, response_id, dict(heard))
        self.log.mark(mark)
        self._heard.mark(mark)
        self._playing = None
        self.fold.interrupted(response_id, heard)
        self.touch()

    def end_session(self, heard: Mapping[str, int]) -> list[str]:
        """The connection is gone; see :meth:`~tui.conversation.Transcript.end_session`."""
        if heard and self._playing is not None:
            self.log.mark(Interrupted(self._clock_ns() - self.log.origin_ns, "", dict(heard)))
        self._playing = None
        return self.transcript.end_session(heard)

    def new_connection(self) -> None:
        """Forget what belongs to the previous connection."""
        self._heard.new_connection()
        self.fold.new_connection()
        self.touch()

    def _play(self, event: Mapping[str, Any], t_ns: int, sound: bytes, audio_format: AudioFormat) -> None:
        """Hand audio to playback, unless the answer was interrupted."""
        if self._heard.received(event, t_ns, audio_format.length_ns(len(sound)), None) and self.plays:
            index = event.get("content_index")
            part = event["item_id"], index if isinstance(index, int) else 0
            self._playback.feed(*part, self._conversion.feed(part, sound, audio_format))
        self._heard.forget_before(t_ns)

    # Batches

    def notify(self, text: str, severity: Severity = Severity.INFORMATION, command: str = "") -> None:
        """Tell the person something in passing; ``command`` is the id of the binding that may help."""
        self._notices.append(Notice(text, severity, command))
        self.touch()

    def set_status(self, **changes: Any) -> None:
        """Change fields of the status."""
        self.reducer.set(**changes)
        self.touch()

    def touch(self) -> None:
        """Something changed: a batch is due."""
        self._deliver_within(self._interval_s)

    def _touch_since(self, rows: int, status: Status) -> None:
        """A batch is due, a later one when nothing is new since then but that a row has grown."""
        news = self.log.rows != rows or self.status is not status or self.transcript.changed
        self._deliver_within(self._interval_s if news else max(self._interval_s, _GROWTH_INTERVAL_S))

    def _deliver_within(self, interval_s: float) -> None:
        """Deliver so long after the batch before, or when it is due already."""
        if self._stopped:
            return
        due_at = self._delivered_at + interval_s
        if self._due is not None:
            if self._due.when() <= due_at:
                return
            self._due.cancel()
        self._due = asyncio.get_running_loop().call_at(due_at, self.flush)

    def flush(self) -> None:
        """Deliver a batch now."""
        self._cancel_timers()
        loop = asyncio.get_running_loop()
        self._delivered_at = loop.time()
        rate = self._rate(self._delivered_at)
        turns, order = self.transcript.take_changes()
        self.reducer.set(received=self.log.count(Direction.RECEIVED), sent=self.log.count(Direction.SENT), rate=rate)
        self._mark_playing()
        if self.log.capture is not None and self.log.capture.trouble and not self._capture_failed:
            self._capture_failed = True
            self._notices.append(Notice(f"{capture_failed(self.log.capture.trouble)}.", Severity.WARNING))
        if self.log.capture is not None and self.log.capture.oversized and not self._capture_oversized:
            self._capture_oversized = True
            self._notices.append(Notice(capture_oversized(self.log.capture.limit), Severity.WARNING))
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

    def _mark_playing(self) -> None:
        """Note when what is heard began, where that is news: an export puts the voices in time by it."""
        # Where nobody listens, nothing of what was said is unheard.
        position = self._playback.position() if self._playback.quiet_s() < math.inf else None
        if position is None or not position.ms:
            return
        now_ns = self._clock_ns() - self.log.origin_ns
        begun_ns = now_ns - int(position.ms * 1e6)
        key = (position.item_id, position.content_index)
        if self._playing is None or self._playing[0] != key or abs(self._playing[1] - begun_ns) > _DRIFT_NS:
            self._playing = (key, begun_ns)
            self.log.mark(Playing(now_ns, position.item_id, position.content_index, position.ms))

    def _cancel_timers(self) -> None:
        for timer in (self._due, self._fade):
            if timer is not None:
                timer.cancel()
        self._due = self._fade = None

    def _events(self) -> int:
        return self.log.count(Direction.RECEIVED) + self.log.count(Direction.SENT)

    def _rate(self, now: float) -> float:
        """Events a second: those since the latest batch that is a second old."""
        events = self._events()
        history = self._history
        history.append((now, events))
        while len(history) > 1 and history[1][0] <= now - _RATE_WINDOW_S:
            history.popleft()
        elapsed_s = now - history[0][0]
        new = events - history[0][1]
        # After a silence, what is new came just now.
        return new / elapsed_s if elapsed_s <= _RATE_WINDOW_S + _GROWTH_INTERVAL_S else float(new)


def _audio(event: Mapping[str, Any]) -> Decoded | None:
    """The audio in an event that was received; None when there is none, or none that can be decoded."""
    delta = wire.audio_of(event)
    if not delta:
        return None  # what is no text at all, the SDK's own validation says, and survives
    try:
        return Decoded(delta, base64.b64decode(delta))
    except (binascii.Error, ValueError):
        return None
