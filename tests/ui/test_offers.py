"""What the person is asked when something does not go on, on the screen: the words, the keys, and what they do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.apps import Running, endless, fast, isolate, remap, running
from tui.conversation import Link
from tui.simulator import SimulatorThread
from tui.ui.screens.event_detail import EventDetail

SMALL = (80, 24)


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    isolate(tmp_path, monkeypatch, {"AZRT_ANSWER_WAIT_S": "1", "AZRT_RESPONSE_WAIT_S": "1", "AZRT_SESSION_WAIT_S": "1"})
    yield


async def offered(shown: Running, text: str) -> str:
    """Wait for an offer; it must stand on the screen in full."""
    offer = ""

    def said() -> bool:
        nonlocal offer
        offer = shown.subtitle("prompt")
        return offer.startswith(text) and offer in shown.text  # in full, nothing of it cut off

    await shown.until(said, f"it says {text!r}")
    return offer


async def test_an_answer_that_does_not_come() -> None:
    async with running(fast(faults=["no-answer@1"]), size=SMALL) as shown:
        await shown.connected()
        await shown.say("hello")
        offer = await offered(shown, "No answer for 1 s")
        assert offer == "No answer for 1 s · F12 ask again · ctrl+r reconnect · F7 wait"
        await shown.pilot.press("f7")
        await shown.until(lambda: not shown.subtitle("prompt").startswith("No answer"), "it waits on")
        await offered(shown, "No answer for 1 s")
        await shown.pilot.press("f12")
        await shown.says("scripted answers")
        assert len(shown.sent("conversation.item.create")) == 1


async def test_an_answer_that_does_not_end() -> None:
    async with running(fast(faults=["no-response-done@1"]), size=SMALL) as shown:
        await shown.connected()
        await shown.say("hello")
        offer = await offered(shown, "Answer stands still")
        assert offer == "Answer stands still for 1 s · F12 ask again · ctrl+r reconnect · F7 wait"
        await shown.pilot.press("ctrl+r")
        await shown.says("New session. The agent has the conversation so far: 2 items.")


async def test_no_session() -> None:
    async with running(fast(faults=["no-session-created@1"]), size=SMALL) as shown:
        offer = await offered(shown, "No session.created for 1 s, reconnects in")
        assert offer.endswith("ctrl+r now · F7 wait")
        await shown.connected()


async def test_a_refusal_that_may_pass_counts_down_and_can_be_stopped() -> None:
    async with running(fast(faults=["http-503"]), size=SMALL) as shown:
        offer = await offered(shown, "Connects again in")
        assert offer.endswith(" s · ctrl+r now · F7 stop")
        assert "◌ waiting" in shown.status_text
        assert "failed (HTTP 503" in shown.status_text
        await shown.until(lambda: shown.subtitle("prompt") not in ("", offer), "it counts down")
        await shown.pilot.press("f7")
        await shown.until(lambda: shown.main.status.link is Link.FAILED)
        assert shown.subtitle("prompt") == "not connected: ctrl+r reconnects"


async def test_the_wire_facts_are_behind_a_key() -> None:
    async with running(fast(faults=["http-404"]), size=SMALL) as shown:
        await shown.shows("ctrl+o says more")
        await shown.pilot.press("ctrl+o")
        await shown.until(lambda: isinstance(shown.app.screen, EventDetail), "the event opens")
        await shown.shows("apim-request-id")
        assert "DeploymentNotFound" in shown.text


async def test_nothing_has_failed() -> None:
    async with running(fast(), size=SMALL) as shown:
        await shown.connected()
        await shown.pilot.press("ctrl+o")
        await shown.until(lambda: shown.toasts == ["Nothing has failed."])


async def test_an_answer_that_failed_is_said_where_it_happened_and_in_the_strip() -> None:
    async with running(fast(faults=["rate-limit@1"])) as shown:
        await shown.connected()
        await shown.say("hello")
        await shown.says("too many requests or tokens in a minute. Wait 8 s.")
        await shown.shows("last answer: rate limit")
        await shown.answered("hello", 2)
        await shown.until(lambda: "last answer" not in shown.status_text)


async def test_the_keys_that_are_shown_are_the_keys_that_work(tmp_path: Path) -> None:
    remap(tmp_path, '"session.reconnect" = "ctrl+g"\n"session.wait" = "f10"\n"session.trouble" = "f11"\n')
    with SimulatorThread(engine="recordings") as gone:
        url = gone.url()
    async with running(url=url) as shown:
        offer = await offered(shown, "Connects again in")
        assert offer.endswith("ctrl+g now · F10 stop")
        await shown.shows("F11 says more")
        await shown.pilot.press("f10")
        await shown.until(lambda: shown.subtitle("prompt") == "not connected: ctrl+g reconnects")
        shown.app.action_toggle_microphone()
        await shown.until(lambda: "Not connected: nobody would hear you.\nctrl+g reconnects." in shown.toasts)
        assert "ctrl+r" not in shown.text


async def test_what_sends_during_an_answer_is_the_key_of_now(tmp_path: Path) -> None:
    remap(tmp_path, '"prompt.send" = "ctrl+g"\n')
    async with running(endless(), size=SMALL) as shown:
        await shown.connected()
        await shown.say("tell me a long story")
        await shown.shows("ctrl+g interrupts the answer and sends")
