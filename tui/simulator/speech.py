"""Speech for the scripted answers: rendered by flite or espeak-ng, or put together from recordings.

The speech programs are separate processes; the text goes in through stdin, never through a shell.
"""

from __future__ import annotations

import asyncio
import io
import shutil
import subprocess
import tempfile
import wave
from collections import OrderedDict
from functools import cache
from pathlib import Path

from tui.simulator.audio import PCM_RATE, decode_au, resample
from tui.simulator.script import GENERIC, Answer

VOICES = Path(__file__).parent / "voices"

CHARS_PER_S = 15
"""How fast English is read aloud, about: 170 words a minute."""

_LOW_VOICES = frozenset({"ash", "ballad", "cedar", "echo", "verse"})
"""Voices of the API that are rendered with a man's voice; the others with a woman's."""

_TIMEOUT_S = 30
_CACHED = 32
_PAUSE = bytes(PCM_RATE // 4 * 2)
"""A quarter of a second of silence, between two recordings."""


class Speaker:
    """Turns answers into 24 kHz mono PCM16, off the event loop, and remembers the last few.

    `engine` is "auto" (what is installed), "flite", "espeak-ng", or "recordings".
    """

    def __init__(self, engine: str = "auto") -> None:
        if engine == "auto":
            engine = next((name for name in ("flite", "espeak-ng") if shutil.which(name)), "recordings")
        self.engine = engine
        self._cache: OrderedDict[tuple[str, bool, float], bytes] = OrderedDict()

    async def say(self, answer: Answer, voice: str, speed: float) -> bytes:
        """Return `answer` spoken. `speed` is the API's: 1.0 is normal, recordings do not follow it."""
        key = (answer.spoken, voice in _LOW_VOICES, speed)
        pcm = self._cache.get(key)
        if pcm is None:
            pcm = await asyncio.to_thread(self._render, answer, *key[1:])
            self._cache[key] = pcm
            while len(self._cache) > _CACHED:
                self._cache.popitem(last=False)
        else:
            self._cache.move_to_end(key)
        return pcm

    def _render(self, answer: Answer, low: bool, speed: float) -> bytes:
        if self.engine == "recordings":
            return from_recordings(answer)
        try:
            return synthesize(self.engine, answer.spoken, low=low, speed=speed)
        except (OSError, subprocess.SubprocessError, wave.Error, EOFError, ValueError):
            # An engine that does not work must not cost the answer: the recordings always do.
            return from_recordings(answer)


def synthesize(engine: str, text: str, *, low: bool = False, speed: float = 1.0) -> bytes:
    """Return `text` spoken by `engine` ("flite" or "espeak-ng") as 24 kHz mono PCM16.

    Raises OSError where it cannot be started, SubprocessError where it fails or takes too long, wave.Error,
    EOFError or ValueError where what it wrote is not the mono 16 bit WAV it should be.
    """
    with tempfile.TemporaryDirectory(prefix="azrt-tui-") as folder:
        output = Path(folder) / "speech.wav"
        if engine == "flite":
            voice = ["-voice", "rms" if low else "slt", "--setf", f"duration_stretch={1 / speed:.3f}"]
            command = [engine, *voice, "-o", str(output)]
        else:
            command = [engine, "-v", "en-us+m3" if low else "en-us+f3", "-s", f"{165 * speed:.0f}"]
            command += ["--stdin", "-w", str(output)]
        subprocess.run(
            command,
            input=text.encode("utf-8", "replace"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_TIMEOUT_S,
            check=True,
        )
        return _wav(output.read_bytes())


def _wav(data: bytes) -> bytes:
    with wave.open(io.BytesIO(data)) as reader:
        if reader.getnchannels() != 1 or reader.getsampwidth() != 2 or reader.getnframes() == 0:
            raise ValueError("not mono 16 bit audio")
        return resample(reader.readframes(reader.getnframes()), reader.getframerate(), PCM_RATE)


def from_recordings(answer: Answer) -> bytes:
    """Return the answer's recorded opening, then the generic recording, for as long as the words would take."""
    wanted = max(1, len(answer.spoken)) * PCM_RATE // CHARS_PER_S * 2
    opening = recording(answer.name)
    pcm = bytearray(opening or b"")
    generic = recording(GENERIC.name) or b""
    while len(pcm) < wanted and generic:
        pcm += (_PAUSE if pcm else b"") + generic
    # What was recorded for the answer is never cut short.
    return bytes(pcm[: max(wanted, len(opening or b""))])


@cache
def recording(name: str) -> bytes | None:
    """Return the recording of this name as 24 kHz mono PCM16, or None where there is none."""
    path = VOICES / f"{name}.au"
    return decode_au(path.read_bytes()) if path.is_file() else None
