"""What was heard of the agent's voice, and when: one rule for the live session, replay and export.

An answer comes faster than it is played, so that each piece follows the one before. A capture marks where that was not
so, and how much of an answer had been heard when it was cut short. Without such marks (another client's session) the
wire says it: a truncation has the milliseconds, and a cancellation or the user's speech ends what is played.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from tui import wire
from tui.capture import Interrupted, Mark, Playing

_LATE_NS: Final = 20_000_000
"""How far the voice may be from where a mark says."""

_AROUND_NS: Final = 1_000_000_000
"""How far back an interruption is looked for: clocks of two devices drift apart by less."""

_LONGEST_MS: Final = 10**9

Tag = TypeVar("Tag")


@dataclass(slots=True)
class Piece(Generic[Tag]):
    """The audio of one event. Times and lengths are in nanoseconds of the log."""

    tag: Tag
    """What the caller knows it by."""
    start_ns: int
    length_ns: int
    item: tuple[str, int]
    """Item id and content index."""
    from_ns: int
    """How much of the item is before it."""

    @property
    def end_ns(self) -> int:
        """When it ends."""
        return self.start_ns + self.length_ns


class Heard(Generic[Tag]):
    """The pieces that were heard, in order. What was dropped by an interruption is not among them."""

    def __init__(self) -> None:
        self.pieces: deque[Piece[Tag]] = deque()
        self._dropped: set[str] = set()
        """Responses that were interrupted: what still came of them was not played."""
        self._unnamed = False
        """A response is running to which the server gave no id."""
        self._silenced = False
        """That one was interrupted."""
        self._marked = False
        """Marks say what was interrupted; the wire says it too, and later."""
        self._lengths: dict[tuple[str, int], int] = {}
        self._end_ns = 0

    def new_connection(self) -> None:
        """Forget what belongs to the connection before: ids mean nothing in the next one."""
        self._dropped.clear()
        self._lengths.clear()
        self._unnamed = self._silenced = False

    def received(self, event: Mapping[str, Any], t_ns: int, length_ns: int, tag: Tag) -> bool:
        """Take an event from the server.

        Args:
            event: the event.
            t_ns: when it came.
            length_ns: how long its audio plays; 0 where it has none.
            tag: what the caller knows it by.

        Returns:
            True when it has audio that is to be heard.
        """
        kind = event.get("type")
        if kind == "response.created":
            self._unnamed, self._silenced = not _response_id(event), False
        elif kind == "response.done" and self._unnamed:
            self._unnamed = self._silenced = False
        elif kind == "input_audio_buffer.speech_started" and not self._marked:
            self._cut(t_ns, {})
        return length_ns > 0 and self._hear(event, t_ns, length_ns, tag)

    def sent(self, event: Mapping[str, Any], t_ns: int) -> None:
        """Take an event from the client."""
        if self._marked:
            return
        kind, item_id, ms = event.get("type"), event.get("item_id"), event.get("audio_end_ms")
        if kind == "response.cancel":
            self._drop(wire.text(event.get("response_id")))
            self._cut(t_ns, {})
        elif kind == "conversation.item.truncate" and isinstance(item_id, str) and isinstance(ms, int):
            self._cut(t_ns, {item_id: min(max(0, ms), _LONGEST_MS)})

    def mark(self, mark: Mark) -> None:
        """Take what was marked at this end."""
        if isinstance(mark, Interrupted):
            self._marked = True
            self._drop(mark.response_id)
            self._cut(mark.t_ns, mark.heard)
        elif isinstance(mark, Playing):
            self._shift(mark)

    def stop(self, t_ns: int) -> None:
        """Take the end of the connection: nothing is heard any more."""
        self._cut(t_ns, {})

    def lasts(self, t_ns: int) -> bool:
        """Return whether something is heard at this time."""
        return t_ns < self._end_ns and bool(self.pieces)

    def after(self, t_ns: int) -> list[tuple[Tag, int]]:
        """Return what is heard from this time on: each piece, and the nanoseconds of it that are over."""
        return [(piece.tag, max(0, t_ns - piece.start_ns)) for piece in self.pieces if piece.end_ns > t_ns]

    def forget_before(self, t_ns: int) -> None:
        """Forget what was heard before this time."""
        while self.pieces and self.pieces[0].end_ns <= t_ns - _AROUND_NS:
            self.pieces.popleft()

    def _hear(self, event: Mapping[str, Any], t_ns: int, length_ns: int, tag: Tag) -> bool:
        item_id, index = event.get("item_id"), event.get("content_index")
        if not isinstance(item_id, str) or self._silenced or wire.text(event.get("response_id")) in self._dropped:
            return False
        key = (item_id, index if isinstance(index, int) else 0)
        before_ns = self._lengths.get(key, 0)
        self._lengths[key] = before_ns + length_ns
        piece = Piece(tag, max(t_ns, self._end_ns), length_ns, key, before_ns)
        self._end_ns = piece.end_ns
        self.pieces.append(piece)
        return True

    def _drop(self, response_id: str) -> None:
        if response_id:
            self._dropped.add(response_id)
        else:
            self._silenced = self._unnamed

    def _shift(self, mark: Playing) -> None:
        """Move what was still to come: the device was later, or earlier, than the network."""
        key, heard_ns = (mark.item_id, mark.content_index), int(mark.ms * 1e6)
        for at in range(len(self.pieces) - 1, -1, -1):
            piece = self.pieces[at]
            if piece.item == key and piece.from_ns <= heard_ns:
                moved_ns = mark.t_ns - (piece.start_ns + heard_ns - piece.from_ns)
                if abs(moved_ns) > _LATE_NS:
                    before = self.pieces[at - 1].end_ns if at else 0
                    moved_ns = max(moved_ns, before - piece.start_ns)
                    for later in range(at, len(self.pieces)):
                        self.pieces[later].start_ns += moved_ns
                    self._end_ns = self.pieces[-1].end_ns
                return

    def _cut(self, t_ns: int, heard_ms: Mapping[str, int]) -> None:
        """End what is heard: so much was heard of these items, and nothing of what waited behind them."""
        kept = []
        while self.pieces and self.pieces[-1].end_ns > t_ns - _AROUND_NS:
            piece = self.pieces.pop()
            ms = heard_ms.get(piece.item[0])
            if ms is not None:
                piece.length_ns = min(piece.length_ns, ms * 1_000_000 - piece.from_ns)
            else:
                piece.length_ns = min(piece.length_ns, t_ns - piece.start_ns)
            if piece.length_ns > 0:
                kept.append(piece)
        self.pieces.extend(reversed(kept))
        self._end_ns = max(t_ns, self.pieces[-1].end_ns) if self.pieces else t_ns


def _response_id(event: Mapping[str, Any]) -> str:
    response = event.get("response")
    return wire.text(response.get("id")) if isinstance(response, Mapping) else ""
