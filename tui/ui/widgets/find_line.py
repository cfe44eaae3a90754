"""The line below the events in which a filter, a search, a time or a name is written, with what is possible next."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

from rich.highlighter import Highlighter
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Label

from tui.capture.filter import Completion, Filter, FilterError, Known, complete, parse
from tui.settings import is_filter_name
from tui.ui import bindings
from tui.ui.text import printable
from tui.ui.times import parse_time
from tui.ui.widgets.field import Field


class Wanted(enum.StrEnum):
    """What is written in the line; the value stands before it."""

    FILTER = "filter"
    SEARCH = "search"
    TIME = "time"
    NAME = "save as"


_PLACEHOLDERS: Mapping[Wanted, str] = {
    Wanted.FILTER: 'type:response.* -audio error >1kB "some text"',
    Wanted.SEARCH: "text in any event, ignoring case",
    Wanted.TIME: "1:30, 90, or +10 and -10 from here",
    Wanted.NAME: "a name, to be used as @name",
}


@dataclass(frozen=True, slots=True)
class _Problem:
    text: str
    position: int
    length: int


class _Marker(Highlighter):
    """Marks what is wrong."""

    problem: _Problem | None = None

    def highlight(self, text: Text) -> None:
        """Reverse, which shows without colours too."""
        if self.problem is not None:
            text.stylize("reverse red", self.problem.position, self.problem.position + self.problem.length)


class Finder(Protocol):
    """What the line is for."""

    def edited(self, value: str | Filter | float) -> None:
        """A filter or a text to search is written now."""

    def accepted(self, value: str | Filter | float) -> None:
        """The person is done with a filter, a text, or a time in seconds; the line is closed."""

    def cancelled(self, wanted: Wanted) -> None:
        """The person takes it back; the line is closed."""

    def save(self, name: str, text: str) -> None:
        """The person wants a filter kept under a name."""


class _Line(Field):
    """Calls at once when enter is pressed: what is typed right behind it belongs elsewhere."""

    def __init__(self, submit: Callable[[], None], *, id: str) -> None:
        super().__init__(id=id)
        self._submit = submit

    async def action_submit(self) -> None:
        """Take what is written."""
        self._submit()


class FindLine(Vertical):
    """One line to write in and one that answers. Closed at first; :meth:`open` shows it."""

    BINDINGS: ClassVar[list[BindingType]] = bindings.FIND_LINE

    def __init__(self, finder: Finder, *, id: str | None = None) -> None:
        """``finder`` is told what is written."""
        super().__init__(id=id)
        self._finder = finder
        self._wanted = Wanted.FILTER
        self._known = Known()
        self._from_s = 0.0
        self._filter_text = ""
        """What is to be saved, while its name is written."""
        self._offers: list[Completion] = []
        self._offer = 0
        self._offering = False
        """Whether the footer says how to take an offer."""
        self._marker = _Marker()

    def compose(self) -> ComposeResult:
        """The line, and the answer below it."""
        with Horizontal():
            yield Label(id="find-sign", markup=False)
            yield _Line(self._accept, id="find-field")
        yield Label(id="find-answer", markup=False)

    @property
    def _field(self) -> Field:
        return self.query_one("#find-field", Field)

    def on_mount(self) -> None:
        """Mark the character that is wrong."""
        self._field.highlighter = self._marker

    def open(self, wanted: Wanted, text: str, known: Known, from_s: float = 0.0) -> None:
        """Show the line with this text in it, and take the keys.

        Args:
            wanted: what is to be written.
            text: what stands there at first, selected.
            known: what a filter may be completed with.
            from_s: the time from which ``+10`` counts, in seconds.
        """
        self._known, self._from_s = known, from_s
        self._begin(wanted, text)
        self.display = True
        # At once, not in a moment: what is typed right behind belongs here.
        self.screen.set_focus(self._field)

    def _begin(self, wanted: Wanted, text: str) -> None:
        self._wanted = wanted
        field = self._field
        self.query_one("#find-sign", Label).update(wanted.value)
        field.placeholder = _PLACEHOLDERS[wanted]
        with self.prevent(Input.Changed):
            field.value = text
        field.action_select_all()
        self._judge()

    # Writing

    @on(Input.Changed, "#find-field")
    def _changed(self, message: Input.Changed) -> None:
        message.stop()
        if self.display:  # else it was accepted or taken back before this message came
            value = self._judge()
            if value is not None and self._wanted in {Wanted.FILTER, Wanted.SEARCH}:
                self._finder.edited(value)

    def _judge(self) -> str | Filter | float | None:
        """What the line means, or None; says what is wrong, or what is possible next."""
        text = self._field.value
        self._marker.problem, self._offers, self._offer = None, [], 0
        value: str | Filter | float | None = None
        if self._wanted is Wanted.FILTER:
            self._offers = complete(text, self._field.cursor_position, self._known)
        try:
            value = self._read(text)
        except FilterError as error:
            self._marker.problem = _Problem(error.problem, error.position, error.length)
        except ValueError as error:
            if text:
                self._marker.problem = _Problem(str(error), 0, len(text))
        self._answer()
        return value

    def _read(self, text: str) -> str | Filter | float:
        match self._wanted:
            case Wanted.FILTER:
                return parse(text, self._known.saved)
            case Wanted.TIME:
                return parse_time(text, self._from_s)
            case Wanted.NAME:
                if not is_filter_name(text):
                    raise ValueError("letters, digits, - and _ only, at most 40")
        return text

    def _answer(self) -> None:
        """Say what is wrong; where only something is missing yet, what it may be."""
        problem = self._marker.problem
        missing = problem is not None and problem.position >= len(self._field.value.rstrip())
        answer = self.query_one("#find-answer", Label)
        width = max(10, (self.size.width or self.app.size.width) - 2)
        wrong = problem is not None and not (missing and self._offers)
        answer.set_class(wrong, "-wrong")
        if wrong and problem is not None:
            answer.update(f"character {problem.position + 1}: {printable(problem.text)}")
        else:
            answer.update(self._offered(width))
        self._field.refresh()
        if self._offering != bool(self._offers):
            self._offering = not self._offering
            self.refresh_bindings()

    def _offered(self, width: int) -> Text:
        """The offers in one line, from one before the chosen one; what that means, where there is room."""
        text = Text(no_wrap=True)
        for number in range(max(0, self._offer - 1), len(self._offers)):
            offer = printable(self._offers[number].text)
            if text.cell_len + len(offer) + 2 > width:
                break
            text.append(offer, "reverse" if number == self._offer else "")
            text.append("  ")
        about = printable(self._offers[self._offer].about) if self._offers else ""
        if about and text.cell_len + len(about) + 2 <= width:
            text.append(about.rjust(width - text.cell_len - 1), "italic")
        return text

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only a filter can be saved or completed; without offers, tab goes to the next pane."""
        if action == "save":
            return self._wanted is Wanted.FILTER
        if action in {"complete", "offer"}:
            return bool(self._offers)
        return True

    def _accept(self) -> None:
        """Take what is written, unless it means nothing."""
        value = self._judge()
        if value is None:
            return
        if self._wanted is Wanted.NAME:
            self._finder.save(str(value), self._filter_text)
            self._begin(Wanted.FILTER, self._filter_text)
            return
        self.display = False
        self._finder.accepted(value)

    def action_cancel(self) -> None:
        """Take nothing."""
        if self._wanted is Wanted.NAME:
            self._begin(Wanted.FILTER, self._filter_text)
            return
        self.display = False
        self._finder.cancelled(self._wanted)

    def action_complete(self) -> None:
        """Write the offer in place of the word that was begun."""
        offer, field = self._offers[self._offer], self._field
        end = field.cursor_position
        written = offer.text if offer.text.endswith((":", "*")) else f"{offer.text} "
        field.replace(written, offer.start, end)

    def action_offer(self, step: int) -> None:
        """Choose another offer."""
        self._offer = (self._offer + step) % len(self._offers)
        self._answer()

    def action_save(self) -> None:
        """Ask for the name under which the filter is kept."""
        value = self._judge()
        if isinstance(value, Filter) and not value.everything:
            self._filter_text = value.source
            self._begin(Wanted.NAME, "")

    def learn(self, saved: Mapping[str, str]) -> None:
        """These are the saved filters now."""
        self._known = Known(self._known.types, self._known.ids, saved)
        self._judge()
