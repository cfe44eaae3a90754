"""F1: the keys as they are mapped now, and what the signs on the screen mean."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Label, Static

from tui import paths
from tui.paths import for_display
from tui.ui import bindings
from tui.ui.advice import key_of
from tui.ui.terminal.fitting_footer import FittingFooter
from tui.ui.terminal.keys import mapped
from tui.ui.text import printable
from tui.ui.widgets.page import Page
from tui.wire import Family

_NARROW = 70
"""Cells. Below that there is no room for the ids of the bindings."""


_PANES = """\
Events: all that went over the wire, the newest last. A run of deltas is one row that grows.
Conversation: what was said. What you did not hear is struck through.
Message: what you type. Above it all: the connection, who speaks, times and tokens."""

_AZURE = """\
Settings come from the environment, or from .env in the folder where you start azrt-tui:
AZURE_OPENAI_ENDPOINT    as the Azure portal shows it, under Keys and Endpoint
AZURE_OPENAI_DEPLOYMENT  the name of a realtime model's deployment
AZURE_OPENAI_API_KEY     the key
For OpenAI itself: OPENAI_API_KEY, and no AZURE_OPENAI_ENDPOINT."""

_VOICE = """\
{mic} opens the microphone, and closes it again; while it is off, the device is closed. A bar shows how loud you are.
mic held         the agent is heard, and would hear itself; with AZRT_ECHO=cancel or headset you can speak into it
mic unavailable  there is none, or it went away: {mic} says why and tries again
no loudspeaker   answers cannot be heard: {sound} says why and tries again
push-to-talk     {mic} begins your turn, and {mic} again ends it; {turns} changes to server VAD and to semantic VAD
{sound} shows the devices, changes them while you speak, and tests them; azrt-tui devices lists them."""

_CONNECTION = """\
A lost connection is made again by itself, where that may help, and the new session gets the conversation so far: what
both sides said, as far as you heard it. What you type meanwhile waits, and goes out once.
When something does not go on, the frame below your message says so, with the keys: wait, ask again, reconnect.
A session lasts as long as the server allows. A new one takes over in a pause before; AZRT_HANDOVER=ask asks you."""

_FILTERS = """\
Behind {filter}. Words side by side must all be true; or, - and ( ) combine them. \
{complete} completes; {save} saves one as @name.
type:response.*  the type, or parts of it: type:delta       dir:out   also dir:in and dir:local
item:item_123    all of one item; also response: and call:  >1kB      bytes on the wire
"some text"      anywhere in the event, ignoring case       error audio delta tool session …   what belongs together"""

_REMAP = """\
To change keys, write the name of the binding (on a wide screen, here on the right) in the settings:
[keys]
"session.microphone" = "f12,ctrl+g\""""


@dataclass(frozen=True, slots=True)
class KeyHelp:
    """What one binding does."""

    keys: str
    """The keys as they are mapped now, as a person reads them."""
    says: str
    id: str = ""
    """Its name in the ``[keys]`` table of config.toml."""


@dataclass(frozen=True, slots=True)
class HelpSection:
    """A part of the help: a pane with its keys, or an explanation."""

    title: str
    bindings: Sequence[KeyHelp] = ()
    text: str | Content = ""
    """Printable text; as Content it may use the theme's variables as styles."""


def help_sections(app: App[Any], themes_dir: Path, *, watching: bool = False) -> tuple[HelpSection, ...]:
    """Return what the help shows: the keys of each pane as they are mapped now, then the explanations.

    Args:
        app: the app whose keymap holds.
        themes_dir: the folder of the user's own themes.
        watching: the sessions are those of other clients, in which the user takes no part.
    """
    part = (("Session and panes", bindings.MAIN_SCREEN), ("Message", bindings.PROMPT))
    sessions = (("Sessions and panes", bindings.WATCH_SCREEN), ("The tabs of sessions", bindings.SESSION_TABS))
    sound = (("Sound", bindings.DEVICES), ("Connection, checked", bindings.CHECKUP))
    panes = (
        ("Everywhere", bindings.APP),
        *(sessions if watching else part),
        ("Events", [*bindings.EVENT_PANE, *bindings.EVENT_ROWS]),
        ("Filter, search and time", bindings.FIND_LINE),
        ("One event", bindings.EVENT_DETAIL),
        ("Its JSON", bindings.JSON_VIEW),
        ("Conversation", bindings.TRANSCRIPT),
        ("Replay", bindings.REPLAY_BAR),
        ("The panes of a replay", bindings.REPLAY_SCREEN),
        *(() if watching else sound),
    )
    keys = tuple(section_from(title, declared, app) for title, declared in panes)
    return (*keys, *explanations(paths.config_file(), themes_dir, paths.log_file(), partial(key_of, app)))


def section_from(title: str, declared: Iterable[BindingType], app: App[Any], text: str | Content = "") -> HelpSection:
    """Return a section with these bindings, under their keys of now; those without words are left out."""
    ours = [binding for binding in declared if isinstance(binding, Binding)]
    now = mapped(app, ours)
    rows = []
    for binding in ours:
        same = [each for each in now if (each.id, each.action) == (binding.id, binding.action)]
        keys = " ".join(dict.fromkeys(app.get_key_display(each) for each in same))
        says = binding.tooltip or binding.description
        if keys and says and not binding.system:
            rows.append(KeyHelp(keys, says, binding.id or ""))
    return HelpSection(title, tuple(rows), text)


def explanations(
    config_file: Path, themes_dir: Path, log_file: Path, key_of: Callable[[str], str]
) -> tuple[HelpSection, ...]:
    """What is on the screen, what its signs and colours mean, and where things are kept.

    ``key_of`` gives the key that a binding has now.
    """
    filters = {"filter": key_of("events.filter"), "complete": key_of("find.complete"), "save": key_of("find.save")}
    voice = {"mic": key_of("session.microphone"), "sound": key_of("session.devices"), "turns": key_of("session.turns")}
    colours = (
        (Family.SESSION, "the session and the connection"),
        (Family.INPUT, "your audio"),
        (Family.CONVERSATION, "items of the conversation"),
        (Family.RESPONSE, "the agent's answers"),
        (Family.TOOL, "function calls"),
        (Family.LIMITS, "rate limits"),
        (Family.ERROR, "failures"),
        (Family.UNKNOWN, "types that the API reference does not have"),
    )
    legend = Content.assemble(
        "→ to the server   ← from the server   · said by azrt-tui   ×9 nine events in one row\n"
        f"! something failed   ◆ marked with {key_of('events.mark')}\n",
        *(
            part
            for family, says in colours
            for part in ("\n", (f"{family:<14}", f"bold $family-{family}"), (says, "$foreground"))
        ),
    )
    kept = (("Settings", config_file), ("Themes", themes_dir), ("Log", log_file))
    return (
        HelpSection("What you see", text=_PANES),
        HelpSection("Signs and colours of the events", text=legend),
        HelpSection("Filters", text=_FILTERS.format(**filters)),
        HelpSection("Voice", text=_VOICE.format(**voice)),
        HelpSection("Connection", text=_CONNECTION),
        HelpSection("Azure", text=_AZURE),
        HelpSection(
            "Files",
            text="\n".join(f"{name:<10}{printable(for_display(path))}" for name, path in kept) + f"\n\n{_REMAP}",
        ),
    )


class KeyTable(Static):
    """The keys of a section, with what they do."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"key-table--keys", "key-table--says", "key-table--id"}

    DEFAULT_CSS = """
    KeyTable { height: auto; }
    KeyTable > .key-table--keys { color: $text-accent; text-style: bold; }
    KeyTable > .key-table--says { color: $foreground; }
    KeyTable > .key-table--id { color: $foreground 60%; }
    """

    def __init__(self, bindings: Sequence[KeyHelp]) -> None:
        super().__init__(classes="last")
        self._keys = bindings

    def render(self) -> Table:
        """Two columns, or three where there is room."""
        keys, says, id_style = (self.get_component_rich_style(f"key-table--{name}") for name in ("keys", "says", "id"))
        with_ids = self.content_size.width >= _NARROW
        table = Table.grid(padding=(0, 2, 0, 0), expand=True)
        table.add_column(width=18 if with_ids else 12)
        table.add_column(ratio=1)
        if with_ids:
            table.add_column(justify="right")
        for binding in self._keys:
            row = [Text(binding.keys, style=keys), Text(binding.says, style=says)]
            table.add_row(*row, *([Text(binding.id, style=id_style)] if with_ids else []))
        return table


class Help(ModalScreen[None]):
    """The help, in sections, to scroll through."""

    CSS_PATH = "help.tcss"
    AUTO_FOCUS = "#help"

    BINDINGS: ClassVar[list[BindingType]] = bindings.HELP

    def __init__(self, sections: Iterable[HelpSection]) -> None:
        super().__init__()
        self._sections = tuple(sections)

    def compose(self) -> ComposeResult:
        """Lay out the sections."""
        with Page(id="help") as pane:
            pane.border_title = "Help"
            for section in self._sections:
                yield Label(section.title, classes="title", markup=False)
                if section.text:
                    yield Static(section.text, classes="text" if section.bindings else "text last", markup=False)
                if section.bindings:
                    yield KeyTable(section.bindings)
        yield FittingFooter(compact=True, show_command_palette=False)

    def action_scroll(self, where: str) -> None:
        """Scroll: ``up``, ``down``, ``page_up``, ``page_down``, ``home`` or ``end``."""
        self.query_one(Page).go(where)
