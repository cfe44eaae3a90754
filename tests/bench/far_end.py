"""The server of the measurements, in a process of its own: it speaks as much GA as a session needs, and streams.

``python -m tests.bench.far_end`` prints its port, and then a line for each client event: when it came, in monotonic
nanoseconds, and its type. ``spoken N`` on its stdin makes it stream spoken turns at N events a second, evenly, until
the next line there; ``folded N`` one endless answer. The ids of such events hold a number and the nanosecond at which
the event was due. A ``response.create`` gets an answer of 50 events a second, which ends with a ``response.cancel``.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.bench import workload
from tests.bench.figures import NotMeasuredError
from tests.bench.workload import Turn

_ANSWER_RATE = 50


@dataclass(frozen=True, slots=True)
class ClientEvent:
    """An event that the program sent, as the server saw it."""

    at: float
    """Monotonic seconds."""
    type: str


class FarEnd:
    """The server process, as a context manager."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.far_end"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._events: list[ClientEvent] = []
        assert self._process.stdout is not None
        first = self._process.stdout.readline()
        if not first:
            self._process.wait()
            raise NotMeasuredError("the server of the measurement did not start")
        self.url = f"ws://127.0.0.1:{first.strip()}/v1/realtime?model=gpt-realtime"
        """Where it listens."""
        self._reader = threading.Thread(target=self._read, name="far-end", daemon=True)
        self._reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()

    def stream(self, rate: float, what: str = "spoken") -> None:
        """Stream so many events a second, of ``spoken`` turns or of one ``folded`` answer; 0 ends the stream."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{what} {rate}\n")
        self._process.stdin.flush()

    def first(self, event_type: str, after: float = 0.0) -> ClientEvent | None:
        """The first event of this type that came later than ``after``, in monotonic seconds; None while there is none.

        Raises NotMeasuredError when the server has ended.
        """
        if self._process.poll() is not None:
            raise NotMeasuredError("the server of the measurement has ended")
        return next((event for event in self._events if event.type == event_type and event.at > after), None)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            at, event_type = line.split()
            self._events.append(ClientEvent(int(at) / 1e9, event_type))


@dataclass(slots=True)
class _Order:
    """What to stream, as the last line on stdin said."""

    what: str = ""
    rate: float = 0.0
    given: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, line: str) -> None:
        """Take a line."""
        self.what, rate = line.split()
        self.rate = float(rate)
        self.given.set()


class _Session:
    """One connection."""

    def __init__(self, connection: ServerConnection, order: _Order) -> None:
        self._connection = connection
        self._order = order
        self._ids = workload.event_ids()
        self._turns = itertools.count(1_000_000)  # beyond those of the stream
        self._stop = asyncio.Event()
        self._answer: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Serve until the client goes."""
        await self._send(self._session_event("session.created"))
        streaming = asyncio.create_task(self._stream())
        try:
            async for message in self._connection:
                at = time.monotonic_ns()
                event_type = json.loads(message)["type"]
                print(at, event_type, flush=True)
                await self._take(event_type)
        finally:
            tasks = [task for task in (streaming, self._answer) if task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _take(self, event_type: str) -> None:
        if event_type == "session.update":
            await self._send(self._session_event("session.updated"))
        elif event_type == "response.create" and (self._answer is None or self._answer.done()):
            self._stop.clear()
            self._answer = asyncio.create_task(self._speak(Turn(self._ids, next(self._turns))))
        elif event_type == "response.cancel":
            self._stop.set()

    async def _speak(self, turn: Turn) -> None:
        """Answer until the client cancels."""
        for event in turn.begin():
            await self._send(event)
        for step in itertools.count():
            await self._send(turn.word(step) if step % 2 else turn.audio(step))
            try:
                await asyncio.wait_for(self._stop.wait(), 1 / _ANSWER_RATE)
            except TimeoutError:
                continue
            break
        for event in turn.end("cancelled"):
            await self._send(event)

    async def _stream(self) -> None:
        """Keep to the schedule: an event that is late is followed by the next one at once."""
        await self._order.given.wait()
        rate, start_ns = self._order.rate, time.monotonic_ns()
        if not rate:
            return
        due_ns = start_ns
        # The id of an event is taken when the event is made, which is when it is due.
        ids = (f"event_{number}_{due_ns}" for number in itertools.count())
        events = workload.folded(ids) if self._order.what == "folded" else workload.spoken(ids)
        for number, event in enumerate(events, start=1):
            await self._send(event)
            if self._order.rate != rate:
                return
            due_ns = start_ns + int(number / rate * 1e9)
            wait_ns = due_ns - time.monotonic_ns()
            if wait_ns > 0:
                await asyncio.sleep(wait_ns / 1e9)

    async def _send(self, event: bytes) -> None:
        await self._connection.send(event, text=True)

    def _session_event(self, event_type: str) -> bytes:
        return workload.event(self._ids, event_type, session=workload.session())


async def main() -> None:
    """Serve until killed."""
    order, loop = _Order(), asyncio.get_running_loop()

    async def handle(connection: ServerConnection) -> None:
        try:
            await _Session(connection, order).run()
        except ConnectionClosed:
            pass  # the program has quit

    def take_orders() -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(order.take, line)

    async with serve(handle, "127.0.0.1", 0, compression=None, max_size=None, ping_interval=None) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        threading.Thread(target=take_orders, daemon=True).start()
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
