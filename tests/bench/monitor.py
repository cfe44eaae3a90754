"""Virtual sound devices for measuring: what left the loudspeaker or came to the microphone, and when, by the sample."""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from tests.bench.figures import NotMeasuredError
from tests.bench.workload import RAMP_PERIOD
from tests.support.virtual_audio import PACKAGES, Recorder, VirtualAudio, missing, virtual_audio
from tui.wire import PCM16_RATE

_NEAR_S: Final = 3.0
"""The clock of a virtual device is the system's, so what came in a few seconds all says when one sample was there."""


@contextmanager
def devices() -> Iterator[VirtualAudio]:
    """A sound server of a measurement's own. Raises NotMeasuredError where that cannot be had."""
    if lacks := missing():
        raise NotMeasuredError(f"for want of {lacks}. To have it: sudo apt-get install {PACKAGES}")
    with (
        tempfile.TemporaryDirectory(prefix="azrt-bench-") as folder,
        virtual_audio(Path(folder) / "audio") as audio,
    ):
        yield audio


@contextmanager
def recording(audio: VirtualAudio, sink: str = "spk") -> Iterator[Monitor]:
    """Record a device: ``spk`` or ``micfeed``."""
    with closing(audio.record(sink)) as recorder:
        yield Monitor(recorder)


class Monitor:
    """A recording, with the time of each of its samples."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def __len__(self) -> int:
        """Samples so far."""
        return len(self._recorder.data) // 2

    def samples(self, start: int, end: int | None = None) -> array[int]:
        """What was recorded between two samples."""
        return array("h", self._recorder.data[2 * start : None if end is None else 2 * end])

    def wait(self, seconds: float) -> None:
        """Wait until so much more is recorded."""
        self._recorder.wait_for_ms(round(seconds * 1000))

    def earliest(self, sample: int) -> float:
        """When a sample was there, in monotonic seconds, at the earliest.

        The device's clock is the system's, so this follows from the piece near it that came with the least delay.
        """
        about = self.arrival(sample)
        return min(
            at - (end - sample) / PCM16_RATE for at, end in self._recorder.arrivals.copy() if abs(at - about) < _NEAR_S
        )

    def arrival(self, sample: int) -> float:
        """When the recorder had a sample, in monotonic seconds: a few milliseconds later than it was there."""
        arrivals = self._recorder.arrivals.copy()
        return next((at for at, end in arrivals if end > sample), arrivals[-1][0])


def sounding(samples: array[int]) -> tuple[int, int]:
    """Where a sound begins and, one behind its last sample, ends. Raises NotMeasuredError when all is silence."""
    loud = [at for at, sample in enumerate(samples) if sample]
    if not loud:
        raise NotMeasuredError("nothing was to be heard")
    return loud[0], loud[-1] + 1


def position(samples: array[int]) -> int:
    """How many samples of a ramp there were when it ended with the last of these, by what that says."""
    periods = round((len(samples) - samples[-1]) / RAMP_PERIOD)
    return periods * RAMP_PERIOD + samples[-1]


def gaps(samples: array[int]) -> list[int]:
    """The lengths, in samples, of the places in a ramp at which a sample is not followed by the next one.

    Silence counts as long as it is; a click, where sound is left out or repeated, as 0.
    """
    found, before, silence = [], samples[0], 0
    for sample in samples[1:]:
        if not sample:
            silence += 1
            continue
        if silence or sample != before % RAMP_PERIOD + 1:
            found.append(silence)
        before, silence = sample, 0
    return found
