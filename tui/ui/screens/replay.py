"""The main screen on a recording: the same panes, and a bar to move in time where the prompt was."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import BindingType
from textual.message import Message
from textual.widget import Widget

from tui.audio.speaker import Speaker
from tui.capture import EventLog
from tui.conversation import Status
from tui.replay.player import Replay
from tui.replay.recording import Recording
from tui.ui import bindings
from tui.ui.messages import Delivery
from tui.ui.screens.main import MainScreen
from tui.ui.text import printable
from tui.ui.widgets.event_pane import EventPane
from tui.ui.widgets.replay_bar import ReplayBar
from tui.ui.widgets.status_strip import StatusStrip

if TYPE_CHECKING:
    from tui.capture.file.reader import CaptureReader

_STOP_TIMEOUT_S = 1.5


class ReplayScreen(MainScreen, inherit_bindings=False):
    """Plays a log, or reads a capture and plays it then."""

    CONTROL = "replay"
    AUTO_FOCUS = f"#{CONTROL}"

    BINDINGS: ClassVar[list[BindingType]] = bindings.REPLAY_SCREEN

    def __init__(self, recording: Recording, speaker: Speaker, fps: float) -> None:
        super().__init__("")
        self._recording = recording
        self._source = recording.source
        self._speaker = speaker
        self._fps = fps
        self._replay: Replay | None = None
        self._rows = 0
        self._closed = False

    def make_control(self) -> Widget:
        """What the person moves in time with."""
        return ReplayBar(id=self.CONTROL)

    def on_mount(self) -> None:
        """Play, or read first."""
        if isinstance(self._source, EventLog):
            self._play(self._source)
        else:
            self.show_session(self._source.log, lambda: (0.0, 0.0), 1)
            recorded = Status(replay=True, host=self._recording.host, model=self._recording.model)
            self.query_one(StatusStrip).update_status(recorded)
            threading.Thread(target=self._read, args=(self._source,), name="azrt-capture", daemon=True).start()

    def on_unmount(self) -> None:
        """Fall silent."""
        self._closed = True
        if self._replay is not None:
            self._replay.stop(_STOP_TIMEOUT_S)
        # A sound server that hangs cannot hold the end up.
        threading.Thread(target=self._speaker.close, name="azrt-silence", daemon=True).start()

    # Reading

    class Progress(Message):
        """More of the capture was read."""

        def __init__(self, rows: int, part: float) -> None:
            super().__init__()
            self.rows = rows
            self.part = part

    class ReadingDone(Message):
        """The whole capture was read, or cannot be."""

        def __init__(self, problems: list[str]) -> None:
            super().__init__()
            self.problems = problems

    def _read(self, reader: CaptureReader) -> None:
        from tui.capture.file.reader import CaptureError

        try:
            while reader.read() and not self._closed:
                self.post_message(self.Progress(reader.log.rows, reader.position / max(1, reader.size)))
                time.sleep(0.001)  # the screen's thread has its turn
            problems = reader.problems
        except CaptureError as error:
            problems = [str(error)]
        self.post_message(self.ReadingDone(problems))

    @on(Progress)
    def _show_progress(self, message: Progress) -> None:
        self.show_rows(message.rows, ())
        self.query_one(ReplayBar).say_reading(message.part)

    @on(ReadingDone)
    def _reading_done(self, message: ReadingDone) -> None:
        for problem in message.problems:
            self.notify(printable(problem), severity="warning", timeout=15, markup=False)
        if not isinstance(self._source, EventLog):
            self._play(self._source.log)

    # Playing

    def _play(self, log: EventLog) -> None:
        recording = self._recording
        replay = self._replay = Replay(
            log,
            Delivery(self),
            host=recording.host,
            model=recording.model,
            start_s=recording.start_s,
            speed=recording.speed,
            playing=recording.playing,
            fps=self._fps,
            playback=self._speaker,
        )
        self._rows = 0
        self.show_session(log, lambda: (0.0, self._speaker.level()), self._fps / 3)
        self.query_one(ReplayBar).watch_replay(lambda: replay.state)
        replay.start()

    @on(ReplayBar.Asked)
    def _move(self, message: ReplayBar.Asked) -> None:
        if self._replay is not None:
            self._replay.submit(message.move)

    def show_rows(self, rows: int, changed: Iterable[int]) -> None:
        """Where there are fewer than before, the pane begins anew."""
        if rows < self._rows and self._log is not None:
            self.query_one(EventPane).watch_log(self._log)
        self._rows = rows
        super().show_rows(rows, changed)

    def say_below(self) -> None:
        """The footer says what the keys do."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is a way back where something is behind this screen, or beside the pane that fills it."""
        return action != "leave" or self.zoomed or len(self.app.screen_stack) > 2

    def action_leave(self) -> None:
        """Give the panes their place back, or go back to what is below."""
        if self.zoomed:
            self.restore_panes()
        else:
            self.dismiss()
