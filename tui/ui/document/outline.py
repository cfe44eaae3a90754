"""Which objects, arrays and long strings of a JSON value are open, and so which line shows what.

Only what is open is counted. To find a line, or the line of an entry, takes a binary search at each open level; to open
or fold something takes time in proportion to its open siblings. An array of millions costs nothing until it is opened,
and then one line each, without an object for any of them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from tui.ui.document.jsontext import Container, Value, child


@dataclass(slots=True, eq=False)
class Wrapped:
    """A long string or number that is shown whole, over several rows."""

    text: str
    """The entry as it is drawn, its key included."""
    key_length: int
    """Characters of the text that are the key."""
    rows: Sequence[int]
    """Where in the text each row begins."""

    @property
    def extra(self) -> int:
        """Lines beyond the first."""
        return len(self.rows) - 1


@dataclass(slots=True, eq=False)
class Branch:
    """An open object or array."""

    value: Container
    parent: Branch | None
    index: int
    """Which of the parent's children it is."""
    depth: int
    """0 for the value itself, -1 for the branch that only holds it."""
    open: dict[int, Branch | Wrapped] = field(default_factory=dict)
    extra: int = 0
    """Lines beyond its own: its children, what is open in them, and the closing bracket."""
    _indices: list[int] | None = None
    _starts: list[int] | None = None

    def __post_init__(self) -> None:
        self.extra = len(self.value) + 1

    def starts(self) -> tuple[list[int], list[int]]:
        """The open children's indices, and on which line of the body each begins."""
        if self._indices is None or self._starts is None:
            self._indices = sorted(self.open)
            self._starts = []
            added = 0
            for index in self._indices:
                self._starts.append(index + added)
                added += self.open[index].extra
        return self._indices, self._starts

    def line_of(self, index: int) -> int:
        """On which line of the body the child with this index begins."""
        indices, starts = self.starts()
        at = bisect_right(indices, index) - 1
        if at < 0:
            return index
        if indices[at] == index:
            return starts[at]
        return starts[at] + self.open[indices[at]].extra + index - indices[at]

    def grow(self, lines: int) -> None:
        """Count so many lines more, here and in everything around."""
        branch: Branch | None = self
        while branch is not None:
            branch.extra += lines
            branch._indices = None
            branch = branch.parent


@dataclass(frozen=True, slots=True)
class Position:
    """What a line shows: a child of an open branch, or the branch's closing bracket."""

    branch: Branch
    index: int
    row: int = 0
    """Which row of a wrapped string."""

    @property
    def closing(self) -> bool:
        """Whether this is the closing bracket of the branch."""
        return self.index == len(self.branch.value)

    @property
    def opened(self) -> Branch | Wrapped | None:
        """The child, if it is open."""
        return self.branch.open.get(self.index)

    @property
    def child(self) -> tuple[str | None, Value]:
        """The child's key, None in an array, and its value."""
        return child(self.branch.value, self.index)


class Outline:
    """The lines of a JSON value."""

    def __init__(self, value: Value) -> None:
        self.top = Branch([value], None, 0, -1)
        """Holds the value as its only child, and is not drawn itself."""
        self._wrapped: set[Position] = set()

    @property
    def height(self) -> int:
        """Lines in all."""
        return self.top.extra - 1

    def at(self, y: int) -> Position:
        """What line ``y`` shows."""
        branch = self.top
        while True:
            indices, starts = branch.starts()
            nearest = bisect_right(starts, y) - 1
            if nearest < 0:
                return Position(branch, y)
            index = indices[nearest]
            opened = branch.open[index]
            into = y - starts[nearest]
            if into > opened.extra:
                return Position(branch, index + into - opened.extra)
            if isinstance(opened, Wrapped):
                return Position(branch, index, into)
            if into == 0:
                return Position(branch, index)
            branch, y = opened, into - 1

    def line_of(self, position: Position) -> int:
        """The line of a position; if it is folded away, the line of what hides it."""
        shown = self._hidden_by(position) or position
        opened = shown.opened
        y = shown.branch.line_of(shown.index) + (min(shown.row, opened.extra) if isinstance(opened, Wrapped) else 0)
        branch = shown.branch
        while branch.parent is not None:
            y += branch.parent.line_of(branch.index) + 1
            branch = branch.parent
        return y

    def open(self, branch: Branch, index: int) -> Branch | None:
        """Open a child. Returns None if it is nothing that opens, or empty."""
        _, value = child(branch.value, index)
        if not isinstance(value, list) or not value:
            return None
        already = branch.open.get(index)
        if isinstance(already, Branch):
            return already
        opened = Branch(value, branch, index, branch.depth + 1)
        branch.open[index] = opened
        branch.grow(opened.extra)
        return opened

    def wrap(self, position: Position, wrapped: Wrapped) -> None:
        """Show a long string whole, or lay out anew one that is."""
        before = position.opened
        position.branch.open[position.index] = wrapped
        position.branch.grow(wrapped.extra - (before.extra if before is not None else 0))
        self._wrapped.add(Position(position.branch, position.index))

    def wrapped(self) -> list[tuple[Position, Wrapped]]:
        """The long strings that are shown whole."""
        shown = []
        for position in self._wrapped:
            wrapped = position.opened
            if isinstance(wrapped, Wrapped) and self._hidden_by(position) is None:
                shown.append((position, wrapped))
        self._wrapped = {position for position, _ in shown}
        return shown

    def close(self, position: Position) -> None:
        """Fold a child that is open; what is open in it is forgotten."""
        position.branch.grow(-position.branch.open.pop(position.index).extra)

    def _hidden_by(self, position: Position) -> Position | None:
        """The outermost folded entry that a position is in; None if it can be seen."""
        hidden = None
        branch = position.branch
        while branch.parent is not None:
            if branch.parent.open.get(branch.index) is not branch:
                hidden = Position(branch.parent, branch.index)
            branch = branch.parent
        return hidden

    def position(self, where: Sequence[int]) -> Position:
        """The position of an entry, given the index at each level from the top; opens what it is in."""
        branch = self.top
        for index in where[:-1]:
            opened = self.open(branch, index)
            assert opened is not None, "a search finds only what is there"
            branch = opened
        return Position(branch, where[-1])

    def fold_all(self) -> None:
        """Leave only the value itself open."""
        root = self.open(self.top, 0)
        if root is not None:
            for index in list(root.open):
                self.close(Position(root, index))

    def unfold_all(self, max_lines: int) -> bool:
        """Open everything, the upper levels first, as long as there are at most so many lines.

        The value itself is opened in any case. Returns False if something stays folded.
        """
        complete = True
        looked = 0
        queue = deque([self.top])
        while queue:
            branch = queue.popleft()
            for index in range(len(branch.value)):
                if looked > max_lines:
                    return False
                looked += 1
                _, value = child(branch.value, index)
                if not isinstance(value, list) or not value:
                    continue
                if branch is not self.top and index not in branch.open and self.height + len(value) > max_lines:
                    complete = False
                elif opened := self.open(branch, index):
                    queue.append(opened)
        return complete
