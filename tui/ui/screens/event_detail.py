"""One event, or the frames of a folded row one after the other, with everything that is in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Input, Label

from tui.audio_format import PCM16_24K, AudioFormat
from tui.capture.filter.syntax import Kind
from tui.capture.filter.thing import Thing
from tui.ui import bindings
from tui.ui.terminal.fitting_footer import FittingFooter
from tui.ui.text import clip, printable
from tui.ui.widgets.field import Field
from tui.ui.widgets.json_view import JsonView

MAX_CLIPBOARD = 768 * 1024
"""Bytes. As base64 that is 1 MiB, which is what tmux takes in one escape sequence."""

_TOO_LARGE = f"Too large for the terminal's clipboard (at most {MAX_CLIPBOARD // 1024} KiB); the capture file holds it."


@dataclass(frozen=True, slots=True)
class FrameView:
    """One frame, as the log has it."""

    time_s: float
    """Seconds since the log's origin."""
    sent: bool | None
    """True to the server, False from it, None for what azrt-tui says itself."""
    type: str
    raw: bytes | str
    note: str = ""
    """What the log says about the frame."""
    audio: AudioFormat = PCM16_24K
    """The format of audio in it."""
    things: Mapping[Kind, str] = field(default_factory=dict)
    """What there is to follow: the id of the frame's item, response and function call."""


class EventSource(Protocol):
    """Where the frames come from. A row that still grows may get longer, never shorter."""

    title: str

    def __len__(self) -> int:
        """Frames there are; at least one."""

    def frame(self, i: int) -> FrameView:
        """The frame with this index, from 0."""


class EventDetail(Screen[Thing | None]):
    """Shows the frames of a source, one at a time; gives the thing that the person wants to follow."""

    CSS_PATH = "event_detail.tcss"
    AUTO_FOCUS = "JsonView"

    BINDINGS: ClassVar[list[BindingType]] = bindings.EVENT_DETAIL

    def __init__(self, source: EventSource) -> None:
        super().__init__()
        self._source = source
        self._index = 0
        self._frame = source.frame(0)

    def compose(self) -> ComposeResult:
        """Lay out the frame's head, the JSON and the search line."""
        with Vertical(id="detail") as pane:
            pane.border_title = Text(printable(self._source.title))
            yield Label(id="about", markup=False)
            yield Label(id="reason", markup=False)
            yield JsonView(id="json")
        with Horizontal(id="find"):
            yield Label("/", id="find-sign")
            yield Field(placeholder="search, ignoring case", id="query")
            yield Label(id="found", markup=False)
        yield FittingFooter(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        """Show the first frame."""
        self._show(0)

    def on_resize(self) -> None:
        """Fit the head to the new width."""
        self._describe()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is nothing to step to when there is one frame, and to follow only what the frame names."""
        if action == "follow":
            return parameters[0] in self._frame.things
        return not (action == "step" and len(self._source) < 2)

    def on_key(self, event: events.Key) -> None:
        """Take letters that were typed right behind the key that opens the search.

        They are on their way through the JSON view by then; as bindings run later, "/q" would close the screen.
        """
        field = self.query_one("#query", Field)
        if self.focused is field:
            if event.character is not None and event.is_printable:
                event.stop()
                event.prevent_default()
                field.insert_text_at_cursor(event.character)
            return
        active = self.active_bindings.get(event.key)
        if active is not None and active.node is self and active.binding.action == "search":
            event.stop()
            event.prevent_default()
            self.action_search()

    # Actions

    def action_close(self) -> None:
        """Close the search if it is open, else the screen."""
        if self.query_one("#find").display:
            self._end_search()
        else:
            self.dismiss(None)

    def action_step(self, step: int) -> None:
        """Show the next frame, or the one before."""
        index = min(max(self._index + step, 0), len(self._source) - 1)
        if index != self._index:
            self._show(index)

    def action_follow(self, kind: str) -> None:
        """Close, and show all events of the item, the response or the function call."""
        self.dismiss(Thing(Kind(kind), self._frame.things[Kind(kind)]))

    def action_search(self) -> None:
        """Open the search line."""
        self.query_one("#find").display = True
        field = self.query_one("#query", Field)
        self.set_focus(field)
        field.action_select_all()

    def action_copy(self) -> None:
        """Copy the frame as readable text."""
        text = self.query_one(JsonView).copy_text(MAX_CLIPBOARD)
        self._copy(text, "as text" if self.query_one("#reason").display else "as JSON")

    def action_copy_raw(self) -> None:
        """Copy the frame as it was on the wire."""
        raw = self._frame.raw
        if len(raw) > MAX_CLIPBOARD:
            self._copy(None, "")
            return
        try:
            self._copy(raw if isinstance(raw, str) else raw.decode(), "as it was")
        except UnicodeDecodeError:
            assert isinstance(raw, bytes)
            self._copy(raw.hex(), "as hexadecimal, because it is not text")

    # What the parts say

    @on(JsonView.Opened)
    def _opened(self, message: JsonView.Opened) -> None:
        reason = self.query_one("#reason", Label)
        reason.display = bool(message.reason)
        reason.update(f"{message.reason[:1].upper()}{message.reason[1:]}.")

    @on(JsonView.Searched)
    def _searched(self, message: JsonView.Searched) -> None:
        more = "" if message.complete else "…"
        if not message.query:
            said = ""
        elif message.total:
            said = f"{message.current:,} of {message.total:,}{more}"
        else:
            said = "searching …" if more else "not found"
        found = self.query_one("#found", Label)
        found.set_class(said == "not found", "-none")
        found.update(said)

    @on(Input.Changed, "#query")
    def _search_for(self, message: Input.Changed) -> None:
        self.query_one(JsonView).find(message.value)

    @on(Input.Submitted, "#query")
    def _searched_for(self) -> None:
        self.query_one(JsonView).focus()

    def _end_search(self) -> None:
        self.query_one("#find").display = False
        self.query_one("#query", Field).value = ""
        self.query_one(JsonView).focus()

    def _show(self, index: int) -> None:
        self._index = index
        self._frame = self._source.frame(index)
        self.query_one(JsonView).show(self._frame.raw, self._frame.audio)
        self._describe()
        self.refresh_bindings()

    def _describe(self) -> None:
        frame = self._frame
        pane = self.query_one("#detail")
        count = len(self._source)
        pane.border_subtitle = f"{self._index + 1:,} of {count:,}" if count > 1 else ""
        way = {True: "→ sent", False: "← received", None: "· local"}[frame.sent]
        size = len(frame.raw if isinstance(frame.raw, bytes) else frame.raw.encode(errors="replace"))
        parts = [f"{way}  {frame.time_s:,.3f} s", f"{size:,} bytes", frame.type, frame.note]
        said = "   ".join(printable(part) for part in parts if part and part != self._source.title)
        self.query_one("#about", Label).update(clip(said, pane.content_size.width))

    def _copy(self, text: str | None, how: str) -> None:
        if text is None:
            self.notify(_TOO_LARGE, severity="warning", markup=False)
            return
        try:
            size = len(text.encode())
        except UnicodeEncodeError:
            self.notify("Not copied: a lone surrogate cannot be written as UTF-8.", severity="warning", markup=False)
            return
        if size > MAX_CLIPBOARD:
            self.notify(_TOO_LARGE, severity="warning", markup=False)
            return
        self.app.copy_to_clipboard(text)
        self.notify(f"Copied {size:,} bytes {how}, if your terminal allows it (OSC 52).", markup=False)
