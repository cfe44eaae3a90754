"""Every internal of Textual and Rich that azrt-tui relies on. A failure here says what would break."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from typing import Any

from rich.console import Console
from textual import _xterm_parser as xterm_parser
from textual._compositor import Compositor, CompositorUpdate
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.binding import Binding, BindingsMap
from textual.command import CommandPalette
from textual.drivers.linux_driver import LinuxDriver
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Footer, Input, TextArea
from textual.widgets._footer import FooterKey

ROOT = Path(__file__).parents[3]


def parameters(function: object) -> list[str]:
    """Return the names of a function's parameters."""
    return list(inspect.signature(function).parameters)  # type: ignore[arg-type]


def source(function: object) -> str:
    """Return the source of a function or class."""
    return inspect.getsource(function)  # type: ignore[arg-type]


async def test_the_keymap_of_an_app_can_be_read() -> None:
    class One(App[None]):
        BINDINGS = [Binding("f1", "help", "Help", id="app.help")]

    app = One()
    async with app.run_test():
        app.set_keymap({"app.help": "f5"})
        assert app._keymap == {"app.help": "f5"}, "help and advice would name keys that do nothing (terminal/keys.py)"
        now = BindingsMap([binding for binding in One.BINDINGS if isinstance(binding, Binding)])
        now.apply_keymap(app._keymap)
        assert [key for key, _ in now] == ["f5"], "the help would list the default keys"


def test_keys_reach_a_widget_through_two_methods() -> None:
    for text_input in (TextArea, Input):
        assert parameters(text_input._on_key) == ["self", "event"], "keys would pass OrderedKeys by (key_order.py)"
    assert parameters(Widget._forward_event) == ["self", "event"], "letters behind a tab would be lost (key_order.py)"


def test_the_palette_gathers_commands_in_a_worker() -> None:
    assert hasattr(CommandPalette._gather_commands, "__wrapped__"), "closing the palette early would end the program"
    assert isinstance(CommandPalette._GATHER_COMMANDS_GROUP, str)
    assert parameters(CommandPalette._action_command_list) == ["self", "action"], "page down would end the program"


def test_partial_updates_come_from_the_compositor() -> None:
    assert "_compositor" in source(Screen.__init__), "a screen of ours could not bring its own compositor"
    assert "self._compositor.render_update(" in source(Screen), "updates are made elsewhere"
    assert "self.render_partial_update()" in source(Compositor.render_update), "ours would never be asked"
    assert {"_dirty_regions", "size"} <= set(vars(Compositor())), "what changed is kept elsewhere (compositing.py)"
    assert parameters(Compositor._regions_to_spans) == ["regions"]
    assert parameters(CompositorUpdate.render_segments) == ["self", "console"]
    assert isinstance(Compositor.visible_widgets, property)


def test_a_strip_is_drawn_from_its_segments() -> None:
    slots = {"_segments", "_cell_length", "_render_cache", "_link_ids", "_cell_count"}
    assert slots <= set(Strip.__slots__), "a short strip would lack what it is drawn from (short_ansi.py)"
    caches = {name for name in Strip.__slots__ if name.endswith("_cache")} - {"_render_cache"}
    assert all(f"self.{name}: FIFOCache" in source(Strip.__init__) for name in caches), "caches are not FIFOCaches"
    assert parameters(Strip.render_ansi) == ["style", "color_system"]
    assert hasattr(Console(), "_color_system"), "colours would always be true colours"


def test_the_driver_reads_in_one_method_and_writes_through_a_queue() -> None:
    assert "self.process_message(" in source(LinuxDriver.run_input_thread), "our loop would hand keys over to nobody"
    driver = source(LinuxDriver)
    for name in ("exit_event", "fileno", "_app", "_debug", "input_tty", "_writer_thread"):
        assert f"self.{name}" in driver + source(LinuxDriver.__mro__[1]), f"the driver has no {name}"
    from textual.drivers._writer_thread import WriterThread

    assert "self._queue" in source(WriterThread), "nobody would know that the terminal is behind (pacing.py)"


def test_the_parser_of_keys_can_be_asked_and_renewed() -> None:
    parser = XTermParser(False)
    list(parser.feed("\x1b["))
    assert parser._awaiting.timeout is not None, "an unknown sequence would be typed into the message (input.py)"
    for name in ("mouse_pixels", "terminal_size", "terminal_pixel_size"):
        assert hasattr(parser, name), f"a renewed parser would forget {name}"
    assert "CursorPosition" in source(xterm_parser), "the terminal's replies would not be recognised (pacing.py)"


async def test_an_app_knows_its_driver_cursor_toasts_and_crash() -> None:
    app: App[Any] = App()
    async with app.run_test():
        assert app._driver is not None
        assert tuple(app._previous_cursor_position), "the cursor would stay in the corner (pacing.py)"
        assert list(app._notifications) == [], "a toast that is shown already would be shown again (toasts.py)"
    assert parameters(App._fatal_error) == ["self"], "a crash would show local variables, and with them a key"


def test_the_footer_is_made_of_keys() -> None:
    assert "FooterKey(" in source(Footer.compose), "keys that do not fit would be cut (fitting_footer.py)"
    assert {"action", "description", "key_display"} <= {*vars(FooterKey), *parameters(FooterKey.__init__)}


def test_private_parts_are_used_in_one_folder_only() -> None:
    strangers = [
        f"{path.relative_to(ROOT)}: {node.module}"
        for path in (ROOT / "tui").rglob("*.py")
        if "terminal" not in path.parts
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module
        if node.module.split(".")[0] in ("textual", "rich") and any(part[0] == "_" for part in node.module.split("."))
    ]
    assert strangers == []
