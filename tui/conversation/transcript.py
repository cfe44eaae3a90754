"""The transcript: raw events in, blocks in conversation order out.

Built from the wire and not from the SDK's session events, because the SDK has none for the person's own deltas, for
failed transcriptions and for responses that fail. Order follows ``previous_item_id``; text that comes after an
interruption belongs to what nobody heard.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final

from tui import wire
from tui.audio_format import Formats
from tui.conversation.blocks import Block, Blocks
from tui.conversation.carrying import CARRIED, CARRIED_FIRST, ROLES, Carried, choose, is_same
from tui.conversation.items import (
    CALL_FAILED,
    answer_approval,
    begin_tool,
    fill,
    has_audio,
    mapping,
    part_index,
    string,
)
from tui.conversation.turns import Speaker, Turn, TurnState
from tui.failures import events as failures
from tui.failures.table import Cause

_ENDED_KEPT: Final = 64
"""Responses that are remembered when they are done; late events come within a few."""


class Transcript:
    """Feeds on parsed events that were received. Never raises, whatever they hold."""

    def __init__(self) -> None:
        self._blocks = Blocks()
        self._formats = Formats()
        self._unconfirmed: list[Block] = []
        self._carried: dict[str, Block] = {}
        """Blocks that are on their way into a new session, by the id that their item was given."""
        self._reset_s: float | None = None
        """Seconds until a limit of the service that is used up is reset, as it said last."""
        self._interrupted: set[str] = set()
        """Responses that the person interrupted."""
        self._ended: deque[str] = deque(maxlen=_ENDED_KEPT)
        """Responses that are done: what still comes of them is text, and nobody speaks."""
        self._tool_lists: dict[str, str] = {}
        """The item of a list of tools -> the MCP server that it is of."""
        self._refused_items = 0
        """Items of the conversation so far that the session did not take."""
        self.advises = False
        """A failure names the key that may help; False where the user takes no part in the session."""
        self.judge: Callable[[Mapping[str, Any], Cause], Cause | None] = lambda error, cause: cause
        """Return what to tell of an error event, from its ``error`` object and its cause; None for nothing."""
        self.muted = False
        """Errors that come now follow from what was reported already."""
        self._seams = 0
        """How often a response began or ended: what parts those that have no id."""

    # What the program itself says and does

    def queue(self, text: str, time_s: float) -> str:
        """Show a message that was typed and not sent yet; return its key."""
        block = self._blocks.add("", Speaker.USER, time_s, TurnState.QUEUED)
        block.parts[0] = text
        return block.key

    def mark_sent(self, key: str) -> str:
        """The queued message goes out now: it stands below what was said while it waited. Return its text."""
        block = self._blocks[key]
        block.state = TurnState.SENT
        self._unconfirmed.append(block)
        self._blocks.move_to_end(block)
        self._blocks.touch(block)
        return block.text

    def fail(self, key: str, note: str) -> None:
        """The message could not be sent."""
        block = self._blocks[key]
        block.state, block.note = TurnState.FAILED, note
        if block in self._unconfirmed:
            self._unconfirmed.remove(block)
        self._blocks.touch(block)

    def say(self, text: str, time_s: float, note: str = "", *, cause: str = "", command: str = "") -> str:
        """A word of the program's own, in its place in the conversation.

        Args:
            text: what it says.
            time_s: when, in seconds since the log's origin.
            note: a few more words.
            cause: the name of the cause that it is about.
            command: the id of the binding that may help.
        """
        last = self._blocks.last()
        if last is not None and last.speaker is Speaker.PROGRAM and last.text == text:
            # An error event, and the close that follows it.
            last.note, last.cause, last.command = note or last.note, cause or last.cause, command or last.command
            self._blocks.touch(last)
            return last.key
        block = self._blocks.add("", Speaker.PROGRAM, time_s, TurnState.DONE)
        block.parts[0], block.note, block.cause, block.command = text, note, cause, command
        return block.key

    def rebase(self, seconds: float) -> None:
        """Move the origin of all times on by so many seconds; nothing comes before it."""
        for block in self._blocks.in_order():
            block.time_s = max(0.0, block.time_s - seconds)
            self._blocks.touch(block)

    def interrupt(self, response_id: str, heard: Mapping[str, int]) -> None:
        """The person interrupted.

        Args:
            response_id: the response that was running, "" when it has no id, or only its audio was still playing.
            heard: item id -> milliseconds heard, for items whose audio was playing or waiting to.
        """
        for item_id, ms in heard.items():
            block = self._blocks.named(item_id)
            if block is not None:
                block.heard_ms = ms
                block.interrupt(f"interrupted at {ms / 1000:.1f} s")
                self._blocks.touch(block)
        if response_id:
            self._interrupted.add(response_id)
        for block in self._blocks.ending_with(response_id):
            if block.state is TurnState.STREAMING:
                block.cut = len(block.text)
                block.interrupt("interrupted")
                self._blocks.touch(block)

    def end_session(self, heard: Mapping[str, int] | None = None) -> list[str]:
        """The connection is gone: what still streamed stays as it is, item ids mean nothing any more.

        What the server has not confirmed waits again: the next session knows only what it is given, so that to send it
        once more does not double it.

        Args:
            heard: item id -> milliseconds heard, for items whose audio was playing or waiting to.

        Returns:
            The keys of the messages to send again, in order.
        """
        for item_id, ms in (heard or {}).items():
            block = self._blocks.named(item_id)
            if block is not None:
                block.heard_ms = ms
                block.interrupt(f"cut off at {ms / 1000:.1f} s: the connection ended")
                self._blocks.touch(block)
        for block in self._blocks.in_states(TurnState.STREAMING):
            block.state, block.note = TurnState.FAILED, block.note or "cut off: the connection ended"
            self._blocks.touch(block)
        again = self._blocks.in_states(TurnState.SENT)
        for block in again:
            block.state = TurnState.QUEUED
            self._blocks.touch(block)
        self._blocks.forget_session()
        self._unconfirmed.clear()
        self._carried.clear()
        self._interrupted.clear()
        self._ended.clear()
        self._tool_lists.clear()
        self._refused_items = 0
        return [block.key for block in self._blocks.in_order() if block in again] if again else []

    def carry(self, session: int) -> Carried:
        """What goes into the ``session``-th session; its items, when they are confirmed, are the blocks that are there.

        Call it once, after :meth:`end_session`, and send the items in their order.
        """
        carried, chosen = choose(self._blocks.in_order(), session)
        for block, item in chosen:
            block.item_id = item["id"]
            self._blocks.name(block, item["id"])
            self._blocks.touch(block)
            self._carried[item["id"]] = block
        return carried

    @property
    def changed(self) -> bool:
        """Whether something changed since the last :meth:`take_changes`."""
        return self._blocks.changed

    def take_changes(self) -> tuple[tuple[Turn, ...], tuple[str, ...] | None]:
        """Blocks changed since the last call, and the order of all keys when that changed too."""
        return self._blocks.take_changes()

    def turns(self) -> tuple[Turn, ...]:
        """Every block, in order."""
        return self._blocks.turns()

    # Events

    def received(self, event: Mapping[str, Any], time_s: float) -> None:
        """Take an event that was received."""
        event_type = event.get("type")
        handler = _RECEIVED.get(event_type) if isinstance(event_type, str) else None
        self._formats.take(event, sent=False)
        if handler is not None:
            handler(self, event, time_s)

    def sent(self, event: Mapping[str, Any], time_s: float) -> None:
        """Take a message that a client sent: it is shown before the server confirms it, or if it never does.

        For a session that is looked at; in one of ours, :meth:`queue` and :meth:`mark_sent` have shown it.
        """
        item = mapping(event.get("item"))
        carried = CARRIED_FIRST.fullmatch(string(item.get("id")))
        if carried is not None:
            self.carry(int(carried[1]))
        text = wire.content_text(item.get("content"))
        if item.get("type") == "message" and item.get("role") == "user" and not item.get("id") and text:
            waiting = (block for block in self._blocks.in_states(TurnState.QUEUED) if block.text == text)
            block = next(waiting, None)
            self.mark_sent(block.key if block is not None else self.queue(text, time_s))

    def _item(self, event: Mapping[str, Any], time_s: float) -> None:
        item = event.get("item")
        if not isinstance(item, Mapping):
            return
        if item.get("type") == "mcp_list_tools":
            self._tool_lists[string(item.get("id"))] = wire.text(item.get("server_label"))
        item_id, role = string(item.get("id")), item.get("role")
        if not item_id and (role == "assistant" or (role == "user" and not self._unconfirmed)):
            return  # its response says it too; it was confirmed before
        self._carried.pop(item_id, None)
        block = self._blocks.named(item_id) or self._adopt(item, time_s)
        if block is None:
            return
        previous = self._blocks.named(string(event.get("previous_item_id")))
        if previous is not None:
            self._blocks.place(block, previous)
        fill(block, item)
        if event.get("type") == "conversation.item.done" and block.state in (TurnState.STREAMING, TurnState.SENT):
            block.state = TurnState.INTERRUPTED if item.get("status") == "incomplete" else TurnState.DONE
        self._blocks.touch(block)

    def _adopt(self, item: Mapping[str, Any], time_s: float) -> Block | None:
        """The block for an item that is new to us: one of our own messages, or a new one."""
        item_id, kind = string(item.get("id")), item.get("type")
        carried = self._recognise(item) if self._carried else None
        if carried is not None:
            carried.item_id = item_id
            self._blocks.name(carried, item_id)
            return carried
        if kind != "message":
            answer_approval(self._blocks, item)
            return begin_tool(self._blocks, item, time_s)
        speaker = ROLES.get(string(item.get("role")), Speaker.SYSTEM)
        spoken = has_audio(item)
        if speaker is Speaker.USER and self._unconfirmed and not spoken:
            block = self._confirm(wire.content_text(item.get("content")))
            block.item_id = item_id
            self._blocks.name(block, item_id)
            return block
        state = TurnState.STREAMING if speaker is Speaker.AGENT or spoken else TurnState.DONE
        return self._blocks.add(item_id, speaker, time_s, state)

    def _recognise(self, item: Mapping[str, Any]) -> Block | None:
        """The block that was carried into this session as this item, where the server gave it an id of its own."""
        name = next((name for name, block in self._carried.items() if is_same(block, item)), "")
        return self._carried.pop(name, None)

    def _confirm(self, said: str) -> Block:
        """The message of ours that the server has taken: the one that says this, else the oldest."""
        block = next((block for block in self._unconfirmed if block.text == said), self._unconfirmed[0])
        self._unconfirmed.remove(block)
        block.state = TurnState.DONE
        return block

    def _output_item(self, event: Mapping[str, Any], time_s: float) -> None:
        item = event.get("item")
        if not isinstance(item, Mapping):
            return
        speaker = Speaker.AGENT if item.get("type") == "message" else Speaker.TOOL
        name = self._name(event, item.get("id"), speaker)
        block = self._blocks.named(name, string(event.get("response_id"))) or self._adopt(item, time_s)
        if block is None:
            return
        self._blocks.name(block, name)
        self._assign(block, event)
        fill(block, item)
        if event.get("type") == "response.output_item.done" and block.state is TurnState.STREAMING:
            block.state = TurnState.DONE if item.get("status") != "incomplete" else TurnState.INTERRUPTED
        self._end_late(block)
        self._blocks.touch(block)

    def _delta(self, event: Mapping[str, Any], time_s: float) -> None:
        delta = event.get("delta")
        if isinstance(delta, str):
            block, index = self._block(event, Speaker.AGENT, time_s), part_index(event)
            block.parts[index] = wire.joined(block.parts.get(index, ""), delta)
            self._blocks.touch(block)

    def _text_done(self, event: Mapping[str, Any], time_s: float) -> None:
        part = event.get("part")  # of a content_part.done: news only where no delta has brought it
        said = event.get("text", event.get("transcript")) if part is None else wire.content_text([part])
        if isinstance(said, str):
            block, index = self._block(event, Speaker.AGENT, time_s), part_index(event)
            if part is None or (said and not block.parts.get(index)):
                block.parts[index] = said
                self._blocks.touch(block)

    def _audio(self, event: Mapping[str, Any], time_s: float) -> None:
        delta = event.get("delta")
        if isinstance(delta, str):
            block = self._block(event, Speaker.AGENT, time_s)
            in_force = self._formats.now
            audio = in_force.responses.get(string(event.get("response_id")), in_force.received)
            size = len(delta) * 3 // 4 - delta.count("=", max(0, len(delta) - 2))
            block.audio_ms += size * 1000 / audio.bytes_per_second if audio.known else 0
            if block.heard_ms is not None:
                self._blocks.touch(block)

    def _arguments(self, event: Mapping[str, Any], time_s: float) -> None:
        block = self._block(event, Speaker.TOOL, time_s)
        complete = event.get("arguments")
        delta = event.get("delta")
        if isinstance(complete, str):
            block.parts[0] = complete
        elif isinstance(delta, str):
            block.parts[0] = wire.joined(block.parts.get(0, ""), delta)
        self._blocks.touch(block)

    def _tool_ended(self, event: Mapping[str, Any], time_s: float) -> None:
        block = self._block(event, Speaker.TOOL, time_s)
        if block.output is None:  # the item comes after it, and says more
            block.output = CALL_FAILED if event.get("type") == "response.mcp_call.failed" else ""
            self._blocks.touch(block)

    def _transcription(self, event: Mapping[str, Any], time_s: float) -> None:
        block = self._block(event, Speaker.USER, time_s)
        index = part_index(event)
        delta, complete = event.get("delta"), event.get("transcript")
        if isinstance(complete, str):
            block.parts[index], block.state = complete.strip(), TurnState.DONE
        elif isinstance(delta, str):
            block.parts[index] = wire.joined(block.parts.get(index, ""), delta)
        self._blocks.touch(block)

    def _transcription_failed(self, event: Mapping[str, Any], time_s: float) -> None:
        block = self._block(event, Speaker.USER, time_s)
        block.state = TurnState.FAILED
        self._explain(block, failures.of_transcription(wire.error_of(event)))

    def note_speech(self, item_id: str, note: str) -> None:
        """Say of what was spoken why it has no words, in place of what the event alone says."""
        block = self._blocks.named(item_id)
        if block is not None:
            block.note = note
            self._blocks.touch(block)

    def _explain(self, block: Block, cause: Cause) -> None:
        block.note, block.cause = f"{cause.sentence} {cause.fix}".rstrip(), cause.name
        self._blocks.touch(block)

    def _deleted(self, event: Mapping[str, Any], time_s: float) -> None:
        block = self._blocks.unname(string(event.get("item_id")))
        if block is not None:
            block.deleted, block.note = True, "deleted from the conversation"
            self._blocks.touch(block)

    def _response_created(self, event: Mapping[str, Any], time_s: float) -> None:
        self._seams += 1
        response_id = string(mapping(event.get("response")).get("id"))
        self._blocks.begin_response(response_id)
        if response_id in self._ended:
            self._ended.remove(response_id)  # some servers use an id again
        # A server that confirms no items has taken what it answers; one that is only late still finds it here.
        self._unconfirmed = [block for block in self._unconfirmed if block.state is TurnState.SENT]
        for block in self._unconfirmed:
            block.state = TurnState.DONE
            self._blocks.touch(block)

    def _response_done(self, event: Mapping[str, Any], time_s: float) -> None:
        response = mapping(event.get("response"))
        status, response_id = response.get("status"), string(response.get("id"))
        mine = self._blocks.ending_with(response_id)
        output = response.get("output")
        if isinstance(output, list) and not any(block.text for block in mine):
            for item in output:  # servers that stream nothing say it all at the end
                whole = {"type": "response.output_item.done", "response_id": response_id, "item": item}
                self._output_item(whole, time_s)
            mine = self._blocks.ending_with(response_id)
        self._seams += 1
        for block in mine:
            if block.state is TurnState.STREAMING:
                block.state = TurnState.INTERRUPTED if status == "cancelled" else TurnState.DONE
                self._blocks.touch(block)
            if status == "cancelled" and block.state is TurnState.INTERRUPTED and not block.note:
                block.note = failures.of_cancellation(response)
                self._blocks.touch(block)
        if response_id:
            self._ended.append(response_id)
        cause = failures.of_response(response, self._reset_s)
        if cause is not None and mine:
            mine[-1].state = TurnState.FAILED
            self._explain(mine[-1], cause)
        elif cause is not None:
            self.say(cause.sentence, time_s, cause.fix, cause=cause.name)

    def _error(self, event: Mapping[str, Any], time_s: float) -> None:
        cause = failures.of_error(wire.error_of(event))
        if self.muted or cause.facts.get("code") == "response_cancel_not_active":
            return  # the answer ended while the interruption was on its way
        if cause.facts.get("event_id", "").startswith(CARRIED):
            self._refused_items += 1
            if self._refused_items == 1:
                sentence = f"The server did not take all of the conversation so far: {cause.sentence}"
                self.say(sentence, time_s, cause=cause.name)
            return
        told = self.judge(wire.error_of(event), cause)
        if told is not None:
            command = "session.checkup" if self.advises and told.name == "update-refused" else ""
            self.say(told.sentence, time_s, told.fix, cause=told.name, command=command)

    def _tools_not_listed(self, event: Mapping[str, Any], time_s: float) -> None:
        server = self._tool_lists.get(string(event.get("item_id")), "")
        of = f'the MCP server "{server}"' if server else "an MCP server"
        self.say(f"The tools of {of} could not be listed: the agent goes on without them.", time_s)

    def _rate_limits(self, event: Mapping[str, Any], time_s: float) -> None:
        self._reset_s = failures.reset_after(event.get("rate_limits"))

    # Blocks

    def _block(self, event: Mapping[str, Any], speaker: Speaker, time_s: float) -> Block:
        """The block that an event about a part of an item belongs to; a new one where the item never came."""
        name = self._name(event, event.get("item_id"), speaker)
        block = self._blocks.named(name, string(event.get("response_id")))
        if block is None:
            block = self._blocks.add(string(event.get("item_id")), speaker, time_s, TurnState.STREAMING)
            self._blocks.name(block, name)
        if not block.response_id:
            self._assign(block, event)
        self._end_late(block)
        return block

    def _end_late(self, block: Block) -> None:
        """End a block whose response is done already."""
        if block.state is TurnState.STREAMING and block.response_id in self._ended:
            block.state = TurnState.DONE

    def _name(self, event: Mapping[str, Any], item_id: object, speaker: Speaker) -> str:
        """What a block is called. Events that name no item still belong together when they are of one response."""
        return string(item_id) or f"{speaker} without an item in {string(event.get('response_id')) or self._seams}"

    def _assign(self, block: Block, event: Mapping[str, Any]) -> None:
        response_id = string(event.get("response_id"))
        if self._blocks.assign(block, response_id) and response_id in self._interrupted:
            block.cut = len(block.text)
            block.interrupt("interrupted")


_RECEIVED: Final = {
    "conversation.item.added": Transcript._item,
    "conversation.item.done": Transcript._item,
    "conversation.item.created": Transcript._item,
    "conversation.item.deleted": Transcript._deleted,
    "conversation.item.input_audio_transcription.delta": Transcript._transcription,
    "conversation.item.input_audio_transcription.completed": Transcript._transcription,
    "conversation.item.input_audio_transcription.failed": Transcript._transcription_failed,
    "response.output_item.added": Transcript._output_item,
    "response.output_item.done": Transcript._output_item,
    "response.content_part.done": Transcript._text_done,
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
    "response.mcp_call_arguments.delta": Transcript._arguments,
    "response.mcp_call_arguments.done": Transcript._arguments,
    "response.mcp_call.completed": Transcript._tool_ended,
    "response.mcp_call.failed": Transcript._tool_ended,
    "response.created": Transcript._response_created,
    "response.done": Transcript._response_done,
    "rate_limits.updated": Transcript._rate_limits,
    "mcp_list_tools.failed": Transcript._tools_not_listed,
    "error": Transcript._error,
}
