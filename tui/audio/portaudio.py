"""Streams on real devices, through PortAudio.

Input and output are separate streams: they may be different devices, and each degrades by itself. Blocks are 20 ms:
a Python callback then survives what the screen's thread does for 20 ms at a time, if the device holds 60 ms or more.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, Final

from tui.audio import devices
from tui.audio.devices import AudioUnavailable, Device, Kind
from tui.audio.player import Fill
from tui.audio.reference import Reference
from tui.wire import PCM16_RATE

logger = logging.getLogger(__name__)

BLOCK_S: Final = 0.02

OUTPUT_LATENCY_S: Final = 0.1
"""What the device is asked to hold. It costs nothing when interrupting: abort() drops it."""

INPUT_LATENCY_S: Final = 0.06

_CLOSE_TIMEOUT_S: Final = 3.0
"""Some versions of PortAudio hang in closing a device that was pulled out."""

_WRONG_FORMAT: Final = (-9997, -9998)
"""PortAudio's codes for a rate and a number of channels that the device refuses."""


class PortAudioOutput:
    """An open output stream, not started."""

    def __init__(
        self,
        fill: Fill,
        finished: Callable[[], None],
        *,
        name: str = "",
        latency_s: float = OUTPUT_LATENCY_S,
        delay_s: float = 0.0,
        reference: Reference | None = None,
    ) -> None:
        """Open the device called ``name``, "" for the default one. Raises AudioUnavailable.

        Args:
            fill: is asked for blocks of 16-bit frames at :attr:`rate`, in PortAudio's thread.
            finished: called in PortAudio's thread when the stream stops, whoever stops it.
            name: the device.
            latency_s: what the device is asked to hold, in seconds.
            delay_s: what passes between the sound system's converter and the ear, and the sound system does not know:
                Bluetooth takes 0.1 to 0.3 s.
            reference: is told what is played.
        """
        self._fill = fill
        self._delay_s = delay_s
        self._reference = reference
        self._stream, self.rate, self.channels, self.name = _open(
            Kind.LOUDSPEAKER, name, latency_s, self._callback, finished
        )
        self._latency_s = float(self._stream.latency)
        # ALSA's buffer has four periods, and PortAudio leaves one out when it says how long it is.
        self.buffer_s = self._latency_s * 4 / 3
        self._now = 0.0

    def _callback(self, out: Any, frames: int, time: Any, flags: Any) -> None:
        # Some host APIs leave the time out.
        starts = time.outputBufferDacTime or time.currentTime + self._latency_s
        self._fill(memoryview(out), starts + self._delay_s)
        if self._reference is not None:
            # Without the delay: a canceller finds an echo that comes late by itself, and none that comes early.
            self._reference.played(bytes(out), starts, self.rate, self.channels)

    def start(self) -> None:
        """Start to ask for audio. Raises AudioUnavailable."""
        _start(self._stream, Kind.LOUDSPEAKER, self.name)

    def abort(self) -> None:
        """Drop what the device holds; its callback has ended when this returns."""
        now = self.time()
        self._stream.abort()
        if self._reference is not None:
            self._reference.stopped(now)

    def close(self) -> None:
        """Give the device back, for three seconds at most."""
        _close(self._stream)

    def time(self) -> float:
        """The stream's clock, in seconds; that of its last moment when the device is lost."""
        try:
            self._now = float(self._stream.time)
        except devices.library().PortAudioError:
            logger.debug("The stream has no time any more")
        return self._now


class PortAudioInput:
    """An open input stream, not started."""

    def __init__(self, take: Callable[[bytes, float], None], finished: Callable[[], None], *, name: str = "") -> None:
        """Open the device called ``name``, "" for the default one. Raises AudioUnavailable.

        Args:
            take: gets blocks of 16-bit frames at :attr:`rate`, and the time at which their first one entered the
                converter, in seconds of the sound system's clock; in PortAudio's thread.
            finished: called in PortAudio's thread when the stream stops, whoever stops it.
            name: the device.
        """
        self._take = take
        self._stream, self.rate, self.channels, self.name = _open(
            Kind.MICROPHONE, name, INPUT_LATENCY_S, self._callback, finished
        )
        self._latency_s = float(self._stream.latency)

    def start(self) -> None:
        """Begin to capture. Raises AudioUnavailable."""
        _start(self._stream, Kind.MICROPHONE, self.name)

    def _callback(self, data: Any, frames: int, time: Any, flags: Any) -> None:
        # Some host APIs leave the time out.
        self._take(bytes(data), time.inputBufferAdcTime or time.currentTime - self._latency_s)

    def close(self) -> None:
        """Stop, and give the device back, for three seconds at most."""
        _close(self._stream)


def _open(
    kind: Kind, name: str, latency_s: float, callback: Callable[..., None], finished: Callable[[], None]
) -> tuple[Any, int, int, str]:
    """Open a stream in the first format that the device takes; return it with its rate, channels and name."""
    sounddevice = devices.library()
    device = devices.choose(devices.list_devices(), kind, name)
    stream_class = sounddevice.RawInputStream if kind is Kind.MICROPHONE else sounddevice.RawOutputStream
    refused: Exception | None = None
    for rate, channels in _formats(device):
        try:
            with devices.LOCK:
                stream = stream_class(
                    samplerate=rate,
                    channels=channels,
                    dtype="int16",
                    blocksize=round(rate * BLOCK_S),
                    device=device.index,
                    latency=latency_s,
                    extra_settings=_extra(device),
                    callback=callback,
                    finished_callback=finished,
                )
                devices.streams.add(stream)
            return stream, rate, channels, device.name
        except (sounddevice.PortAudioError, ValueError, OSError) as error:
            refused = error
            if len(error.args) < 2 or error.args[1] not in _WRONG_FORMAT:
                break
    assert refused is not None
    raise devices.explain(refused, kind, device.name) from refused


def refusal(device: Device, kind: Kind) -> AudioUnavailable | None:
    """Why a device would not be opened, as far as PortAudio can tell without doing so; None when nothing is known.

    Takes a millisecond or two. A device that this program has open itself may seem to be in use.
    """
    sounddevice = devices.library()
    check = sounddevice.check_input_settings if kind is Kind.MICROPHONE else sounddevice.check_output_settings
    refused: Exception | None = None
    wanted = {"device": device.index, "dtype": "int16", "extra_settings": _extra(device)}
    for rate, channels in _formats(device):
        try:
            with devices.LOCK:
                check(**wanted, channels=channels, samplerate=rate)
            return None
        except (sounddevice.PortAudioError, ValueError, OSError) as error:
            refused = error
    assert refused is not None
    return devices.explain(refused, kind, device.name)


def _extra(device: Device) -> Any:
    """Let WASAPI convert the rate: it refuses all but its own otherwise."""
    return devices.library().WasapiSettings(auto_convert=True) if "WASAPI" in device.system else None


def _formats(device: Device) -> list[tuple[int, int]]:
    """Rates and channels to try: the wire's own first."""
    rates = dict.fromkeys((PCM16_RATE, device.rate))
    return [(rate, channels) for rate in rates for channels in (1, 2)]


def _start(stream: Any, kind: Kind, name: str) -> None:
    sounddevice = devices.library()
    try:
        stream.start()
    except sounddevice.PortAudioError as error:
        raise devices.explain(error, kind, name) from error


def _close(stream: Any) -> None:
    def close() -> None:
        with devices.LOCK:
            stream.close()
            devices.streams.discard(stream)

    closing = threading.Thread(target=close, name="azrt-audio-close", daemon=True)
    closing.start()
    closing.join(_CLOSE_TIMEOUT_S)
