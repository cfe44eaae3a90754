"""Server events as the service writes them, turn after turn.

A spoken turn is 99 events: 45 audio deltas of 4 to 16 kB, 35 transcript deltas, the rest bookkeeping of 0.2 to 4 kB;
the mean is about 5 kB. A typed turn is 93 events with 80 text deltas; the mean is about 0.25 kB. Every event, item and
response has an id of its own, as long as the service's.
"""

from __future__ import annotations

import base64
import itertools
import json
import random
from array import array
from collections.abc import Iterator
from typing import Any

from tui import wire

_TEXT = (
    "the lighthouse keeper walks down to the harbour and tells everyone in the room how the rain kept falling on the "
    "roof of the old house while the lamp turned above the sea and nobody slept until the morning came"
)
_WORDS = _TEXT.split()

_random = random.Random(7)
_INSTRUCTIONS = " ".join(_random.choice(_WORDS) for _ in range(350))
# 64 to 250 ms of audio each: 4 to 16 kB of base64.
_AUDIO = [base64.b64encode(_random.randbytes(_random.randrange(3_072, 12_288, 2))).decode() for _ in range(45)]
_SPOKEN_WORDS = 35
_TYPED_WORDS = 80
_WORD_EVERY = 10

RAMP_PERIOD = 30_000
"""Samples after which a ramp begins anew."""


def event_ids() -> Iterator[str]:
    """Event ids in order."""
    return (f"event_{number:021d}" for number in itertools.count())


class Turn:
    """The events of one turn, whose ids come of its number."""

    def __init__(self, ids: Iterator[str], number: int, modality: str = "audio") -> None:
        """``ids`` gives an id for each event; ``modality`` is ``audio`` or ``text``."""
        self._ids = ids
        self._number = number
        self._spoken = modality == "audio"
        self._modality = modality
        self._previous = f"item_{2 * number - 1:021d}" if number else None
        self._asked = f"item_{2 * number:021d}"
        self._answer = f"item_{2 * number + 1:021d}"
        self._response = f"resp_{number:021d}"
        self._said = ""

    def events(self) -> Iterator[bytes]:
        """The whole turn: the person speaks or types, the agent answers."""
        if self._spoken:
            yield from self._heard()
        else:
            yield from self._typed()
        yield from self.begin()
        for step in range(len(_AUDIO) if self._spoken else _TYPED_WORDS):
            if self._spoken:
                yield self.audio(step)
            if not self._spoken or step < _SPOKEN_WORDS:
                yield self.word(step)
        yield from self.end()

    def begin(self) -> Iterator[bytes]:
        """The answer begins."""
        item = self._message(self._answer, "assistant", [], "in_progress")
        part = {"type": "audio", "transcript": ""} if self._spoken else {"type": "text", "text": ""}
        yield self._event("response.created", response=self._resource("in_progress", []))
        yield self._event("response.output_item.added", response_id=self._response, output_index=0, item=item)
        yield self._event("conversation.item.added", previous_item_id=self._asked, item=item)
        yield self._part_event("response.content_part.added", part=part)

    def audio(self, step: int) -> bytes:
        """A piece of the answer's audio."""
        return self._delta("response.output_audio.delta", _AUDIO[step % len(_AUDIO)])

    def sound(self, pcm: bytes) -> bytes:
        """The answer's audio, as given: PCM16 mono 24 kHz."""
        return self._delta("response.output_audio.delta", base64.b64encode(pcm).decode())

    def word(self, step: int) -> bytes:
        """A word of the answer, or of its transcript."""
        word = f" {_WORDS[step % len(_WORDS)]}"
        self._said += word
        return self._delta(f"response.output_{'audio_transcript' if self._spoken else 'text'}.delta", word)

    def end(self, status: str = "completed") -> Iterator[bytes]:
        """The answer ends: ``completed`` or ``cancelled``."""
        if self._spoken:
            yield self._part_event("response.output_audio.done")
            yield self._part_event("response.output_audio_transcript.done", transcript=self._said)
            part = {"type": "audio", "transcript": self._said}
        else:
            yield self._part_event("response.output_text.done", text=self._said)
            part = {"type": "text", "text": self._said}
        item = self._message(self._answer, "assistant", [{**part, "type": f"output_{self._modality}"}], "completed")
        yield self._part_event("response.content_part.done", part=part)
        yield self._event("response.output_item.done", response_id=self._response, output_index=0, item=item)
        yield self._event("conversation.item.done", previous_item_id=self._asked, item=item)
        yield self._event("response.done", response=self._resource(status, [item]))
        yield self._event(
            "rate_limits.updated",
            rate_limits=[
                {"name": "requests", "limit": 1000, "remaining": 999 - self._number % 999, "reset_seconds": 60},
                {"name": "tokens", "limit": 50_000, "remaining": 48_000, "reset_seconds": 2.4},
            ],
        )

    def _heard(self) -> Iterator[bytes]:
        asked, transcribed = self._asked, "conversation.item.input_audio_transcription."
        start_ms = self._number * 9_000
        yield self._event("input_audio_buffer.speech_started", audio_start_ms=start_ms, item_id=asked)
        yield self._event("input_audio_buffer.speech_stopped", audio_end_ms=start_ms + 2_000, item_id=asked)
        yield self._event("input_audio_buffer.committed", previous_item_id=self._previous, item_id=asked)
        yield from self._asked_events([{"type": "input_audio", "transcript": None}])
        said = {"item_id": asked, "content_index": 0}
        yield self._event(f"{transcribed}delta", **said, delta="Who keeps the lamp?")
        usage = {"type": "duration", "seconds": 2}
        yield self._event(f"{transcribed}completed", **said, transcript="Who keeps the lamp?", usage=usage)

    def _typed(self) -> Iterator[bytes]:
        yield from self._asked_events([{"type": "input_text", "text": "Who keeps the lamp in the lighthouse?"}])

    def _asked_events(self, content: list[dict[str, Any]]) -> Iterator[bytes]:
        item = self._message(self._asked, "user", content, "completed")
        for event_type in ("conversation.item.added", "conversation.item.done"):
            yield self._event(event_type, previous_item_id=self._previous, item=item)

    def _event(self, event_type: str, **fields: Any) -> bytes:
        return event(self._ids, event_type, **fields)

    def _part_event(self, event_type: str, **fields: Any) -> bytes:
        where = {"response_id": self._response, "item_id": self._answer, "output_index": 0, "content_index": 0}
        return self._event(event_type, **where, **fields)

    def _delta(self, event_type: str, delta: str) -> bytes:
        # By hand: the server of a measurement makes a thousand of these a second, on the same machine.
        return (
            f'{{"type":"{event_type}","event_id":"{next(self._ids)}","response_id":"{self._response}",'
            f'"item_id":"{self._answer}","output_index":0,"content_index":0,"delta":"{delta}"}}'
        ).encode()

    def _message(self, item_id: str, role: str, content: list[dict[str, Any]], status: str) -> dict[str, Any]:
        kind = {"object": "realtime.item", "type": "message"}
        return {"id": item_id, **kind, "status": status, "role": role, "content": content}

    def _resource(self, status: str, output: list[dict[str, Any]]) -> dict[str, Any]:
        usage = {
            "total_tokens": 1592,
            "input_tokens": 1204,
            "output_tokens": 388,
            "input_token_details": {"text_tokens": 604, "audio_tokens": 600, "cached_tokens": 512},
            "output_token_details": {"text_tokens": 88, "audio_tokens": 300},
        }
        return {
            "object": "realtime.response",
            "id": self._response,
            "status": status,
            "status_details": {"type": "cancelled", "reason": "client_cancelled"} if status == "cancelled" else None,
            "output": output,
            "conversation_id": "conv_000000000000000000001",
            "output_modalities": [self._modality],
            "max_output_tokens": "inf",
            "audio": {"output": {"format": {"type": "audio/pcm", "rate": 24000}, "voice": "ash"}},
            "usage": usage if output else None,
            "metadata": None,
        }


def ramp(start: int, count: int) -> bytes:
    """PCM16 samples that say which they are, up to :data:`RAMP_PERIOD`; none of them is silence."""
    return array("h", (at % RAMP_PERIOD + 1 for at in range(start, start + count))).tobytes()


def spoken(ids: Iterator[str]) -> Iterator[bytes]:
    """Spoken turns without end, each with a ``session.updated`` of 3 kB behind it."""
    for number in itertools.count():
        yield from Turn(ids, number).events()
        yield event(ids, "session.updated", session=session())


def typed(ids: Iterator[str]) -> Iterator[bytes]:
    """Typed turns without end."""
    for number in itertools.count():
        yield from Turn(ids, number, "text").events()


def unfolded(ids: Iterator[str]) -> Iterator[bytes]:
    """What is left of typed turns without the deltas: each event is a row of its own."""
    return (event for event in typed(ids) if not wire.event_type(wire.sniff_type(event)).folds)


def folded(ids: Iterator[str]) -> Iterator[bytes]:
    """One spoken answer that never ends: behind its beginning all events are deltas, which make two rows.

    Every tenth is a word of the transcript: an answer is text on the screen no faster than a model makes it.
    """
    turn = Turn(ids, 0)
    yield from turn.begin()
    for step in itertools.count():
        yield turn.word(step) if step % _WORD_EVERY == 0 else turn.audio(step)


def event(ids: Iterator[str], event_type: str, **fields: Any) -> bytes:
    """An event with the next id."""
    return json.dumps({"type": event_type, "event_id": next(ids), **fields}, separators=(",", ":")).encode()


def session() -> dict[str, Any]:
    """A GA session resource with instructions of 2 kB."""
    audio = {"type": "audio/pcm", "rate": 24000}
    detection = {"type": "semantic_vad", "eagerness": "auto", "create_response": True, "interrupt_response": True}
    return {
        "type": "realtime",
        "object": "realtime.session",
        "id": "sess_000000000000000000001",
        "model": "gpt-realtime",
        "output_modalities": ["audio"],
        "instructions": _INSTRUCTIONS,
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "tracing": None,
        "audio": {
            "input": {"format": audio, "transcription": None, "noise_reduction": None, "turn_detection": detection},
            "output": {"format": audio, "voice": "ash", "speed": 1.0},
        },
    }
