"""The main screen: events on the left, conversation on the right, status above, the prompt below."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widget import Widget

from tui.capture import EventLog
from tui.capture.filter.thing import Thing
from tui.conversation import AgentState, Choice, Link, Status
from tui.ui import bindings
from tui.ui.advice import advice, key_of, offered
from tui.ui.messages import InterruptRequested, LinkChanged, SessionBatch
from tui.ui.terminal.compositing import FrugalScreen, is_behind
from tui.ui.terminal.fitting_footer import FittingFooter
from tui.ui.terminal.pacing import RETRY_S
from tui.ui.text import printable
from tui.ui.widgets.event_pane import EventPane
from tui.ui.widgets.events_frame import EventsFrame
from tui.ui.widgets.frame import Frame
from tui.ui.widgets.pane_tabs import PaneTabs
from tui.ui.widgets.prompt import Prompt
from tui.ui.widgets.status_strip import StatusStrip
from tui.ui.widgets.transcript_pane import TranscriptPane


class MainScreen(FrugalScreen):
    """Shows what the session worker reports; what the person does goes to the app as messages and actions."""

    CSS_PATH = "main.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-tiny"), (8, "-low"), (16, "-high")]
    CONTROL = "prompt"
    """Id of what stands below the panes, and has the focus at first."""
    AUTO_FOCUS = f"#{CONTROL}"

    BINDINGS: ClassVar[list[BindingType]] = bindings.MAIN_SCREEN

    def __init__(self, while_answering: str, filters: Mapping[str, str] | None = None) -> None:
        """``filters`` are the saved ones, by name."""
        super().__init__()
        self._saved_filters = filters or {}
        self._while_answering = while_answering
        self._log: EventLog | None = None
        self._status = Status()
        self._counting = False

    def compose(self) -> ComposeResult:
        """Lay out the panes."""
        yield StatusStrip(id="status")
        yield PaneTabs(id="tabs")
        with Horizontal(id="panes"):
            yield EventsFrame(self._saved_filters, id="events-frame")
            with Frame(id="transcript-frame", title="Conversation"):
                yield TranscriptPane(id="transcript")
        with Frame(id="prompt-frame"):
            yield self.make_control()
        yield FittingFooter(compact=True, show_command_palette=False)

    def make_control(self) -> Widget:
        """What the person talks to the agent with."""
        return Prompt(id=self.CONTROL)

    @property
    def status(self) -> Status:
        """What the session reported last."""
        return self._status

    def show_session(self, log: EventLog, levels: Callable[[], tuple[float, float]], levels_per_second: float) -> None:
        """Show another session from now on: its events, its conversation, the levels of its microphone and speaker."""
        self._log = log
        self.query_one(EventPane).watch_log(log)
        self.query_one(TranscriptPane).clear()
        self.query_one(StatusStrip).watch_levels(levels, levels_per_second)

    # What the session reports

    @on(SessionBatch)
    def _take_batch(self, message: SessionBatch) -> None:
        if not self.query(EventPane):
            return  # the program ends: the panes go before their screen does
        if is_behind(self.app):
            self.set_timer(RETRY_S, partial(self._take_batch, message))
            return
        batch = message.take()
        self.show_rows(batch.rows, batch.changed_rows)
        self.query_one(TranscriptPane).update_turns(batch.turns, batch.order)
        self.query_one(StatusStrip).update_status(batch.status)
        before, self._status = self._status, batch.status
        link, cause = batch.status.link, batch.status.cause
        if batch.status.ours and (link is not before.link or cause is not before.cause):
            self.post_message(LinkChanged(link, cause))
        self.say_below()
        for notice in batch.notices:
            lines = [*notice.text.split("\n"), advice(self.app, notice.command)]
            text = "\n".join(printable(line) for line in lines if line)
            self.notify(text, severity=notice.severity.value, markup=False)

    def show_rows(self, rows: int, changed: Iterable[int]) -> None:
        """So many rows of the log may be read now, and these among the old ones changed."""
        self.query_one(EventPane).update_rows(rows, changed)

    def say_below(self) -> None:
        """Say what there is to decide, or what sending does now."""
        status = self._status
        if status.offer is not None:
            hint = offered(self.app, status.offer, time.monotonic())
            if status.offer.due_s is not None and not self._counting:
                self._counting = True
                self.set_timer(1, self._count_down)
        elif status.link is Link.CONNECTING:
            hint = "connecting: what you send now goes out as soon as it can"
        elif status.link in {Link.CLOSED, Link.FAILED}:
            key = key_of(self.app, Choice.RECONNECT)
            hint = f"{key} reconnects and sends what waits" if status.queued else f"not connected: {key} reconnects"
        elif status.agent is AgentState.IDLE:
            hint = ""
        elif self._while_answering == "interrupt":
            hint = f"{key_of(self.app, 'prompt.send')} interrupts the answer and sends"
        else:
            hint = f"{key_of(self.app, 'prompt.send')} sends when the answer is complete"
        self.query_one("#prompt-frame", Frame).say(hint)

    def _count_down(self) -> None:
        self._counting = False
        self.say_below()

    def action_show_trouble(self) -> None:
        """Open the event that said last that something failed: the connection's end, an error, a failed answer."""
        if self._log is None or self._status.alarm is None:
            self.notify("Nothing has failed.")
        else:
            self._open_row(self._log.row_of(self._status.alarm))

    # What the panes ask for

    @on(EventPane.Opened)
    def _open_event(self, message: EventPane.Opened) -> None:
        self._open_row(message.row)

    def _open_row(self, row: int) -> None:
        if self._log is not None:
            from tui.ui.screens.event_detail import EventDetail
            from tui.ui.sources import RowSource

            self.app.push_screen(EventDetail(RowSource(self._log, row)), self._follow_thing)

    def _follow_thing(self, thing: Thing | None) -> None:
        if thing is not None:
            self.query_one(EventPane).follow_thing(thing)

    @on(EventPane.Copied)
    def _copy_event(self, message: EventPane.Copied) -> None:
        if self._log is not None:
            frames = (self._log.data(index) for index in self._log.members(message.row))
            self._copy("\n".join(frame.decode(errors="replace") for frame in frames))

    @on(TranscriptPane.CopyAnswer)
    def _copy_answer(self, message: TranscriptPane.CopyAnswer) -> None:
        self._copy(message.text)

    def _copy(self, text: str) -> None:
        self.app.copy_to_clipboard(text)
        size = len(text.encode(errors="replace"))
        self.notify(f"Copied {size:,} bytes, if your terminal allows it (OSC 52).", markup=False)

    @on(EventPane.StateChanged)
    def _events_state(self, message: EventPane.StateChanged) -> None:
        self._say_state("events", message.text)

    @on(TranscriptPane.StateChanged)
    def _transcript_state(self, message: TranscriptPane.StateChanged) -> None:
        self._say_state("transcript", message.text)

    def _say_state(self, pane: str, text: str) -> None:
        self.query_one(f"#{pane}-frame", Frame).say(text)
        self.query_one(PaneTabs).say(pane, text)

    @on(Prompt.Submitted)
    def _show_answer(self) -> None:
        self.query_one(TranscriptPane).action_follow()

    @on(PaneTabs.Chosen)
    def _choose_pane(self, message: PaneTabs.Chosen) -> None:
        self.show_pane(message.pane)
        if not self.query_one(f"#{self.CONTROL}").has_focus:
            self.query_one(f"#{message.pane}").focus()

    # Panes

    def on_resize(self) -> None:
        """The tabs say more where the screen is low."""
        self.query_one(PaneTabs).refresh()

    def show_pane(self, pane: str) -> None:
        """In a narrow terminal, show ``events`` or ``transcript``."""
        self.set_class(pane == "events", "-show-events")
        self.query_one(PaneTabs).shown = pane

    def action_next_pane(self, step: int) -> None:
        """Move the focus around prompt, events and conversation; a pane that has no room is shown first."""
        order = (self.CONTROL, "events", "transcript")
        focused = self.focused.id if self.focused is not None else self.CONTROL
        pane = order[(order.index(focused) + step) % len(order)] if focused in order else self.CONTROL
        if self.zoomed:
            self.action_zoom()
        if pane != self.CONTROL:
            self.show_pane(pane)
        # At once, not in a moment: what is typed right behind belongs there.
        self.set_focus(self.query_one(f"#{pane}"))

    @property
    def zoomed(self) -> bool:
        """Whether one pane fills the screen."""
        return self.has_class("-zoom-events") or self.has_class("-zoom-transcript")

    def action_zoom(self) -> None:
        """Let the focused pane fill the screen (the conversation, when neither has the focus), or undo that."""
        if self.zoomed:
            self.remove_class("-zoom-events", "-zoom-transcript")
            return
        pane = "events" if self.query_one(EventPane).has_focus else "transcript"
        self.show_pane(pane)
        self.add_class(f"-zoom-{pane}")
        self.query_one(f"#{pane}").focus()

    def action_interrupt(self) -> None:
        """Stop the agent; when it is silent and a pane fills the screen, give the others their place back."""
        if self._status.agent is AgentState.IDLE and self.zoomed:
            self.restore_panes()
        else:
            self.post_message(InterruptRequested())

    def restore_panes(self) -> None:
        """Give the panes their place back, and the keys to what stands below them."""
        if self.zoomed:
            self.action_zoom()
        self.query_one(f"#{self.CONTROL}").focus()
