"""A connection of the doctor's own, without the SDK: the session's transport, and waiting for single events."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from websockets.exceptions import ConnectionClosed

from tui import wire
from tui.audio import NoPlayback
from tui.capture import EventLog
from tui.failures.events import of_error
from tui.session.causes import Ending
from tui.session.plan import SessionPlan
from tui.session.recorder import Recorder
from tui.session.transport import RecordedConnection, open_connection
from tui.settings import Secret

Event = Mapping[str, Any]

_CLOSES_WITHIN_S: Final = 1.0
"""How long a server that says that the session has expired may take to close the connection."""


class ConnectionEnded(Exception):  # noqa: N818 - it ends a check, it need not be an error
    """The connection ended while something was waited for."""

    def __init__(self, ending: Ending, *, expired: bool) -> None:
        """``expired``: the server has said before that the session's time is up."""
        super().__init__()
        self.ending = ending
        self.expired = expired


class Probe:
    """One connection. Frames that are no events are passed over, as the session does."""

    def __init__(self, connection: RecordedConnection, log: EventLog, events: asyncio.Queue[Event | None]) -> None:
        self._connection = connection
        self._log = log
        self._events = events
        self._expired = self._closed = False
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def open(cls, plan: SessionPlan, secret: Secret) -> Probe:
        """Connect. Raises what :func:`tui.session.causes.from_exception` explains."""
        events: asyncio.Queue[Event | None] = asyncio.Queue()
        log = EventLog(time.monotonic_ns())
        recorder = Recorder(log, NoPlayback(), lambda _: None, fps=1, key=plan.credentials)
        recorder.on_event = events.put_nowait
        try:
            headers = await plan.credentials.headers(plan.target, secret)
            connection = await open_connection(plan.target.url, headers, recorder, plan.timeouts, plan.ca_file)
        finally:
            recorder.stop()
        return cls(connection, log, events)

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of the server's 101 answer."""
        response = self._connection.response
        return response.headers if response is not None else {}

    @property
    def ending(self) -> Ending:
        """How the connection ended, as far as it has."""
        return self._connection.ending

    @property
    def unreadable(self) -> list[str]:
        """What was wrong with each frame that is no event; the session passes them over too."""
        return [entry.note for entry in map(self._log.entry, range(len(self._log))) if entry.alarm and entry.note]

    async def send(self, event_type: str, **fields: Any) -> None:
        """Send an event. Raises ConnectionEnded."""
        try:
            await self._connection.send(json.dumps({"type": event_type, **fields}))
        except ConnectionClosed:
            raise self._ended() from None

    async def next(self, wanted: Callable[[Event], bool], seconds: float) -> Event:
        """The next event that is wanted; the others before it are forgotten. Raises TimeoutError, ConnectionEnded."""
        async with asyncio.timeout(seconds):
            while True:
                event = await self._events.get()
                if event is None:
                    self._events.put_nowait(None)  # whoever asks next shall hear of it too
                    raise self._ended()
                if event.get("type") == "error" and of_error(wire.error_of(event)).name == "expired":
                    await self._expire()
                if wanted(event):
                    return event

    async def round_trip(self, seconds: float) -> float:
        """Seconds from a ping to its pong. Raises TimeoutError, ConnectionEnded."""
        try:
            async with asyncio.timeout(seconds):
                return float(await (await self._connection.ping()))
        except ConnectionClosed:
            raise self._ended() from None

    async def close(self) -> None:
        """Say goodbye, and wait for the other side for a moment. Closing once more does nothing."""
        if self._closed:
            return
        self._closed = True
        self._reading.cancel()
        await asyncio.wait({self._reading})
        with contextlib.suppress(ConnectionClosed, OSError):
            await self._connection.close()
        self._log.close()

    async def _expire(self) -> None:
        """The session is over, also where the server leaves the connection open. Raises ConnectionEnded."""
        self._expired = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSES_WITHIN_S):
                await asyncio.shield(self._reading)
        ended = self._ended()
        if ended.ending.open:
            with contextlib.suppress(ConnectionClosed, OSError):
                await self._connection.close()
        self._events.put_nowait(None)
        raise ended

    def _ended(self) -> ConnectionEnded:
        return ConnectionEnded(self.ending, expired=self._expired)

    async def _read(self) -> None:
        try:
            while True:
                await self._connection.recv()
        except ConnectionClosed:
            self._events.put_nowait(None)


def of_types(*types: str) -> Callable[[Event], bool]:
    """What tells events of these types from others."""
    return lambda event: event.get("type") in types
