"""Speaks in a room, and judges what the microphone brings: prints a line for what happens, in monotonic seconds.

``ready`` when the devices run evenly, then ``started T`` and ``stopped T`` as the turn detection says so of speech. A
line with a number on stdin makes the agent speak for so many seconds, and the process end then.
"""

from __future__ import annotations

import sys
import time

import numpy as np

from tests.support.room import pcm, voice
from tui.audio.echo import EchoCancellation
from tui.audio.microphone import Microphone
from tui.audio.speaker import Speaker
from tui.simulator.audio import FORMATS
from tui.simulator.vad import VoiceActivity
from tui.wire import PCM16_BYTES_PER_SECOND, PCM16_RATE

_DETECTION = {"type": "server_vad", "threshold": 0.5, "silence_duration_ms": 300, "prefix_padding_ms": 0}
_SETTLE_S = 4.0


def main(*, cancel: bool) -> None:
    """Speak, listen and report."""
    speaker, microphone = Speaker(), Microphone()
    if cancel:
        microphone.through = EchoCancellation(speaker.reference)
    activity = VoiceActivity(_DETECTION, FORMATS["audio/pcm"])

    def judge(block: bytes) -> None:
        for boundary in activity.feed(block):
            _report(f"{boundary.kind} {time.monotonic()}")

    if not speaker.open():
        raise SystemExit(str(speaker.problem))
    microphone.open(judge)
    _say(speaker, bytes(round(_SETTLE_S * PCM16_BYTES_PER_SECOND)))
    _report("ready")
    _say(speaker, pcm(np.resize(voice("agent"), round(float(sys.stdin.readline()) * PCM16_RATE))))
    microphone.close()
    speaker.close()


def _report(line: str) -> None:
    sys.stdout.write(f"{line}\n")  # in one piece: two threads do this
    sys.stdout.flush()


def _say(speaker: Speaker, sound: bytes) -> None:
    speaker.feed("item", 0, sound)
    while speaker.remaining_s() > 0:
        time.sleep(0.05)


if __name__ == "__main__":
    main(cancel=sys.argv[1] == "cancel")
