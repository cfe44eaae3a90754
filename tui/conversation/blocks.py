"""The transcript's blocks: what each holds, the order they stand in, and which of them changed."""

from __future__ import annotations

from tui.conversation.turns import Speaker, Turn, TurnState

MAX_BLOCKS = 10_000
"""More than an hour can hold; a server that sends items without end does not fill the memory. The log keeps all."""

_DROPPED_AT_ONCE = MAX_BLOCKS // 10


class Block:
    """The mutable side of a :class:`Turn`."""

    __slots__ = (
        "audio_ms",
        "call_id",
        "cause",
        "command",
        "cut",
        "deleted",
        "heard_ms",
        "item_id",
        "key",
        "kind",
        "name",
        "note",
        "output",
        "parts",
        "response_id",
        "speaker",
        "state",
        "time_s",
    )

    def __init__(self, key: str, item_id: str, speaker: Speaker, time_s: float, state: TurnState) -> None:
        self.key = key
        self.item_id = item_id
        self.name = item_id
        """What events call it: its item id, or a stand-in when they name no item."""
        self.response_id = ""
        self.speaker = speaker
        self.kind = "message"
        """The type of its item."""
        self.call_id = ""
        """What a tool's call and its output have in common."""
        self.deleted = False
        """Somebody took the item out of the conversation."""
        self.time_s = time_s
        self.state = state
        self.note = ""
        self.cause = ""
        self.command = ""
        self.parts: dict[int, str] = {}
        self.output: str | None = None
        """What came of a call that the service itself makes; None while nothing has."""
        self.audio_ms = 0.0
        """Milliseconds of audio received."""
        self.cut: int | None = None
        """Characters that were there when it was interrupted."""
        self.heard_ms: int | None = None
        """Milliseconds of audio that were heard when it was interrupted."""

    @property
    def text(self) -> str:
        """All its parts."""
        if self.kind == "function_call_output":
            return "→ " + self.parts.get(0, "")
        if len(self.parts) == 1 and self.output is None:
            return next(iter(self.parts.values()))
        lines = [self.parts[index] for index in sorted(self.parts)]
        return "\n".join(lines if self.output is None else [*lines, f"→ {self.output}"])

    def heard(self, text: str) -> int:
        """Characters of the text that were heard: for audio, in proportion to the time that was played."""
        if self.heard_ms is not None:
            if self.heard_ms >= self.audio_ms:
                return len(text)
            at = int(len(text) * self.heard_ms / self.audio_ms)
            # Whole words: a word that was begun counts as heard.
            space = text.find(" ", at)
            return len(text) if space < 0 < at else space if at else 0
        return len(text) if self.cut is None else min(self.cut, len(text))

    def interrupt(self, note: str) -> None:
        """What comes from now on reaches nobody."""
        if self.speaker is Speaker.AGENT:
            self.state = TurnState.INTERRUPTED
        self.note = note

    def snapshot(self) -> Turn:
        """The block as it is now."""
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
            cause=self.cause,
            command=self.command,
        )


class Blocks:
    """Every block, in the order of the conversation."""

    def __init__(self) -> None:
        self._by_key: dict[str, Block] = {}
        self._by_name: dict[str, Block] = {}
        self._by_response: dict[str, list[Block]] = {}
        self._order: list[str] = []
        self._changed: dict[str, None] = {}
        self._moved = False
        self._serial = 0

    def __getitem__(self, key: str) -> Block:
        """The block with this key."""
        return self._by_key[key]

    def named(self, name: str, response_id: str = "") -> Block | None:
        """The block that events of this session call so; none where it is another response's: servers reuse ids."""
        block = self._by_name.get(name)
        return None if block and response_id and block.response_id not in ("", response_id) else block

    def of_response(self, response_id: str) -> list[Block]:
        """The blocks of a response of this session, in the order in which they came."""
        return self._by_response.get(response_id, [])

    def ending_with(self, response_id: str) -> list[Block]:
        """The blocks of a response that is done, and whatever the agent still says in one without an id."""
        streaming = self.in_states(TurnState.STREAMING)
        nameless = [block for block in streaming if block.speaker is Speaker.AGENT and not block.response_id]
        return [*self.of_response(response_id), *nameless]

    def in_states(self, *states: TurnState) -> list[Block]:
        """The blocks in one of these states."""
        return [block for block in self._by_key.values() if block.state in states]

    def add(self, item_id: str, speaker: Speaker, time_s: float, state: TurnState) -> Block:
        """A new block at the end."""
        self._serial += 1
        block = Block(f"turn-{self._serial}", item_id, speaker, time_s, state)
        self._by_key[block.key] = block
        if item_id:
            self._by_name[item_id] = block
        self._order.append(block.key)
        self._moved = True
        self.touch(block)
        if len(self._order) > MAX_BLOCKS:
            self._drop_oldest()
        return block

    def name(self, block: Block, name: str) -> None:
        """Events call the block so from now on."""
        block.name = name
        if name:
            self._by_name[name] = block

    def unname(self, name: str) -> Block | None:
        """The item is gone from the conversation; return its block."""
        return self._by_name.pop(name, None)

    def assign(self, block: Block, response_id: str) -> bool:
        """The block belongs to this response; True when that is news."""
        if not response_id or block.response_id == response_id:
            return False
        block.response_id = response_id
        self._by_response.setdefault(response_id, []).append(block)
        return True

    def forget_session(self) -> None:
        """Ids mean nothing in the next session."""
        self._by_name.clear()
        self._by_response.clear()

    def begin_response(self, response_id: str) -> None:
        """A response begins: where an earlier one that has ended had the same id, that one's names mean nothing now."""
        before = self.of_response(response_id)
        if before and not any(block.state is TurnState.STREAMING for block in before):
            del self._by_response[response_id]
            for block in before:
                if self._by_name.get(block.name) is block:
                    del self._by_name[block.name]

    def last(self) -> Block | None:
        """Return the block at the end; None where there is none."""
        return self._by_key[self._order[-1]] if self._order else None

    def in_order(self) -> list[Block]:
        """Every block, in order."""
        return [self._by_key[key] for key in self._order]

    def place(self, block: Block, previous: Block) -> None:
        """Put a block behind another one, unless it already stands there."""
        at = self._position(block.key)
        if previous is block or self._follows(at, previous):
            return
        del self._order[at]
        self._order.insert(self._position(previous.key) + 1, block.key)
        self._moved = True

    def move_to_end(self, block: Block) -> None:
        """Everything else stands above it."""
        del self._order[self._position(block.key)]
        self._order.append(block.key)
        self._moved = True

    def touch(self, block: Block) -> None:
        """The block changed."""
        self._changed[block.key] = None

    @property
    def changed(self) -> bool:
        """Whether :meth:`take_changes` has something to give."""
        return bool(self._changed) or self._moved

    def take_changes(self) -> tuple[tuple[Turn, ...], tuple[str, ...] | None]:
        """Blocks changed since the last call, and the order of all keys when that changed too."""
        turns = tuple(self._by_key[key].snapshot() for key in self._changed if key in self._by_key)
        order = tuple(self._order) if self._moved else None
        self._changed.clear()
        self._moved = False
        return turns, order

    def turns(self) -> tuple[Turn, ...]:
        """Every block, in order."""
        return tuple(self._by_key[key].snapshot() for key in self._order)

    def _position(self, key: str) -> int:
        # From the end: what moves is nearly always among the latest.
        at = len(self._order) - 1
        while self._order[at] != key:
            at -= 1
        return at

    def _follows(self, at: int, previous: Block) -> bool:
        """True when only blocks that are no item of this session (our own words) stand between the two."""
        while at > 0:
            at -= 1
            key = self._order[at]
            if key == previous.key:
                return True
            block = self._by_key[key]
            if self._by_name.get(block.name) is block:
                return False
        return False

    def _drop_oldest(self) -> None:
        oldest = [self._by_key[key] for key in self._order[:_DROPPED_AT_ONCE]]
        # What the person has written is kept until the server has taken it.
        kept = [block.key for block in oldest if block.state in (TurnState.QUEUED, TurnState.SENT)]
        self._order[:_DROPPED_AT_ONCE] = kept
        for block in oldest:
            if block.state in (TurnState.QUEUED, TurnState.SENT):
                continue
            del self._by_key[block.key]
            if self._by_name.get(block.name) is block:
                del self._by_name[block.name]
            siblings = self._by_response.get(block.response_id, [])
            if block in siblings:
                siblings.remove(block)
                if not siblings:
                    del self._by_response[block.response_id]
