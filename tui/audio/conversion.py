"""Makes PCM16 at one rate of audio as it came. numpy is imported only where the rates differ."""

from __future__ import annotations

from tui.audio.resampling import Resampler
from tui.audio_format import AudioFormat
from tui.wire import PCM16_RATE


class Conversion:
    """One stream for each part of an item; pieces of one follow each other."""

    def __init__(self, rate: int = PCM16_RATE) -> None:
        """``rate`` is that of what comes out, in samples a second."""
        self._rate = rate
        self._stream: tuple[tuple[str, int], int] | None = None
        self._resampler: Resampler | None = None

    def feed(self, part: tuple[str, int], sound: bytes, audio_format: AudioFormat) -> bytes:
        """Return what comes out for this sound; b"" for a format that is not known.

        Args:
            part: item id and content index that it belongs to.
            sound: the audio as it came.
            audio_format: its format.
        """
        pcm = audio_format.decode(sound)
        if audio_format.rate in (0, self._rate):
            return pcm
        if self._resampler is None or self._stream != (part, audio_format.rate):
            self._stream, self._resampler = (part, audio_format.rate), Resampler(audio_format.rate, self._rate)
        return self._resampler.feed(pcm[: len(pcm) // 2 * 2])
