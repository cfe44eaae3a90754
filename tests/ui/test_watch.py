"""Watching other clients: the real relay, a real client and a real server, and what the screen shows of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from tests.support.apps import isolate
from tests.support.drawing import screen_lines, until
from tests.unit.simulator.support import Client, simulator
from tui.capture.file.folder import captures
from tui.endpoint import explicit_target
from tui.paths import captures_dir
from tui.settings import load_settings
from tui.ui import watch_app as watch
from tui.ui.screens.help import Help
from tui.ui.screens.replay import ReplayScreen
from tui.ui.screens.watch import WatchScreen
from tui.ui.watch_app import WatchApp
from tui.ui.widgets.event_pane import EventPane
from tui.ui.widgets.session_tabs import SessionTabs
from tui.ui.widgets.transcript_pane import TranscriptPane
from tui.watch import Address, RelayPlan

KEY = "sk-canary-0123456789abcdef"


@dataclass
class Watching:
    """The program while it runs."""

    app: WatchApp
    pilot: Pilot[int]

    @property
    def text(self) -> str:
        """Everything that the screen shows."""
        return "\n".join(screen_lines(self.app))

    @property
    def shown(self) -> int:
        """The number of the session that is looked at."""
        assert isinstance(self.app.screen, WatchScreen)
        return self.app.screen.number

    @property
    def tabs(self) -> str:
        """The line of tabs."""
        return str(self.app.screen.query_one(SessionTabs).render())

    def url(self, model: str) -> str:
        """Where a client connects to."""
        return f"{self.app.relay.url}/v1/realtime?model={model}"

    async def until(self, condition: Callable[[], object], what: str = "") -> None:
        """Wait until a condition holds."""
        await until(self.pilot, condition, what)

    async def shows(self, *texts: str) -> None:
        """Wait until the screen shows these."""
        for text in texts:
            await self.until(lambda wanted=text: wanted in self.text, f"the screen shows {text!r}")  # type: ignore[misc]

    @asynccontextmanager
    async def client(self, model: str) -> AsyncIterator[Client]:
        """A client that connects through the relay; its session is the newest."""
        async with connect(self.url(model)) as connection:
            yield Client(connection)


@asynccontextmanager
async def watching(
    target: str, *, size: tuple[int, int] = (120, 36), tls: bool = False, **options: Any
) -> AsyncIterator[Watching]:
    """Run the program in front of a server."""
    loaded = load_settings({"url": target, **options})
    app = WatchApp(loaded, RelayPlan.from_settings(loaded.settings, Address("127.0.0.1", 0), tls=tls))
    await asyncio.to_thread(app.relay.start)
    try:
        async with app.run_test(size=size, notifications=True) as pilot:
            yield Watching(app, pilot)
    finally:
        await asyncio.to_thread(app.close_session)


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    isolate(tmp_path, monkeypatch, {"OPENAI_API_KEY": KEY})


@pytest.mark.parametrize("size", [(120, 36), (80, 24), (60, 20)])
async def test_before_anybody_connects_it_says_how_to(size: tuple[int, int]) -> None:
    async with simulator() as sim, watching(sim.url(), size=size) as shown:
        address = shown.app.relay.url.removeprefix("ws://")
        await shown.shows("◌ listening", f"http://{address}/v1", f"ws://{address}/v1/realtime", f"◌ {address}")
        assert KEY not in shown.text


async def test_a_target_of_another_kind_is_named_and_so_is_how_to_reach_it() -> None:
    async with simulator() as sim, watching(f"{sim.url().partition('/openai')[0]}/v1/live/sessions") as shown:
        address = shown.app.relay.url.removeprefix("ws://")
        await shown.shows("◌ listening", "Live", f"ws://{address}/v1/live/sessions")


async def test_a_session_of_another_kind_is_named() -> None:
    async with simulator() as sim, watching(sim.url()) as shown:
        url = f"{shown.app.relay.url}/openai/v1/realtime/translations?model=my-model"
        with pytest.raises(InvalidStatus):  # the simulator speaks Realtime
            await connect(url)
        await shown.shows("translation   my-model", "✗ 1 translation my-model")


async def test_a_session_is_shown_as_it_happens_and_is_in_a_capture() -> None:
    async with simulator(require_key=KEY) as sim, watching(sim.url()) as shown:
        async with shown.client("my-model") as client:
            await client.ask("hello", output_modalities=["text"])
            await shown.shows("● connected", "my-model", "● 1 my-model", "→  item.create", "Hello, I am the simulator")
            assert "mic" not in "".join(shown.text.splitlines()[:2])
        await shown.shows("○ 1 my-model", "The client ended the session (1000).", "0/s")
        assert "ctrl+r" not in shown.text
    (path,) = captures(captures_dir())
    kept = path.read_text()
    assert kept.count('"type":"response.done"') == 1
    assert KEY not in kept


async def test_each_session_has_a_tab_and_keeps_its_place() -> None:
    async with simulator() as sim, watching(sim.url()) as shown, shown.client("one") as one, shown.client("two") as two:
        await one.ask("hello from one", output_modalities=["text"])
        await two.ask("hello from two", output_modalities=["text"])
        await shown.until(lambda: "● 1 one" in shown.tabs and "● 2 two" in shown.tabs, "both tabs")
        assert shown.shown == 1  # it is alive, so the newer one does not take its place
        await shown.shows("hello from one")
        await shown.pilot.press("tab", "g")
        await shown.until(lambda: not shown.app.screen.query_one(EventPane).following, "the first row")
        await shown.pilot.press("ctrl+pagedown")
        await shown.shows("hello from two")
        assert shown.shown == 2
        assert "hello from one" not in shown.text
        await shown.pilot.press("ctrl+pageup")
        await shown.until(lambda: shown.shown == 1, "back")
        assert not shown.app.screen.query_one(EventPane).following
        await shown.pilot.press("ctrl+pageup")
        await shown.until(lambda: shown.shown == 0, "where it listens")
        await shown.pilot.press("left")
        await shown.until(lambda: shown.shown == 2, "round to the last")
        await shown.pilot.press("home", "end")
        await shown.until(lambda: shown.shown == 2, "the last")


async def test_the_newest_session_is_shown_when_the_one_before_is_over() -> None:
    async with simulator() as sim, watching(sim.url()) as shown:
        async with shown.client("one"):
            await shown.until(lambda: "● 1 one" in shown.tabs, "the first")
        await shown.until(lambda: "○ 1 one" in shown.tabs, "it is over")
        async with shown.client("two"):
            await shown.until(lambda: shown.shown == 2 and "● 2 two" in shown.tabs, "the second")


async def test_a_tab_is_closed_when_its_session_is_over_and_not_before() -> None:
    async with simulator() as sim, watching(sim.url()) as shown:
        async with shown.client("one"):
            await shown.until(lambda: shown.shown == 1 and "● 1 one" in shown.tabs, "the session")
            await shown.pilot.press("ctrl+w")
            await shown.shows("This session still runs; its client ends it.")
        await shown.until(lambda: "○ 1 one" in shown.tabs, "it is over")
        await shown.pilot.press("ctrl+w")
        await shown.until(lambda: shown.shown == 0 and "one" not in shown.tabs, "the tab is gone")
        await shown.pilot.press("ctrl+w")
        assert shown.shown == 0  # the place where it listens stays


async def test_old_sessions_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "MOST_SESSIONS", 2)
    async with simulator() as sim, watching(sim.url()) as shown, shown.client("lasting"):
        await shown.until(lambda: "● 1 lasting" in shown.tabs, "the first")
        for number in range(2, 6):
            async with shown.client(f"m{number}"):
                await shown.until(lambda n=number: f"● {n} m{n}" in shown.tabs, "it is there")  # type: ignore[misc]
            await shown.until(lambda n=number: f"○ {n} m{n}" in shown.tabs, "it is over")  # type: ignore[misc]
        assert "● 1 lasting" in shown.tabs
        assert "m5" in shown.tabs
        assert "m2" not in shown.tabs
        assert "m3" not in shown.tabs


async def test_a_refusal_is_a_session_that_failed() -> None:
    async with simulator(faults=["http-404"]) as sim, watching(sim.url()) as shown:
        with pytest.raises(InvalidStatus):
            await connect(shown.url("gone"))
        await shown.shows("✗ failed", "✗ 1 gone", "DeploymentNotFound")


async def test_what_comes_to_no_session_is_shown_where_it_listens() -> None:
    async with simulator() as sim, watching(sim.url()) as shown:
        for _ in range(2):
            with pytest.raises(InvalidStatus):
                await connect(shown.url("m"), origin=Origin("file://"))
        await shown.shows("Not relayed", "--allow-origin file://", "2 times: azrt-tui watch")
        async with shown.client("one"):
            await shown.until(lambda: shown.shown == 1, "the session")
            with pytest.raises(InvalidStatus):
                await connect(shown.url("m"), origin=Origin("file://"))
        await shown.pilot.press("home")
        await shown.shows("3 times: azrt-tui watch")


async def test_many_requests_that_come_to_nothing_do_not_fill_the_screen_for_ever() -> None:
    async with simulator() as sim, watching(sim.url()) as shown:
        for number in range(watch.MOST_REFUSALS + 5):
            with pytest.raises(InvalidStatus):
                await connect(shown.url("m"), origin=Origin(f"app://{number}"))
        pane = shown.app.screen.query_one(TranscriptPane)
        last = f"app://{watch.MOST_REFUSALS - 1}"
        await shown.until(lambda: pane.turns[-1].text.endswith(last), "the last")
        await shown.pilot.pause()
        assert len(pane.turns) == 1 + watch.MOST_REFUSALS


async def test_with_tls_it_says_what_to_trust(tmp_path: Path) -> None:
    async with simulator() as sim, watching(sim.url(), tls=True) as shown:
        address = shown.app.relay.url.removeprefix("wss://")
        assert shown.app.relay.ca_file is not None
        await shown.shows(f"https://{address}/v1", f"wss://{address}/v1/realtime", f"wss://{address}/openai")
        for name in ("SSL_CERT_FILE=", "NODE_EXTRA_CA_CERTS="):
            await shown.shows(name)
        await shown.shows(f"◌ {address}")


def test_the_hint_names_what_each_library_takes() -> None:
    plan = RelayPlan(Address("127.0.0.1", 0), explicit_target("ws://127.0.0.1:1/v1/realtime?model=m", None))
    plain = "\n".join(watch.how_to_connect("ws://127.0.0.1:8765", plan))
    assert "base_url\n  http://127.0.0.1:8765/v1\n" in plain
    assert "websocket_base_url\n  ws://127.0.0.1:8765/v1\n  ws://127.0.0.1:8765/openai  (AzureOpenAI)\n" in plain
    assert "--tls" in plain
    secured = "\n".join(watch.how_to_connect("wss://127.0.0.1:8765", plan, Path("/a b/watch-8765.pem")))
    assert "base_url\n  https://127.0.0.1:8765/v1\n" in secured
    assert "SSL_CERT_FILE='/a b/watch-8765.pem'" in secured
    assert "--tls" not in secured


async def test_a_model_that_is_a_terminals_command_is_no_command() -> None:
    async with simulator() as sim, watching(sim.url()) as shown, shown.client("%1b%5b2Jx%5bred%5d"):
        await shown.until(lambda: "● 1" in shown.tabs, "the tab")
        assert "\x1b" not in shown.tabs
        assert "x[red]" in shown.tabs


async def test_a_session_can_be_replayed_and_left() -> None:
    async with simulator() as sim, watching(sim.url()) as shown, shown.client("one") as client:
        await client.ask("hello", output_modalities=["text"])
        await shown.shows("Hello, I am the simulator")
        await shown.pilot.press("f8")
        await shown.until(lambda: isinstance(shown.app.screen, ReplayScreen), "the replay")
        await shown.shows("▷ replay", "Hello, I am the simulator")
        await client.ask("thanks", output_modalities=["text"])
        await shown.pilot.press("escape")
        await shown.until(lambda: isinstance(shown.app.screen, WatchScreen), "back")
        await shown.shows("● 1 one", "You are welcome")


async def test_the_help_and_the_palette_are_about_watching() -> None:
    async with simulator() as sim, watching(sim.url()) as shown:
        await shown.shows("◌ listening")
        names = [command.title for command in shown.app.get_system_commands(shown.app.screen)]
        assert "Next session" in names
        assert not {"Microphone", "Reconnect", "Interrupt"} & set(names)
        await shown.pilot.press("f1")
        await shown.until(lambda: isinstance(shown.app.screen, Help), "the help")
        await shown.shows("Sessions and panes")
        assert "Microphone" not in shown.text
        await shown.pilot.press("escape")
        await shown.until(lambda: isinstance(shown.app.screen, WatchScreen), "back")


async def test_keys_of_the_persons_own_session_do_nothing() -> None:
    async with simulator() as sim, watching(sim.url()) as shown:
        async with shown.client("one") as client:
            await shown.until(lambda: shown.shown == 1, "the session")
            await client.until("session.created")
            await shown.pilot.press("f2", "ctrl+t", "ctrl+r", "escape", "f3", "f5", "f9")
            assert isinstance(shown.app.screen, WatchScreen)
            await client.ask("hello", output_modalities=["text"])
        await shown.until(lambda: "○ 1 one" in shown.tabs, "it is over")
        (log,) = sim.sessions
        assert len(log.received) == 2


async def test_sessions_that_came_before_the_screen_are_shown() -> None:
    async with simulator() as sim:
        loaded = load_settings({"url": sim.url()})
        app = WatchApp(loaded, RelayPlan.from_settings(loaded.settings, Address("127.0.0.1", 0)))
        await asyncio.to_thread(app.relay.start)
        try:
            async with connect(f"{app.relay.url}/v1/realtime?model=early") as connection:
                await Client(connection).ask("hello", output_modalities=["text"])
                async with app.run_test(size=(120, 36)) as pilot:
                    await Watching(app, pilot).shows("● 1 early", "Hello, I am the simulator")
        finally:
            await asyncio.to_thread(app.close_session)
