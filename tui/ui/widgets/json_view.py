"""One frame as foldable, searchable JSON, drawn line by line: what is out of sight costs nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events, work
from textual.binding import BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui import wire
from tui.audio_format import PCM16_24K, AudioFormat
from tui.ui import bindings
from tui.ui.document import Document, Line, Match, Role, Search, open_frame

_LARGE_FRAME = 256 * 1024
"""Bytes. A larger frame is parsed in a thread, so that keys still work."""

_SLICE_S = 0.008
"""How long a search may keep the event loop to itself."""


class JsonView(ScrollView, can_focus=True, inherit_bindings=False):
    """Shows a frame, whatever it holds. The line with the cursor is what enter folds or unfolds."""

    ALLOW_SELECT = False  # a drag would fight with clicks that fold; y copies

    BINDINGS: ClassVar[list[BindingType]] = bindings.JSON_VIEW

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"json-view--{role}" for role in Role),
        "json-view--cursor",
        "json-view--match",
        "json-view--current-match",
    }

    DEFAULT_CSS = """
    JsonView {
        background: $background;
        color: $foreground;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-gutter: stable;
        scrollbar-size-vertical: 1;
        scrollbar-background: $background;
        scrollbar-color: $foreground 30%;
    }
    JsonView > .json-view--key { color: $family-session; }
    JsonView > .json-view--string { color: $family-input; }
    JsonView > .json-view--number { color: $family-tool; }
    JsonView > .json-view--literal { color: $family-conversation; }
    JsonView > .json-view--punctuation { color: $foreground 70%; }
    JsonView > .json-view--text { color: $foreground; }
    JsonView > .json-view--note { color: $foreground 60%; text-style: italic; }
    JsonView > .json-view--guide { color: $foreground 30%; }
    JsonView > .json-view--cursor { background: $primary 25%; }
    JsonView > .json-view--match { background: $warning 40%; color: $foreground; }
    JsonView > .json-view--current-match { background: $family-tool; color: $background; text-style: bold; }
    """

    cursor: var[int] = var(0)
    """The selected line."""

    class Opened(Message):
        """A frame can be seen now."""

        def __init__(self, reason: str) -> None:
            super().__init__()
            self.reason = reason
            """Why it is not shown as JSON; empty when it is."""

    class Searched(Message):
        """A search found more, or the person stepped to another match."""

        def __init__(self, query: str, current: int, total: int, complete: bool) -> None:
            super().__init__()
            self.query = query
            self.current = current
            """Which match is shown, from 1; 0 if there is none."""
            self.total = total
            self.complete = complete

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._document: Document | None = None
        self._waiting_for = ""
        self._query = ""
        self._matches: list[Match] = []
        self._match = 0
        self._complete = True
        self._styles: dict[str, Style] = {}

    def show(self, raw: bytes | str, audio: AudioFormat = PCM16_24K) -> None:
        """Show this frame, with audio in this format, from now on, from its top; a search goes on in it."""
        self.workers.cancel_node(self)
        if len(raw) > _LARGE_FRAME:
            self._document = None
            self._waiting_for = f"Reading {wire.size(len(raw))} …"
            self.refresh()
            self._open_large(raw, audio)
        else:
            self._adopt(open_frame(raw, audio))

    def copy_text(self, limit: int) -> str | None:
        """The frame as readable text; None if that is more than ``limit`` characters, or is not there yet."""
        return self._document.copy_text(limit) if self._document is not None else None

    def find(self, query: str) -> None:
        """Search for the query, ignoring case, and go to the first match; an empty query ends the search."""
        self._query, self._matches, self._match, self._complete = query, [], 0, not query
        self.workers.cancel_group(self, "search")
        self.refresh()
        self._tell()
        if query and self._document is not None:
            self._search(self._document)

    # Events

    def on_resize(self) -> None:
        """Lay the document out anew; the line with the cursor stays in sight."""
        self._lay_out()

    def on_click(self, event: events.Click) -> None:
        """Fold or unfold what was clicked."""
        offset = event.get_content_offset(self)
        if offset is None or self._document is None:
            return
        y = self.scroll_offset.y + offset.y
        if y < self._document.height:
            self.cursor = y
            self.action_fold()

    def notify_style_update(self) -> None:
        """Forget styles that the theme has changed."""
        super().notify_style_update()
        self._styles.clear()

    def watch_cursor(self, old: int, new: int) -> None:
        """Draw both lines, and scroll if the cursor left the view."""
        self.refresh_line(old)
        self.refresh_line(new)
        self._show_cursor()

    # Actions

    def action_move(self, lines: int) -> None:
        """Move the cursor."""
        if self._document is not None:
            self.cursor = max(0, min(self.cursor + lines, self._document.height - 1))

    def action_page(self, pages: int) -> None:
        """Move the cursor by so many heights of the view."""
        self.action_move(pages * max(1, self.scrollable_content_region.height - 1))

    def action_first(self) -> None:
        """Move the cursor to the first line."""
        self.cursor = 0

    def action_last(self) -> None:
        """Move the cursor to the last line."""
        if self._document is not None:
            self.cursor = self._document.height - 1

    def action_fold(self) -> None:
        """Fold or unfold what the line with the cursor shows."""
        if self._document is not None:
            y = self._document.toggle(self.cursor)
            if y is not None:
                self._measure(y)

    def action_fold_all(self) -> None:
        """Fold everything below the top level."""
        if self._document is not None:
            anchor = self._document.anchor(self.cursor)
            if self._document.fold_all():
                self._measure(self._document.find(anchor))

    def action_unfold_all(self) -> None:
        """Unfold every object and array."""
        if self._document is None:
            return
        anchor = self._document.anchor(self.cursor)
        if not self._document.unfold_all():
            self.notify("Too much to unfold at once: the largest parts stay folded.", severity="warning")
        self._measure(self._document.find(anchor))

    def action_next_match(self, step: int) -> None:
        """Go to the next match, or the one before; behind the last comes the first."""
        if self._matches:
            self._go_to((self._match + step) % len(self._matches))

    # The document

    @work(exclusive=True, group="open")
    async def _open_large(self, raw: bytes | str, audio: AudioFormat) -> None:
        self._adopt(await asyncio.to_thread(open_frame, raw, audio))

    def _adopt(self, document: Document) -> None:
        self._document = document
        self.set_reactive(JsonView.cursor, 0)
        self._lay_out()
        self.refresh()
        self.post_message(self.Opened(document.reason))
        self.find(self._query)

    def _lay_out(self) -> None:
        width = self.scrollable_content_region.width
        if self._document is None or width <= 0:
            return
        anchor = self._document.anchor(self.cursor)
        self._document.resize(width)
        self._measure(self._document.find(anchor))

    def _measure(self, cursor: int) -> None:
        """Tell the scroll bar how many lines there are now, and put the cursor on this one."""
        if self._document is None:
            return
        self.virtual_size = Size(self.scrollable_content_region.width, self._document.height)
        self.cursor = cursor
        self._show_cursor()
        self.refresh()

    def _show_cursor(self) -> None:
        height = self.scrollable_content_region.height
        top = self.scroll_offset.y
        if not top <= self.cursor < top + height:
            # By force, because the scroll bar of lines that came just now is not there yet.
            y = self.cursor if self.cursor < top else self.cursor - height + 1
            self.scroll_to(y=y, animate=False, force=True)

    # The search

    @work(exclusive=True, group="search")
    async def _search(self, document: Document) -> None:
        started = time.monotonic()
        for match in document.search(Search(self._query)):
            if match is not None:
                self._matches.append(match)
                if len(self._matches) == 1:
                    self._go_to(0)
            if time.monotonic() - started > _SLICE_S:
                self._tell()
                await asyncio.sleep(0)
                started = time.monotonic()
        self._complete = True
        self._tell()

    def _go_to(self, index: int) -> None:
        assert self._document is not None
        self._match = index
        self._measure(self._document.reveal(self._matches[index]))
        self._tell()

    def _tell(self) -> None:
        current = self._match + 1 if self._matches else 0
        self.post_message(self.Searched(self._query, current, len(self._matches), self._complete))

    # Drawing

    def render_line(self, y: int) -> Strip:
        """Draw one line of the view."""
        width = self.scrollable_content_region.width
        y += self.scroll_offset.y
        style, segments = self.rich_style, []
        if self._document is None:
            segments = [Segment(self._waiting_for if y == 0 else "", self._style(Role.NOTE))]
        elif y < self._document.height:
            shown = self._matches[self._match] if self._matches else None
            line = self._document.line(y, Search(self._query, shown) if self._query else None)
            if y == self.cursor:
                style += Style(bgcolor=self._style("cursor").bgcolor)
            segments = [Segment(text, self._style(name) + below) for text, name, below in self._pieces(line, style)]
        return Strip(segments).adjust_cell_length(width, style)

    def _pieces(self, line: Line, below: Style) -> Iterator[tuple[str, str, Style]]:
        """The spans of a line, cut where matches begin and end: text, name of its style, and what goes over that."""
        below = Style(bgcolor=below.bgcolor)
        start = 0
        for text, role in line.spans:
            at, end = start, start + len(text)
            for left, right, current in line.marks:
                left, right = max(left, at), min(right, end)
                if left < right:
                    yield text[at - start : left - start], role, below
                    yield text[left - start : right - start], "current-match" if current else "match", Style()
                    at = right
            yield text[at - start :], role, below
            start = end

    def _style(self, name: str) -> Style:
        if name not in self._styles:
            self._styles[name] = self.get_component_rich_style(f"json-view--{name}")
        return self._styles[name]
