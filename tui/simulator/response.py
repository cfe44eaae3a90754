"""The life of one response, from response.created to response.done, however it ends."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any, Protocol

from tui.simulator import events
from tui.simulator.audio import FORMATS, AudioFormat
from tui.simulator.conversation import (
    OUTPUT_AUDIO_TOKENS_PER_S,
    Conversation,
    Item,
    Sound,
    Tokens,
    text_tokens,
)
from tui.simulator.events import ITEM_PREFIX, Event, new_id
from tui.simulator.faults.kinds import AnswerFault, Ended, Moment
from tui.simulator.line import Line
from tui.simulator.speech import Speaker
from tui.simulator.tutor import Call, Say

CHUNKS_MS = (100, 150, 250)
LAST_CHUNK_MS = 500
"""Lengths of a response's first audio deltas, and of all that follow, as measured on the service."""

MIDWAY = 3
"""Deltas after which a fault in the middle of the answer strikes; at its end, where it has fewer."""

_WORDS = re.compile(r"\s*\S+")
_ARGUMENT_DELTA = 8


@dataclass(frozen=True)
class Pacing:
    """How fast answers come. Every time is divided by `speed`; infinity means at once.

    `thinking_s` passes before the first token, `word_s` between two words of text; audio is sent `audio_factor`
    times faster than it plays.
    """

    speed: float = 1.0
    thinking_s: float = 0.2
    word_s: float = 0.025
    audio_factor: float = 4.0

    async def wait(self, seconds: float) -> None:
        """Sleep `seconds` of the simulator's time."""
        await asyncio.sleep(seconds / self.speed)


class Host(Protocol):
    """What a response needs of its session."""

    pacing: Pacing
    speaker: Speaker
    conversation: Conversation
    line: Line

    def emit(self, event: Event) -> None:
        """Send a server event."""

    def response_ended(self, response: Response) -> None:
        """Take note that `response` has sent its response.done."""


@dataclass(frozen=True)
class Settings:
    """The settings one response runs with: the session's, overridden by its response.create."""

    modalities: list[str]
    voice: str
    output_format: dict[str, Any]
    speed: float
    max_output_tokens: int | str
    metadata: dict[str, str] | None
    in_conversation: bool
    input_tokens: Tokens
    cached_tokens: Tokens

    @property
    def audible(self) -> bool:
        """Whether the response is spoken."""
        return "audio" in self.modalities


@dataclass
class _Part:
    """The message part being spoken or written: its events' common fields, its audio, the words that are out."""

    fields: dict[str, Any]
    sound: Sound | None
    said: str = ""


class Response:
    """One response. `start` sends its first events and sets it going; `cancel` ends it early.

    `faults` strike it at their moments.
    """

    def __init__(self, host: Host, plan: Say | Call, settings: Settings, faults: tuple[AnswerFault, ...] = ()) -> None:
        self.id = new_id("resp")
        self.settings = settings
        self.audio_ms = 0.0
        self._host = host
        self._plan = plan
        self._faults = faults
        self._deltas = 0
        self._task: asyncio.Task[None] | None = None
        self._item: Item | None = None
        self._part: _Part | None = None
        self._output: list[Item] = []

    def start(self, spawn: Callable[[Any], asyncio.Task[None]]) -> None:
        """Send response.created and run the rest as a task made by `spawn`."""
        self._emit("response.created", response=self._view("in_progress", None))
        self._task = spawn(self._run())

    def cancel(self, reason: str) -> None:
        """End the response now: `client_cancelled` or `turn_detected`. What is open is closed as incomplete."""
        if self._task is not None:
            self._task.cancel()
        self._finish("cancelled", events.cancelled(reason))

    @property
    def line(self) -> Line:
        """The connection."""
        return self._host.line

    @property
    def about(self) -> dict[str, Any]:
        """The fields by which the deltas of this response say where they belong."""
        item_id = self._item.id if self._item is not None else new_id(ITEM_PREFIX)
        return {"response_id": self.id, "item_id": item_id, "output_index": 0, "content_index": 0}

    @property
    def delta_type(self) -> str:
        """The type of the events that carry the words of this response."""
        return f"response.output_{'audio_transcript' if self.settings.audible else 'text'}.delta"

    def emit(self, event: Event) -> None:
        """Send a server event."""
        self._host.emit(event)

    async def _run(self) -> None:
        try:
            self._strike(Moment.AT_ONCE)
            whole = await self._answer()
            if self._deltas < MIDWAY:
                self._strike(Moment.MIDWAY)
        except Ended as ended:
            if ended.status is not None:
                self._finish(ended.status, ended.details)
            return
        if whole:
            self._finish("completed", None)
        else:
            self._finish("incomplete", events.max_output_tokens_reached())

    async def _answer(self) -> bool:
        """Send the answer; return False where `max_output_tokens` has cut it."""
        pacing = self._host.pacing
        async with asyncio.TaskGroup() as both:
            spoken = both.create_task(self._spoken())
            both.create_task(pacing.wait(pacing.thinking_s))
        if isinstance(self._plan, Call):
            await self._call(self._plan)
            return True
        if self.settings.audible:
            return await self._speak(self._plan.answer.spoken, spoken.result())
        return await self._write(self._plan.answer.text)

    async def _sent_delta(self, seconds: float) -> None:
        """After each delta: wait, so that the next one comes in its time, and once let the faults strike."""
        self._deltas += 1
        if self._deltas == MIDWAY:
            self._strike(Moment.MIDWAY)
        await self._host.pacing.wait(seconds)
        await self.line.drained()

    def _strike(self, moment: Moment) -> None:
        for fault in self._faults:
            if fault.moment is moment:
                fault.act(self)

    async def _spoken(self) -> bytes:
        if isinstance(self._plan, Call) or not self.settings.audible:
            return b""
        pcm = await self._host.speaker.say(self._plan.answer, self.settings.voice, self.settings.speed)
        return await asyncio.to_thread(FORMATS[self.settings.output_format["type"]].encode, pcm)

    async def _write(self, text: str) -> bool:
        share = self._share(text_tokens(text))
        part = self._open_message({"type": "text", "text": ""})
        for word in _words(text, share):
            part.said += word
            self._emit("response.output_text.delta", **part.fields, delta=word)
            await self._sent_delta(self._host.pacing.word_s)
        return share == 1

    async def _speak(self, text: str, audio: bytes) -> bool:
        audio_format = FORMATS[self.settings.output_format["type"]]
        seconds = audio_format.duration_ms(len(audio)) / 1000
        share = self._share(text_tokens(text) + round(seconds * OUTPUT_AUDIO_TOKENS_PER_S))
        audio = audio[: audio_format.size(seconds * 1000 * share)]
        words = _words(text, share)
        length = sum(map(len, words))
        sound = Sound(audio_format)
        part = self._open_message({"type": "audio", "transcript": ""}, sound)
        sent = 0
        pending = iter(words)
        for chunk in _chunks(audio, audio_format):
            sent += len(chunk)
            # A word is written when the audio reaches it, so that text and sound stay in step.
            while len(part.said) < length * sent / len(audio) and (word := next(pending, None)) is not None:
                part.said += word
                self._emit("response.output_audio_transcript.delta", **part.fields, delta=word)
            sound.extend(chunk)
            self.audio_ms += audio_format.duration_ms(len(chunk))
            delta = base64.b64encode(chunk).decode()
            self._emit("response.output_audio.delta", **part.fields, delta=delta)
            await self._sent_delta(audio_format.duration_ms(len(chunk)) / 1000 / self._host.pacing.audio_factor)
        return share == 1

    async def _call(self, call: Call) -> None:
        call_id = new_id("call")
        item = self._open_item({"type": "function_call", "name": call.name, "call_id": call_id, "arguments": ""})
        about = {"response_id": self.id, "item_id": item.id, "output_index": 0, "call_id": call_id}
        for at in range(0, len(call.arguments), _ARGUMENT_DELTA):
            delta = call.arguments[at : at + _ARGUMENT_DELTA]
            item.data["arguments"] += delta
            self._emit("response.function_call_arguments.delta", **about, delta=delta)
            await self._sent_delta(self._host.pacing.word_s)

    def _share(self, tokens: int) -> float:
        limit = self.settings.max_output_tokens
        return 1 if isinstance(limit, str) or tokens <= limit else limit / tokens

    def _open_item(self, data: dict[str, Any]) -> Item:
        item = Item({"id": new_id(ITEM_PREFIX), "object": "realtime.item", "status": "in_progress", **data})
        self._item = item
        self._output.append(item)
        self._emit("response.output_item.added", response_id=self.id, output_index=0, item=item.shown())
        if self.settings.in_conversation:
            previous = self._host.conversation.insert(item)
            self._emit("conversation.item.added", previous_item_id=previous, item=item.shown())
        return item

    def _open_message(self, part: dict[str, Any], sound: Sound | None = None) -> _Part:
        item = self._open_item({"type": "message", "role": "assistant", "content": []})
        fields = self.about
        self._emit("response.content_part.added", **fields, part=part)
        item.data["content"] = [{"type": f"output_{part['type']}"}]
        if sound is not None:
            item.sounds[0] = sound
        self._part = _Part(fields, sound)
        return self._part

    def _close_part(self, item: Item, part: _Part) -> None:
        if part.sound is None:
            self._emit("response.output_text.done", **part.fields, text=part.said)
            shown = {"type": "text", "text": part.said}
            item.data["content"] = [{"type": "output_text", "text": part.said}]
        else:
            self._emit("response.output_audio.done", **part.fields)
            self._emit("response.output_audio_transcript.done", **part.fields, transcript=part.said)
            shown = {"type": "audio", "transcript": part.said}
            if not part.sound.truncated:
                item.data["content"] = [{"type": "output_audio", "transcript": part.said}]
        self._emit("response.content_part.done", **part.fields, part=shown)

    def _finish(self, status: str, details: Event | None) -> None:
        item, part = self._item, self._part
        if item is not None:
            if part is not None:
                self._close_part(item, part)
            elif item.data["type"] == "function_call":
                call = {name: item.data[name] for name in ("call_id", "name", "arguments")}
                self._emit(
                    "response.function_call_arguments.done",
                    response_id=self.id,
                    item_id=item.id,
                    output_index=0,
                    **call,
                )
            item.data["status"] = "completed" if status == "completed" else "incomplete"
            if self.settings.in_conversation:
                previous = self._host.conversation.before(item)
                self._emit("conversation.item.done", previous_item_id=previous, item=item.shown())
            self._emit("response.output_item.done", response_id=self.id, output_index=0, item=item.shown())
        self._emit("response.done", response=self._view(status, details))
        self._host.response_ended(self)

    def _view(self, status: str, details: Event | None) -> Event:
        running = status == "in_progress"
        return {
            "object": "realtime.response",
            "id": self.id,
            "status": status,
            "status_details": details,
            "output": [item.shown() for item in self._output],
            "conversation_id": self._host.conversation.id if self.settings.in_conversation else None,
            "output_modalities": self.settings.modalities,
            "max_output_tokens": self.settings.max_output_tokens,
            "audio": {"output": {"format": self.settings.output_format, "voice": self.settings.voice}},
            "usage": None if running else self._usage(),
            "metadata": self.settings.metadata,
        }

    def _usage(self) -> Event:
        given, cached = self.settings.input_tokens, self.settings.cached_tokens
        words = self._part.said if self._part is not None else ""
        if self._item is not None and self._item.data["type"] == "function_call":
            words = self._item.data["name"] + self._item.data["arguments"]
        text, audio = text_tokens(words), round(self.audio_ms / 1000 * OUTPUT_AUDIO_TOKENS_PER_S)
        return {
            "total_tokens": given.total + text + audio,
            "input_tokens": given.total,
            "output_tokens": text + audio,
            "input_token_details": {
                **_modal(given),
                "cached_tokens": cached.total,
                "cached_tokens_details": _modal(cached),
            },
            "output_token_details": {"text_tokens": text, "audio_tokens": audio},
        }

    def _emit(self, kind: str, **fields: Any) -> None:
        self.emit(events.event(kind, **fields))


def _modal(tokens: Tokens) -> dict[str, int]:
    return {"text_tokens": tokens.text, "audio_tokens": tokens.audio, "image_tokens": tokens.image}


def _words(text: str, share: float) -> list[str]:
    """Split the first `share` of `text` into words, each with the space before it."""
    return _WORDS.findall(text[: int(len(text) * share)])


def _chunks(audio: bytes, audio_format: AudioFormat) -> Iterator[bytes]:
    at = 0
    for ms in chain(CHUNKS_MS, repeat(LAST_CHUNK_MS)):
        if at >= len(audio):
            return
        size = audio_format.size(ms)
        yield audio[at : at + size]
        at += size
