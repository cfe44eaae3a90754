"""Two lines that answer: am I connected, to what, for how long still, who speaks, does it hear me."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ClassVar, Final

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from tui.conversation import AgentState, Link, MicrophoneState, Status
from tui.ui.advice import key_of
from tui.ui.terminal.short_ansi import TerseStrip, filter_styles
from tui.ui.text import clip, printable

_LONGEST_SESSION_S: Final = 24 * 3600.0
"""A server that names a later end has no limit: that of OpenAI and of Azure is an hour at most."""

_SIGNS = {
    Link.IDLE: "○",
    Link.LISTENING: "◌",
    Link.CONNECTING: "◌",
    Link.CONNECTED: "●",
    Link.WAITING: "◌",
    Link.CLOSING: "◌",
    Link.CLOSED: "○",
    Link.FAILED: "✗",
}

_LINK_STYLES = {
    Link.CONNECTED: "status--good",
    Link.FAILED: "status--bad",
    Link.CLOSED: "status--bad",
    Link.WAITING: "status--bad",
}

_LOOKED_AT = 200
"""Characters of a text from outside that are looked at: no name or id is so long, and no line has so much room."""

_TURNS = {"none": "push-to-talk", "server_vad": "server VAD", "semantic_vad": "semantic VAD"}
"""Who decides that the person has finished speaking."""

_METER = "▁▂▃▄▅▆▇█"

_GAP = 3
"""Cells between two parts."""

_SENTENCE = 40
"""Cells that a sentence must have before it makes room for anything else."""

_Part = tuple[str, str, int]
"""A text, the name of its style, and its rank: where the line is too narrow, the highest number goes first."""


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
        self._levels: Callable[[], tuple[float, float]] | None = None
        self._loudness = (0.0, 0.0)
        self._meter: Timer | None = None
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
        if self._meter is not None:
            if self._audible:
                self._meter.resume()
            else:
                self._meter.pause()
                self._loudness = (0.0, 0.0)
        self._refit()

    def watch_levels(self, levels: Callable[[], tuple[float, float]], per_second: float) -> None:
        """Show how loud the person and the agent are, 0 to 1 each, while one of them can be heard."""
        self._levels = levels
        if self._meter is not None:
            self._meter.stop()
        self._meter = self.set_interval(1 / per_second, self._measure, pause=True)
        self._refit()

    def _measure(self) -> None:
        before, self._loudness = self._loudness, self._levels() if self._levels is not None else (0.0, 0.0)
        if tuple(map(_bar, before)) != tuple(map(_bar, self._loudness)):
            self._refit()

    @property
    def _audible(self) -> bool:
        """Whether there is something to measure."""
        listening = self._status.microphone in (MicrophoneState.ON, MicrophoneState.HELD)
        return listening or (self._status.agent is AgentState.SPEAKING and self._status.modality == "audio")

    def on_resize(self) -> None:
        """Choose anew what fits."""
        self._refit()

    def on_click(self, event: events.Click) -> None:
        """Nothing here reacts to the mouse; the click must not reach what lies below."""
        event.stop()

    # What is said

    def _refit(self) -> None:
        if self.size.height == 1:
            lines: tuple[list[tuple[str, str]], ...] = (self._fit(*self._only()), [])
        else:
            lines = (self._fit(*self._first()), self._fit(*self._second()))
        if lines != self._lines:
            for y, (old, new) in enumerate(zip(self._lines, lines, strict=True)):
                if old != new:
                    self.refresh(Region(0, y, self.size.width, 1))
            self._lines = lines

    def _link(self) -> _Part:
        link = self._status.link
        if self._status.replay:
            return "▷ replay", "status--simulator", 0
        return f"{_SIGNS[link]} {link}", _LINK_STYLES.get(link, "status--dim"), 0

    def _agent(self) -> _Part:
        agent = self._status.agent
        meter = ""
        if agent is AgentState.SPEAKING and self._status.modality == "audio" and self._meter is not None:
            meter = f" {_bar(self._loudness[1])}"
        if agent is AgentState.IDLE and self._status.waits_for:
            return f"agent waits for {self._status.waits_for}", "status--strong", 0
        return f"agent {agent}{meter}", "base" if agent is AgentState.IDLE else "status--strong", 0

    def _microphone(self, key: str = "") -> tuple[str, str]:
        """The microphone's state, with a meter of constant width while it is open, and the key beside it."""
        state = self._status.microphone
        meter = ""
        if state in (MicrophoneState.ON, MicrophoneState.HELD) and self._meter is not None:
            meter = f" {_bar(self._loudness[0])}"
        style = {MicrophoneState.ON: "status--strong", MicrophoneState.UNAVAILABLE: "status--bad"}.get(state, "base")
        return f"mic {state}{meter}{key}", style

    def _only(self) -> tuple[list[_Part], list[_Part]]:
        """Where there is room for one line: what a person cannot do without."""
        status = self._status
        if self._trouble():
            return self._second()
        simulated = status.simulator and status.link is Link.CONNECTED
        left = [("● simulator", "status--simulator", 0) if simulated else self._link(), self._agent()]
        if status.queued:
            left.append((f"{status.queued} waiting", "status--strong", 1))
        if status.ours:
            left.append((*self._microphone(), 2))
        if status.model and not status.simulator:
            left.append((_named(status.model), "base", 3))
        return left, []

    def _first(self) -> tuple[list[_Part], list[_Part]]:
        status = self._status
        left = [self._link()]
        if status.simulator:
            roomy = self.size.width >= 100
            text = "simulator: scripted answers, no model" if roomy else "simulator, no model"
            left.append((text, "status--simulator", 1))
        else:
            if status.host:
                left.append((_named(status.host), "base", 1))
            if status.kind:
                left.append((status.kind, "status--strong", 2))
            if status.model:
                left.append((_named(status.model), "status--strong", 2))
        right: list[_Part] = []
        if status.started_s is not None and status.link is Link.CONNECTED and not status.replay:
            right.append((self._age(), "status--dim", 4))
        right.append((f"↑ {status.sent:,}   ↓ {status.received:,}", "base", 5))
        right.append((f"{status.rate:4.0f}/s", "status--dim", 6))
        return left, right

    def _age(self) -> str:
        age = (time.monotonic() - self._origin) if self._origin is not None else 0.0
        text = f"session {int(age // 60)} min"
        expires = self._status.expires_at
        if expires is not None:
            left = max(0.0, expires - time.time())
            if left < 60:
                text += ", less than a minute left"
            elif left <= _LONGEST_SESSION_S:
                text += f", {int(left // 60)} min left"
        return text

    def _trouble(self) -> str:
        """Why there is no connection, "" while there is one or nobody knows."""
        status = self._status
        if status.cause is None or status.link not in {Link.FAILED, Link.CLOSED, Link.WAITING}:
            return ""
        return printable(status.cause.short or status.cause.sentence)

    def _second(self) -> tuple[list[_Part], list[_Part]]:
        status = self._status
        trouble = self._trouble()
        if trouble:
            more = f"{key_of(self.app, 'session.trouble')} says more"
            room = self.size.width - 2 - _GAP - cell_len(more)
            if not status.ours or room < _SENTENCE:
                return [(trouble, "status--bad", 0)], []
            return [(clip(trouble, room), "status--bad", 0)], [(more, "status--dim", 1)]
        left = [self._agent()]
        if status.ours:
            left.append((*self._microphone(f" ({key_of(self.app, 'session.microphone')})"), 1))
        if status.queued:
            left.append((f"{status.queued} waiting", "status--strong", 1))
        if status.failure is not None:
            left.append((f"last answer: {status.failure.name.replace('-', ' ')}", "status--bad", 1))
        if status.unheard:
            left.append((f"no loudspeaker ({key_of(self.app, 'session.devices')})", "status--bad", 1))
        if status.turn_detection in _TURNS:
            left.append((_TURNS[status.turn_detection], "status--dim", 6))
        if status.modality:
            left.append((f"answers in {status.modality}", "status--dim", 5))
        if status.first_output_ms is not None:
            left.append((f"first output {status.first_output_ms:,} ms", "base", 3))
        right: list[_Part] = []
        if status.tokens_in or status.tokens_out:
            right.append((f"tokens {status.tokens_in:,} in, {status.tokens_out:,} out", "base", 2))
        if status.session_id:
            right.append((_named(status.session_id), "status--dim", 6))
        return left, right

    def _fit(self, left: list[_Part], right: list[_Part]) -> list[tuple[str, str]]:
        """Keep what matters most, as far as it fits; the most important part, the first on the left, is clipped."""
        width = max(1, self.size.width - 2)
        parts = [*left, *right]
        kept: set[int] = set()
        used = -_GAP
        for at in sorted(range(len(parts)), key=lambda at: parts[at][2]):
            cells = _GAP + cell_len(parts[at][0])
            if not kept or used + cells <= width:
                kept.add(at)
                used += cells
        spans: list[tuple[str, str]] = []
        stretch = max(0, width - used)
        for at in sorted(kept):
            text, style, _ = parts[at]
            if spans:
                begins_right = at >= len(left) > max(other for other in kept if other < at)
                spans.append((" " * (_GAP + stretch if begins_right else _GAP), "base"))
            spans.append((clip(text, width), style))
        return spans

    # Painting

    def notify_style_update(self) -> None:
        """The theme changed."""
        super().notify_style_update()
        self._styles.clear()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw the lines of ``crop``, without the style cache."""
        if not self._styles:
            styles = {name: self.get_component_rich_style(name) for name in self.COMPONENT_CLASSES}
            styles["base"] = self.rich_style
            self._styles = filter_styles(styles, self.get_line_filters(), self.background_colors[1])
        width = self.size.width
        strips = [self._draw(y, width) for y in crop.line_range]
        if crop.column_span != (0, width):
            strips = [strip.crop(*crop.column_span) for strip in strips]
        return strips

    def _draw(self, y: int, width: int) -> Strip:
        base = self._styles["base"]
        spans = self._lines[y] if y < len(self._lines) else []
        segments = [Segment(" ", base), *(Segment(text, self._styles[style]) for text, style in spans)]
        return TerseStrip(Strip(segments).adjust_cell_length(width, base), width)


def _bar(loudness: float) -> str:
    """One cell for a loudness between 0 and 1."""
    return _METER[min(len(_METER) - 1, int(loudness * len(_METER)))]


def _named(text: str) -> str:
    """A name or id from outside, no longer than one would be."""
    return clip(printable(text[:_LOOKED_AT]), 60)
