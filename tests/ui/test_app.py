"""The program as a whole: starting, failing, reconnecting, themes, keys, settings, and quitting."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from rich.color import Color
from textual.widgets import Input

from tests.support.apps import Running, fast, isolate, running
from tests.support.drawing import lines, screen_lines, strips
from tests.support.servers import CREATED, Peer, websocket_server
from tui import paths
from tui.conversation import Link, Speaker, TurnState
from tui.settings.state import remembered
from tui.ui.screens.first_run import FirstRun
from tui.ui.screens.help import Help

KEY = "sk-canary-0123456789"


@pytest.fixture(autouse=True)
def isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    isolate(tmp_path, monkeypatch)


def configure(text: str) -> None:
    """Write config.toml."""
    paths.config_dir().mkdir(parents=True, exist_ok=True)
    paths.config_file().write_text(text, encoding="utf-8")


def dotenv(text: str) -> None:
    """Write .env."""
    Path(".env").write_text(text, encoding="utf-8")


def dotenv_exists() -> bool:
    return Path(".env").exists()


def program_said(shown: Running) -> list[str]:
    return [turn.text for turn in shown.transcript.turns if turn.speaker is Speaker.PROGRAM]


def on_screen(shown: Running) -> str:
    """The text of the screen without line ends and frames, for sentences that are wrapped."""
    return " ".join(shown.text.replace("│", " ").split())


# Starting


async def test_the_demo_starts_its_own_server_and_says_that_it_is_no_model() -> None:
    async with running(demo=True) as shown:
        await shown.connected()
        assert "simulator: scripted answers, no model" in shown.status_text
        await shown.say("hello")
        await shown.says("Hello, I am the simulator inside azrt-tui")


async def test_a_message_before_there_is_a_session_is_sent_once_also_behind_ctrl_r() -> None:
    greets = asyncio.Event()

    async def late(peer: Peer) -> None:
        await greets.wait()
        await peer.send(CREATED)
        await peer.drain()

    async with websocket_server(late) as server, running(url=server.url) as shown:
        shown.app.action_reconnect()
        await shown.say("hello")
        await shown.until(lambda: server.peers, "a connection")
        greets.set()
        await shown.until(lambda: shown.sent("response.create"), "the message is out")
        assert len(shown.sent("conversation.item.create")) == 1
        assert len(shown.sent("response.create")) == 1


async def test_without_settings_it_asks_for_them_and_can_show_the_demo() -> None:
    async with running() as shown:
        await shown.until(lambda: isinstance(shown.app.screen, FirstRun), "the first-run screen")
        await shown.pilot.press("ctrl+t")
        await shown.connected()
        assert "simulator" in shown.status_text


async def test_what_was_filled_in_is_used_and_written_only_when_asked_for() -> None:
    simulator = fast(require_key=KEY)
    async with running() as shown:
        with simulator:
            await shown.until(lambda: isinstance(shown.app.screen, FirstRun), "the first-run screen")
            for field, value in (("endpoint", simulator.endpoint), ("deployment", "my-realtime"), ("key", KEY)):
                shown.app.screen.query_one(f"#{field}", Input).value = value
            await shown.pilot.click("#connect")
            await shown.connected()
            assert "my-realtime" in shown.status_text
            assert not dotenv_exists()
            assert KEY not in shown.text
            shown.app.close_session()


async def test_settings_that_cannot_be_used_are_explained_where_they_can_be_mended() -> None:
    async with running(url="wss://example.com/v1/chat/completions?api-version=x y") as shown:
        await shown.until(lambda: isinstance(shown.app.screen, FirstRun), "the first-run screen")
        assert "--url" in on_screen(shown)


# Failing


async def test_a_refused_key_is_said_in_plain_words_with_what_to_do() -> None:
    async with running(fast(require_key="right"), url="") as shown:
        await shown.shows("✗ failed")
        (sentence,) = program_said(shown)
        assert "refused the key (HTTP 401" in sentence
        assert "Check AZURE_OPENAI_API_KEY" in shown.transcript.turns[-1].note
        assert "The key was refused (HTTP 401)." in shown.status_text
        assert shown.subtitle("prompt") == "not connected: ctrl+r reconnects"
        assert "! websocket.failed" in "\n".join(lines(shown.events))


async def test_a_server_that_is_not_there_is_said_in_plain_words() -> None:
    with fast() as gone:
        url = gone.url()
    async with running(url=url) as shown:
        await shown.shows("◌ waiting")
        await shown.until(lambda: shown.subtitle("prompt").startswith("Connects again"))
        assert shown.subtitle("prompt").endswith("ctrl+r now · F7 stop")
        await shown.pilot.press("f7")
        await shown.shows("✗ failed")
        assert "Nothing listens at 127.0.0.1" in on_screen(shown)
        assert "Check the host and the port" in on_screen(shown)


async def test_a_beta_server_is_named_as_the_cause() -> None:
    async with running(fast(dialect="beta")) as shown:
        await shown.shows("✗ failed")
        (turn,) = (turn for turn in shown.transcript.turns if "speaks the Realtime Beta protocol" in turn.text)
        assert "AZURE_OPENAI_ENDPOINT" in turn.note
        assert "Traceback" not in shown.text


async def test_what_is_typed_while_disconnected_waits_and_goes_out_once() -> None:
    first = fast()
    async with running(first) as shown:
        await shown.connected()
        await shown.answered("hello", 1)
        first.stop()
        await shown.shows("◌ waiting")
        await shown.until(lambda: shown.subtitle("prompt").startswith("Connects again"))
        await shown.pilot.press("f7")
        await shown.until(lambda: shown.main.status.link in (Link.CLOSED, Link.FAILED), "it is left as it is")
        await shown.say("are you there? thanks")
        await shown.shows("you · waits")
        assert shown.subtitle("prompt") == "ctrl+r reconnects and sends what waits"
        with fast(port=first.simulator.port) as second:
            await shown.pilot.press("ctrl+r")
            await shown.says("You are welcome")
            await shown.shows("New session.")
            got = [json.loads(frame) for frame in second.simulator.sessions[-1].received]
            items = [event["item"] for event in got if event["type"] == "conversation.item.create"]
            assert [item["role"] for item in items] == ["user", "assistant", "user"], "what was said, and the new one"
            assert items[-1]["content"][0]["text"] == "are you there? thanks"
            order = [turn.text[:12] for turn in shown.transcript.turns]
            assert order.index("New session.") < order.index("are you ther")
            assert shown.transcript.turns[-2].state is TurnState.DONE
            shown.app.close_session()


async def test_reconnecting_by_hand_shows_the_seam_and_carries_the_conversation_over() -> None:
    async with running(fast()) as shown:
        await shown.connected()
        await shown.answered("hello", 1)
        await shown.pilot.press("ctrl+r")
        await shown.says("New session. The agent has the conversation so far: 2 items.")
        await shown.until(lambda: shown.app.connected)
        await shown.answered("thanks", 2)
        assert len(shown.simulator.simulator.sessions) == 2  # type: ignore[union-attr]
        assert [turn.speaker for turn in shown.transcript.turns] == [
            Speaker.USER,
            Speaker.AGENT,
            Speaker.PROGRAM,
            Speaker.USER,
            Speaker.AGENT,
        ]


# Themes


def background(shown: Running) -> set[Color]:
    styles = [segment.style for strip in strips(shown.transcript) for segment in strip]
    return {style.bgcolor for style in styles if style is not None and style.bgcolor is not None}


async def test_a_theme_is_changed_live_and_remembered() -> None:
    async with running(fast()) as shown:
        await shown.connected()
        before = background(shown)
        assert not paths.state_file().exists()
        shown.app.theme = "azrt-light"
        await shown.until(lambda: remembered().get("theme") == "azrt-light", "the theme is remembered")
        assert background(shown) != before
    async with running(fast()) as again:
        assert again.app.theme == "azrt-light"


async def test_a_theme_for_one_run_is_not_remembered() -> None:
    async with running(fast(), theme="azrt-paper") as shown:
        await shown.connected()
        assert shown.app.theme == "azrt-paper"
    assert remembered() == {}


async def test_a_theme_that_does_not_exist_is_reported_and_the_default_is_used() -> None:
    async with running(fast(), theme="nosuch") as shown:
        await shown.connected()
        assert shown.app.theme == "azrt-dark"
        assert "theme 'nosuch' does not exist; there are: " in shown.toasts[0]
        assert "azrt-light" in shown.toasts[0]


async def test_a_persons_own_theme_can_be_used() -> None:
    themes = paths.themes_dir()
    themes.mkdir(parents=True)
    (themes / "mine.toml").write_text('name = "mine"\nprimary = "#ff0000"\nbackground = "#123456"\n')
    (themes / "broken.toml").write_text('name = "broken"\nprimary = "no colour"\n')
    async with running(fast(), theme="mine") as shown:
        await shown.connected()
        assert {colour.name for colour in background(shown)} == {"#123456"}
        (toast,) = shown.toasts
        assert '"broken.toml"' in toast and "primary" in toast


async def test_no_color_leaves_no_colour_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    isolate(tmp_path, monkeypatch, {"NO_COLOR": "1"})
    async with running(fast()) as shown:
        await shown.connected()
        await shown.answered("hello", 1)
        await shown.pilot.press("tab", "k")
        drawn = shown.app.screen._compositor.render_strips(shown.app.size)
        colours = {
            colour.triplet
            for strip in drawn
            for segment in strip
            if segment.style is not None
            for colour in (segment.style.color, segment.style.bgcolor)
            if colour is not None and colour.triplet is not None
        }
        assert colours
        assert {triplet for triplet in colours if not triplet.red == triplet.green == triplet.blue} == set()


# Keys and settings


async def test_keys_can_be_given_to_other_commands() -> None:
    configure('[keys]\n"app.help" = "ctrl+g"\n"prompt.send" = "ctrl+s"\n"events.open" = "o"\n"detail.close" = "x"\n')
    async with running(fast()) as shown:
        await shown.connected()
        assert shown.toasts == []
        await shown.pilot.press("f1")
        assert shown.app.screen is shown.main
        await shown.pilot.press("ctrl+g")
        await shown.until(lambda: isinstance(shown.app.screen, Help), "the help opens")
        await shown.pilot.press("escape")
        await shown.pilot.press(*"hello", "ctrl+s")
        await shown.says("errors or Azure.")
        await shown.pilot.press("tab", "g", "enter", "o")
        await shown.until(lambda: shown.app.screen is not shown.main, "the event opens")
        await shown.pilot.press("x")
        await shown.until(lambda: shown.app.screen is shown.main, "and closes")


async def test_everything_wrong_with_the_settings_is_said_in_one_toast() -> None:
    configure('nonsense = 1\nvoice = 7\nthis is no toml\n[keys]\n"app.help" = "banana"\n"no.such" = "f9"\n')
    dotenv("AZRT_MODALITY=smell\n")
    async with running(fast()) as shown:
        await shown.connected()
        (toast,) = shown.toasts
        for word in ("nonsense", "voice", "line 3", "banana", "no.such", "AZRT_MODALITY", "smell"):
            assert word in toast
        await shown.answered("hello", 1)


async def test_many_problems_do_not_fill_the_screen() -> None:
    configure("".join(f"nonsense{number} = 1\n" for number in range(40)))
    async with running(fast(), size=(80, 24)) as shown:
        await shown.connected()
        (toast,) = shown.toasts
        assert toast.count("\n") == 6
        assert f"and 34 more, in {paths.for_display(paths.log_file())}" in toast
        assert "Type a message" in shown.text


async def test_what_is_wrong_is_drawn_as_text() -> None:
    configure('[keys]\n"[red]x[/red]\\u001b[2J" = "f9"\n')
    async with running(fast()) as shown:
        await shown.connected()
        assert "[red]x[/red]" in shown.toasts[0]
        assert "\x1b" not in shown.text


# Quitting


async def test_ctrl_q_ends_the_session_and_the_program() -> None:
    simulator = fast()
    async with running(simulator) as shown:
        await shown.connected()
        await shown.pilot.press("ctrl+q")
        await shown.until(lambda: shown.app._exit, "it quits")
        shown.app.close_session()
        assert shown.app.return_code == 0
    assert simulator.simulator.sessions[-1].close_code in (1000, 1001)


async def test_ctrl_c_copies_what_is_selected_and_quits_otherwise() -> None:
    async with running(fast()) as shown:
        await shown.connected()
        shown.prompt.text = "some words"
        shown.prompt.select_all()
        await shown.pilot.press("ctrl+c")
        assert shown.app.clipboard == "some words"
        assert not shown.app._exit
        shown.prompt.clear()
        await shown.pilot.press("ctrl+c")
        assert shown.app._exit


async def test_what_comes_after_the_end_disturbs_nobody() -> None:
    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.drain()

    async with websocket_server(script) as server, running(url=server.url) as shown:
        await shown.until(lambda: shown.app.connected)
        shown.app.exit(0)
        await server.peers[0].send(*({"type": "rate_limits.updated", "rate_limits": []} for _ in range(50)))


async def test_a_key_never_reaches_the_screen() -> None:
    simulator = fast(require_key="another")
    with simulator:
        dotenv(f"OPENAI_API_KEY={KEY}\n")
        async with running(url=simulator.url()) as shown:
            await shown.shows("✗ failed")
            for key in ("tab", "g", "enter"):
                await shown.pilot.press(key)
                assert KEY not in "\n".join(screen_lines(shown.app))
            log = shown.main._log
            assert log is not None
            assert not any(KEY.encode() in log.data(index) for index in range(len(log)))
