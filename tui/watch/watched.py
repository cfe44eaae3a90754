"""One relayed session as it is seen: what it was recorded into, and whoever looks at it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from tui.audio import NoPlayback
from tui.capture import EventLog
from tui.conversation import AgentState, Cause, Link
from tui.session.batch import Batch
from tui.session.recorder import Recorder
from tui.watch.credentials import SessionMask
from tui.watch.request import Asked

Watcher = Callable[[Batch], None]


class WatchedSession:
    """A session between a client and the service. Made and fed in the relay's thread; ``watch`` is for any.

    Its sound is the client's affair: nothing is played here.
    """

    def __init__(self, number: int, asked: Asked, host: str, log: EventLog, mask: SessionMask, *, fps: float) -> None:
        self.number = number
        """Counted from 1, over all sessions of the relay."""
        self.model = asked.model
        self.name = asked.name
        """Its kind and its model, as far as they are known."""
        self.client = asked.client
        """How the client names itself; it comes from outside."""
        self.log = log
        self.recorder = Recorder(log, NoPlayback(), self._deliver, fps=fps, key=mask)
        self._mask = mask
        self.on_link: Callable[[], None] = lambda: None
        """Called in the relay's thread when ``link`` has changed."""
        self._link = Link.CONNECTING
        self._lock = threading.Lock()
        self._watcher: Watcher | None = None
        self._missed: Batch | None = None
        self.recorder.unusable = "passed on as it is"
        self.recorder.plays = False
        self.recorder.set_status(
            host=host, model=asked.model, kind=asked.kind.remark, link=Link.CONNECTING, watched=True
        )
        self.recorder.local("websocket.connect", asked.shown_url)

    @property
    def link(self) -> Link:
        """How the session stands."""
        return self._link

    def watch(self, watcher: Watcher) -> None:
        """Hand every batch to ``watcher`` from now on, and what has come until now; it is called in the relay's thread.

        It must be quick and may not raise.
        """
        with self._lock:
            self._watcher = watcher
            missed, self._missed = self._missed, None
            if missed is not None:
                watcher(missed)

    def sent(self, data: bytes, *, binary: bool) -> None:
        """Record a frame of the client, which may sign in with it."""
        self._mask.learn(data)
        self.recorder.sent(data, binary=binary)

    def opened(self) -> None:
        """Client and service are connected."""
        self.recorder.set_status(link=Link.CONNECTED)

    def failed(self, cause: Cause) -> None:
        """There is no session: the service did not take the request."""
        self._end(cause, Link.FAILED)

    def ended(self, cause: Cause) -> None:
        """The session is over."""
        self._end(cause, Link.CLOSED)

    def _end(self, cause: Cause, link: Link) -> None:
        recorder = self.recorder
        cause = cause.mapped(self._mask.masked)
        what = "websocket.failed" if link is Link.FAILED else "websocket.closed"
        recorder.local(what, cause.sentence, {**cause.facts, **({"fix": cause.fix} if cause.fix else {})})
        recorder.transcript.end_session()
        recorder.transcript.say(cause.sentence, recorder.now_s(), cause.fix)
        recorder.set_status(link=link, cause=cause, agent=AgentState.IDLE, response_id="")
        recorder.stop()
        # Nothing comes any more.
        self._deliver(Batch(len(self.log), self.log.rows, (), (), None, replace(recorder.status, rate=0.0)))

    def _deliver(self, batch: Batch) -> None:
        # A secret may come in pieces, which only the text that they make shows.
        masked = self._mask.masked
        batch = replace(batch, turns=tuple(replace(turn, text=masked(turn.text)) for turn in batch.turns))
        if batch.status.link is not self._link:
            self._link = batch.status.link
            self.on_link()
        with self._lock:
            if self._watcher is not None:
                self._watcher(batch)
            else:
                self._missed = batch if self._missed is None else self._missed.then(batch)
