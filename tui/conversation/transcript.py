"""The transcript: raw events in, blocks in conversation order out.

Built from the wire and not from the SDK's session events, because the SDK has none for the person's own deltas, for
failed transcriptions and for responses that fail. Order follows ``previous_item_id``; text that comes after an
interruption belongs to what nobody heard.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tui import wire
from tui.conversation.turns import Speaker, Turn, TurnState

_ROLES: Final = {"user": Speaker.USER, "assistant": Speaker.AGENT, "system": Speaker.SYSTEM}


class _Block:
    """The mutable side of a :class:`Turn`."""

    __slots__ = (
        "audio",
        "cut",
        "heard_ms",
        "item_id",
        "key",
        "note",
        "parts",
        "response_id",
        "speaker",
        "state",
        "time_s",
    )

    def __init__(self, key: str, item_id: str, speaker: Speaker, time_s: float, state: TurnState) -> None:
        self.key = key
        self.item_id = item_id
        self.response_id = ""
        self.speaker = speaker
        self.time_s = time_s
        self.state = state
        self.note = ""
        self.parts: dict[int, str] = {}
        self.audio = 0
        """Bytes of audio received."""
        self.cut: int | None = None
        """Characters that were on the screen when it was interrupted, for answers without audio."""
        self.heard_ms: int | None = None
        """Milliseconds of audio that were heard when it was interrupted."""

    @property
    def text(self) -> str:
        if len(self.parts) == 1:
            return next(iter(self.parts.values()))
        return "\n".join(self.parts[index] for index in sorted(self.parts))

    def heard(self, text: str) -> int:
        """Characters of the text that were heard: for audio, in proportion to the time that was played."""
        if self.heard_ms is not None:
            total_ms = self.audio * 1000 / wire.PCM16_BYTES_PER_SECOND
            if self.heard_ms >= total_ms:
                return len(text)
            at = int(len(text) * self.heard_ms / total_ms)
            # Whole words: a word that was begun counts as heard.
            space = text.find(" ", at)
            return len(text) if space < 0 else space if at else 0
        return len(text) if self.cut is None else min(self.cut, len(text))

    def snapshot(self) -> Turn:
        text = self.text
        return Turn(
            key=self.key,
            item_id=self.item_id,
            speaker=self.speaker,
            text=text,
            heard=self.heard(text),
            state=self.state,
            time_s=self.time_s,
            note=self.note,
        )


class Transcript:
    """Feeds on parsed events, both ways. Never raises, whatever they hold."""

    def __init__(self) -> None:
        self._blocks: dict[str, _Block] = {}
        self._by_item: dict[str, _Block] = {}
        self._order: list[str] = []
        self._changed: dict[str, None] = {}
        self._moved = False
        self._unconfirmed: list[_Block] = []
        self._serial = 0

    # What the program itself says and does

    def queue(self, text: str, time_s: float) -> str:
        """Show a message that was typed and not sent yet; return its key."""
        block = self._add("", Speaker.USER, time_s, TurnState.QUEUED)
        block.parts[0] = text
        return block.key

    def mark_sent(self, key: str) -> None:
        """The queued message goes out now: the next ``conversation.item.create`` is it."""
        block = self._blocks[key]
        block.state = TurnState.SENT
        self._unconfirmed.append(block)
        # What was said while it waited stands above it.
        self._order.remove(key)
        self._order.append(key)
        self._moved = True
        self._touch(block)

    def fail(self, key: str, note: str) -> None:
        """The message could not be sent."""
        block = self._blocks[key]
        block.state, block.note = TurnState.FAILED, note
        self._touch(block)

    def say(self, text: str, time_s: float, note: str = "") -> str:
        """A word of the program's own, in its place in the conversation."""
        block = self._add("", Speaker.PROGRAM, time_s, TurnState.DONE)
        block.parts[0], block.note = text, note
        return block.key

    def interrupt(self, response_id: str, heard: Mapping[str, int]) -> None:
        """The person interrupted.

        Args:
            response_id: the response that was running, "" when only its audio was still playing.
            heard: item id -> milliseconds heard, for items whose audio was playing or waiting to.
        """
        for block in self._blocks.values():
            ms = heard.get(block.item_id) if block.item_id else None
            if ms is not None:
                block.heard_ms = ms
                block.note = f"interrupted at {ms / 1000:.1f} s"
            elif response_id and block.response_id == response_id and block.state is TurnState.STREAMING:
                if not block.audio:
                    block.cut = len(block.text)
                block.note = "interrupted"
            else:
                continue
            if block.speaker is Speaker.AGENT:
                block.state = TurnState.INTERRUPTED
            self._touch(block)

    def end_session(self) -> None:
        """The connection is gone: what still streamed stays as it is, item ids mean nothing any more."""
        for block in self._blocks.values():
            if block.state is TurnState.STREAMING:
                block.state, block.note = TurnState.FAILED, block.note or "cut off: the connection ended"
                self._touch(block)
            elif block.state is TurnState.SENT:
                block.state, block.note = TurnState.FAILED, "not confirmed: the connection ended"
                self._touch(block)
        self._by_item.clear()
        self._unconfirmed.clear()

    def take_changes(self) -> tuple[tuple[Turn, ...], tuple[str, ...] | None]:
        """Blocks changed since the last call, and the order of all keys when that changed too."""
        turns = tuple(self._blocks[key].snapshot() for key in self._changed if key in self._blocks)
        order = tuple(self._order) if self._moved else None
        self._changed.clear()
        self._moved = False
        return turns, order

    def turns(self) -> tuple[Turn, ...]:
        """Every block, in order."""
        return tuple(self._blocks[key].snapshot() for key in self._order)

    # Events

    def received(self, event: Mapping[str, Any], time_s: float) -> None:
        """Take an event that was received."""
        event_type = event.get("type")
        handler = _RECEIVED.get(event_type) if isinstance(event_type, str) else None
        if handler is not None:
            handler(self, event, time_s)

    def _item_added(self, event: Mapping[str, Any], time_s: float) -> None:
        item = event.get("item")
        if not isinstance(item, Mapping):
            return
        item_id = _text(item.get("id"))
        block = self._by_item.get(item_id)
        if block is None:
            block = self._adopt(item, item_id, time_s)
            if block is None:
                return
        self._place(block, event.get("previous_item_id"))
        self._fill(block, item)
        if event.get("type") == "conversation.item.done" and block.state in {TurnState.STREAMING, TurnState.SENT}:
            block.state = TurnState.DONE
        self._touch(block)

    def _adopt(self, item: Mapping[str, Any], item_id: str, time_s: float) -> _Block | None:
        """The block for an item that is new to us: one of our own messages, or a new one."""
        kind = item.get("type")
        if kind in {"function_call", "mcp_call"}:
            block = self._add(item_id, Speaker.TOOL, time_s, TurnState.STREAMING)
            block.parts[-1] = _text(item.get("name"))
            return block
        if kind == "function_call_output":
            return self._add(item_id, Speaker.TOOL, time_s, TurnState.DONE)
        if kind != "message":
            return None
        speaker = _ROLES.get(_text(item.get("role")), Speaker.SYSTEM)
        if speaker is Speaker.USER and self._unconfirmed and not _has_audio(item):
            block = self._unconfirmed.pop(0)
            block.item_id = item_id
            if item_id:
                self._by_item[item_id] = block
            block.state = TurnState.DONE
            return block
        state = TurnState.STREAMING if speaker is Speaker.AGENT or _has_audio(item) else TurnState.DONE
        return self._add(item_id, speaker, time_s, state)

    def _fill(self, block: _Block, item: Mapping[str, Any]) -> None:
        """Take the item's own text where no delta has brought it."""
        kind = item.get("type")
        if kind == "function_call_output":
            block.parts[0] = "→ " + _text(item.get("output"))
        elif block.speaker is Speaker.TOOL:
            arguments = _text(item.get("arguments"))
            if arguments:
                block.parts[0] = arguments
        elif not any(block.parts.values()):
            said = wire.content_text(item.get("content"))
            if said:
                block.parts[0] = said

    def _output_item(self, event: Mapping[str, Any], time_s: float) -> None:
        item = event.get("item")
        if not isinstance(item, Mapping):
            return
        item_id = _text(item.get("id"))
        block = self._by_item.get(item_id) or self._adopt(item, item_id, time_s)
        if block is None:
            return
        block.response_id = _text(event.get("response_id")) or block.response_id
        self._fill(block, item)
        if event.get("type") == "response.output_item.done" and block.state is TurnState.STREAMING:
            block.state = TurnState.DONE if item.get("status") != "incomplete" else TurnState.INTERRUPTED
        self._touch(block)

    def _delta(self, event: Mapping[str, Any], time_s: float) -> None:
        block = self._agent_block(event, time_s)
        delta = event.get("delta")
        if isinstance(delta, str):
            index = _index(event)
            block.parts[index] = block.parts.get(index, "") + delta
            self._touch(block)

    def _text_done(self, event: Mapping[str, Any], time_s: float) -> None:
        said = event.get("text", event.get("transcript"))
        if isinstance(said, str):
            block = self._agent_block(event, time_s)
            block.parts[_index(event)] = said
            self._touch(block)

    def _audio(self, event: Mapping[str, Any], time_s: float) -> None:
        block = self._agent_block(event, time_s)
        delta = event.get("delta")
        if isinstance(delta, str):
            block.audio += len(delta) * 3 // 4 - delta.count("=", max(0, len(delta) - 2))
            if block.heard_ms is not None:
                self._touch(block)

    def _arguments(self, event: Mapping[str, Any], time_s: float) -> None:
        item_id = _text(event.get("item_id"))
        block = self._by_item.get(item_id) or self._add(item_id, Speaker.TOOL, time_s, TurnState.STREAMING)
        complete = event.get("arguments")
        delta = event.get("delta")
        if isinstance(complete, str):
            block.parts[0] = complete
        elif isinstance(delta, str):
            block.parts[0] = block.parts.get(0, "") + delta
        self._touch(block)

    def _transcription(self, event: Mapping[str, Any], time_s: float) -> None:
        block = self._user_block(event, time_s)
        index = _index(event)
        delta, complete = event.get("delta"), event.get("transcript")
        if isinstance(complete, str):
            block.parts[index], block.state = complete.strip(), TurnState.DONE
        elif isinstance(delta, str):
            block.parts[index] = block.parts.get(index, "") + delta
        self._touch(block)

    def _transcription_failed(self, event: Mapping[str, Any], time_s: float) -> None:
        block = self._user_block(event, time_s)
        error = event.get("error")
        why = wire.text(error.get("message") or error.get("code")) if isinstance(error, Mapping) else ""
        block.state, block.note = TurnState.FAILED, f"not transcribed: {why}" if why else "not transcribed"
        self._touch(block)

    def _deleted(self, event: Mapping[str, Any], time_s: float) -> None:
        block = self._by_item.pop(_text(event.get("item_id")), None)
        if block is not None:
            block.note = "deleted from the conversation"
            self._touch(block)

    def _response_done(self, event: Mapping[str, Any], time_s: float) -> None:
        response = event.get("response")
        if not isinstance(response, Mapping):
            return
        response_id, status = _text(response.get("id")), response.get("status")
        mine = [block for block in self._blocks.values() if response_id and block.response_id == response_id]
        for block in mine:
            if block.state is TurnState.STREAMING:
                block.state = TurnState.INTERRUPTED if status == "cancelled" else TurnState.DONE
                self._touch(block)
        if status in {"failed", "incomplete"}:
            details = response.get("status_details")
            why = _failure(details if isinstance(details, Mapping) else {})
            if mine:
                mine[-1].state, mine[-1].note = TurnState.FAILED, f"{status}: {why}"
                self._touch(mine[-1])
            else:
                self.say(f"The answer {'failed' if status == 'failed' else 'was cut short'}: {why}", time_s)

    # Blocks

    def _agent_block(self, event: Mapping[str, Any], time_s: float) -> _Block:
        item_id = _text(event.get("item_id"))
        block = self._by_item.get(item_id) or self._add(item_id, Speaker.AGENT, time_s, TurnState.STREAMING)
        block.response_id = block.response_id or _text(event.get("response_id"))
        return block

    def _user_block(self, event: Mapping[str, Any], time_s: float) -> _Block:
        item_id = _text(event.get("item_id"))
        return self._by_item.get(item_id) or self._add(item_id, Speaker.USER, time_s, TurnState.STREAMING)

    def _add(self, item_id: str, speaker: Speaker, time_s: float, state: TurnState) -> _Block:
        self._serial += 1
        block = _Block(f"turn-{self._serial}", item_id, speaker, time_s, state)
        self._blocks[block.key] = block
        if item_id:
            self._by_item[item_id] = block
        self._order.append(block.key)
        self._moved = True
        self._touch(block)
        return block

    def _place(self, block: _Block, previous_item_id: object) -> None:
        """Put a block behind the item that the server names, unless it already stands there."""
        previous = self._by_item.get(previous_item_id) if isinstance(previous_item_id, str) else None
        if previous is None or previous is block:
            return
        order = self._order
        at = order.index(block.key)
        if at and self._follows(at, previous):
            return
        del order[at]
        order.insert(order.index(previous.key) + 1, block.key)
        self._moved = True

    def _follows(self, at: int, previous: _Block) -> bool:
        """True when only blocks without an item (our own words) stand between the two."""
        for key in reversed(self._order[:at]):
            if key == previous.key:
                return True
            if self._blocks[key].item_id:
                return False
        return False

    def _touch(self, block: _Block) -> None:
        self._changed[block.key] = None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _index(event: Mapping[str, Any]) -> int:
    value = event.get("content_index")
    return value if isinstance(value, int) and 0 <= value < 1000 else 0


def _has_audio(item: Mapping[str, Any]) -> bool:
    content = item.get("content")
    if not isinstance(content, list):
        return False
    return any(isinstance(part, Mapping) and part.get("type") == "input_audio" for part in content)


def _failure(details: Mapping[str, Any]) -> str:
    """Why a response failed or stopped early, in the service's words."""
    error = details.get("error")
    if isinstance(error, Mapping):
        said = " · ".join(part for part in (wire.text(error.get("code")), wire.text(error.get("message"))) if part)
        if said:
            return said
    return {
        "content_filter": "the content filter stopped it",
        "max_output_tokens": "it reached the limit of output tokens",
    }.get(_text(details.get("reason")), _text(details.get("reason")) or "the server gave no reason")


_RECEIVED: Final = {
    "conversation.item.added": Transcript._item_added,
    "conversation.item.done": Transcript._item_added,
    "conversation.item.created": Transcript._item_added,
    "conversation.item.deleted": Transcript._deleted,
    "conversation.item.input_audio_transcription.delta": Transcript._transcription,
    "conversation.item.input_audio_transcription.completed": Transcript._transcription,
    "conversation.item.input_audio_transcription.failed": Transcript._transcription_failed,
    "response.output_item.added": Transcript._output_item,
    "response.output_item.done": Transcript._output_item,
    "response.output_text.delta": Transcript._delta,
    "response.output_text.done": Transcript._text_done,
    "response.text.delta": Transcript._delta,
    "response.text.done": Transcript._text_done,
    "response.output_audio_transcript.delta": Transcript._delta,
    "response.output_audio_transcript.done": Transcript._text_done,
    "response.audio_transcript.delta": Transcript._delta,
    "response.audio_transcript.done": Transcript._text_done,
    "response.output_audio.delta": Transcript._audio,
    "response.audio.delta": Transcript._audio,
    "response.function_call_arguments.delta": Transcript._arguments,
    "response.function_call_arguments.done": Transcript._arguments,
    "response.done": Transcript._response_done,
}
