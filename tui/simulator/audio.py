"""The three audio formats of the API, levels, and resampling. numpy is imported only where sound is made."""

from __future__ import annotations

import math
import operator
import sys
from array import array
from dataclasses import dataclass
from typing import Any

PCM_RATE = 24_000
"""Samples a second of the API's `audio/pcm`; G.711 has 8,000."""

SILENCE_DB = -96.0
"""Level reported for digital silence: the floor of 16 bit."""


@dataclass(frozen=True)
class AudioFormat:
    """A wire format: its `type` in the API, samples a second, and bytes a sample (mono)."""

    name: str
    rate: int
    width: int

    def duration_ms(self, size: int) -> float:
        """Return how long `size` bytes sound, in milliseconds."""
        return size * 1000 / (self.rate * self.width)

    def size(self, ms: float) -> int:
        """Return the bytes of `ms` milliseconds, whole samples only."""
        return int(ms * self.rate / 1000) * self.width

    def samples(self, data: bytes) -> array[int]:
        """Return the 16 bit samples in `data`, at this format's own rate. An odd last byte is dropped."""
        if self.name == "audio/pcm":
            samples = array("h", data[: len(data) // 2 * 2])
            if sys.byteorder == "big":
                samples.byteswap()
            return samples
        table = _ULAW if self.name == "audio/pcmu" else _ALAW
        return array("h", map(table.__getitem__, data))

    def encode(self, pcm: bytes) -> bytes:
        """Return 24 kHz PCM16 `pcm` in this format."""
        if self.name == "audio/pcm":
            return pcm
        import numpy as np

        table = np.array(_ULAW if self.name == "audio/pcmu" else _ALAW, dtype=np.int16)
        samples = np.frombuffer(resample(pcm, PCM_RATE, self.rate), dtype="<i2")
        order = np.argsort(table, kind="stable")
        # The code whose value lies nearest: between two neighbours the midpoint decides.
        values = table[order].astype(np.float64)
        nearest = np.searchsorted((values[1:] + values[:-1]) / 2, samples)
        return order[nearest].astype(np.uint8).tobytes()


def _ulaw_value(code: int) -> int:
    """Decode one G.711 mu-law byte (ITU-T G.711, table 2a)."""
    code = ~code & 0xFF
    magnitude = (((code & 0x0F) << 3) + 0x84) << ((code >> 4) & 7)
    return (0x84 - magnitude) if code & 0x80 else (magnitude - 0x84)


def _alaw_value(code: int) -> int:
    """Decode one G.711 A-law byte (ITU-T G.711, table 1a)."""
    code ^= 0x55
    exponent = (code >> 4) & 7
    magnitude = ((code & 0x0F) << 4) + 8
    if exponent:
        magnitude = (magnitude + 0x100) << (exponent - 1)
    return magnitude if code & 0x80 else -magnitude


_ULAW = tuple(map(_ulaw_value, range(256)))
_ALAW = tuple(map(_alaw_value, range(256)))

FORMATS = {
    "audio/pcm": AudioFormat("audio/pcm", PCM_RATE, 2),
    "audio/pcmu": AudioFormat("audio/pcmu", 8_000, 1),
    "audio/pcma": AudioFormat("audio/pcma", 8_000, 1),
}


def level_db(samples: array[int]) -> float:
    """Return the RMS level of 16 bit `samples` in dB relative to full scale; `SILENCE_DB` at the least."""
    if not samples:
        return SILENCE_DB
    power = sum(map(operator.mul, samples, samples)) / len(samples)
    if power == 0:
        return SILENCE_DB
    return max(SILENCE_DB, 10 * math.log10(power / 32768**2))


def resample(pcm: bytes, rate: int, target: int) -> bytes:
    """Return PCM16 `pcm` of `rate` Hz as `target` Hz, band-limited (through its spectrum)."""
    if rate == target or not pcm:
        return pcm
    import numpy as np

    samples = np.frombuffer(pcm, dtype="<i2").astype(np.float64)
    wanted = max(1, round(len(samples) * target / rate))
    spectrum: Any = np.fft.rfft(samples)
    kept = np.zeros(wanted // 2 + 1, dtype=complex)
    shared = min(len(kept), len(spectrum))
    kept[:shared] = spectrum[:shared]
    result = np.fft.irfft(kept, wanted) * (wanted / len(samples))
    return np.clip(np.rint(result), -32768, 32767).astype("<i2").tobytes()


def decode_au(data: bytes) -> bytes:
    """Return a mu-law `.au` recording as 24 kHz PCM16. Raises ValueError for any other kind of file.

    The header is six big-endian 32 bit words: magic, offset, size, encoding, rate, channels.
    """
    words = [int.from_bytes(data[at : at + 4], "big") for at in range(0, 24, 4)]
    if data[:4] != b".snd" or words[3] != 1 or words[5] != 1:
        raise ValueError("not a mono mu-law .au file")
    import numpy as np

    codes = np.frombuffer(data, dtype=np.uint8, offset=words[1], count=words[2])
    samples = np.array(_ULAW, dtype="<i2")[codes]
    return resample(samples.tobytes(), words[4], PCM_RATE)


def encode_au(pcm: bytes, rate: int) -> bytes:
    """Return 24 kHz PCM16 `pcm` as a mu-law `.au` recording of `rate` Hz: the inverse of `decode_au`."""
    # AudioFormat resamples to its own rate, so one of that rate does the whole job.
    codes = AudioFormat("audio/pcmu", rate, 1).encode(pcm)
    header = (24, len(codes), 1, rate, 1)
    return b".snd" + b"".join(word.to_bytes(4, "big") for word in header) + codes
