"""The app's session: its worker, the sound devices it uses and the simulator of the demo, from the start to the end."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

from tui.audio.microphone import Microphone
from tui.audio.speaker import Speaker
from tui.session import Batch, Command, Interrupt, SessionPlan, SessionWorker
from tui.ui.messages import SessionBatch

if TYPE_CHECKING:
    from tui.settings import Settings
    from tui.simulator import SimulatorThread
    from tui.ui.screens.main import MainScreen

QUIT_TIMEOUT_S = 1.5
"""How long quitting waits for the goodbye of the server, and for the sound devices."""


class SessionHost:
    """At most one session. Making a host imports and opens nothing: that is left to the session."""

    def __init__(self, settings: Settings) -> None:
        self.speaker = Speaker(settings.output_device)
        self.microphone = Microphone(settings.input_device)
        self._frame_rate = settings.frame_rate
        self._worker: SessionWorker | None = None
        self._simulator: SimulatorThread | None = None
        self._waiting: list[Command] = []
        """What was asked for before there was a session."""
        self._delivered: SessionBatch | None = None
        """What the screen was sent last."""

    @property
    def started(self) -> bool:
        """True once there is a session, whether it is connected or not."""
        return self._worker is not None

    def start(self, plan: SessionPlan, screen: MainScreen) -> None:
        """Start the session and show it on ``screen``."""
        self._worker = SessionWorker(
            plan,
            partial(self._deliver, screen),
            fps=self._frame_rate,
            playback=self.speaker,
            microphone=self.microphone,
        )
        screen.show_session(
            self._worker.log, lambda: (self.microphone.level(), self.speaker.level()), self._frame_rate / 3
        )
        self._worker.start()
        waiting, self._waiting = self._waiting, []
        for command in waiting:
            self._worker.submit(command)

    def submit(self, command: Command) -> None:
        """Hand a command to the session, or keep it until there is one."""
        if self._worker is not None:
            self._worker.submit(command)
        elif not isinstance(command, Interrupt):
            self._waiting.append(command)

    def start_simulator(self) -> str:
        """Start the server of the demo and return its URL; OSError when no port can be had. Takes a moment."""
        from tui.simulator import SimulatorThread

        simulator = SimulatorThread()
        simulator.start()
        self._simulator = simulator
        return simulator.url()

    def close(self) -> None:
        """End the session and the simulator, if there are any."""
        if self._worker is not None:
            self._worker.stop(QUIT_TIMEOUT_S)
        # A sound server that hangs cannot hold the end up.
        silencing = threading.Thread(target=self._silence, name="azrt-silence", daemon=True)
        silencing.start()
        silencing.join(QUIT_TIMEOUT_S)
        if self._simulator is not None:
            self._simulator.stop()

    def _silence(self) -> None:
        self.microphone.close()
        self.speaker.close()

    def _deliver(self, screen: MainScreen, batch: Batch) -> None:
        """From the session thread to the screen's; a screen that is gone takes nothing."""
        if self._delivered is None or not self._delivered.add(batch):
            self._delivered = SessionBatch(batch)
            screen.post_message(self._delivered)
