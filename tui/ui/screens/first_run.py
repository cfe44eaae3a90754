"""What a person sees when nothing is configured: three fields, what they come to, and a demo without any of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal
from urllib.parse import urlsplit

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import Screen
from textual.widgets import Button, Checkbox, Input, Label

from tui import models
from tui.endpoint import EndpointError, Target, azure_target, is_loopback
from tui.settings import Secret, write_dotenv
from tui.settings.options import key_from
from tui.ui import bindings
from tui.ui.terminal.fitting_footer import FittingFooter
from tui.ui.text import printable
from tui.ui.widgets.field import Field

_INTRO = (
    "A terminal client for the Realtime API of Azure OpenAI and OpenAI: talk with the model, and see every event "
    "on the wire."
)
_NOTHING = "Nothing is configured yet."
_WHERE = (
    "Endpoint and key: Azure portal, your resource, Keys and Endpoint.\n"
    "Deployment: Foundry, Models + endpoints, the name of a realtime model there."
)
_PASTE = "Paste the endpoint as you find it: a URL, a host or the name of the resource."
_DEPLOYMENT = f"Now the deployment: its name, such as {models.REALTIME}."
_NO_DEPLOYMENT = f"the deployment is empty; give its name, such as {models.REALTIME}"
_SAVE = "Write these to .env in this folder (mode 0600, other lines kept)"
_OPENAI = "For OpenAI itself, quit, set OPENAI_API_KEY and start again."


_DOTENV = Path(".env")


@dataclass(frozen=True, slots=True)
class FirstRunResult:
    """What the person chose. The fields are empty unless they chose to connect."""

    action: Literal["connect", "demo", "quit"]
    endpoint: str = field(default="", repr=False)
    """As it was pasted, so it can hold a key; ``azure_target`` takes it."""
    deployment: str = ""
    """May be empty if the endpoint names one."""
    key: Secret = field(default_factory=Secret)
    """Empty only for a server on this machine."""
    save: bool = False
    """Whether to write the three to ``.env``."""

    def write(self) -> str:
        """Write the three to ``.env`` in this folder; return why that failed, "" when it did not."""
        values = {
            "AZURE_OPENAI_ENDPOINT": self.endpoint,
            "AZURE_OPENAI_DEPLOYMENT": self.deployment,
            "AZURE_OPENAI_API_KEY": self.key.reveal(),
        }
        try:
            write_dotenv(_DOTENV, values)
        except (OSError, ValueError) as error:
            return str(error)
        return ""


class Tick(Checkbox):
    """A check box whose state can be seen without colour."""

    BUTTON_LEFT = "["
    BUTTON_INNER = " "
    BUTTON_RIGHT = "]"

    def watch_value(self) -> None:
        """Draw or remove the cross."""
        super().watch_value()
        self.BUTTON_INNER = "x" if self.value else " "


class FirstRun(Screen[FirstRunResult]):
    """Asks for endpoint, deployment and key."""

    CSS_PATH = "first_run.tcss"
    AUTO_FOCUS = "#endpoint"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (70, "-wide")]

    BINDINGS: ClassVar[list[BindingType]] = bindings.FIRST_RUN

    def __init__(self, problem: str = "") -> None:
        """``problem`` says what is wrong with the settings there are."""
        super().__init__()
        self._problem = problem

    def compose(self) -> ComposeResult:
        """Lay out the form."""
        with VerticalScroll(id="form", can_focus=False) as form:
            form.border_title = "azrt-tui"
            intro = _INTRO if self._problem else f"{_INTRO} {_NOTHING}"
            yield Label(intro, id="intro", markup=False)
            problem = Label(printable(self._problem), id="problem", markup=False)
            problem.display = bool(self._problem)
            yield problem
            yield from _row("Endpoint", Field(id="endpoint", placeholder="https://NAME.openai.azure.com"))
            yield from _row("Deployment", Field(id="deployment", placeholder=models.REALTIME))
            yield from _row("Key", Field(id="key", secret=True))
            yield Label(id="preview", markup=False)
            yield Label(_WHERE, id="where", markup=False)
            yield Tick(_SAVE, compact=True, id="save")
            with Horizontal(id="buttons"):
                yield Button("Connect", variant="primary", compact=True, id="connect")
                yield Button("Demo: no key, no network", compact=True, id="demo")
                yield Button("Quit", compact=True, id="quit")
            yield Label(_OPENAI, id="openai", markup=False)
        yield FittingFooter(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        """Say what to begin with."""
        self._preview()

    # Actions

    @on(Button.Pressed, "#connect")
    @on(Input.Submitted, "#key")
    def action_connect(self) -> None:
        """Connect, or go to the field that is wrong and say why."""
        try:
            target = azure_target(self._value("endpoint"), self._value("deployment") or None)
        except EndpointError as error:
            on_deployment = error.subject == "deployment"
            missing = on_deployment and not self._value("deployment")
            self._refuse("deployment" if on_deployment else "endpoint", _NO_DEPLOYMENT if missing else str(error))
            return
        try:
            key = key_from(self._value("key"))
        except ValueError as error:
            self._refuse("key", f"the key {error}")
            return
        if not key and not is_loopback(urlsplit(target.url).hostname or ""):
            self._refuse("key", "the key is empty; paste KEY 1 or KEY 2 of the resource")
            return
        save = self.query_one("#save", Tick).value
        self.dismiss(FirstRunResult("connect", self._value("endpoint"), self._value("deployment"), key, save))

    @on(Button.Pressed, "#demo")
    def action_demo(self) -> None:
        """Start the demo."""
        self.dismiss(FirstRunResult("demo"))

    @on(Button.Pressed, "#quit")
    def _quit(self) -> None:
        self.dismiss(FirstRunResult("quit"))

    @on(Input.Submitted, "#endpoint, #deployment")
    def _next(self) -> None:
        self.focus_next()

    # What the fields come to

    @on(Input.Changed)
    def _preview(self) -> None:
        endpoint, deployment = self._value("endpoint"), self._value("deployment")
        if not endpoint and not deployment:
            self._say(_PASTE)
            return
        try:
            self._say(*_described(azure_target(endpoint, deployment or None)))
        except EndpointError as error:
            if not endpoint:
                self._say(_PASTE)
            elif error.subject == "deployment" and not deployment:
                self._say(_DEPLOYMENT)
            else:
                self._say(str(error), wrong=True)

    def _refuse(self, name: str, why: str) -> None:
        self.query_one(f"#{name}").focus()
        self._say(why, wrong=True)

    def _say(self, *lines: str, wrong: bool = False) -> None:
        label = self.query_one("#preview", Label)
        label.set_class(wrong, "-wrong")
        sign = "✗ " if wrong else ""
        label.update(Text(sign + "\n".join(printable(line) for line in lines), overflow="fold"))

    def _value(self, name: str) -> str:
        return self.query_one(f"#{name}", Field).value.strip()


def _row(name: str, text_field: Field) -> ComposeResult:
    with Horizontal(classes="row"):
        yield Label(name, classes="name")
        yield text_field


def _described(target: Target) -> Iterator[str]:
    """The URL, and the first thing that was changed to get it; the others are said on connecting."""
    yield f"→ {target.url}"
    if target.notes:
        more = len(target.notes) - 1
        yield f"{target.notes[0]}{f' (and {more} more)' if more else ''}"
