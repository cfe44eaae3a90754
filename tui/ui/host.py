"""The app's session: its worker, the sound devices it uses and the simulator of the demo, from the start to the end."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from tui.audio.devices import Kind
from tui.audio.microphone import Microphone
from tui.audio.speaker import Speaker
from tui.session import Command, Interrupt, SessionPlan, SessionWorker, event_log
from tui.settings import remember
from tui.settings.state import Remembered
from tui.ui.messages import Delivery

if TYPE_CHECKING:
    from tui.capture import EventLog
    from tui.settings import Settings
    from tui.simulator import SimulatorThread
    from tui.ui.screens.main import MainScreen

QUIT_TIMEOUT_S = 1.5
"""How long quitting waits for the goodbye of the server, and for the sound devices."""


class SessionHost:
    """At most one session. Making a host imports and opens nothing: that is left to the session."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.speaker = self.make_speaker()
        self.microphone = Microphone(
            settings.input_device, or_default=settings.sources.get("input_device") == "remembered"
        )
        self._frame_rate = settings.frame_rate
        self._worker: SessionWorker | None = None
        self.plan: SessionPlan | None = None
        """What the session was started with; None before there is one."""
        self._simulator: SimulatorThread | None = None
        self._waiting: list[Command] = []
        """What was asked for before there was a session."""

    def make_speaker(self) -> Speaker:
        """A loudspeaker as the settings say."""
        return Speaker(
            self._settings.output_device,
            or_default=self._settings.sources.get("output_device") == "remembered",
            latency_s=self._settings.output_latency_ms / 1000,
            delay_s=self._settings.output_delay_ms / 1000,
        )

    @property
    def log(self) -> EventLog | None:
        """The session's events; None before there is a session."""
        return self._worker.log if self._worker is not None else None

    @property
    def started(self) -> bool:
        """True once there is a session, whether it is connected or not."""
        return self._worker is not None

    def start(self, plan: SessionPlan, screen: MainScreen) -> None:
        """Start the session and show it on ``screen``."""
        self.plan = plan
        self._worker = SessionWorker(
            plan,
            Delivery(screen),
            fps=self._frame_rate,
            playback=self.speaker,
            microphone=self.microphone,
            log=event_log(self._settings, plan),
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

    def remember_device(self, kind: Kind, name: str) -> str:
        """Keep a choice for the next start. Return why it will not hold then, "" when it will."""
        setting: Remembered = "input_device" if kind is Kind.MICROPHONE else "output_device"
        if not remember(setting, name):
            return "The device cannot be remembered: the state folder cannot be written."
        source = self._settings.sources.get(setting, "")
        if source.startswith(("flag", "environment", ".env")):
            return f"In use until you quit: at the next start, {source} wins again."
        return ""

    def close(self) -> None:
        """End the session and the simulator, if there are any."""
        try:
            if self._worker is not None:
                self._worker.stop(QUIT_TIMEOUT_S)
                if self._worker.log.capture is not None:
                    self._worker.log.capture.close(QUIT_TIMEOUT_S)
            # A sound server that hangs cannot hold the end up.
            silencing = threading.Thread(target=self._silence, name="azrt-silence", daemon=True)
            silencing.start()
            silencing.join(QUIT_TIMEOUT_S)
        finally:  # its thread would keep the program from ending
            if self._simulator is not None:
                self._simulator.stop()

    def _silence(self) -> None:
        self.microphone.close()
        self.speaker.close()
