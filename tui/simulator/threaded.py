"""The simulator in a thread of its own, for programs whose main thread is taken by the screen."""

from __future__ import annotations

import asyncio
import threading
from types import TracebackType
from typing import Any

from tui.simulator.config import DEFAULT_MODEL
from tui.simulator.server import Simulator


class SimulatorThread:
    """Runs a `Simulator` in its own thread and event loop. Takes the same arguments.

    `simulator` is the server; its `url`, `endpoint` and `sessions` may be read from any thread once `start`
    has returned.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        self.simulator = Simulator(*args, **options)
        self._listening = threading.Event()
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="simulator", daemon=False)

    def url(self, model: str = DEFAULT_MODEL) -> str:
        """Return the WebSocket URL for `model`."""
        return self.simulator.url(model)

    @property
    def endpoint(self) -> str:
        """What a person would set as AZURE_OPENAI_ENDPOINT."""
        return self.simulator.endpoint

    def start(self) -> SimulatorThread:
        """Start the thread and return once it listens. Raises what kept it from listening."""
        self._thread.start()
        self._listening.wait()
        if self._failure is not None:
            self._thread.join()
            self._raise_failure()
        return self

    def stop(self) -> None:
        """Close the connections, stop listening, and wait for the thread to end. May be called again.

        Raises what ended the thread before its time, if anything did.
        """
        if self._loop is not None and self._stopping is not None and self._thread.is_alive():
            try:
                self._loop.call_soon_threadsafe(self._stopping.set)
            except RuntimeError:
                pass  # the loop has just closed by itself
        if self._thread.ident is not None:
            self._thread.join()
        self._raise_failure()

    def __enter__(self) -> SimulatorThread:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _raise_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as failure:
            self._failure = failure
        finally:
            self._listening.set()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        async with self.simulator:
            self._listening.set()
            await self._stopping.wait()
