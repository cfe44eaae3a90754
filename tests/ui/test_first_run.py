"""The first screen of a new user: what they paste is understood, and the key is never drawn."""

from typing import Literal

import pytest
from rich.cells import cell_len
from textual import events
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widgets import Label

from tests.support.drawing import until
from tests.unit.test_endpoint_kinds import NO_SOCKET, REFUSED
from tui.settings import Secret
from tui.ui import theming
from tui.ui.screens.first_run import FirstRun, FirstRunResult, Tick
from tui.ui.widgets.field import MAX_LENGTH, Field

SIZES = [(120, 40), (80, 24), (40, 12)]
KEY = "0123456789abcdef0123456789abcdef"
URL = "→ wss://acme.openai.azure.com/openai/v1/realtime?model=gpt-realtime"


class Shown(App[None]):
    def __init__(self, problem: str = "") -> None:
        super().__init__()
        self.problem = problem
        self.result: FirstRunResult | None = None

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return theming.variable_defaults(self.current_theme)

    def on_mount(self) -> None:
        self.push_screen(FirstRun(self.problem), lambda result: setattr(self, "result", result))


async def paste(pilot: Pilot[None], text: str) -> None:
    assert pilot.app.focused is not None
    pilot.app.focused.post_message(events.Paste(text))
    await pilot.pause()


def preview(app: App[None]) -> str:
    return str(app.screen.query_one("#preview", Label).render())


def is_wrong(app: App[None]) -> bool:
    return app.screen.query_one("#preview").has_class("-wrong")


def screen_text(app: App[None]) -> list[str]:
    return [strip.text for strip in app.screen._compositor.render_strips()]


@pytest.mark.parametrize("size", SIZES)
async def test_the_keyboard_alone_connects(size: tuple[int, int]) -> None:
    app = Shown()
    async with app.run_test(size=size) as pilot:
        await pilot.press(*"acme", "enter", *"gpt", "enter")
        await paste(pilot, f" {KEY}\n")
        await pilot.press("enter")
        assert app.result == FirstRunResult("connect", "acme", "gpt", Secret(KEY), save=False)


def inside(app: Shown) -> bool:
    """Whether what has the focus is seen."""
    return app.focused is not None and app.screen.query_one("#form").region.contains_region(app.focused.region)


@pytest.mark.parametrize("size", SIZES)
async def test_every_part_can_be_reached_and_seen(size: tuple[int, int]) -> None:
    app = Shown("endpoint and deployment do not fit together")
    async with app.run_test(size=size) as pilot:
        seen = []
        for _ in range(7):
            assert app.focused is not None
            seen.append(app.focused.id)
            await until(pilot, lambda: inside(app), "the form scrolls to it")
            await pilot.press("tab")
            await pilot.pause()
        assert seen == ["endpoint", "deployment", "key", "save", "connect", "demo", "quit"]
        assert all(cell_len(line) == size[0] for line in screen_text(app))


@pytest.mark.parametrize(
    "problem", ["", "no key for acme.openai.azure.com: set AZURE_OPENAI_API_KEY, or write it to .env"]
)
async def test_it_fits_80x24_without_scrolling(problem: str) -> None:
    app = Shown(problem)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        form = app.screen.query_one("#form")
        assert form.max_scroll_y == 0
        text = "\n".join(screen_text(app))
        for part in ("Endpoint", "Deployment", "Key", ".env", "Connect", "Demo", "Quit", "OPENAI_API_KEY", "Foundry"):
            assert part in text
        assert problem[:30] in text
        assert ("Nothing is configured" in text) is not bool(problem)


async def test_what_the_endpoint_comes_to_is_shown_while_typing() -> None:
    app = Shown()
    async with app.run_test(size=(80, 24)) as pilot:
        assert preview(app).startswith("Paste the endpoint")
        await paste(pilot, "acme")
        assert preview(app) == "Now the deployment: its name, such as gpt-realtime-2.1."
        assert not is_wrong(app)
        await pilot.press("enter", *"gpt-realtime")
        assert preview(app) == URL


@pytest.mark.parametrize(
    ("endpoint", "shown", "wrong"),
    [
        ("https://acme.openai.azure.com/", URL, False),
        ('"https://acme.openai.azure.com/openai/realtime"', f"{URL}\nthe Beta path became", False),
        ("https://acme.openai.azure.com/x?api-version=1&key=abc", "(and 2 more)", False),
        ("https://portal.azure.com/#home", "is a web page, not an endpoint; use https://NAME", True),
        ("a b", "has a space", True),
        ("wss://acme.openai.azure.com/openai/v1/live/sessions", "is Live, not Realtime", True),
        ("wss://acme.services.ai.azure.com/voice-live/realtime?model=m", "/openai/v1/realtime?model=NAME", True),
        (KEY, "✗ the endpoint looks like an API key", True),
        ("\n\x1b[2Jac\u200bme\u202e\n", '"[2Jacme" has no usable host', True),
    ],
)
async def test_any_pasted_form_is_understood_or_refused(endpoint: str, shown: str, wrong: bool) -> None:
    app = Shown()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("enter", *"gpt-realtime", "up")
        await paste(pilot, endpoint)
        assert shown in preview(app)
        assert is_wrong(app) is wrong
        assert KEY not in preview(app)


async def test_the_layout_stands_still_while_a_person_types() -> None:
    app = Shown()
    async with app.run_test(size=(80, 24)) as pilot:
        before = app.screen.query_one("#buttons").region
        for text in (
            "https://portal.azure.com/" + "x" * 300,
            "acme",
            "https://acme.openai.azure.com/x?api-version=1&key=a",
            "wss://acme.services.ai.azure.com/api/projects/p/agents/a/endpoint/protocols/voice/live/sessions",
        ):
            app.screen.query_one("#endpoint", Field).value = text
            await pilot.pause()
            assert app.screen.query_one("#buttons").region == before


@pytest.mark.parametrize(
    ("endpoint", "deployment", "key", "focus", "why"),
    [
        ("", "", "", "endpoint", "✗ the endpoint is empty; use https://NAME.openai.azure.com"),
        ("https://acme.openai.azure.com/openai/v1/realtime?call_id=1", "", KEY, "endpoint", '✗ "https://acme.openai'),
        ("acme", "", KEY, "deployment", "✗ the deployment is empty; give its name, such as gpt-realtime-2.1"),
        ("acme", KEY, KEY, "deployment", "✗ the deployment looks like an API key"),
        ("acme", "gpt", "", "key", "✗ the key is empty; paste KEY 1 or KEY 2 of the resource"),
        ("acme", "gpt", "se cret", "key", "✗ the key holds a character that no key has"),
        ("acme", "gpt", "AZURE_OPENAI_API_KEY=secret", "key", "✗ the key begins with the name of a variable"),
        ("acme", "gpt", "https://acme.openai.azure.com/", "key", "✗ the key is an address and not a key"),
    ],
)
async def test_what_is_wrong_is_said_and_nothing_is_lost(
    endpoint: str, deployment: str, key: str, focus: str, why: str
) -> None:
    app = Shown()
    async with app.run_test(size=(80, 24)) as pilot:
        values = {"endpoint": endpoint, "deployment": deployment, "key": key}
        for name, value in values.items():
            app.screen.query_one(f"#{name}", Field).value = value
        await pilot.click("#connect")
        await pilot.pause()
        assert app.result is None
        assert preview(app).startswith(why)
        assert is_wrong(app)
        assert app.focused is app.screen.query_one(f"#{focus}")
        assert {name: app.screen.query_one(f"#{name}", Field).value for name in values} == values
        assert "cret" not in preview(app)


async def test_a_server_on_this_machine_needs_no_key() -> None:
    app = Shown()
    async with app.run_test(size=(80, 24)) as pilot:
        await paste(pilot, "http://localhost:8080")
        await pilot.press("enter", "m", "enter", "enter")
        assert app.result == FirstRunResult("connect", "http://localhost:8080", "m", Secret(), False)


async def test_the_deployment_in_a_url_is_enough() -> None:
    app = Shown()
    async with app.run_test(size=(80, 24)) as pilot:
        await paste(pilot, "https://acme.openai.azure.com/openai/v1/realtime?model=gpt-realtime")
        assert preview(app).startswith(URL)
        await pilot.press("enter", "enter", "k", "enter")
        assert app.result is not None
        assert (app.result.action, app.result.deployment) == ("connect", "")


@pytest.mark.parametrize("at", ["#endpoint", "#deployment", "#key", "#save", "#quit"])
async def test_the_demo_starts_from_anywhere(at: str) -> None:
    app = Shown()
    async with app.run_test(size=(80, 24)) as pilot:
        app.screen.query_one(at).focus()
        await pilot.press("ctrl+t")
        assert app.result == FirstRunResult("demo")


@pytest.mark.parametrize("action", ["demo", "quit"])
@pytest.mark.parametrize("size", SIZES)
async def test_the_buttons_do_what_they_say(action: Literal["demo", "quit"], size: tuple[int, int]) -> None:
    app = Shown()
    async with app.run_test(size=size) as pilot:
        app.screen.query_one("#key", Field).value = "secret"
        app.screen.query_one(f"#{action}").focus()
        await pilot.pause()
        await pilot.press("enter")
        assert app.result == FirstRunResult(action)


async def test_the_tick_is_part_of_the_answer_and_seen_without_colour() -> None:
    app = Shown()
    async with app.run_test(size=(80, 24)) as pilot:
        assert any("[ ] Write these to .env" in line for line in screen_text(app))
        app.screen.query_one(Tick).focus()
        await pilot.press("space")
        assert any("[x] Write these to .env" in line for line in screen_text(app))
        for name in ("endpoint", "deployment", "key"):
            app.screen.query_one(f"#{name}", Field).value = "value"
        await pilot.click("#connect")
        assert app.result is not None
        assert app.result.save is True


async def test_the_key_is_never_drawn_nor_copied_nor_in_a_repr() -> None:
    app = Shown()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"acme", "enter", *"gpt", "enter")
        await paste(pilot, KEY)
        assert not any(KEY[:4] in line for line in screen_text(app))
        await pilot.press("ctrl+shift+a", "ctrl+c")
        assert app.clipboard == ""
        await pilot.press("ctrl+x")
        assert (app.clipboard, app.screen.query_one("#key", Field).value) == ("", "")
        await paste(pilot, KEY)
        await pilot.press("enter")
    assert app.result is not None
    assert app.result.key.reveal() == KEY
    assert KEY not in repr(app.result)


def test_an_endpoint_with_a_key_in_it_is_not_in_the_repr_either() -> None:
    assert "hush" not in repr(FirstRunResult("connect", "https://a.openai.azure.com?key=hush", "gpt", Secret("hush")))


class Fields(App[None]):
    def compose(self) -> ComposeResult:
        yield Field(id="plain")


@pytest.mark.parametrize(
    ("pasted", "kept"),
    [
        ("one\ntwo", "one"),
        ("\r\n  \n one \n", "one"),
        ("a\x1b[2J\u202eb\ud800\x00c\u200b", "a[2Jbc"),
        ("日本語", "日本語"),
        ("\n", ""),
        ("", ""),
    ],
)
async def test_a_field_takes_what_can_be_drawn(pasted: str, kept: str) -> None:
    app = Fields()
    async with app.run_test() as pilot:
        await paste(pilot, pasted)
        assert app.query_one(Field).value == kept


async def test_a_field_refuses_a_paste_that_is_too_long_and_keeps_what_it_has() -> None:
    app = Fields()
    async with app.run_test() as pilot:
        await pilot.press("a")
        await paste(pilot, "x" * (MAX_LENGTH + 1))
        assert app.query_one(Field).value == "a"
        await pilot.press("ctrl+shift+a", "ctrl+x")
        assert (app.clipboard, app.query_one(Field).value) == ("a", "")


@pytest.mark.parametrize("size", SIZES)
async def test_hostile_text_about_the_settings_is_drawn_as_escapes(size: tuple[int, int]) -> None:
    app = Shown("[red]\x1b[2J\u202e[/] is no endpoint")
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        text = "\n".join(screen_text(app))
        assert r"[red]\u001b[2J\u202e[/]" in text
        assert text.replace("\n", "").isprintable()


async def test_a_refusal_of_an_address_is_read_to_its_end() -> None:
    app = Shown()
    async with app.run_test(size=(80, 24)) as pilot:
        for url in [*(row[0] for row in REFUSED), *(row[0] for row in NO_SOCKET)]:
            app.screen.query_one("#endpoint", Field).value = url
            await pilot.pause()
            assert is_wrong(app)
            if "gw.contoso" not in url:  # a gateway's prefix may be of any length
                assert "model=NAME" in "\n".join(screen_text(app)), url
