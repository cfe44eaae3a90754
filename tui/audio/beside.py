"""A thread that holds what the microphone captures against what the loudspeaker played at the same time."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from tui.audio.echo_path import FRAME
from tui.audio.microphone import mixed
from tui.audio.reference import Reference
from tui.audio.resampling import Resampler
from tui.wire import PCM16_RATE

if TYPE_CHECKING:
    from numpy import int16
    from numpy.typing import NDArray

logger = logging.getLogger(__name__)

_WAITING: Final = 100
"""Blocks that wait for the thread, two seconds; what comes when there are more is lost, as in any overrun."""

_END_S: Final = 1.0
"""How long ending waits for the thread."""

Pair = Callable[["NDArray[int16]", "NDArray[int16]"], None]
"""Takes what was captured and what was played meanwhile: PCM16 mono 24 kHz, equally long, whole frames of 20 ms."""


class Beside:
    """Gets blocks from the device's thread, and calls a :data:`Pair` in its own."""

    def __init__(self, reference: Reference, pair: Pair, failed: Callable[[], None]) -> None:
        """``reference``: what is played; ``failed``: called in the thread when the pair raises, and then no more is."""
        self._reference = reference
        self._pair = pair
        self._failed = failed
        self._queue: queue.SimpleQueue[tuple[bytes, float] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def start(self, rate: int, channels: int) -> None:
        """Begin, with a device of this rate and so many channels."""
        self._reference.restart()
        self._thread = threading.Thread(target=self._run, args=(rate, channels), name="azrt-echo", daemon=True)
        self._thread.start()

    def put(self, block: bytes, at: float) -> None:
        """Hand over a block and its time. Never waits."""
        if self._queue.qsize() < _WAITING:
            self._queue.put((block, at))

    def stop(self) -> None:
        """Finish what was handed over, and end; nothing is called any more when it returns."""
        self._queue.put(None)
        if self._thread is not None:
            self._thread.join(_END_S)

    def _run(self, rate: int, channels: int) -> None:
        try:
            self._work(rate, channels)
        except Exception:
            logger.exception("The thread beside the microphone failed")
            self._failed()

    def _work(self, rate: int, channels: int) -> None:
        import numpy as np

        near: NDArray[int16] = np.zeros(0, np.int16)
        far = near
        resampler = Resampler(rate, PCM16_RATE) if rate != PCM16_RATE else None
        while (captured := self._queue.get()) is not None:
            block, at = captured
            if channels > 1:
                block = mixed(block, channels)
            if resampler is not None:
                block = resampler.feed(block)
            samples: Any = np.frombuffer(block, np.int16)
            near = np.concatenate((near, samples))
            far = np.concatenate((far, self._reference.beside(at, len(samples))))
            whole = len(near) // FRAME * FRAME
            if whole:
                self._pair(near[:whole], far[:whole])
                near, far = near[whole:], far[whole:]
