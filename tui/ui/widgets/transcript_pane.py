"""The conversation: one block a turn, streaming in place, drawn line by line.

Blocks are wrapped when they change or the width does, and only then; a frame draws the visible lines. The end is kept
in view until the person scrolls up. What was generated, but not heard, is struck through.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui.clock import clock
from tui.conversation import Speaker, Turn, TurnState
from tui.ui import bindings
from tui.ui.advice import advice, key_of
from tui.ui.terminal.short_ansi import TerseStrip, filter_styles
from tui.ui.text import clip, printable
from tui.ui.wrapping import GrowingText, Span, wrap

_NAMES = {
    Speaker.USER: "you",
    Speaker.AGENT: "agent",
    Speaker.TOOL: "tool",
    Speaker.SYSTEM: "system",
    Speaker.PROGRAM: "azrt-tui",
}

_STATE_WORDS = {TurnState.QUEUED: "waits", TurnState.SENT: "sending", TurnState.FAILED: "failed"}

_EMPTY = (
    "The conversation appears here.",
    "",
    "Type below and press {send}.",
    "{interrupt} stops the agent in mid-sentence.",
)

_Line = list[Span]
"""One line on the screen."""


class TranscriptPane(Widget, can_focus=True):
    """The blocks of a conversation, in order."""

    BINDINGS: ClassVar[list[BindingType]] = bindings.TRANSCRIPT

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "transcript--user",
        "transcript--agent",
        "transcript--other",
        "transcript--unheard",
        "transcript--note",
        "transcript--error",
    }

    class StateChanged(Message):
        """What the frame around the pane says has changed."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class CopyAnswer(Message):
        """The person wants this text in the clipboard."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._turns: dict[str, Turn] = {}
        self._order: Sequence[str] = ()
        self._blocks: dict[str, list[_Line]] = {}
        self._growing: dict[str, GrowingText] = {}
        """The blocks that stream."""
        self._page: list[_Line] | None = None
        """The lines of all blocks; None: lay out anew."""
        self._starts: dict[str, int] = {}
        """Where on the page each block begins, in order."""
        self._top = 0
        self._follow = True
        self._anchor = ("", 0)
        """The first visible line while not following, as its block's key and its number in the block: it stays where
        it is, whatever happens above it."""
        self._styles: dict[str, Style] = {}
        self._strips: dict[tuple[Span, ...], Strip] = {}
        """The lines in view as they were drawn last."""
        self._said = ""

    def update_turns(self, turns: Iterable[Turn], order: Sequence[str] | None) -> None:
        """Take a batch: new or changed blocks, and the order of all keys when that changed."""
        shown = self._shown()
        for turn in turns:
            self._turns[turn.key] = turn
            self._blocks.pop(turn.key, None)
            self._page = None
        if order is not None:
            self._order = order
            self._page = None
            if len(self._turns) > len(order):  # a very long conversation has lost its oldest blocks
                for key in self._turns.keys() - set(order):
                    del self._turns[key]
                    self._blocks.pop(key, None)
                    self._growing.pop(key, None)
        if self._page is None:
            self._refresh_where_other_than(shown)
            self._say()

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The blocks, in order."""
        return tuple(self._turns[key] for key in self._order if key in self._turns)

    def clear(self) -> None:
        """Forget everything."""
        self._turns.clear()
        self._blocks.clear()
        self._growing.clear()
        self._order = ()
        self._page = None
        self._top, self._follow = 0, True
        self.refresh()
        self._say()

    def last_answer(self) -> str:
        """The text of the agent's latest block, "" when there is none."""
        for key in reversed(self._order):
            turn = self._turns.get(key)
            if turn is not None and turn.speaker is Speaker.AGENT and turn.text:
                return turn.text
        return ""

    # Layout

    def _lines(self) -> list[_Line]:
        if self._page is None:
            page: list[_Line] = []
            self._starts = {}
            for key in self._order:
                turn = self._turns.get(key)
                if turn is None:
                    continue
                block = self._blocks.get(key)
                if block is None:
                    block = self._blocks[key] = self._wrap(turn, max(8, self.size.width - 2))
                self._starts[key] = len(page)
                page += block
            del page[-1:]  # the blank line behind the last block
            self._page = page
            end = max(0, len(page) - self.size.height)
            self._top = end if self._follow else min(self._find_anchor(), end)
            self._follow = self._top >= end
        return self._page

    def _set_anchor(self) -> None:
        for key, start in reversed(self._starts.items()):
            if start <= self._top:
                self._anchor = key, self._top - start
                return

    def _find_anchor(self) -> int:
        """Where the anchor is now: its block may have moved, or been wrapped to fewer lines."""
        key, number = self._anchor
        start = self._starts.get(key)
        return self._top if start is None else start + min(number, len(self._blocks[key]) - 1)

    def _shown(self) -> list[_Line]:
        """The visible lines."""
        return self._lines()[self._top : self._top + self.size.height]

    def _wrap(self, turn: Turn, width: int) -> list[_Line]:
        speaker = {Speaker.USER: "user", Speaker.AGENT: "agent"}.get(turn.speaker, "other")
        when = clock(turn.time_s)
        name = _NAMES[turn.speaker]
        state = _STATE_WORDS.get(turn.state, "")
        head = f"{name} · {state}" if state else name
        gap = " " * max(1, width - cell_len(head) - len(when))
        lines: list[_Line] = [[(head, f"transcript--{speaker}"), (gap, "base"), (when, "transcript--note")]]
        if turn.state is TurnState.STREAMING and turn.heard >= len(turn.text):
            growing = self._growing.setdefault(turn.key, GrowingText(width, "base"))
            lines.extend(growing.wrap(turn.text))
        else:
            self._growing.pop(turn.key, None)
            heard, rest = turn.text[: turn.heard], turn.text[turn.heard :]
            lines.extend(wrap([(heard, "base"), (rest, "transcript--unheard")], width))
        if turn.state is TurnState.STREAMING and not turn.text and turn.speaker is Speaker.AGENT:
            lines.append([("…", "transcript--note")])
        # A line to type stays alone, so that it can be copied.
        between = "\n" if turn.note.rpartition("\n")[2].startswith("$ ") else " "
        note = between.join(part for part in (turn.note, advice(self.app, turn.command)) if part)
        if note:
            style = "transcript--error" if turn.state is TurnState.FAILED else "transcript--note"
            if turn.state is TurnState.INTERRUPTED:
                said = clip(printable(note), width)
                lines.append([(" " * (width - cell_len(said)) + said, style)])
            else:
                lines.extend(wrap([(note, style)], width))
        lines.append([])
        return lines

    # Painting

    def _refresh_where_other_than(self, before: list[_Line]) -> None:
        """Draw anew the lines that changed: a word that was added to an answer is one line, not a whole pane."""
        after = self._shown()
        if not before:
            self.refresh()  # the words that stand in an empty pane go
            return
        width = self.size.width
        pairs = enumerate(zip_longest(before, after))
        regions = [Region(0, y, width, 1) for y, (old, new) in pairs if old != new]
        if regions:
            self.refresh(*regions)

    def notify_style_update(self) -> None:
        """The theme changed."""
        super().notify_style_update()
        self._styles.clear()
        self._strips.clear()

    def on_resize(self) -> None:
        """Wrap everything anew."""
        self._blocks.clear()
        self._growing.clear()
        self._strips.clear()
        self._page = None
        self._lines()
        self.refresh()
        self._say()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw the lines of ``crop``, without the style cache."""
        if not self._styles:
            self._load_styles()
        width = self.size.width
        page = self._lines()
        lines = [self._line(page, y) for y in crop.line_range]
        self._strips = {line: self._strips.get(line) or self._draw(line, width) for line in lines}
        strips = [self._strips[line] for line in lines]
        if crop.column_span != (0, width):
            strips = [strip.crop(*crop.column_span) for strip in strips]
        return strips

    def _line(self, page: list[_Line], y: int) -> tuple[Span, ...]:
        at = self._top + y
        if at < len(page):
            return tuple(page[at])
        if not page:
            start = max(0, (self.size.height - len(_EMPTY)) // 2)
            if start <= y < start + len(_EMPTY):
                keys = {"send": key_of(self.app, "prompt.send"), "interrupt": key_of(self.app, "session.interrupt")}
                return ((_EMPTY[y - start].format(**keys), "transcript--note"),)
        return ()

    def _draw(self, line: tuple[Span, ...], width: int) -> Strip:
        segments = [Segment(" ", self._styles["base"])]
        segments.extend(Segment(text, self._styles[style]) for text, style in line)
        return TerseStrip(Strip(segments).adjust_cell_length(width, self._styles["base"]), width)

    def _load_styles(self) -> None:
        styles = {name: self.get_component_rich_style(name) for name in self.COMPONENT_CLASSES}
        styles["base"] = self.rich_style
        self._styles = filter_styles(styles, self.get_line_filters(), self.background_colors[1])

    # Moving

    def action_scroll_by(self, lines: int) -> None:
        """Move the view; at the end, follow."""
        page = self._lines()
        end = max(0, len(page) - self.size.height)
        self._top = min(max(0, self._top + lines), end)
        self._follow = self._top >= end
        self._set_anchor()
        self.refresh()
        self._say()

    def action_page(self, pages: int) -> None:
        """Move the view by its height."""
        self.action_scroll_by(pages * max(1, self.size.height - 1))

    def action_first(self) -> None:
        """To the beginning."""
        self.action_scroll_by(-len(self._lines()))

    def action_follow(self) -> None:
        """To the end, and stay there."""
        self.action_scroll_by(len(self._lines()))

    def action_copy(self) -> None:
        """Ask for the latest answer in the clipboard."""
        text = self.last_answer()
        if text:
            self.post_message(self.CopyAnswer(text))
        else:
            self.notify("The agent has not said anything yet.")

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll up, and stand still."""
        event.stop()
        self.action_scroll_by(-3)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll down; at the end, follow."""
        event.stop()
        self.action_scroll_by(3)

    def _say(self) -> None:
        text = "" if self._follow else f"scrolled up · {key_of(self.app, 'transcript.last')} to the end"
        if text != self._said:
            self._said = text
            self.post_message(self.StateChanged(text))
