"""Plays and captures at once for some seconds, and prints the processor time that takes, as a share of one processor.

With ``cancel`` behind the seconds the echo is cancelled. Nothing else happens: no session, no screen. The answer is fed
in pieces of 100 ms, each when the one before is played.
"""

from __future__ import annotations

import sys
import time

from tests.bench import workload
from tui.audio.echo import EchoCancellation
from tui.audio.microphone import Microphone
from tui.audio.speaker import Speaker
from tui.wire import PCM16_RATE

_STEP_S = 0.1
_AHEAD_S = 0.5
_SETTLE_S = 3.0


def main(seconds: float, *, cancel: bool) -> None:
    """Play and capture."""
    speaker, microphone = Speaker(), Microphone()
    if cancel:
        microphone.through = EchoCancellation(speaker.reference)
    captured: list[int] = []
    if not speaker.open():
        raise SystemExit(str(speaker.problem))
    microphone.open(lambda pcm: captured.append(len(pcm)))
    step = round(_STEP_S * PCM16_RATE)
    pieces = [workload.ramp(start, step) for start in range(0, round((_SETTLE_S + seconds + 1) * PCM16_RATE), step)]
    begin = time.monotonic()
    start, cpu, before = 0.0, 0.0, 0
    for number, pcm in enumerate(pieces):
        speaker.feed("item", 0, pcm)
        time.sleep(max(0.0, begin + number * _STEP_S - _AHEAD_S - time.monotonic()))
        now = time.monotonic()
        if not start and now - begin >= _SETTLE_S:
            start, cpu, before = now, time.process_time(), len(captured)
        elif start and now - start >= seconds:
            break
    spent, elapsed = time.process_time() - cpu, time.monotonic() - start
    blocks = len(captured) - before
    microphone.close()
    speaker.close()
    print(spent / elapsed * 100, blocks / elapsed)


if __name__ == "__main__":
    main(float(sys.argv[1]), cancel="cancel" in sys.argv)
