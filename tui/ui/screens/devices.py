"""F5: the microphone and the loudspeaker, what else there is, and why something cannot be used."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import ClassVar, Final

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.screen import ModalScreen
from textual.timer import Timer
from textual.widgets import Label, OptionList
from textual.widgets.option_list import Option

from tui.audio import AudioUnavailable
from tui.audio.choosing import Choice, Side, look
from tui.audio.devices import Kind
from tui.audio.microphone import Microphone
from tui.audio.rehearsal import Rehearsal
from tui.audio.speaker import Speaker
from tui.ui import bindings
from tui.ui.advice import key_of
from tui.ui.messages import DeviceChosen, DevicesTried
from tui.ui.terminal.fitting_footer import FittingFooter
from tui.ui.text import clip, printable

_PATIENCE_S: Final = 3.0
"""How long the sound system may take before it is said that it does not answer."""

_METER_CELLS: Final = 24

_METERS_PER_SECOND: Final = 10

_DEFAULT: Final = "The system's default"

_LEGEND: Final = "● in use   * the system's default   ✗ cannot be used"


class Devices(ModalScreen[None]):
    """Two lists, and what there is to say about the device that the cursor is on.

    Everything that asks the sound system happens in threads: it may take a second, or hang.
    """

    CSS_PATH = "devices.tcss"
    AUTO_FOCUS = "#input"
    VERTICAL_BREAKPOINTS = [(0, "-tiny"), (9, "-low"), (18, "-high")]

    BINDINGS: ClassVar[list[BindingType]] = bindings.DEVICES

    class _Answer(Message):
        """What a thread has found out: to be carried out in the screen's own."""

        def __init__(self, apply: Callable[[], None]) -> None:
            super().__init__()
            self.apply = apply

    def __init__(self, microphone: Microphone, speaker: Speaker) -> None:
        super().__init__()
        self._microphone = microphone
        self._speaker = speaker
        self._sides: dict[Kind, Side] = {}
        self._rehearsal = Rehearsal()
        self._asked = 0
        self._meter: Timer | None = None

    def compose(self) -> ComposeResult:
        """Lay out the lists."""
        with Vertical(id="devices") as pane:
            pane.border_title = "Sound"
            with Horizontal(id="lists"):
                for kind in Kind:
                    with Vertical(classes="side"):
                        yield Label(kind.noun.capitalize(), classes="title", markup=False)
                        yield OptionList(id=kind.value, markup=False, compact=True)
            yield Label(_LEGEND, id="legend", markup=False)
            yield Label(id="about", markup=False)
            yield Label(id="meter", markup=False)
        yield FittingFooter(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        """Look for devices; anew, where nobody would hear that the sound stops for a moment."""
        self._meter = self.set_interval(1 / _METERS_PER_SECOND, self._draw_meter)
        self._draw_meter()
        self._look(anew=not self._microphone.is_open and self._speaker.remaining_s() <= 0)

    def on_unmount(self) -> None:
        """End a test."""
        threading.Thread(target=self._rehearsal.stop, name="azrt-rehearsal", daemon=True).start()

    # Actions

    def action_look(self) -> None:
        """Look again, also while the sound plays."""
        self._look(anew=True)

    def action_other_list(self) -> None:
        """Move to the other list."""
        self.query_one(f"#{next(kind for kind in Kind if kind is not self._kind).value}", OptionList).focus()

    def action_rehearse(self) -> None:
        """Test the device under the cursor, or end the test."""
        kind, name = self._kind, self._wanted()
        if name is None:
            return
        if self._rehearsal.running:
            self._ask(self._rehearsal.stop)
            self._describe()
        elif kind is Kind.MICROPHONE:
            self._say(f"Speak: nothing of it is sent. {key_of(self.app, 'devices.test')} ends it.")
            self._ask(lambda: self._rehearsal.listen(self._microphone, name))
        else:
            self._say("A tone of half a second.")
            self._ask(lambda: self._rehearsal.sound(self._speaker, name))

    @on(OptionList.OptionSelected)
    def _choose(self) -> None:
        kind, name = self._kind, self._wanted()
        if name is None:
            return
        device: Microphone | Speaker = self._microphone if kind is Kind.MICROPHONE else self._speaker
        app = self.app  # which is told even when this screen is gone by then

        def use() -> None:
            self._rehearsal.stop()
            device.use(name)
            app.post_message(DeviceChosen(kind, name))
            app.post_message(DevicesTried())
            self._find(anew=False)

        self._say(f"Changing to {printable(name) or _DEFAULT.lower()} …")
        self._ask(use)

    # Asking the sound system

    def _look(self, *, anew: bool) -> None:
        self._say("Looking for devices …")
        app = self.app

        def find() -> None:
            tried = anew or bool(self._microphone.problem or self._speaker.problem)
            try:
                self._find(anew=anew)
            finally:
                if tried:
                    app.post_message(DevicesTried())

        self._ask(find)

    def _find(self, *, anew: bool) -> None:
        """Runs in a thread. Raises AudioUnavailable."""
        sides = look(self._microphone, self._speaker, anew=anew)
        self.post_message(self._Answer(lambda: self._show(sides)))

    def _ask(self, question: Callable[[], object]) -> None:
        """Ask in a thread; say what is in the way, and when there is no answer for long."""
        self._asked += 1
        number = self._asked

        def ask() -> None:
            try:
                question()
            except AudioUnavailable as unavailable:
                self.post_message(self._Answer(lambda problem=unavailable: self._say_problem(problem)))  # type: ignore[misc]
            self.post_message(self._Answer(lambda: self._answered(number)))

        threading.Thread(target=ask, name="azrt-devices", daemon=True).start()
        self.set_timer(_PATIENCE_S, lambda: self._say_nothing_came(number))

    @on(_Answer)
    def _take(self, message: _Answer) -> None:
        message.apply()

    def _answered(self, number: int) -> None:
        if number == self._asked:
            self._asked += 1

    def _say_nothing_came(self, number: int) -> None:
        if number == self._asked:
            self._say("The sound system does not answer. Text works as before.", wrong=True)

    # What is shown

    def _show(self, sides: tuple[Side, Side]) -> None:
        for side in sides:
            self._sides[side.kind] = side
            found = self.query_one(f"#{side.kind.value}", OptionList)
            before = found.highlighted
            found.clear_options()
            width = max(10, found.size.width - 4)
            in_use = _in_use(side)
            default = Option(_row("●" if not side.chosen and not side.problem else " ", " ", _DEFAULT, width))
            found.add_options(
                [default, *(Option(_row(*_signs(each, in_use), each.name, width)) for each in side.choices)]
            )
            chosen = next((at for at, each in enumerate(side.choices, 1) if each.device.name == in_use), 0)
            found.highlighted = before if before is not None else (chosen if side.chosen else 0)
        self._describe()

    @on(OptionList.OptionHighlighted)
    def _highlighted(self) -> None:
        self._describe()

    def on_descendant_focus(self) -> None:
        """The cursor is in the other list."""
        self._describe()

    def _describe(self) -> None:
        """Say what there is to say about the device under the cursor."""
        side, choice = self._sides.get(self._kind), self._choice()
        if side is None:
            return
        if side.problem is not None and (choice is None or choice.name == side.chosen):
            self._say_problem(side.problem)
        elif choice is not None and choice.refused is not None:
            self._say_problem(choice.refused)
        elif choice is not None:
            device = choice.device
            default = "; the system's default" if choice.default else ""
            self._say(f"{printable(device.name)}\n{printable(device.system)}, {device.rate:,} Hz{default}")
        else:
            now = f"now {printable(side.device)}" if side.device else "not open now"
            self._say(f"{_DEFAULT} {side.kind.noun}, {now}.")

    def _say_problem(self, problem: AudioUnavailable) -> None:
        self._say(f"{printable(problem.problem)}\n" + "\n".join(map(printable, problem.fix.split("\n"))), wrong=True)

    def _say(self, text: str, *, wrong: bool = False) -> None:
        about = self.query_one("#about", Label)
        about.set_class(wrong, "-wrong")
        about.update(Text(f"✗ {text}" if wrong else text, overflow="fold"))

    def _draw_meter(self) -> None:
        """How loud it is, while something is open."""
        listening = self._microphone.is_open or self._rehearsal.listening
        level = self._rehearsal.level() if self._rehearsal.listening else self._microphone.level()
        bar = "▮" * round(level * _METER_CELLS)
        self.query_one("#meter", Label).update(f"you {bar:▯<{_METER_CELLS}}" if listening else "")

    # The cursor

    @property
    def _kind(self) -> Kind:
        focused = self.focused.id if self.focused is not None else None
        return Kind.LOUDSPEAKER if focused == Kind.LOUDSPEAKER.value else Kind.MICROPHONE

    def _wanted(self) -> str | None:
        """The name of what the cursor is on, "" for the system's default, None when nothing is known yet."""
        choice = self._choice()
        if choice is not None:
            return choice.name
        return "" if self._kind in self._sides else None

    def _choice(self) -> Choice | None:
        """The device that the cursor is on; None for the system's default."""
        side = self._sides.get(self._kind)
        at = self.query_one(f"#{self._kind.value}", OptionList).highlighted
        return side.choices[at - 1] if side is not None and at and at <= len(side.choices) else None


def _in_use(side: Side) -> str:
    """The name of the device that is in use, or would be; "" for the system's default."""
    if not side.chosen or side.problem is not None:
        return ""
    named = (each.device.name for each in side.choices if side.chosen in (each.name, each.device.full_name))
    return side.device or next(named, "")


def _signs(choice: Choice, in_use: str) -> tuple[str, str]:
    used = "✗" if choice.refused is not None else "●" if choice.device.name == in_use else " "
    return used, "*" if choice.default else " "


def _row(used: str, default: str, name: str, width: int) -> Text:
    return Text(f"{used}{default}{clip(printable(name), width)}", no_wrap=True)
