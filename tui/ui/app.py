"""The app: starts the session, hands commands to it, and reacts to what concerns the whole program."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import SystemCommand
from textual.binding import BindingType
from textual.screen import Screen
from textual.theme import Theme
from textual.widgets import Input, TextArea

from tui import paths
from tui.conversation import Link
from tui.endpoint import EndpointError
from tui.logs import log_to_file, native_stderr_to
from tui.replay.recording import Recording
from tui.session import (
    Command,
    DetectTurns,
    DevicesChanged,
    Interrupt,
    Reconnect,
    Retry,
    SendText,
    SessionPlan,
    ToggleMicrophone,
    UpdateSession,
    Wait,
)
from tui.settings import Loaded, NotConfigured, SettingsError, remember
from tui.settings.model import TurnDetection
from tui.ui import bindings, theming
from tui.ui.advice import advice
from tui.ui.bindings import all_bindings
from tui.ui.commands import next_turn_detection, session_commands
from tui.ui.crash import crash_report
from tui.ui.diagnosis import Examined, Examiner
from tui.ui.host import SessionHost
from tui.ui.keymap import check_keymap
from tui.ui.messages import DemoFailed, DemoReady, DeviceChosen, DevicesTried, InterruptRequested, LinkChanged
from tui.ui.screens.main import MainScreen
from tui.ui.terminal.command_palette import PaletteApp
from tui.ui.terminal.key_order import OrderedKeysApp
from tui.ui.terminal.signals import end_on_signals
from tui.ui.terminal.toasts import ToastApp
from tui.ui.widgets.prompt import Prompt
from tui.ui.widgets.transcript_pane import TranscriptPane

if TYPE_CHECKING:
    from tui.ui.screens.first_run import FirstRunResult

logger = logging.getLogger(__name__)


class AzrtApp(ToastApp, OrderedKeysApp[int], PaletteApp[int]):
    """The terminal client."""

    TITLE = "azrt-tui"
    ENABLE_COMMAND_PALETTE = True

    BINDINGS: ClassVar[list[BindingType]] = bindings.APP

    def __init__(self, loaded: Loaded, *, demo: bool = False, recording: Recording | None = None) -> None:
        self._loaded = loaded
        self._demo = demo
        self._recording = recording
        self._themes = theming.load_themes(loaded.settings.themes_dir)
        self._host = SessionHost(loaded.settings)
        self._demo_begun = False
        self._examiner = Examiner(self, self._host)
        self._theme_chosen = ""
        super().__init__()

    # Start and end

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our own colours for themes that do not set them."""
        theme = self.get_theme(self.theme)
        return theming.variable_defaults(theme) if theme is not None else {}

    def on_mount(self) -> None:
        """Make everything ready that needs no network."""
        problems = [*self._loaded.problems, *self._loaded.warnings, *self._loaded.notes, *self._themes.failures]
        for theme in self._themes.loaded:
            self.register_theme(theme)
        problems += self._choose_theme(self._loaded.settings.theme)
        self.theme_changed_signal.subscribe(self, self._remember)
        if self._loaded.settings.keymap:
            report = check_keymap(self._loaded.settings.keymap, all_bindings())
            self.set_keymap(report.keymap)
            problems += report.problems
        end_on_signals(self)
        self.push_screen(self._first_screen())
        self.warn("Settings", *problems)
        # The SDK takes seconds to import; the first frame must not wait for that.
        self.call_after_refresh(self._begin)

    def _first_screen(self) -> MainScreen:
        if self._recording is None:
            return MainScreen(self._loaded.settings.while_answering, self._loaded.settings.filters)
        from tui.ui.screens.replay import ReplayScreen

        return ReplayScreen(self._recording, self._host.speaker, self._loaded.settings.frame_rate)

    def _begin(self) -> None:
        if self._recording is not None:
            return
        if self._demo:
            if not self._demo_begun:
                self._demo_begun = True
                self._start_demo()
            return
        try:
            plan = SessionPlan.from_settings(self._loaded.settings, attended=True)
        except NotConfigured:
            self._ask_for_settings("")
        except (SettingsError, EndpointError) as error:
            self._ask_for_settings(str(error))
        else:
            self._host.start(plan, self._main)

    def _ask_for_settings(self, problem: str) -> None:
        from tui.ui.screens.first_run import FirstRun

        self.push_screen(FirstRun(problem), self._first_run_done)

    @work(thread=True, exclusive=True, group="demo")
    def _start_demo(self) -> None:
        try:
            url = self._host.start_simulator()
        except OSError as error:
            self.post_message(DemoFailed(error.strerror or str(error)))
        else:
            self.post_message(DemoReady(url))

    @on(DemoReady)
    def _demo_ready(self, message: DemoReady) -> None:
        if not self.screen_stack:
            return  # the program ends, and the simulator had just begun
        plan = SessionPlan.from_settings(self._loaded.settings, simulator_url=message.url, attended=True)
        self._host.start(plan, self._main)

    @on(DemoFailed)
    def _demo_failed(self, message: DemoFailed) -> None:
        self._demo_begun = False
        self.notify(f"The simulator did not start: {message.reason}", severity="error", timeout=30, markup=False)

    def _first_run_done(self, result: FirstRunResult | None) -> None:
        if result is None or result.action == "quit":
            self.exit(0)
            return
        if result.action == "demo":
            self._demo = True
            self._begin()
            return
        settings = replace(
            self._loaded.settings,
            url="",
            endpoint=result.endpoint,
            deployment=result.deployment,
            azure_api_key=result.key,
        )
        self._loaded = replace(self._loaded, settings=settings)
        if result.save:
            if trouble := result.write():
                self.notify(f"Not written to .env: {trouble}", severity="error", timeout=15, markup=False)
            else:
                self.notify("Written to .env.", markup=False)
        self._begin()

    def _fatal_error(self) -> None:
        """Report a fault of the program. Textual's own report shows local variables, and a key may be one."""
        logger.error("The screen failed", exc_info=sys.exception())
        self.panic(crash_report())

    def close_session(self) -> None:
        """End the session and the simulator, if there are any."""
        self._host.close()

    # Themes

    def _choose_theme(self, name: str) -> list[str]:
        known = not name or name in self.available_themes
        self._theme_chosen = (name if known else "") or theming.DEFAULT_THEME
        self.theme = self._theme_chosen
        if known:
            return []
        return [f"theme {name!r} does not exist; there are: {', '.join(sorted(self.available_themes))}"]

    def _remember(self, theme: Theme) -> None:
        """Keep the choice for the next start; what a flag or a setting said is not a choice of the moment."""
        if theme.name == self._theme_chosen:
            return
        self._theme_chosen = theme.name
        if not remember("theme", theme.name):
            self.notify("The theme cannot be remembered: the state folder cannot be written.", severity="warning")

    # What the person does

    @property
    def connected(self) -> bool:
        """True while the session can be talked to."""
        return self._main.status.link is Link.CONNECTED

    @property
    def themes_dir(self) -> Path:
        """The folder of the person's own themes."""
        return self._loaded.settings.themes_dir

    def submit(self, command: Command) -> None:
        """Hand a command to the session, or keep it until there is one."""
        self._host.submit(command)

    @on(Prompt.Submitted)
    def _send(self, message: Prompt.Submitted) -> None:
        self.submit(SendText(message.text))

    @on(InterruptRequested)
    def action_interrupt(self) -> None:
        """Stop the agent."""
        self.submit(Interrupt())

    def action_reconnect(self) -> None:
        """Open a new session."""
        if self._host.started:
            self.submit(Reconnect())
        else:
            self._begin()

    def action_replay_session(self) -> None:
        """Look at this session from its beginning to now; it goes on meanwhile."""
        if self._host.log is None or self.screen is not self._main:
            return
        from tui.ui.screens.replay import ReplayScreen

        status = self._main.status
        recording = Recording(self._host.log, status.host, status.model, start_s=float("inf"), playing=False)
        self.push_screen(ReplayScreen(recording, self._host.make_speaker(), self._loaded.settings.frame_rate))

    def action_retry(self) -> None:
        """Give up an answer that does not come or does not end, and ask again."""
        self.submit(Retry())

    def action_wait(self) -> None:
        """Leave it as it is: wait on, or connect no more by itself."""
        self.submit(Wait())

    def action_show_trouble(self) -> None:
        """Open what says why something failed last."""
        self._main.action_show_trouble()

    def action_answer_in(self, modality: str) -> None:
        """Ask for answers in ``text`` or ``audio`` from now on."""
        self.submit(UpdateSession({"output_modalities": [modality]}))
        self.notify(f"Asked for answers in {modality} from now on.")

    def action_help(self) -> None:
        """Show the keys and what the signs mean."""
        from tui.ui.screens.help import Help, help_sections

        if not isinstance(self.screen, Help):
            self.push_screen(Help(help_sections(self, self.themes_dir)))

    async def action_copy_or_quit(self) -> None:
        """Copy the selected text; without a selection, quit."""
        focused = self.focused
        selected = focused.selected_text if isinstance(focused, TextArea | Input) else ""
        selected = selected or self.screen.get_selected_text() or ""
        if selected:
            self.copy_to_clipboard(selected)
        else:
            await self.action_quit()

    def action_copy_answer(self) -> None:
        """Copy the agent's latest answer."""
        self._main.query_one(TranscriptPane).action_copy()

    def action_toggle_microphone(self) -> None:
        """Begin to listen, or stop."""
        if not self._host.started:
            self.notify("There is no session yet: nobody would hear you.", severity="warning")
            return
        self.submit(ToggleMicrophone())
        problem = self._host.speaker.problem
        if problem is not None and self._main.status.modality == "text":
            self.warn("Answers come as text", problem.problem, problem.fix, advice(self, "session.devices"))

    def action_checkup(self) -> None:
        """Check the connection, and show what is found."""
        self._examiner.open(self._loaded)

    @on(LinkChanged)
    def _link_changed(self, message: LinkChanged) -> None:
        self._examiner.link_changed(message.link, message.cause, self._loaded)

    @on(Examined)
    def _examined(self, message: Examined) -> None:
        self._examiner.examined(message)

    def action_devices(self) -> None:
        """Show the microphone and the loudspeaker, and what else there is."""
        from tui.ui.screens.devices import Devices

        if not isinstance(self.screen, Devices):
            self.push_screen(Devices(self._host.microphone, self._host.speaker))

    @on(DeviceChosen)
    def _device_chosen(self, message: DeviceChosen) -> None:
        if trouble := self._host.remember_device(message.kind, message.name):
            self.notify(trouble, severity="warning", markup=False)

    @on(DevicesTried)
    def _devices_tried(self) -> None:
        self.submit(DevicesChanged())

    def action_detect_turns(self, kind: TurnDetection) -> None:
        """Let the server, or the person, decide from now on that the person has finished speaking."""
        self.submit(DetectTurns(kind))

    def action_next_turn_detection(self) -> None:
        """From push-to-talk to server VAD, to semantic VAD, and back."""
        self.action_detect_turns(next_turn_detection(self._main.status.turn_detection))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette: our commands, and the useful ones of Textual's."""
        yield from session_commands(self, self._main.status.modality)

    @property
    def _main(self) -> MainScreen:
        for screen in self.screen_stack:
            if isinstance(screen, MainScreen):
                return screen
        raise RuntimeError("the main screen is always there after mounting")


def run(loaded: Loaded, *, demo: bool = False, recording: Recording | None = None) -> int:
    """Show the terminal client, or a recording, until the person quits; return the exit code."""
    return run_app(loaded, partial(AzrtApp, demo=demo, recording=recording))


def run_app(loaded: Loaded, make: Callable[[Loaded], AzrtApp]) -> int:
    """Show the app that ``make`` makes of the settings until the person quits, then end its session.

    What the program and its libraries have to say meanwhile goes to the log file.

    Returns:
        The exit code.
    """
    trouble = log_to_file(paths.log_file())
    if trouble:
        loaded = replace(loaded, problems=(*loaded.problems, trouble))
    with native_stderr_to(paths.log_file()):
        app = make(loaded)
        try:
            code = app.run()
        finally:
            app.close_session()
    return code if code is not None else app.return_code or 0
