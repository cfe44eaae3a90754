"""The controls of a replay: where it stands, and the keys that move it."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual import events
from textual.binding import BindingType
from textual.message import Message
from textual.widget import Widget

from tui.clock import clock
from tui.replay.speeds import SPEEDS, ReplayMove, ReplayState, Seek, SeekBy, SetSpeed, StepBy, TogglePlay
from tui.ui import bindings

_PER_SECOND = 5
"""How often the position is looked at. It is drawn when what is written changes."""

_SHORTEST_LINE = 8
"""Cells of the line, below which it is left out."""


class ReplayBar(Widget, can_focus=True):
    """``▶ 1:23 / 4:56 ━━━━──────── ×1  event 132 of 1,024``."""

    BINDINGS: ClassVar[list[BindingType]] = bindings.REPLAY_BAR

    class Asked(Message):
        """The person wants the replay to do this."""

        def __init__(self, move: ReplayMove) -> None:
            super().__init__()
            self.move = move

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._look: Callable[[], ReplayState] | None = None
        self._reading = 0.0
        self._shown = Text()

    def watch_replay(self, look: Callable[[], ReplayState]) -> None:
        """Show this from now on; ``look`` returns where the replay stands."""
        self._look = look
        self.set_interval(1 / _PER_SECOND, self._update)
        self._update()

    def say_reading(self, part: float) -> None:
        """The file is still being read: so much of it was, 0 to 1."""
        self._reading = part
        self._update()

    def _update(self) -> None:
        text = self._text()
        if text != self._shown:
            self._shown = text
            self.refresh()

    def on_resize(self) -> None:
        """The line is as long as there is room."""
        self._update()

    def render(self) -> Text:
        """The line."""
        return self._shown

    def _text(self) -> Text:
        width = self.content_size.width
        if self._look is None:
            return Text(f"reading the capture: {self._reading:.0%}", no_wrap=True)
        state = self._look()
        position, length = state.position_s(), state.length_s
        sign = "▶" if state.playing else "⏸" if not state.ended else "■"
        left = f"{sign} {clock(position)} / {clock(length)} "
        speed = f" ×{state.speed:g}" + (", no sound" if state.speed != 1 and width >= 60 else "")
        count = f"   event {state.events:,} of {state.total:,}"
        room = width - cell_len(left) - cell_len(speed) - cell_len(count)
        if room < _SHORTEST_LINE:
            count = ""
            room = width - cell_len(left) - cell_len(speed)
        if room < _SHORTEST_LINE:
            return Text(left + speed, no_wrap=True)
        done = round(room * position / length) if length else room
        text = Text(left, no_wrap=True)
        text.append("━" * done, "bold").append("─" * (room - done), "dim")
        return text.append(speed).append(count, "dim")

    # Keys

    def action_play(self) -> None:
        """Play or pause."""
        self.post_message(self.Asked(TogglePlay()))

    def action_seek(self, seconds: float) -> None:
        """Move by so much."""
        self.post_message(self.Asked(SeekBy(seconds)))

    def action_seek_to(self, part: float) -> None:
        """Move to a part of the whole, 0 to 1."""
        if self._look is not None:
            self.post_message(self.Asked(Seek(part * self._look().length_s)))

    def action_step(self, events: int) -> None:
        """Pause, and move by so many events."""
        self.post_message(self.Asked(StepBy(events)))

    def action_speed(self, by: int) -> None:
        """The next speed up or down."""
        if self._look is None:
            return
        speeds = sorted({*SPEEDS, self._look().speed})
        at = speeds.index(self._look().speed) + by
        self.post_message(self.Asked(SetSpeed(speeds[min(max(0, at), len(speeds) - 1)])))

    def on_click(self, event: events.Click) -> None:
        """The keys are here from now on."""
        self.focus()
