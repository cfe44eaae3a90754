"""Every key of the program: one list a pane, in the order of the help.

Each binding has an id, by which ``[keys]`` in config.toml gives it other keys.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from textual.binding import Binding, BindingType

APP: Final[list[BindingType]] = [
    Binding("f1", "help", "Help", id="app.help", tooltip="Keys, signs and where things are"),
    Binding("ctrl+p", "command_palette", "Commands", id="app.commands", tooltip="Every command, by name"),
    Binding("ctrl+q", "quit", "Quit", id="app.quit", tooltip="Close the session and quit", priority=True),
    Binding(
        "ctrl+c",
        "copy_or_quit",
        "Quit",
        show=False,
        id="app.stop",
        tooltip="Copy what is selected; else quit",
        priority=True,
    ),
]
"""Everywhere."""

PANES: Final[list[BindingType]] = [
    Binding("tab", "next_pane(1)", "Pane", id="pane.next", tooltip="To the next pane"),
    Binding("shift+tab", "next_pane(-1)", "Pane back", show=False, id="pane.previous", tooltip="To the pane before"),
    Binding("f4", "zoom", "Zoom", show=False, id="pane.zoom", tooltip="Let one pane fill the screen, and back"),
]
"""Panes."""

MAIN_SCREEN: Final[list[BindingType]] = [
    Binding("f2,ctrl+t", "app.toggle_microphone", "Mic", id="session.microphone", tooltip="Microphone on or off"),
    Binding("escape,f3", "interrupt", "Interrupt", id="session.interrupt", tooltip="Stop the agent's answer"),
    Binding(
        "f5", "app.devices", "Sound", show=False, id="session.devices", tooltip="Choose, test and retry the devices"
    ),
    Binding(
        "f9",
        "app.next_turn_detection",
        "Turns",
        show=False,
        id="session.turns",
        tooltip="Push-to-talk, server VAD or semantic VAD",
    ),
    Binding(
        "f6",  # which the text input has for selecting a line
        "app.checkup",
        "Check",
        show=False,
        id="session.checkup",
        tooltip="Check the connection step by step",
        priority=True,
    ),
    *PANES,
    Binding(
        "f8", "app.replay_session", "Replay", show=False, id="session.replay", tooltip="Replay this session so far"
    ),
    Binding("ctrl+r", "app.reconnect", "Reconnect", show=False, id="session.reconnect", tooltip="Open a new session"),
    Binding("f12", "app.retry", "Ask again", show=False, id="session.retry", tooltip="Ask again for a stuck answer"),
    Binding(
        "f7",  # which the text input has for selecting everything
        "app.wait",
        "Wait",
        show=False,
        id="session.wait",
        tooltip="Wait on; stop connecting again",
        priority=True,
    ),
    Binding("ctrl+o", "show_trouble", "What failed", show=False, id="session.trouble", tooltip="What failed last"),
]
"""The session."""

EVENT_PANE: Final[list[BindingType]] = [
    Binding("enter", "open", "Open", id="events.open", tooltip="Show the event's JSON, and what it belongs to"),
    Binding("f", "find('filter')", "Filter", id="events.filter", tooltip="Show only some events"),
    Binding("slash", "find('search')", "Search", id="events.search", tooltip="Search a text in the events"),
    Binding("n", "next_hit(1)", "Next hit", show=False, id="events.next_hit", tooltip="To the next hit of the search"),
    Binding("N", "next_hit(-1)", "Hit before", show=False, id="events.previous_hit", tooltip="To the hit before"),
    Binding("e", "next_alarm", "Next error", show=False, id="events.next_error", tooltip="To the next failure"),
    Binding("escape", "clear", "Clear", id="events.clear", tooltip="End the search; then show all events again"),
    Binding("t,colon", "find('time')", "Time", show=False, id="events.time", tooltip="To a time, such as 1:30"),
    Binding("m", "mark", "Mark", show=False, id="events.mark", tooltip="Mark the row, or take the mark away"),
    Binding(
        "right_square_bracket",
        "next_mark(1)",
        "Next mark",
        show=False,
        id="events.next_mark",
        tooltip="To the next mark",
    ),
    Binding(
        "left_square_bracket",
        "next_mark(-1)",
        "Mark before",
        show=False,
        id="events.previous_mark",
        tooltip="To the mark before",
    ),
    Binding(
        "r",
        "relative",
        "Relative",
        show=False,
        id="events.relative",
        tooltip="Count times from the mark set last, or from this row; again: from connect",
    ),
    Binding("y", "copy", "Copy", show=False, id="events.copy", tooltip="Copy the event's frames"),
]
"""The event pane."""

EVENT_ROWS: Final[list[BindingType]] = [
    Binding(
        "space",
        "toggle_follow",
        "Pause",
        show=False,
        id="events.follow",
        tooltip="Pause, or follow the newest events",
    ),
    Binding("j,down", "move(1)", "Down", show=False, id="events.down", tooltip="One row down"),
    Binding("k,up", "move(-1)", "Up", show=False, id="events.up", tooltip="One row up"),
    Binding("pagedown,ctrl+d", "page(1)", "Page down", show=False, id="events.page_down", tooltip="One page down"),
    Binding("pageup,ctrl+u", "page(-1)", "Page up", show=False, id="events.page_up", tooltip="One page up"),
    Binding("g,home", "first", "First", show=False, id="events.first", tooltip="To the first event"),
    Binding("G,end", "follow", "Newest", show=False, id="events.last", tooltip="To the newest event, and follow"),
]
"""Moving in the event pane."""

FIND_LINE: Final[list[BindingType]] = [
    Binding("escape", "cancel", "Back", id="find.cancel", tooltip="Close the line and take nothing"),
    Binding("tab", "complete", "Complete", id="find.complete", tooltip="Write what is offered"),
    Binding("down", "offer(1)", "Next offer", show=False, id="find.next", tooltip="To the next offer"),
    Binding("up", "offer(-1)", "Offer before", show=False, id="find.previous", tooltip="To the offer before"),
    Binding("ctrl+s", "save", "Save filter", id="find.save", tooltip="Save the filter by name, in config.toml"),
]
"""The line for a filter, a search or a time."""

TRANSCRIPT: Final[list[BindingType]] = [
    Binding("j,down", "scroll_by(1)", "Down", show=False, id="transcript.down", tooltip="One line down"),
    Binding("k,up", "scroll_by(-1)", "Up", show=False, id="transcript.up", tooltip="One line up"),
    Binding("pagedown,space", "page(1)", "Page down", show=False, id="transcript.page_down", tooltip="A page down"),
    Binding("pageup", "page(-1)", "Page up", show=False, id="transcript.page_up", tooltip="A page up"),
    Binding("g,home", "first", "First", show=False, id="transcript.first", tooltip="To the beginning"),
    Binding("G,end", "follow", "Newest", show=False, id="transcript.last", tooltip="To the end, and follow"),
    Binding("y", "copy", "Copy answer", id="transcript.copy", tooltip="Copy the agent's latest answer"),
]
"""The conversation."""

PROMPT: Final[list[BindingType]] = [
    Binding("enter", "submit", "Send", id="prompt.send", tooltip="Send the message"),
    Binding("ctrl+j", "newline", "New line", show=False, id="prompt.newline", tooltip="Begin a new line"),
    Binding("up", "history(-1)", "Earlier", show=False, id="prompt.earlier", tooltip="The message before"),
    Binding("down", "history(1)", "Later", show=False, id="prompt.later", tooltip="The message after"),
]
"""The message."""

EVENT_DETAIL: Final[list[BindingType]] = [
    Binding("escape,q", "close", "Back", id="detail.close", tooltip="Back to the events"),
    Binding("left,left_square_bracket", "step(-1)", "Previous", id="detail.previous", tooltip="To the event before"),
    Binding("right,right_square_bracket", "step(1)", "Next", id="detail.next", tooltip="To the next event of the row"),
    Binding("i", "follow('item')", "Item", id="detail.item", tooltip="All events of its item"),
    Binding("r", "follow('response')", "Response", id="detail.response", tooltip="All events of its response"),
    Binding("c", "follow('call')", "Call", id="detail.call", tooltip="All events of its function call"),
    Binding("slash", "search", "Search", id="detail.search", tooltip="Search in the event, ignoring case"),
    Binding("y", "copy", "Copy", id="detail.copy", tooltip="Copy the event as indented JSON"),
    Binding("Y", "copy_raw", "Copy raw", id="detail.copy_raw", tooltip="Copy the frame exactly as it was"),
]
"""One event."""

JSON_VIEW: Final[list[BindingType]] = [
    Binding("enter,space", "fold", "Fold", id="detail.fold", tooltip="Fold or unfold what this line shows"),
    Binding("minus", "fold_all", "Fold all", show=False, id="detail.fold_all", tooltip="Fold everything"),
    Binding(
        "plus,equals_sign",
        "unfold_all",
        "Unfold all",
        show=False,
        id="detail.unfold_all",
        tooltip="Unfold everything",
    ),
    Binding("j,down", "move(1)", "Down", show=False, id="detail.down", tooltip="One line down"),
    Binding("k,up", "move(-1)", "Up", show=False, id="detail.up", tooltip="One line up"),
    Binding("pagedown,ctrl+d", "page(1)", "Page down", show=False, id="detail.page_down", tooltip="One page down"),
    Binding("pageup,ctrl+u", "page(-1)", "Page up", show=False, id="detail.page_up", tooltip="One page up"),
    Binding("g,home", "first", "Top", show=False, id="detail.top", tooltip="To the first line"),
    Binding("G,end", "last", "Bottom", show=False, id="detail.bottom", tooltip="To the last line"),
    Binding("n", "next_match(1)", "Next", show=False, id="detail.next_match", tooltip="To the next match"),
    Binding("N", "next_match(-1)", "Previous", show=False, id="detail.previous_match", tooltip="To the match before"),
]
"""Its JSON."""

HELP: Final[list[BindingType]] = [
    Binding("escape,q,f1", "dismiss", "Back", id="help.close", tooltip="Close the help"),
    Binding("down,j", "scroll('down')", "Down", show=False, id="help.down", tooltip="One line down"),
    Binding("up,k", "scroll('up')", "Up", show=False, id="help.up", tooltip="One line up"),
    Binding("space,pagedown", "scroll('page_down')", "Page down", id="help.page_down", tooltip="One page down"),
    Binding("pageup", "scroll('page_up')", "Page up", show=False, id="help.page_up", tooltip="One page up"),
    Binding("home,g", "scroll('home')", "Top", show=False, id="help.top", tooltip="To the top"),
    Binding("end,G", "scroll('end')", "Bottom", show=False, id="help.bottom", tooltip="To the bottom"),
]
"""Help."""

FIRST_RUN: Final[list[BindingType]] = [
    Binding("tab,down", "app.focus_next", "Next", id="start.next", tooltip="To the next field"),
    Binding(
        "shift+tab,up", "app.focus_previous", "Back", show=False, id="start.previous", tooltip="To the field before"
    ),
    Binding("ctrl+t", "demo", "Try the demo", id="start.demo", tooltip="Talk with the simulator: no key, no network"),
]
"""The first screen."""

DEVICES: Final[list[BindingType]] = [
    Binding("escape,q,f5", "dismiss", "Back", id="devices.close", tooltip="Back to the session"),
    Binding("tab,left,right,shift+tab", "other_list", "Other list", id="devices.other", tooltip="To the other list"),
    Binding("r", "look", "Look again", id="devices.look", tooltip="Look for devices again, and try what has failed"),
    Binding("t", "rehearse", "Test", id="devices.test", tooltip="See how loud you are, or hear a tone"),
]
"""Sound devices."""

_CHECKUP_MOVES: Final[list[BindingType]] = [
    # Those of the help. It does not list them for itself, nor for this screen: "system" keeps them out.
    Binding("down,j", "scroll('down')", "Down", show=False, id="checkup.down", tooltip="One line down", system=True),
    Binding("up,k", "scroll('up')", "Up", show=False, id="checkup.up", tooltip="One line up", system=True),
    Binding(
        "space,pagedown",
        "scroll('page_down')",
        "Page down",
        show=False,
        id="checkup.page_down",
        tooltip="One page down",
        system=True,
    ),
    Binding(
        "pageup", "scroll('page_up')", "Page up", show=False, id="checkup.page_up", tooltip="One page up", system=True
    ),
    Binding("home,g", "scroll('home')", "Top", show=False, id="checkup.top", tooltip="To the top", system=True),
    Binding("end,G", "scroll('end')", "Bottom", show=False, id="checkup.bottom", tooltip="To the bottom", system=True),
]

CHECKUP: Final[list[BindingType]] = [
    Binding("escape,q,f6", "dismiss", "Back", id="checkup.close", tooltip="Back to the session"),
    Binding("r", "again", "Again", id="checkup.again", tooltip="Check once more"),
    Binding("y", "copy", "Copy", id="checkup.copy", tooltip="Copy what was found, as JSON, for whoever helps"),
    *_CHECKUP_MOVES,
]
"""The connection, checked."""

REPLAY_SCREEN: Final[list[BindingType]] = [
    *PANES,
    Binding("escape", "leave", "Back", id="replay.leave", tooltip="Back to the session, if any"),
]
"""A replay."""

REPLAY_BAR: Final[list[BindingType]] = [
    Binding("space", "play", "Play", id="replay.play", tooltip="Play or pause"),
    Binding("left", "seek(-5)", "-5 s", id="replay.back", tooltip="Back by 5 seconds"),
    Binding("right", "seek(5)", "+5 s", id="replay.on", tooltip="On by 5 seconds"),
    Binding("down", "seek(-60)", "A minute back", show=False, id="replay.far_back", tooltip="A minute back"),
    Binding("up", "seek(60)", "A minute on", show=False, id="replay.far_on", tooltip="A minute on"),
    Binding("comma", "step(-1)", "Step back", show=False, id="replay.step_back", tooltip="One event back"),
    Binding("full_stop", "step(1)", "Step", id="replay.step", tooltip="Pause, and one event on"),
    Binding("minus", "speed(-1)", "Slower", show=False, id="replay.slower", tooltip="Slower"),
    Binding("plus", "speed(1)", "Faster", id="replay.faster", tooltip="Faster; sound is heard at ×1 only"),
    Binding("home,g", "seek_to(0)", "Begin", show=False, id="replay.begin", tooltip="To the beginning"),
    Binding("end,G", "seek_to(1)", "End", show=False, id="replay.end", tooltip="To the end"),
]
"""Moving in a replay."""

WATCH_SCREEN: Final[list[BindingType]] = [
    Binding("ctrl+pagedown", "session(1)", "Session", show=False, id="watch.next", tooltip="To the next session"),
    Binding("ctrl+pageup", "session(-1)", "Session", show=False, id="watch.previous", tooltip="To the session before"),
    *PANES,
    Binding("f8", "app.replay_session", "Replay", show=False, id="watch.replay", tooltip="Replay this session so far"),
    Binding("ctrl+w", "close", "Close", id="watch.close", tooltip="Close the tab of a session that is over"),
    Binding("escape", "restore", "Back", show=False, id="watch.restore", tooltip="Give the panes their place back"),
]
"""Watched sessions."""

SESSION_TABS: Final[list[BindingType]] = [
    Binding("left", "step(-1)", "Session before", show=False, id="watch.left", tooltip="To the session before"),
    Binding("right", "step(1)", "Session", id="watch.right", tooltip="To the next session"),
    Binding("home", "end(0)", "First", show=False, id="watch.first", tooltip="To where the relay listens"),
    Binding("end", "end(-1)", "Newest", show=False, id="watch.last", tooltip="To the newest session"),
]
"""Their tabs."""

_ALL: Final = (
    APP,
    PANES,
    MAIN_SCREEN,
    EVENT_PANE,
    EVENT_ROWS,
    FIND_LINE,
    TRANSCRIPT,
    PROMPT,
    EVENT_DETAIL,
    JSON_VIEW,
    HELP,
    FIRST_RUN,
    DEVICES,
    CHECKUP,
    REPLAY_SCREEN,
    REPLAY_BAR,
    WATCH_SCREEN,
    SESSION_TABS,
)


def all_bindings() -> Iterator[Binding]:
    """Yield every binding that can be mapped, each once: screens with the same panes share theirs."""
    seen: set[Binding] = set()
    for bindings in _ALL:
        for binding in bindings:
            if isinstance(binding, Binding) and binding.id and binding not in seen:
                seen.add(binding)
                yield binding


_DEFAULT_KEYS: Final = {binding.id: binding.key for binding in all_bindings()}


def default_keys(binding_id: str) -> str:
    """Return the keys that a binding has unless they are mapped, separated by commas; "" where none has the id."""
    return _DEFAULT_KEYS.get(binding_id, "")
