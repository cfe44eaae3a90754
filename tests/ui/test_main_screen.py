"""The main screen on a real session: three panes, interrupting, moving about, sizes, failures and hostile servers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from textual._compositor import Compositor
from textual.geometry import Region

from tests.support.apps import Running, endless, fast, isolate, running
from tests.support.drawing import HOSTILE, is_safe, lines, resize, screen_lines, segments, strips, wheel
from tests.support.servers import CREATED, Peer, websocket_server
from tests.support.virtual_device import VirtualOutput
from tui.audio.speaker import Speaker as Loudspeaker
from tui.conversation import Speaker, TurnState
from tui.session import Batch, Notice
from tui.session.batch import Severity
from tui.ui.host import SessionHost
from tui.ui.messages import SessionBatch
from tui.ui.screens.event_detail import EventDetail
from tui.ui.widgets.pane_tabs import PaneTabs

STORY = "tell me a long story"


@pytest.fixture(autouse=True)
def isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    isolate(tmp_path, monkeypatch)


@asynccontextmanager
async def scripted(*events: dict[str, Any], size: tuple[int, int] = (120, 36)) -> AsyncIterator[tuple[Running, Peer]]:
    """The program on a server that says ``events`` after its greeting, and nothing else by itself."""

    async def script(peer: Peer) -> None:
        await peer.send(CREATED, *events)
        await peer.drain()

    async with websocket_server(script) as server, running(url=server.url, size=size) as shown:
        await shown.until(lambda: shown.app.connected, "connected")
        yield shown, server.peers[0]


def received(peer: Peer, event_type: str) -> list[dict[str, Any]]:
    """What a scripted server got of one type."""
    return [event for event in map(json.loads, peer.received) if event["type"] == event_type]


def response(event: str, response_id: str = "resp_1", **fields: Any) -> dict[str, Any]:
    body = {"object": "realtime.response", "id": response_id, "output": [], "conversation_id": "conv_1", **fields}
    return {"type": f"response.{event}", "event_id": "event_1", "response": body}


def item_added(item_id: str = "item_1") -> dict[str, Any]:
    item = {"id": item_id, "type": "message", "role": "assistant", "status": "in_progress", "content": []}
    return {
        "type": "response.output_item.added",
        "event_id": "event_1",
        "response_id": "resp_1",
        "output_index": 0,
        "item": item,
    }


def delta(text: str, item_id: str = "item_1") -> dict[str, Any]:
    return {
        "type": "response.output_text.delta",
        "event_id": "event_1",
        "response_id": "resp_1",
        "item_id": item_id,
        "output_index": 0,
        "content_index": 0,
        "delta": text,
    }


def struck(shown: Running) -> str:
    return " ".join(
        segment.text
        for strip in strips(shown.transcript)
        for segment in strip
        if segment.style and segment.style.strike
    )


def assert_whole(shown: Running, width: int, height: int) -> None:
    """Every line of the screen is there and as wide as it, and nothing in it controls the terminal."""
    drawn = screen_lines(shown.app)
    assert [cell_len(line) for line in drawn] == [width] * height
    assert all(is_safe(line) for line in drawn), [line for line in drawn if not is_safe(line)]


def focused(shown: Running) -> str:
    return str(shown.app.focused.id) if shown.app.focused is not None else ""


# A conversation


async def test_a_turn_is_seen_in_all_three_panes() -> None:
    async with running(fast()) as shown:
        await shown.connected()
        await shown.answered("hello", 1)
        await shown.until(lambda: "response.done" in "\n".join(lines(shown.events)))
        events = "\n".join(lines(shown.events))
        for row in ("→  item.create", "you: hello", "→  response.create", "←  output_text.delta", "completed"):
            assert row in events
        assert events.count("output_text.delta") == 1
        assert "×41  Hello, I am the s…" in events
        talk = [turn.speaker for turn in shown.transcript.turns]
        assert talk == [Speaker.USER, Speaker.AGENT]
        assert [turn.state for turn in shown.transcript.turns] == [TurnState.DONE, TurnState.DONE]
        for said in ("● connected", "127.0.0.1", "gpt-realtime", "session 0 min", "answers in text", "tokens 30 in"):
            assert said in shown.status_text
        log = shown.main._log
        assert log is not None
        sent = len(shown.server_got("session.update") + shown.server_got("conversation.item.create")) + 1
        assert f"↑ {sent}   ↓ {len(log) - sent - 1}" in shown.status_text
        assert shown.subtitle("events") == "following"


async def test_an_answer_streams_while_it_comes() -> None:
    async with running(endless()) as shown:
        await shown.connected()
        await shown.say(STORY)
        await shown.shows("agent speaking")
        await shown.says("Here is a long story")
        before = shown.transcript.turns[-1].text
        await shown.until(lambda: len(shown.transcript.turns[-1].text) > len(before) + 20, "the answer grows")
        assert shown.transcript.turns[-1].text.startswith(before)


async def test_sending_goes_back_to_the_end_of_the_conversation() -> None:
    async with running(fast(), size=(120, 16)) as shown:
        await shown.connected()
        await shown.answered("hello", 1)
        await shown.answered("keys", 2)
        await wheel(shown.pilot, shown.transcript, -2)
        assert shown.subtitle("transcript") == "scrolled up · G to the end"
        await shown.say("thanks")
        await shown.until(lambda: "You are welcome" in "\n".join(lines(shown.transcript)))
        assert shown.subtitle("transcript") == ""


async def test_the_words_that_come_before_the_connection_go_out_after_it() -> None:
    async with running(fast()) as shown:
        connected = shown.app.connected
        await shown.say("hello")
        assert not connected
        await shown.says("errors or Azure.")
        assert len(shown.server_got("conversation.item.create")) == 1


@pytest.mark.parametrize(
    ("setting", "hint"),
    [("interrupt", "enter interrupts the answer and sends"), ("queue", "enter sends when the answer is complete")],
)
async def test_the_prompt_says_what_enter_does_during_an_answer(setting: str, hint: str) -> None:
    async with running(endless(), while_answering=setting) as shown:
        await shown.connected()
        assert shown.subtitle("prompt") == ""
        await shown.say(STORY)
        await shown.until(lambda: shown.subtitle("prompt") == hint, hint)
        assert hint in shown.text
        await shown.say("thanks")
        if setting == "interrupt":
            await shown.until(lambda: shown.server_got("response.cancel"), "the answer is cancelled")
            await shown.says("You are welcome")
        else:
            await shown.shows("you · waits")
            await shown.shows("1 waiting")
            assert shown.server_got("response.cancel") == []


# Interrupting


@pytest.mark.parametrize(("pane", "key"), [("prompt", "escape"), ("events", "escape"), ("transcript", "f3")])
async def test_interrupting_stops_the_answer_wherever_the_focus_is(pane: str, key: str) -> None:
    async with running(endless()) as shown:
        await shown.connected()
        await shown.say(STORY)
        await shown.says("Here is a long")
        shown.main.query_one(f"#{pane}").focus()
        await shown.pilot.press(key)
        await shown.says("interrupted")
        await shown.until(lambda: shown.server_got("response.cancel"), "response.cancel on the wire")
        await shown.until(lambda: "cancelled" in "\n".join(lines(shown.events)), "the server confirms")
        (cancel,) = shown.sent("response.cancel")
        assert cancel["response_id"].startswith("resp_")
        assert shown.sent("conversation.item.truncate") == []
        assert "agent idle" in shown.status_text
        assert shown.transcript.turns[-1].state is TurnState.INTERRUPTED
        assert "agent" in shown.text and "response.cancel" in shown.text


async def test_without_a_loudspeaker_audio_is_read_and_nothing_of_it_is_struck_through() -> None:
    async with running(endless(audio_factor=1000.0), modality="audio") as shown:
        await shown.connected()
        await shown.say(STORY)
        await shown.says("Here is a long")
        await shown.until(lambda: "of audio" in "\n".join(lines(shown.events)), "audio comes")
        await shown.pilot.press("escape")
        await shown.says("interrupted")
        turn = shown.transcript.turns[-1]
        assert turn.text[: turn.heard].startswith("Here is a long")
        assert not shown.server_got("conversation.item.truncate")


async def test_with_audio_what_was_not_heard_is_truncated_and_struck_through(monkeypatch: pytest.MonkeyPatch) -> None:
    device = VirtualOutput()
    monkeypatch.setattr(SessionHost, "make_speaker", lambda host: Loudspeaker(open_output=device.connect))
    async with running(endless(audio_factor=1000.0), modality="audio") as shown:
        await shown.connected()
        await shown.say(STORY)
        await shown.says("Here is a long")
        await shown.until(lambda: "of audio" in "\n".join(lines(shown.events)), "audio comes")
        await shown.pilot.press("escape")
        await shown.until(lambda: shown.server_got("conversation.item.truncate"), "truncate on the wire")
        (truncate,) = shown.server_got("conversation.item.truncate")
        assert truncate["item_id"] == shown.transcript.turns[-1].item_id
        assert 0 <= truncate["audio_end_ms"] < 30_000
        await shown.says(f"interrupted at {truncate['audio_end_ms'] / 1000:.1f} s")
        turn = shown.transcript.turns[-1]
        assert turn.heard < len(turn.text)
        await shown.until(lambda: struck(shown), "struck through")
        assert turn.text[turn.heard :].split()[0] in struck(shown).split()


async def test_what_comes_late_is_struck_through_too() -> None:
    async with scripted(response("created"), item_added(), delta("Heard words")) as (shown, peer):
        await shown.says("Heard words")
        await shown.pilot.press("escape")
        await shown.until(lambda: received(peer, "response.cancel"), "response.cancel on the wire")
        await peer.send(delta(" and late ones"), response("done", status="cancelled"))
        await shown.says("and late ones")
        assert struck(shown).split() == ["and", "late", "ones"]
        (heard,) = segments(shown.transcript, "Heard words")
        assert heard.style is not None and not heard.style.strike
        assert "interrupted" in "\n".join(lines(shown.transcript))


async def test_with_nothing_to_interrupt_it_says_so_and_sends_nothing() -> None:
    async with running(fast()) as shown:
        await shown.connected()
        await shown.pilot.press("escape")
        await shown.until(lambda: shown.toasts, "a toast")
        assert shown.toasts == ["Nothing to interrupt: the agent is silent."]
        assert shown.sent("response.cancel") == []


# Panes and keys


async def test_tab_goes_around_the_panes_and_back() -> None:
    async with running(fast()) as shown:
        order = [focused(shown)]
        for key in ("tab", "tab", "tab", "shift+tab", "shift+tab"):
            await shown.pilot.press(key)
            order.append(focused(shown))
        assert order == ["prompt", "events", "transcript", "prompt", "transcript", "events"]


async def test_enter_on_an_event_opens_it_and_escape_comes_back() -> None:
    async with running(fast()) as shown:
        await shown.connected()
        await shown.pilot.press("tab", "g", "j", "j", "j", "enter")
        await shown.until(lambda: isinstance(shown.app.screen, EventDetail), "the detail opens")
        await shown.until(lambda: "session.updated" in shown.text and "sess_" in shown.text, "it shows the frame")
        await shown.pilot.press("escape")
        await shown.until(lambda: shown.app.screen is shown.main, "the main screen is back")
        assert focused(shown) == "events"
        assert shown.sent("response.cancel") == []


async def test_a_folded_row_opens_with_all_its_frames() -> None:
    async with running(fast()) as shown:
        await shown.connected()
        await shown.answered("hello", 1)
        row = next(y for y, line in enumerate(lines(shown.events)) if "×41" in line)
        await shown.pilot.click(shown.events, (20, row), times=2)
        await shown.until(lambda: isinstance(shown.app.screen, EventDetail), "the detail opens")
        await shown.shows("of 41")


async def test_y_copies_the_frames_of_an_event_and_the_latest_answer() -> None:
    async with running(fast()) as shown:
        await shown.connected()
        await shown.answered("hello", 1)
        # The fourth row: which of session.created and the first session.update comes first is a matter of chance.
        await shown.pilot.press("tab", "g", "j", "j", "j", "y")
        await shown.until(lambda: shown.app.clipboard.startswith("{"), "the frame is copied")
        assert json.loads(shown.app.clipboard)["type"] == "session.updated"
        assert "if your terminal allows it" in shown.toasts[-1]
        await shown.pilot.press("tab", "y")
        await shown.until(lambda: shown.app.clipboard.startswith("Hello, I am"), "the answer is copied")


async def test_zoom_gives_a_pane_the_screen_and_escape_takes_it_back() -> None:
    async with running(fast()) as shown:
        await shown.connected()
        await shown.pilot.press("tab", "f4")
        await shown.until(lambda: shown.events.size.width == 118, "the events fill the screen")
        assert focused(shown) == "events"
        assert "Type a message" not in shown.text
        await shown.pilot.press("escape")
        await shown.until(lambda: shown.events.size.width < 70, "the others have their place back")
        assert focused(shown) == "prompt"
        assert shown.toasts == []
        await shown.pilot.press("f4")
        await shown.until(lambda: shown.transcript.size.width == 118, "the conversation fills the screen")
        assert focused(shown) == "transcript"
        await shown.pilot.press("f4")
        await shown.until(lambda: shown.transcript.size.width < 70, "the others have their place back")


async def test_tab_leaves_the_zoom() -> None:
    async with running(fast()) as shown:
        await shown.pilot.press("f4", "tab")
        await shown.shows("Type a message")
        assert focused(shown) == "prompt"


async def test_a_narrow_screen_shows_one_pane_and_tabs() -> None:
    async with running(fast(), size=(80, 24)) as shown:
        await shown.connected()

        def visible() -> tuple[bool, bool]:
            return tuple(shown.main.query_one(f"#{pane}-frame").display for pane in ("events", "transcript"))  # type: ignore[return-value]

        assert visible() == (False, True)
        assert " Conversation  │  Events " in shown.text
        seen = []
        for _ in range(3):
            await shown.pilot.press("tab")
            await shown.pilot.pause()
            seen.append((focused(shown), visible()))
        assert seen == [("events", (True, False)), ("transcript", (False, True)), ("prompt", (False, True))]
        tabs = shown.main.query_one(PaneTabs)
        await shown.pilot.click(tabs, (20, 0))
        await shown.pilot.pause()
        assert visible() == (True, False)
        assert focused(shown) == "prompt"
        await shown.shows("session.updated")
        await shown.pilot.press("tab")
        await shown.pilot.click(tabs, (5, 0))
        await shown.pilot.pause()
        assert visible() == (False, True)
        assert focused(shown) == "transcript"


async def test_a_hidden_pane_is_right_when_it_is_shown() -> None:
    async with running(fast(), size=(80, 20)) as shown:
        await shown.connected()
        await shown.answered("hello", 1)
        await shown.pilot.press("tab")
        await shown.until(lambda: "response.done" in "".join(lines(shown.events)[-1:]), "the newest is at the end")


async def test_a_low_screen_says_everything_in_few_lines() -> None:
    async with running(endless(), size=(40, 12)) as shown:
        await shown.connected()
        assert len(lines(shown.strip)) == 1
        assert "● connected   agent idle" in shown.text
        await shown.say(STORY)
        await shown.shows("enter interrupts the answer and sends")
        await shown.pilot.press("tab", "space")
        await shown.shows("paused")
        assert shown.events.size.height == 7


@pytest.mark.parametrize("size", [(40, 12), (20, 5), (3, 2)])
async def test_a_small_screen_is_drawn_whole(size: tuple[int, int]) -> None:
    async with running(fast(), size=size) as shown:
        await shown.until(lambda: shown.app.connected)
        await shown.say("hello")
        await shown.says("errors or Azure.")
        for key in ("tab", "k", "f4", "f4", "tab", "tab"):
            await shown.pilot.press(key)
            assert_whole(shown, *size)


async def test_resizing_while_it_runs_keeps_everything_in_view() -> None:
    async with running(fast()) as shown:
        await shown.connected()
        await shown.answered("hello", 1)
        for size in [(99, 24), (40, 12), (60, 15), (100, 16), (10, 3), (20, 5), (200, 60), (120, 36)]:
            await resize(shown.pilot, *size)
            assert_whole(shown, *size)
        assert "response.done" in "\n".join(lines(shown.events))
        assert lines(shown.transcript)[-1] == "" and "Hello, I am the simulator" in "\n".join(lines(shown.transcript))


# Nothing moves without a reason


async def test_an_idle_screen_draws_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []
    original = Compositor.render_partial_update

    def watch(self: Compositor) -> object:
        drawn.append(set(self._dirty_regions))
        return original(self)

    async with running(fast()) as shown:
        await shown.connected()
        await shown.answered("hello", 1)
        await shown.until(lambda: "   0/s" in shown.status_text, "the rate is back at zero")
        await shown.pilot.pause(0.2)
        monkeypatch.setattr(Compositor, "render_partial_update", watch)
        await asyncio.sleep(0.7)
        assert drawn == []


async def test_a_pause_costs_one_line_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    areas: list[Region] = []
    original = Compositor.render_partial_update

    def watch(self: Compositor) -> object:
        areas.extend(region for region in self._dirty_regions if region.height > 2)
        return original(self)

    async with scripted() as (shown, peer):
        await shown.pilot.press("tab", "space")
        await shown.pilot.pause(0.2)
        monkeypatch.setattr(Compositor, "render_partial_update", watch)
        for number in range(3):
            await peer.send({"type": "rate_limits.updated", "event_id": "event_1", "rate_limits": []})
            await shown.until(lambda n=number: f"{n + 1} new" in shown.subtitle("events"), "the counter counts")  # type: ignore[misc]
        assert areas == []


# Whatever the server sends


def hostile_events(text: str) -> list[dict[str, Any]]:
    """Text in every place of every event that the screen shows something of."""
    message = {
        "id": f"i{text}",
        "type": "message",
        "role": text,
        "status": text,
        "content": [{"type": "text", "text": text}],
    }
    call = {"id": f"c{text}", "type": "function_call", "name": text, "arguments": text, "call_id": text}
    error = {"type": text, "code": text, "message": text, "param": text}
    return [
        {"type": "session.updated", "session": {**CREATED["session"], "model": text, "id": text}},  # type: ignore[dict-item]
        {"type": "conversation.item.added", "previous_item_id": text, "item": message},
        {"type": "conversation.item.added", "item": {**message, "id": f"u{text}", "role": "user"}},
        response("created", text),
        {"type": "response.output_item.added", "response_id": text, "item": call},
        {"type": "response.function_call_arguments.delta", "item_id": call["id"], "delta": text},
        delta(text, text),
        {"type": "conversation.item.input_audio_transcription.failed", "item_id": text, "error": error},
        response("done", text, status="failed", status_details={"type": text, "reason": text, "error": error}),
        {"type": "error", "event_id": text, "error": error},
        {"type": text, text: text},
    ]


@pytest.mark.parametrize("size", [(120, 60), (40, 12)])
async def test_nothing_that_a_server_sends_reaches_the_terminal_as_such(size: tuple[int, int]) -> None:
    hostile = [text[:50_000] for text in HOSTILE.values()]
    async with scripted(size=size) as (shown, peer):
        await peer.send(*(event for text in hostile for event in hostile_events(text)), b"\xff\xfe", "[" * 10_000)
        total = len(hostile) * len(hostile_events("")) + 2
        await shown.until(lambda: f"↓ {total + 1}" in shown.status_text or len(shown.types()) >= total, "all is shown")
        for key in ("tab", "g", "G", "e", "enter", "escape", "k", "enter", "escape", "tab", "g", "G", "tab"):
            await shown.pilot.press(key)
            assert_whole(shown, *size)
        assert shown.app.connected
        assert shown.app.is_running


async def test_hostile_words_about_the_end_are_drawn_as_text() -> None:
    async with scripted() as (shown, peer):
        await peer.connection.close(1008, "\x1b[2J[red]no[/red] \u202egnp.exe")
        await shown.shows("○ closed")
        await shown.says("[red]no[/red]")
        assert_whole(shown, 120, 36)
        assert "[red]no[/red]" in shown.text


async def test_notices_are_drawn_as_text() -> None:
    async with running(fast()) as shown:
        await shown.connected()
        log = shown.main._log
        assert log is not None
        notices = tuple(Notice(f"{text[:80]}\n{name} in two lines", Severity.ERROR) for name, text in HOSTILE.items())
        shown.main.post_message(SessionBatch(Batch(len(log), log.rows, (), (), None, shown.main.status, notices)))
        await shown.until(lambda: len(shown.toasts) == len(HOSTILE), "all are said")
        assert "\nansi in two lines" in shown.toasts[0]
        await shown.shows("two lines")
        assert_whole(shown, 120, 36)
