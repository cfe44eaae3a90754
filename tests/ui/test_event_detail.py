"""The event screen, driven by keys and clicks in a real (headless) Textual app."""

import asyncio
import base64
import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from rich.cells import cell_len
from textual import events
from textual.app import App
from textual.geometry import Offset
from textual.pilot import Pilot
from textual.widgets import Input, Label

from tui.ui import theming
from tui.ui.document import Role
from tui.ui.screens.event_detail import MAX_CLIPBOARD, EventDetail, FrameView
from tui.ui.widgets.json_view import JsonView

SIZES = [(120, 40), (80, 24), (40, 12)]
AUDIO = "UklGR" + "A" * 16_379


class Frames:
    """A source made of frames that are at hand."""

    def __init__(self, frames: Sequence[FrameView], title: str = "response.done") -> None:
        self.title = title
        self.frames = list(frames)

    def __len__(self) -> int:
        return len(self.frames)

    def frame(self, i: int) -> FrameView:
        return self.frames[i]


def frame(raw: object, **fields: object) -> FrameView:
    data = raw if isinstance(raw, str | bytes) else json.dumps(raw, ensure_ascii=False).encode()
    return FrameView(**{"time_s": 7.48, "sent": False, "type": "response.done", "raw": data, "note": "", **fields})  # type: ignore[arg-type]


class Shown(App[None]):
    """Shows one source, and keeps what the driver was given to write to the clipboard."""

    def __init__(self, *frames: FrameView, title: str = "response.done") -> None:
        super().__init__()
        self.source = Frames(frames, title)
        self.closed = False

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return theming.variable_defaults(self.current_theme)

    def on_mount(self) -> None:
        self.push_screen(EventDetail(self.source), lambda _: setattr(self, "closed", True))


async def settle(pilot: Pilot[None]) -> None:
    """Wait until nothing is read or searched any more; what was given up meanwhile does not matter."""
    await asyncio.gather(*(worker.wait() for worker in pilot.app.workers), return_exceptions=True)
    await pilot.pause()


def view(app: App[None]) -> JsonView:
    return app.screen.query_one(JsonView)


def drawn(app: App[None]) -> list[str]:
    """The lines of the JSON, as they are on the screen."""
    widget = view(app)
    return [widget.render_line(y).text.rstrip() for y in range(widget.scrollable_content_region.height)]


def screen_text(app: App[None]) -> list[str]:
    """Every line of the whole screen."""
    return [strip.text for strip in app.screen._compositor.render_strips()]


def said(app: App[None], label: str) -> str:
    return str(app.screen.query_one(label, Label).render())


def toasts(app: App[None]) -> list[str]:
    return [notification.message for notification in app._notifications]


@pytest.mark.parametrize("size", SIZES)
async def test_an_event_is_shown_with_its_head_and_the_way_back(size: tuple[int, int]) -> None:
    app = Shown(frame({"type": "response.done", "response": {"status": "cancelled"}}, note="cancelled"))
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        text = screen_text(app)
        assert all(cell_len(line) == size[0] for line in text)
        assert text[0].startswith("╭─ response.done ─")
        assert text[1].startswith("│← received  7.480 s   ")
        assert "bytes" in text[1]
        assert "esc Back" in text[-1]
        assert drawn(app)[:3] == ["▾ {", '│   "type": "response.done"', '│ ▾ "response": {']
        assert not app.screen.query_one("#reason").display
        await pilot.press("escape")
        assert app.closed


@pytest.mark.parametrize(("sent", "shown"), [(True, "→ sent"), (False, "← received"), (None, "· local")])
async def test_the_head_says_which_way_the_event_went(sent: bool | None, shown: str) -> None:
    app = Shown(frame({}, sent=sent, type="session.update", note="from /set"))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert said(app, "#about") == f"{shown}  7.480 s   2 bytes   session.update   from /set"


@pytest.mark.parametrize("keys", [("right", "left"), ("right_square_bracket", "left_square_bracket")])
async def test_the_frames_of_a_row_are_stepped_through(keys: tuple[str, str]) -> None:
    app = Shown(*(frame({"n": n}, time_s=float(n)) for n in range(3)), title="response.text.delta ×3")
    forth, back = keys
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        pane = app.screen.query_one("#detail")
        assert (pane.border_subtitle, drawn(app)[1]) == ("1 of 3", '│   "n": 0')
        await pilot.press(back)
        assert drawn(app)[1] == '│   "n": 0'
        await pilot.press(forth, forth, forth)
        assert (pane.border_subtitle, drawn(app)[1]) == ("3 of 3", '│   "n": 2')
        assert said(app, "#about").startswith("← received  2.000 s")
        app.source.frames.append(frame({"n": 3}))
        await pilot.press(forth)
        assert (pane.border_subtitle, drawn(app)[1]) == ("4 of 4", '│   "n": 3')
        await pilot.press(back)
        assert drawn(app)[1] == '│   "n": 2'


async def test_a_single_event_offers_no_stepping() -> None:
    app = Shown(frame({}))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "Next" not in screen_text(app)[-1]
        assert app.screen.query_one("#detail").border_subtitle == ""
        await pilot.press("right")
        assert drawn(app)[0] == "  {}"


async def test_keys_move_the_cursor_and_fold() -> None:
    app = Shown(frame({"a": {"b": 1}, "c": [1, 2]}))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("j", "space")
        assert drawn(app)[1] == '│ ▸ "a": {"b": 1} 1 key'
        await pilot.press("enter")
        assert drawn(app)[1:4] == ['│ ▾ "a": {', '│ │   "b": 1', "│   }"]
        await pilot.press("G")
        assert view(app).cursor == 8
        await pilot.press("minus")
        assert (view(app).cursor, drawn(app)[1:3]) == (3, ['│ ▸ "a": {"b": 1} 1 key', '│ ▸ "c": [1, 2] 2 items'])
        await pilot.press("plus", "g", "down", "down")
        assert (view(app).cursor, drawn(app)[2]) == (2, '│ │   "b": 1')
        await pilot.press("k", "up", "up")
        assert view(app).cursor == 0


async def test_a_click_folds_what_it_hits() -> None:
    app = Shown(frame({"a": {"b": 1}, "c": 2}))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.click(JsonView, offset=(8, 1))
        assert (view(app).cursor, drawn(app)[1]) == (1, '│ ▸ "a": {"b": 1} 1 key')
        await pilot.click(JsonView, offset=(8, 1))
        assert drawn(app)[2] == '│ │   "b": 1'
        before = drawn(app)
        await pilot.click(JsonView, offset=(8, 15))
        assert (view(app).cursor, drawn(app)) == (1, before)


async def test_the_view_scrolls_with_the_cursor() -> None:
    app = Shown(frame(list(range(100))))
    async with app.run_test(size=(40, 12)) as pilot:
        await settle(pilot)
        height = view(app).scrollable_content_region.height
        await pilot.press("pagedown", "pagedown")
        assert view(app).cursor == 2 * (height - 1)
        assert drawn(app)[-1] == f"│   {view(app).cursor - 1}"
        await pilot.press("end")
        assert drawn(app)[-1] == "  ]"
        await pilot.press("minus", "home")
        assert drawn(app)[0] == "▾ ["
        await pilot.press("enter")
        assert (view(app).cursor, drawn(app)[1]) == (0, "")


async def test_a_narrower_screen_keeps_the_cursor_on_its_line() -> None:
    app = Shown(frame({"said": "word " * 60, "after": 1}))
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("end", "k")
        assert drawn(app)[view(app).cursor] == '│   "after": 1'
        await pilot.resize_terminal(40, 12)
        await settle(pilot)
        y = view(app).cursor - view(app).scroll_offset.y
        assert drawn(app)[y] == '│   "after": 1'


async def test_a_search_shows_the_count_and_steps_through() -> None:
    event = {"a": {"needle": 1}, "b": ["x", "a Needle here"], "c": "x" * 900 + " needle"}
    app = Shown(frame(event))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("minus", "slash", *"needle")
        await settle(pilot)
        assert said(app, "#found") == "1 of 3"
        assert '│ │   "needle": 1' in drawn(app)
        await pilot.press("enter", "n")
        assert said(app, "#found") == "2 of 3"
        assert '│ │   "a Needle here"' in drawn(app)
        await pilot.press("n")
        assert "needle" in drawn(app)[view(app).cursor - view(app).scroll_offset.y]
        await pilot.press("n")
        assert said(app, "#found") == "1 of 3"
        await pilot.press("N")
        assert said(app, "#found") == "3 of 3"


async def test_matches_stand_out_and_the_current_one_more() -> None:
    app = Shown(frame({"a": "xx", "b": "xx"}))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("slash", "x", "x", "enter", "n")
        await settle(pilot)
        widget = view(app)
        backgrounds = [
            {segment.text: segment.style.bgcolor for segment in widget.render_line(y) if segment.style} for y in (1, 2)
        ]
        plain = widget.get_component_rich_style("json-view--match").bgcolor
        current = widget.get_component_rich_style("json-view--current-match").bgcolor
        assert backgrounds[0]["xx"] == plain
        assert backgrounds[1]["xx"] == current
        assert plain != current != backgrounds[0]['"a"']


async def test_a_search_that_finds_nothing_says_so_and_escape_ends_it() -> None:
    app = Shown(frame({"a": 1}), frame({"b": 2}))
    async with app.run_test(size=(40, 12)) as pilot:
        await settle(pilot)
        await pilot.press("slash", *"zzz")
        await settle(pilot)
        assert said(app, "#found") == "not found"
        await pilot.press("n")
        assert app.screen.query_one(Input).value == "zzzn"
        await pilot.press("escape")
        assert not app.closed
        assert not app.screen.query_one("#find").display
        assert app.focused is view(app)
        await pilot.press("q")
        assert app.closed


async def test_a_search_goes_on_in_the_next_event() -> None:
    app = Shown(frame({"a": "one"}), frame({"b": "none", "c": "one"}))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("slash", *"one", "enter", "right")
        await settle(pilot)
        assert said(app, "#found") == "1 of 2"
        assert view(app).cursor == 1


@pytest.mark.parametrize("keys", ["/query", "/n y/q "])
async def test_letters_typed_right_behind_the_slash_get_into_the_search(keys: str) -> None:
    app = Shown(frame({"a": "the query"}))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        for character in keys:
            app.post_message(events.Key({"/": "slash", " ": "space"}.get(character, character), character))
        await settle(pilot)
        await pilot.pause()
        assert app.screen.query_one(Input).value == keys[1:]
        assert app.clipboard == ""
        await pilot.press("enter", "slash", "x")
        assert app.screen.query_one(Input).value == "x"


@pytest.mark.parametrize("query", ["\x1b", "[bold]", "(", "\\", "日本", "\u202e"])
async def test_any_text_can_be_searched_for(query: str) -> None:
    app = Shown(frame({"a": f"..{query}.."}))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        view(app).find(query)
        await settle(pilot)
        assert said(app, "#found") == "1 of 1"
        assert re.search(r'"a": "\.\..+\.\."', drawn(app)[1])


async def test_the_json_is_copied_indented_and_the_frame_as_it_was() -> None:
    raw = b'{"b":1,"a":["\\u001b\xc3\xa9"]}'
    app = Shown(frame(raw))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("y")
        assert app.clipboard == '{\n  "b": 1,\n  "a": [\n    "\\u001bé"\n  ]\n}'
        assert toasts(app) == ["Copied 41 bytes as JSON, if your terminal allows it (OSC 52)."]
        await pilot.press("Y")
        assert app.clipboard == raw.decode()
        assert toasts(app)[-1] == f"Copied {len(raw)} bytes as it was, if your terminal allows it (OSC 52)."


@pytest.mark.parametrize(
    ("raw", "key", "copied", "toast"),
    [
        (b"\xff\x00", "Y", "ff00", "Copied 4 bytes as hexadecimal, because it is not text"),
        (b"\xff\x00", "y", "ff 00", "Copied 5 bytes as text"),
        ("\ud800", "Y", "", "Not copied: a lone surrogate cannot be written as UTF-8."),
        ("\ud800\x1b", "y", "\\ud800\\u001b", "Copied 12 bytes as text"),
        ("x" * (MAX_CLIPBOARD + 1), "Y", "", "Too large for the terminal's clipboard (at most 768 KiB)"),
        ("é" * (MAX_CLIPBOARD - 5), "Y", "", "Too large for the terminal's clipboard (at most 768 KiB)"),
        (json.dumps("x" * MAX_CLIPBOARD), "y", "", "Too large for the terminal's clipboard (at most 768 KiB)"),
    ],
    ids=["binary", "hex", "surrogate", "escaped", "raw", "wide", "json"],
)
async def test_what_cannot_be_copied_is_said(raw: str | bytes, key: str, copied: str, toast: str) -> None:
    app = Shown(frame(raw))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press(key)
        assert app.clipboard == copied
        assert toasts(app)[-1].startswith(toast)


async def test_copying_writes_osc_52(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Shown(frame({"a": 1}))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        written: list[str] = []
        assert app._driver is not None
        monkeypatch.setattr(app._driver, "write", written.append)
        await pilot.press("Y")
        encoded = base64.b64encode(b'{"a": 1}').decode()
        assert f"\x1b]52;c;{encoded}\a" in written


HOSTILE = {
    "ansi\x1b[31m": "\x1b[2J\x1b]0;owned\x07\x9b31m",
    "markup": "[bold red]x[/] [@click=app.quit]y[/]",
    "bidi": "user\u202etxt.exe\u2066",
    "zero": "a\u200b\u200d\ufeffb",
    "日本語": "こんにちは 한국어 👍🏽",
    "line\u2028end": "a\r\nb\tc\x00",
}


@pytest.mark.parametrize("size", SIZES)
async def test_hostile_text_is_shown_as_escapes_and_nothing_is_out_of_line(size: tuple[int, int]) -> None:
    hostile = "[red]\x1b[2J\u202e日本語"
    raw = json.dumps(HOSTILE, ensure_ascii=False)
    app = Shown(frame(raw, type=hostile, note=hostile), frame(raw), title=hostile)
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        await pilot.press("right", "left", "plus")
        await settle(pilot)
        text = screen_text(app)
        assert all(cell_len(line) == size[0] for line in text)
        assert all(line.isprintable() or "👍" in line for line in text)
        for line in text[2:-2]:
            assert line[0] == "│" == line[-1]
        assert r"[red]\u001b[2J\u202e日本語" in text[0]


async def test_escapes_and_markup_are_drawn_letter_by_letter() -> None:
    app = Shown(frame(json.dumps(HOSTILE, ensure_ascii=False)))
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert drawn(app)[1:7] == [
            r'│   "ansi\u001b[31m": "\u001b[2J\u001b]0;owned\u0007\u009b31m"',
            r'│   "markup": "[bold red]x[/] [@click=app.quit]y[/]"',
            r'│   "bidi": "user\u202etxt.exe\u2066"',
            r'│   "zero": "a\u200b\u200d\ufeffb"',
            '│   "日本語": "こんにちは 한국어 👍🏽"',
            r'│   "line\u2028end": "a\r\nb\tc\u0000"',
        ]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("raw", "reason", "shown"),
    [
        (b'{"type": "resp', "Not JSON: unterminated string starting at character 9.", '{"type": "resp'),
        (b"\xff\xfe\x1b", "Not UTF-8 at byte 0.", "00000000  ff fe 1b"),
        ("[" * 100_000, "JSON nested too deeply to be laid out.", "[[[[[["),
        ("", "An empty frame.", ""),
    ],
    ids=["cut", "binary", "deep", "empty"],
)
async def test_what_is_not_json_says_why(raw: str | bytes, reason: str, shown: str, size: tuple[int, int]) -> None:
    app = Shown(frame(raw), frame({"a": 1}))
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        assert said(app, "#reason") == reason
        assert drawn(app)[0].startswith(shown)
        await pilot.press("enter", "minus", "plus", "G", "g")
        assert drawn(app)[0].startswith(shown)
        await pilot.press("right")
        await settle(pilot)
        assert not app.screen.query_one("#reason").display


async def test_a_huge_frame_is_read_beside_the_event_loop_and_keys_work_meanwhile() -> None:
    huge = json.dumps({"type": "response.output_audio.delta", "delta": "A" * 8_388_608}).encode()
    app = Shown(frame(huge), frame({"small": 1}))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert drawn(app)[2] == '│ ▸ "delta": "AAAAAAA…" 8,388,608 characters, 131.1 s of audio'
        await pilot.press("j", "j", "enter", "G", "k")
        assert drawn(app)[-1].startswith("  }")
        assert "AAAAAAAA" in drawn(app)[-2]
        await pilot.press("slash", *"zzz")
        await settle(pilot)
        assert said(app, "#found") == "not found"


async def test_stepping_away_from_a_frame_that_is_being_read_shows_the_other() -> None:
    huge = json.dumps([{"n": n} for n in range(60_000)]).encode()
    app = Shown(frame({"small": 1}), frame(huge), frame({"last": 1}))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        view(app).show(huge)
        assert drawn(app)[0].startswith("Reading ")
        await pilot.press("j", "enter", "minus", "y", "n")
        view(app).show(b'{"last": 1}')
        await settle(pilot)
        assert drawn(app)[:2] == ["▾ {", '│   "last": 1']


async def test_only_visible_lines_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Shown(frame(json.dumps([{"n": n} for n in range(70_000)])))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("plus")
        assert view(app).virtual_size.height == 210_002
        rows: list[int] = []
        draw = JsonView.render_line
        monkeypatch.setattr(JsonView, "render_line", lambda self, y: rows.append(y) or draw(self, y))
        await pilot.press("G")
        await pilot.pause()
        assert drawn(app)[-1] == "  ]"
        assert 0 < len(rows) < 300
        assert max(rows) < 40


async def test_colours_come_from_the_theme() -> None:
    app = Shown(frame({"a": 1}))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        seen = {}
        for theme in [*theming.load_themes().loaded]:
            app.register_theme(theme)
        for name in ("azrt-dark", "azrt-light", "ansi-dark"):
            app.theme = name
            await settle(pilot)
            seen[name] = {segment.text: segment.style.color for segment in view(app).render_line(1) if segment.style}
        assert seen["azrt-dark"]['"a"'] != seen["azrt-light"]['"a"']
        assert seen["azrt-dark"]['"a"'] != seen["azrt-dark"]["1"]


@pytest.mark.parametrize("role", Role)
async def test_every_role_has_a_style(role: Role) -> None:
    app = Shown(frame({}))
    async with app.run_test():
        assert view(app).get_component_rich_style(f"json-view--{role}").color is not None


async def test_no_color_reaches_the_terminal_under_no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = Shown(frame({"a": "text"}))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("slash", "t")
        await settle(pilot)
        colors = {
            color.triplet
            for strip in app.screen._compositor.render_strips()
            for segment in strip
            if segment.style
            for color in (segment.style.color, segment.style.bgcolor)
            if color is not None and color.triplet is not None
        }
        assert colors
        assert all(color.red == color.green == color.blue for color in colors)


async def test_the_cursor_can_be_seen_on_its_line() -> None:
    app = Shown(frame({"a": 1}))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        first, second = (
            {segment.style.bgcolor for segment in view(app).render_line(y) if segment.style} for y in (0, 1)
        )
        assert first.isdisjoint(second)


def test_the_style_sheet_is_beside_the_screen() -> None:
    import tui.ui.screens.event_detail as module

    assert Path(module.__file__).with_suffix(".tcss").is_file()


async def test_a_click_beside_the_text_does_nothing() -> None:
    app = Shown(frame({"a": 1}))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.click(offset=Offset(0, 0))
        assert view(app).cursor == 0
