"""The server of the measurements, in a process of its own: it speaks as much GA as a session needs, and streams.

``python -m tests.bench.far_end`` prints its port, and then a line for each client event: when it came, in monotonic
nanoseconds, its type, and what is measured of its content. ``spoken N`` on its stdin makes it stream spoken turns at N
events a second, evenly, until the next line there; ``typed N`` typed ones, ``folded N`` one endless answer. The ids of
such events hold a number and the nanosecond at which the event was due. A ``response.create`` gets an answer of 50
events a second, which ends with a ``response.cancel``; after a line ``ramp S`` it gets S seconds of samples that say
which they are, twice as fast as they play, and a line ``RAMP`` tells when the first of them went out.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import json
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.bench import workload
from tests.bench.figures import NotMeasuredError
from tests.bench.workload import Turn
from tui.wire import PCM16_RATE

_ANSWER_RATE = 50

RAMP = "ramp"
"""Printed as the type of an event when the first samples of a ramp go out."""

_RAMP_STEP = 7_200
"""Samples in a delta of a ramp: more than the player waits for before it begins, so the first one makes it begin."""

_STREAMS = {"spoken": workload.spoken, "typed": workload.typed, "folded": workload.folded}


@dataclass(frozen=True, slots=True)
class ClientEvent:
    """An event that the program sent, as the server saw it."""

    at: float
    """Monotonic seconds."""
    type: str
    detail: int = 0
    """Of an ``input_audio_buffer.append`` the first sample, of a ``conversation.item.truncate`` the milliseconds."""


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
        """Stream so many events a second, of ``spoken`` or ``typed`` turns or of one ``folded`` answer; 0 ends it."""
        self._order(what, rate)

    def answer_with_ramps(self, seconds: float) -> None:
        """From now on an answer is so many seconds of :func:`tests.bench.workload.ramp`."""
        self._order(RAMP, seconds)

    def first(self, event_type: str, after: float = 0.0) -> ClientEvent | None:
        """The first event of this type that came later than ``after``, in monotonic seconds; None while there is none.

        Raises NotMeasuredError when the server has ended.
        """
        if self._process.poll() is not None:
            raise NotMeasuredError("the server of the measurement has ended")
        return next(iter(self.all(event_type, after)), None)

    def all(self, event_type: str, after: float = 0.0) -> list[ClientEvent]:
        """The events of this type that came later than ``after``, in monotonic seconds."""
        return [event for event in self._events.copy() if event.type == event_type and event.at > after]

    def _order(self, what: str, number: float) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{what} {number}\n")
        self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            at, event_type, detail = line.split()
            self._events.append(ClientEvent(int(at) / 1e9, event_type, int(detail)))


@dataclass(slots=True)
class _Order:
    """What to stream, as the last line on stdin said."""

    what: str = ""
    rate: float = 0.0
    ramp_s: float = 0.0
    given: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, line: str) -> None:
        """Take a line."""
        what, number = line.split()
        if what == RAMP:
            self.ramp_s = float(number)
        else:
            self.what, self.rate = what, float(number)
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
                event = json.loads(message)
                print(at, event["type"], _detail(event), flush=True)
                await self._take(event["type"])
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
            turn = Turn(self._ids, next(self._turns))
            ramp_s = self._order.ramp_s
            self._answer = asyncio.create_task(self._play(turn, ramp_s) if ramp_s else self._speak(turn))
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

    async def _play(self, turn: Turn, seconds: float) -> None:
        """Answer with a ramp, as far as the client lets it come."""
        for event in turn.begin():
            await self._send(event)
        count = int(seconds * PCM16_RATE)
        for start in range(0, count, _RAMP_STEP):
            frame = turn.sound(workload.ramp(start, min(_RAMP_STEP, count - start)))
            if not start:
                print(time.monotonic_ns(), RAMP, 0, flush=True)
            await self._send(frame)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), _RAMP_STEP / PCM16_RATE / 2)
                break
        for event in turn.end("cancelled" if self._stop.is_set() else "completed"):
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
        for number, event in enumerate(_STREAMS[self._order.what](ids), start=1):
            await self._send(event)
            if self._order.rate != rate:
                return
            due_ns = start_ns + int(number / rate * 1e9)
            # Also when it is late: what the client sends is timed, and must not wait until the stream has caught up.
            await asyncio.sleep(max(0, due_ns - time.monotonic_ns()) / 1e9)

    async def _send(self, event: bytes) -> None:
        await self._connection.send(event, text=True)

    def _session_event(self, event_type: str) -> bytes:
        return workload.event(self._ids, event_type, session=workload.session())


def _detail(event: Mapping[str, Any]) -> int:
    """What :attr:`ClientEvent.detail` says."""
    if event["type"] == "input_audio_buffer.append":
        return int.from_bytes(base64.b64decode(event["audio"][:4])[:2], "little", signed=True)
    return int(event.get("audio_end_ms", 0))


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
