"""Formats of audio on the wire: how long so many bytes play, and the PCM16 that they stand for. No I/O, no numpy.

The API names a format for each direction of a session. What names none is PCM16 mono at 24 kHz.
"""

from __future__ import annotations

import functools
from array import array
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, NamedTuple

_RATES: Final = range(4_000, 96_025, 25)
"""Rates that are taken for one: every rate in use is a multiple of 25."""

_SHOWN: Final = 40
"""Characters of the name of a format that is not known."""

_PCM, _MU_LAW, _A_LAW = "audio/pcm", "audio/pcmu", "audio/pcma"

_NAMES: Final = {
    "audio/pcm": (_PCM, 24_000),
    "pcm": (_PCM, 24_000),
    "pcm16": (_PCM, 24_000),
    "pcm16_16000hz": (_PCM, 16_000),
    "pcm16_8000hz": (_PCM, 8_000),
    "audio/pcmu": (_MU_LAW, 8_000),
    "pcmu": (_MU_LAW, 8_000),
    "g711_ulaw": (_MU_LAW, 8_000),
    "audio/pcma": (_A_LAW, 8_000),
    "pcma": (_A_LAW, 8_000),
    "g711_alaw": (_A_LAW, 8_000),
}
"""What GA, Beta and Azure's Voice Live call a format -> GA's name, and the rate where none is given."""

_CODINGS: Final = {_MU_LAW: "pcmu", _A_LAW: "pcma"}


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """One format, always mono. ``rate`` is 0 for one that is not known: it has no length and is no sound here."""

    name: str
    """As GA writes it: ``audio/pcm``."""
    rate: int
    """Samples a second."""
    coding: str = ""
    """``pcmu`` or ``pcma`` for G.711; "" for PCM16."""

    def __str__(self) -> str:
        """Return its name and rate as text: ``audio/pcm at 16 kHz``."""
        return f"{self.name} at {self.rate / 1000:g} kHz" if self.rate else self.name

    @property
    def known(self) -> bool:
        """Whether its audio can be decoded."""
        return self.rate > 0

    @property
    def bytes_per_second(self) -> int:
        """Bytes on the wire for a second of sound; 0 where it is not known."""
        return self.rate if self.coding else 2 * self.rate

    def length_ns(self, count: int) -> int:
        """Return how long so many bytes play, in nanoseconds; 0 for a format that is not known."""
        sample = 1 if self.coding else 2
        return count // sample * 1_000_000_000 // self.rate if self.rate else 0

    def decode(self, data: bytes) -> bytes:
        """Return the sound as PCM16, little endian; b"" for a format that is not known.

        The two zeros of the mu-law differ by one: every code has a sample of its own, and :meth:`encode` goes back.
        """
        if not self.coding:
            return data if self.rate else b""
        low, high, _ = _tables(self.coding)
        pcm = bytearray(2 * len(data))
        pcm[0::2], pcm[1::2] = data.translate(low), data.translate(high)
        return bytes(pcm)

    def encode(self, pcm: bytes) -> bytes | None:
        """Return what :meth:`decode` made this PCM16 of; None when it is of nothing."""
        if not self.coding:
            return pcm
        codes = _tables(self.coding)[2]
        try:
            return bytes(map(codes.__getitem__, array("H", pcm)))
        except (KeyError, ValueError):
            return None


PCM16_24K: Final = AudioFormat(_PCM, 24_000)
"""What a session has that names no format, and what azrt-tui asks for."""

CODINGS: Final = {coding: AudioFormat(name, 8_000, coding) for name, coding in _CODINGS.items()}
"""The formats of G.711, by their coding."""


def parse_format(value: object, rate: object = None) -> AudioFormat | None:
    """The format that a session names; None where it names none.

    Args:
        value: GA's object with ``type`` and ``rate``, or the name that Beta gives.
        rate: samples a second, where they stand beside the name.
    """
    if isinstance(value, Mapping):
        rate = value.get("rate", rate)
        value = value.get("type")
    if not isinstance(value, str) or not value:
        return None
    known = _NAMES.get(value.strip().lower())
    if known is None:
        return AudioFormat(value[:_SHOWN], 0)
    name, usual = known
    if rate is None:
        rate = usual
    if isinstance(rate, bool) or not isinstance(rate, int) or rate not in _RATES:
        return AudioFormat(f"{name} at an odd rate", 0)
    return AudioFormat(name, rate, _CODINGS.get(name, ""))


class InForce(NamedTuple):
    """The formats of a connection at one moment."""

    received: AudioFormat = PCM16_24K
    sent: AudioFormat = PCM16_24K
    responses: Mapping[str, AudioFormat] = {}
    """Id of a response -> its format, for those whose format is not, or may not be, ``received``."""


_ECHOES: Final = frozenset(
    {
        "session.created",
        "session.updated",
        "session.started",
        "transcription_session.created",
        "transcription_session.updated",
    }
)
_BEGINS: Final = frozenset({"session.created", "session.started", "transcription_session.created"})
_REQUESTS: Final = frozenset({"session.update", "session.start", "transcription_session.update"})

NAMING: Final = _ECHOES | _REQUESTS | {"response.created", "error", "websocket.connect"}
"""Event types that :class:`Formats` has to see."""

_MOST: Final = 8
"""Responses, and requests without an answer, that are remembered."""


class Formats:
    """The formats of a connection, followed event by event.

    The server's echo decides. What a client sends behind its own session.update is in the format that it asked for,
    because a server takes both in that order; an error about the update, or the echo, ends that.
    """

    def __init__(self) -> None:
        self.now = InForce()
        """What holds for the next frame. Never changed in place."""
        self._echoed = PCM16_24K
        self._asked: deque[tuple[str, AudioFormat | None, AudioFormat | None]] = deque(maxlen=_MOST)
        """Requests without an answer, oldest first: event id, input format, output format."""
        self._began: dict[str, AudioFormat] = {}

    def take(self, event: Mapping[str, Any], *, sent: bool) -> None:
        """Take the next event; those that are not in :data:`NAMING` change nothing."""
        event_type = event.get("type")
        if not isinstance(event_type, str) or event_type not in NAMING:
            return
        if sent:
            if event_type in _REQUESTS:
                self._request(event)
        elif event_type in _ECHOES:
            self._echo(event, begins=event_type in _BEGINS)
        elif event_type == "response.created":
            self._response(event)
        elif event_type == "error":
            self._refused(event)
        else:
            self._forget()

    def _forget(self) -> None:
        """A new connection has nothing of the one before."""
        self.now, self._echoed = InForce(), PCM16_24K
        self._asked.clear()
        self._began.clear()

    def _request(self, event: Mapping[str, Any]) -> None:
        session = event.get("session")
        event_id = event.get("event_id")
        asked = _input(session), _output(session)
        self._asked.append((event_id if isinstance(event_id, str) else "", *asked))
        self._change(self.now.received)

    def _echo(self, event: Mapping[str, Any], *, begins: bool) -> None:
        session = event.get("session")
        asked_input = asked_output = None
        if not begins and self._asked:
            _, asked_input, asked_output = self._asked.popleft()
        before = (PCM16_24K, PCM16_24K) if begins else (self._echoed, self.now.received)
        self._echoed = _input(session) or asked_input or before[0]
        self._change(_output(session) or asked_output or before[1])

    def _refused(self, event: Mapping[str, Any]) -> None:
        error = event.get("error")
        event_id = error.get("event_id") if isinstance(error, Mapping) else None
        if isinstance(event_id, str) and event_id:
            self._asked = deque((each for each in self._asked if each[0] != event_id), maxlen=_MOST)
            self._change(self.now.received)

    def _response(self, event: Mapping[str, Any]) -> None:
        response = event.get("response")
        response_id = response.get("id") if isinstance(response, Mapping) else None
        if not isinstance(response_id, str):
            return
        own = _output(response) or self.now.received
        self._began[response_id] = own
        if len(self._began) > _MOST:
            del self._began[next(iter(self._began))]
        if own != self.now.received or response_id in self.now.responses:
            self.now = self.now._replace(responses=self._apart(self.now.received))

    def _change(self, received: AudioFormat) -> None:
        asked = (each for _, each, _ in reversed(self._asked) if each is not None)
        self.now = InForce(received, next(asked, self._echoed), self._apart(received))

    def _apart(self, received: AudioFormat) -> Mapping[str, AudioFormat]:
        """The responses that began in another format: they keep it."""
        return {response_id: own for response_id, own in self._began.items() if own != received}


def _input(session: object) -> AudioFormat | None:
    return _side(session, "input")


def _output(session: object) -> AudioFormat | None:
    return _side(session, "output")


def _side(session: object, side: str) -> AudioFormat | None:
    """The format of one side of a session or response: where GA, Live or Beta have it."""
    if not isinstance(session, Mapping):
        return None
    audio = session.get("audio")
    if isinstance(audio, Mapping):
        of_side = audio.get(side)
        own = of_side.get("format") if isinstance(of_side, Mapping) else None
        named = parse_format(own) or parse_format(audio.get("format"))
        if named is not None:
            return named
    return parse_format(session.get(f"{side}_audio_format"), session.get(f"{side}_audio_sampling_rate"))


@functools.cache
def _tables(coding: str) -> tuple[bytes, bytes, dict[int, int]]:
    """Low and high bytes of the sample of each code, and the code of each sample as this machine reads it."""
    samples = [_mu_law(code) if coding == "pcmu" else _a_law(code) for code in range(256)]
    pcm = b"".join(sample.to_bytes(2, "little", signed=True) for sample in samples)
    native = array("H", pcm)
    return bytes(islice(pcm, 0, None, 2)), bytes(islice(pcm, 1, None, 2)), {each: at for at, each in enumerate(native)}


def _mu_law(code: int) -> int:
    """The sample of a code of G.711's mu-law; -1 for its negative zero."""
    code ^= 0xFF
    size = (((code & 0x0F) << 3) + 0x84 << (code >> 4 & 7)) - 0x84
    return (-size if size else -1) if code & 0x80 else size


def _a_law(code: int) -> int:
    """The sample of a code of G.711's A-law."""
    code ^= 0x55
    exponent, size = code >> 4 & 7, (code & 0x0F) << 4
    size = size + 0x108 << exponent - 1 if exponent else size + 8
    return size if code & 0x80 else -size
