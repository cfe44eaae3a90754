"""One session: takes client frames, keeps the state, and emits server events. It knows no socket."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

from tui.simulator import events, tutor
from tui.simulator.client_events import check_event, without_nulls
from tui.simulator.config import SessionConfig
from tui.simulator.conversation import (
    Conversation,
    Item,
    Sound,
    Tokens,
    decode_audio,
    item_from_client,
    text_tokens,
)
from tui.simulator.dialect import make_dialect
from tui.simulator.events import ITEM_PREFIX, ClientError, Event, new_id
from tui.simulator.faults import FaultPlan
from tui.simulator.faults.kinds import Terms
from tui.simulator.input_audio import InputAudio
from tui.simulator.line import Line
from tui.simulator.response import Pacing, Response, Settings
from tui.simulator.speech import Speaker
from tui.simulator.transcription import transcribe
from tui.simulator.usage import RateLimits, cached_prefix
from tui.simulator.validation import parse


class Session:
    """The state of one connection.

    `line` takes each server event, already in the client's dialect. Responses run beside `receive` as tasks made by
    `spawn`, which looks after them; `stop` ends them. `faults` says what is to go wrong in them.
    """

    def __init__(
        self,
        model: str,
        terms: Terms,
        *,
        line: Line,
        spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
        pacing: Pacing,
        speaker: Speaker,
        faults: FaultPlan,
    ) -> None:
        self.line = line
        self.pacing = pacing
        self.speaker = speaker
        self.conversation = Conversation()
        self._terms = terms
        self._config = SessionConfig(model, terms.lifetime_s)
        self._dialect = make_dialect(terms.dialect)
        self._spawn_task = spawn
        self._faults = faults
        self._audio = InputAudio(self._config.input_format, self._config.turn_detection)
        self._speech_item = ""
        self._speech_start_ms = 0
        self._responses: dict[str, Response] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._spoke = False
        self._limits = RateLimits()
        self._last_input = Tokens()
        self._idle_at_ms: float | None = None
        self._handlers: dict[str, Callable[[Event], None]] = {
            "session.update": self._update_session,
            "input_audio_buffer.append": self._append_audio,
            "input_audio_buffer.commit": self._commit_audio,
            "input_audio_buffer.clear": self._clear_audio,
            "output_audio_buffer.clear": self._clear_output,
            "conversation.item.create": self._create_item,
            "conversation.item.truncate": self._truncate_item,
            "conversation.item.delete": self._delete_item,
            "conversation.item.retrieve": self._retrieve_item,
            "response.create": self._create_response,
            "response.cancel": self._cancel_response,
        }

    def start(self) -> None:
        """Send session.created, or what the terms have in its place."""
        if self._terms.dismissal is not None:
            self.emit(self._terms.dismissal.event)
            self.line.close(self._terms.dismissal.code, self._terms.dismissal.reason)
        elif self._terms.speaks:
            self._emit("session.created", session=self._config.snapshot())

    def receive(self, frame: str | bytes) -> None:
        """Handle one WebSocket message. Whatever the client got wrong becomes an `error` event."""
        if not self._terms.speaks:
            return
        event_id = None
        try:
            event = parse(frame)
            given = event.get("event_id")
            event_id = given if isinstance(given, str) else None
            check_event(event, self._dialect.client_events)
            self._handlers[event["type"]](self._dialect.incoming(without_nulls(event)))
        except ClientError as problem:
            self.emit(events.error(problem, event_id))

    def expire(self, minutes: int) -> None:
        """Say that the session has lasted its `minutes`, and close the connection."""
        self.emit(events.session_expired(minutes))
        self.line.close(1001)

    def stop(self) -> None:
        """Cancel every task of the session."""
        for task in tuple(self._tasks):
            task.cancel()

    # What a response needs of its host.

    def emit(self, event: Event) -> None:
        """Send a server event, given in the GA shape."""
        translated = self._dialect.outgoing(event)
        if translated is not None:
            self.line.send(translated)

    def response_ended(self, response: Response) -> None:
        """Forget a response that has sent its response.done."""
        del self._responses[response.id]
        self._spoke = self._spoke or response.audio_ms > 0
        idle_ms = (self._config.turn_detection or {}).get("idle_timeout_ms")
        if response.settings.in_conversation and idle_ms is not None:
            # The audio still has to play; the buffer's own time is the clock, as in the event's fields.
            self._idle_at_ms = self._audio.end_ms + response.audio_ms + idle_ms

    def _emit(self, kind: str, **fields: Any) -> None:
        self.emit(events.event(kind, **fields))

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._spawn_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _update_session(self, event: Event) -> None:
        if self._terms.refuse is not None:
            self._terms.refuse(event["session"])
        spoke = self._spoke or any(response.audio_ms > 0 for response in self._responses.values())
        self._config.update(event["session"], voice_fixed=spoke)
        self._audio.configure(self._config.input_format, self._config.turn_detection)
        self._idle_at_ms = None
        self._emit("session.updated", session=self._config.snapshot())

    def _append_audio(self, event: Event) -> None:
        for boundary in self._audio.append(decode_audio(event["audio"], "audio")):
            if boundary.kind == "started":
                self._speech_started(boundary.at_ms)
            else:
                self._speech_stopped(boundary.at_ms)
        if self._idle_at_ms is not None and self._audio.end_ms >= self._idle_at_ms:
            self._idle()

    def _speech_started(self, at_ms: int) -> None:
        self._idle_at_ms = None
        self._speech_item = new_id(ITEM_PREFIX)
        self._speech_start_ms = at_ms
        self._emit("input_audio_buffer.speech_started", audio_start_ms=at_ms, item_id=self._speech_item)
        active = self._active_response()
        if active is not None and self._turn_setting("interrupt_response"):
            active.cancel("turn_detected")

    def _speech_stopped(self, at_ms: int) -> None:
        self._emit("input_audio_buffer.speech_stopped", audio_end_ms=at_ms, item_id=self._speech_item)
        self._commit(self._audio.take(self._speech_start_ms, at_ms), self._speech_item)
        if self._turn_setting("create_response"):
            self._respond_by_itself()

    def _idle(self) -> None:
        start_ms, end_ms = round(self._audio_start_of_idle()), round(self._audio.end_ms)
        self._idle_at_ms = None
        item_id = new_id(ITEM_PREFIX)
        self._emit(
            "input_audio_buffer.timeout_triggered", audio_start_ms=start_ms, audio_end_ms=end_ms, item_id=item_id
        )
        self._commit(self._audio.take(start_ms, end_ms), item_id)
        self._respond_by_itself()

    def _audio_start_of_idle(self) -> float:
        idle_ms = float((self._config.turn_detection or {}).get("idle_timeout_ms") or 0)
        return max(0.0, (self._idle_at_ms or 0.0) - idle_ms)

    def _turn_setting(self, name: str) -> bool:
        return bool((self._config.turn_detection or {}).get(name))

    def _respond_by_itself(self) -> None:
        try:
            self._create_response({})
        except ClientError as problem:
            # interrupt_response is off and a response runs: the service reports it, naming no client event.
            self.emit(events.error(problem, None))

    def _commit_audio(self, event: Event) -> None:
        sound = self._audio.commit()
        item_id, self._speech_item = self._speech_item or new_id(ITEM_PREFIX), ""
        self._commit(sound, item_id)

    def _commit(self, sound: Sound, item_id: str) -> None:
        self._speech_item = ""
        content = [{"type": "input_audio", "transcript": None}]
        data = {"id": item_id, "object": "realtime.item", "type": "message", "status": "completed"}
        item = Item({**data, "role": "user", "content": content}, {0: sound})
        previous = self.conversation.insert(item)
        self._emit("input_audio_buffer.committed", previous_item_id=previous, item_id=item.id)
        self._item_added(item, previous)
        settings = self._config.input["transcription"]
        if settings is not None:
            model = settings.get("model", "")
            self._spawn(transcribe(self, item, sound, model, self._faults.transcription(model)))

    def _clear_audio(self, event: Event) -> None:
        self._audio.clear()
        self._speech_item = ""
        self._emit("input_audio_buffer.cleared")

    def _clear_output(self, event: Event) -> None:
        raise ClientError(
            "The event 'output_audio_buffer.clear' is only supported in WebRTC and SIP sessions.",
            code="invalid_value",
            param="type",
        )

    def _create_item(self, event: Event) -> None:
        item = item_from_client(event["item"], self._config.input_format)
        previous = self.conversation.insert(item, event.get("previous_item_id"))
        self._item_added(item, previous)

    def _item_added(self, item: Item, previous: str | None) -> None:
        for kind in ("conversation.item.added", "conversation.item.done"):
            self._emit(kind, previous_item_id=previous, item=item.shown())

    def _truncate_item(self, event: Event) -> None:
        item = self.conversation.find(event["item_id"], "truncating")
        index, end_ms = event["content_index"], event["audio_end_ms"]
        sound = item.sounds.get(index)
        if sound is None or item.data.get("role") != "assistant":
            raise ClientError("Only model output audio messages can be truncated.", code="invalid_value")
        if end_ms > sound.ms:
            raise ClientError(
                f"Audio content of {sound.ms:.0f}ms is already shorter than {end_ms}ms",
                code="invalid_value",
                param="audio_end_ms",
            )
        item.truncate(index, end_ms)
        self._emit("conversation.item.truncated", item_id=item.id, content_index=index, audio_end_ms=end_ms)

    def _delete_item(self, event: Event) -> None:
        item = self.conversation.find(event["item_id"], "deleting")
        self.conversation.remove(item)
        self._emit("conversation.item.deleted", item_id=item.id)

    def _retrieve_item(self, event: Event) -> None:
        item = self.conversation.find(event["item_id"], "retrieving")
        self._emit("conversation.item.retrieved", item=item.with_audio())

    def _active_response(self) -> Response | None:
        """Return the response that runs in the default conversation; those out of band do not count."""
        running = (response for response in self._responses.values() if response.settings.in_conversation)
        return next(running, None)

    def _create_response(self, event: Event) -> None:
        given = event.get("response") or {}
        in_conversation = given.get("conversation", "auto") == "auto"
        active = self._active_response()
        if in_conversation and active is not None:
            raise ClientError(
                f"Conversation already has an active response in progress: {active.id}. "
                "Wait until the response is finished before creating a new one.",
                code="conversation_already_has_active_response",
            )
        instead, faults = self._faults.answer()
        for fault in instead:
            fault.act(self)
        if instead:
            return
        session = self._config.data
        context = self._context(given)
        tools = given.get("tools", session["tools"])
        instructions = given.get("instructions", session["instructions"])
        tokens = sum((item.tokens() for item in context), Tokens(text_tokens(instructions)))
        if tools:
            tokens += Tokens(text_tokens(str(tools)))
        plan = tutor.reply(
            context,
            tools=tools,
            tool_choice=given.get("tool_choice", session["tool_choice"]),
            instructions=given.get("instructions", ""),
        )
        response = Response(self, plan, self._settings(given, in_conversation, tokens), faults)
        self._last_input = tokens
        self._idle_at_ms = None
        self._responses[response.id] = response
        response.start(self._spawn)
        self._emit("rate_limits.updated", rate_limits=self._limits.take(tokens.total, time.monotonic()))

    def _context(self, given: dict[str, Any]) -> list[Item]:
        if "input" not in given:
            return list(self.conversation.items)
        context = []
        for index, entry in enumerate(given["input"]):
            path = f"response.input[{index}]"
            if entry["type"] != "item_reference":
                context.append(item_from_client(entry, self._config.input_format, path))
                continue
            item = self.conversation.get(entry["id"])
            if item is None:
                raise ClientError(f"Item with id '{entry['id']}' not found.", code="invalid_value", param=f"{path}.id")
            context.append(item)
        return context

    def _settings(self, given: dict[str, Any], in_conversation: bool, tokens: Tokens) -> Settings:
        session = self._config.data
        output = {**self._config.output, **given.get("audio", {}).get("output", {})}
        voice = output["voice"]
        return Settings(
            modalities=given.get("output_modalities", session["output_modalities"]),
            voice=voice if isinstance(voice, str) else voice["id"],
            output_format=output["format"],
            speed=output["speed"],
            max_output_tokens=given.get("max_output_tokens", session["max_output_tokens"]),
            metadata=given.get("metadata"),
            in_conversation=in_conversation,
            input_tokens=tokens,
            cached_tokens=cached_prefix(self._last_input, tokens),
        )

    def _cancel_response(self, event: Event) -> None:
        wanted = event.get("response_id")
        response = self._active_response() if wanted is None else self._responses.get(wanted)
        if response is None:
            raise ClientError("Cancellation failed: no active response found", code="response_cancel_not_active")
        response.cancel("client_cancelled")
