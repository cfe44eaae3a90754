"""Two lines that answer: am I connected, to what, for how long still, who speaks, does it hear me."""

from __future__ import annotations

import time
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui.conversation import AgentState, Link, Status
from tui.ui.text import clip, printable

_SIGNS = {
    Link.IDLE: "○",
    Link.CONNECTING: "◌",
    Link.CONNECTED: "●",
    Link.CLOSING: "◌",
    Link.CLOSED: "○",
    Link.FAILED: "✗",
}

_LINK_STYLES = {Link.CONNECTED: "status--good", Link.FAILED: "status--bad", Link.CLOSED: "status--bad"}

_Part = tuple[str, str, int]
"""A text, the name of its style, and how early it goes when the line is too narrow: the highest number first."""


class StatusStrip(Widget):
    """The state of the session. Draws only what changed; time is shown in minutes, so that nothing ticks."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "status--good",
        "status--bad",
        "status--strong",
        "status--dim",
        "status--simulator",
    }

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._status = Status()
        self._microphone = "off"
        self._origin: float | None = None
        self._lines: tuple[list[tuple[str, str]], ...] = ([], [])
        self._styles: dict[str, Style] = {}

    def on_mount(self) -> None:
        """Keep the minutes true."""
        self.set_interval(15, self._refit)

    def update_status(self, status: Status) -> None:
        """Show this from now on."""
        if status.started_s != self._status.started_s:
            self._origin = time.monotonic() if status.started_s is not None else None
        self._status = status
        self._refit()

    def update_microphone(self, state: str) -> None:
        """Show the microphone's state: one or two words."""
        self._microphone = state
        self._refit()

    def on_resize(self) -> None:
        """Choose anew what fits."""
        self._refit()

    def on_click(self, event: events.Click) -> None:
        """Nothing here reacts to the mouse; the click must not reach what lies below."""
        event.stop()

    # What is said

    def _refit(self) -> None:
        first, second = self._fit(*self._first()), self._fit(*self._second())
        troubled = self._status.link in {Link.FAILED, Link.CLOSED} and self._status.cause is not None
        lines = (second if troubled and self.size.height == 1 else first, second)
        if lines != self._lines:
            for y, (old, new) in enumerate(zip(self._lines, lines, strict=True)):
                if old != new:
                    self.refresh(Region(0, y, self.size.width, 1))
            self._lines = lines

    def _first(self) -> tuple[list[_Part], list[_Part]]:
        status = self._status
        style = _LINK_STYLES.get(status.link, "status--dim")
        left: list[_Part] = [(f"{_SIGNS[status.link]} {status.link}", style, 0)]
        if status.simulator:
            roomy = self.size.width >= 60
            text = "simulator: scripted answers, no model" if roomy else "simulator, no model"
            left.append((text, "status--simulator", 1))
        else:
            if status.host:
                left.append((printable(status.host), "base", 1))
            if status.model:
                left.append((printable(status.model), "status--strong", 2))
        right: list[_Part] = []
        if status.started_s is not None:
            right.append((self._age(), "status--dim", 4))
        right.append((f"↑ {status.sent:,}", "base", 5))
        right.append((f"↓ {status.received:,}", "base", 5))
        right.append((f"{status.rate:4.0f}/s", "status--dim", 6))
        return left, right

    def _age(self) -> str:
        age = (time.monotonic() - self._origin) if self._origin is not None else 0.0
        text = f"session {int(age // 60)} min"
        expires = self._status.expires_at
        if expires is not None:
            left = max(0.0, expires - time.time())
            text += f", {int(left // 60)} min left" if left >= 60 else ", less than a minute left"
        return text

    def _second(self) -> tuple[list[_Part], list[_Part]]:
        status = self._status
        if status.link in {Link.FAILED, Link.CLOSED} and status.cause is not None:
            return [(printable(status.cause.sentence), "status--bad", 0)], [("ctrl+r reconnects", "status--dim", 1)]
        agent = "status--strong" if status.agent is not AgentState.IDLE else "base"
        left: list[_Part] = [
            (f"agent {status.agent}", agent, 0),
            (f"mic {self._microphone} (F2)", "base", 1),
        ]
        if status.queued:
            left.append((f"{status.queued} waiting", "status--strong", 1))
        if status.modality:
            left.append((f"answers in {status.modality}", "status--dim", 5))
        if status.first_output_ms is not None:
            left.append((f"first output {status.first_output_ms:,} ms", "base", 3))
        right: list[_Part] = []
        if status.tokens_in or status.tokens_out:
            right.append((f"tokens {status.tokens_in:,} in, {status.tokens_out:,} out", "base", 2))
        if status.session_id:
            right.append((printable(status.session_id), "status--dim", 4))
        return left, right

    def _fit(self, left: list[_Part], right: list[_Part]) -> list[tuple[str, str]]:
        """Drop what matters least until the line fits; clip what is left."""
        width = max(1, self.size.width - 2)
        left, right = list(left), list(right)

        def cells(parts: list[_Part]) -> int:
            return sum(cell_len(text) for text, _, _ in parts) + 3 * max(0, len(parts) - 1)

        while cells(left) + cells(right) + (3 if right else 0) > width and len(left) + len(right) > 1:
            side, at = max(
                ((side, at) for side in (left, right) for at in range(len(side))),
                key=lambda where: where[0][where[1]][2],
            )
            del side[at]
        spans: list[tuple[str, str]] = []
        for number, (text, style, _) in enumerate(left):
            if number:
                spans.append(("   ", "base"))
            spans.append((clip(text, width), style))
        if right:
            spans.append((" " * max(1, width - cells(left) - cells(right)), "base"))
        for number, (text, style, _) in enumerate(right):
            if number:
                spans.append(("   ", "base"))
            spans.append((clip(text, width), style))
        return spans

    # Painting

    def notify_style_update(self) -> None:
        """The theme changed."""
        super().notify_style_update()
        self._styles.clear()

    def render_line(self, y: int) -> Strip:
        """Draw one of the two lines."""
        if not self._styles:
            self._styles = {name: self.get_component_rich_style(name) for name in self.COMPONENT_CLASSES}
            self._styles["base"] = self.rich_style
        base = self._styles["base"]
        spans = self._lines[y] if y < len(self._lines) else []
        segments = [Segment(" ", base), *(Segment(text, self._styles[style]) for text, style in spans)]
        return Strip(segments).adjust_cell_length(self.size.width, base)
