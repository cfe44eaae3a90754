"""F6: the connection, checked step by step by the doctor, with what to do where it fails."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import ClassVar, Final

from rich.style import Style
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.doctor import Check, Outcome, Report
from tui.ui import bindings
from tui.ui.diagnosis import Diagnosis
from tui.ui.terminal.fitting_footer import FittingFooter
from tui.ui.text import printable
from tui.ui.widgets.page import Page

_SIGNS: Final = {Outcome.OK: "✓", Outcome.WARNING: "!", Outcome.FAILED: "✗", Outcome.SKIPPED: "·"}
_TITLE: Final = 16
"""Cells of the titles."""

_NARROW: Final = 60
"""Columns of the screen below which titles and times stand above what was found, and not beside it."""


def verdict(report: Report) -> str:
    """What it all comes to, in a sentence."""
    bad = ", ".join(check.title for check in report.of(Outcome.FAILED))
    return f"Not healthy: {bad} failed." if bad else "Healthy."


class Findings(Static):
    """The checks so far, one below the other."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "findings--ok",
        "findings--warning",
        "findings--failed",
        "findings--skipped",
        "findings--line",
    }

    DEFAULT_CSS = """
    Findings { height: auto; }
    Findings > .findings--ok { color: $text-success; }
    Findings > .findings--warning { color: $text-warning; }
    Findings > .findings--failed { color: $text-error; text-style: bold; }
    Findings > .findings--skipped { color: $foreground 70%; }
    Findings > .findings--line { text-style: bold; }
    """

    def __init__(self, diagnosis: Diagnosis) -> None:
        super().__init__(id="findings")
        self._diagnosis = diagnosis

    def render(self) -> Table:
        """A row for each check, and one for what is under way or what they come to."""
        narrow = self.app.size.width < _NARROW
        table = Table.grid(padding=(0, 1, 0, 0), expand=True)
        table.add_column(width=1)
        if not narrow:
            table.add_column(width=_TITLE)
        table.add_column(ratio=1, overflow="fold")
        if not narrow:
            table.add_column(justify="right", no_wrap=True)

        def add_row(sign: Text | str, title: Text | str, said: Text | str, time: Text | str) -> None:
            if narrow:
                head = Text(" ").join(Text.assemble(part) for part in (title, time) if part)
                table.add_row(sign, Text("\n").join(Text.assemble(part) for part in (head, said) if part))
            else:
                table.add_row(sign, title, said, time)

        in_vain: list[str] = []
        for check in self._diagnosis.checks:
            if check.in_vain:
                in_vain.append(check.title)
                continue
            style = self.get_component_rich_style(f"findings--{check.outcome}", partial=True)
            done = check.outcome is not Outcome.SKIPPED
            add_row(
                Text(_SIGNS[check.outcome], style=style),
                Text(check.title, style=style if check.outcome is Outcome.FAILED or not done else ""),
                self._said(check),
                Text(f"{check.seconds * 1000:,.0f} ms" if done else "", style=self._dim),
            )
        if in_vain:
            add_row(*(Text(text, style=self._dim) for text in ("·", "Not done", ", ".join(in_vain), "")))
        if self._diagnosis.running:
            add_row("…", self._diagnosis.under_way, "", "")
        elif self._diagnosis.report is not None:
            add_row("", "", "", "")
            report = self._diagnosis.report
            add_row("", "", verdict(report), f"{report.seconds:.1f} s")
        return table

    def _said(self, check: Check) -> Text:
        found, dim = check.finding, self._dim
        said = Text(printable(found.says), style=dim if check.outcome is Outcome.SKIPPED else "")
        if found.cause is None:
            return said
        if found.cause.fix and found.cause.fix != found.cause.line:
            said.append(f"\n{printable(found.cause.fix)}")
        if found.cause.line:
            line = self.get_component_rich_style("findings--line", partial=True)
            said.append(f"\n$ {printable(found.cause.line)}", style=line)
        facts = ", ".join(f"{name} {value}" for name, value in found.facts.items()) if check.name != "settings" else ""
        for detail in (*found.details, facts):
            if detail:
                said.append(f"\n{printable(detail)}", style=dim)
        return said

    @property
    def _dim(self) -> Style:
        return self.get_component_rich_style("findings--skipped", partial=True)


class Checkup(ModalScreen[None]):
    """Shows a run of the doctor as it goes on. Leaving does not end the run."""

    CSS_PATH = "checkup.tcss"
    AUTO_FOCUS = "#checkup"

    BINDINGS: ClassVar[list[BindingType]] = bindings.CHECKUP

    def __init__(self, diagnosis: Diagnosis, start: Callable[[], None]) -> None:
        """``start`` begins a run."""
        super().__init__()
        self._diagnosis = diagnosis
        self._start = start

    def compose(self) -> ComposeResult:
        """Lay out the list."""
        with Page(id="checkup") as pane:
            pane.border_title = "Connection, checked"
            yield Findings(self._diagnosis)
        yield FittingFooter(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        """Check, unless that is being done; what is found without being asked for is not the whole."""
        if not (self._diagnosis.running and self._diagnosis.asked):
            self.action_again()

    def action_scroll(self, where: str) -> None:
        """Scroll: ``up``, ``down``, ``page_up``, ``page_down``, ``home`` or ``end``."""
        self.query_one(Page).go(where)

    def action_again(self) -> None:
        """Check once more."""
        self._start()
        self.show()

    def action_copy(self) -> None:
        """Copy what was found so far."""
        lines = [json.dumps(check.as_json()) for check in self._diagnosis.checks]
        self.app.copy_to_clipboard("\n".join(lines))
        self.notify(f"Copied {len(lines)} checks, if your terminal allows it (OSC 52).", markup=False)

    def show(self) -> None:
        """Draw what is known now. Results may come while the list is not there yet, or not any more."""
        for findings in self.query(Findings):
            findings.refresh(layout=True)
        for pane in self.query(Page):  # the last line of a long list is below the screen
            pane.border_subtitle = verdict(self._diagnosis.report) if self._diagnosis.report is not None else ""
