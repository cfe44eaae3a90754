"""The status strip: what it says in each state, what goes first where there is little room, and hostile names."""

from __future__ import annotations

import time
from typing import Any

from rich.cells import cell_len
from textual.geometry import Region

from tests.support.drawing import assert_clean, each_hostile, lines, segments, staged, until, watched
from tui.conversation import AgentState, Cause, Link, MicrophoneState, Status
from tui.ui.widgets.status_strip import StatusStrip

HOST, MODEL = "acme.openai.azure.com", "gpt-realtime-mini"
CAUSE = Cause("http-401", f"{HOST} refused the key (HTTP 401, Unauthorized).", "Check AZURE_OPENAI_API_KEY.")


def connected(**fields: Any) -> Status:
    """A session that is under way."""
    usual = {
        "link": Link.CONNECTED,
        "host": HOST,
        "model": MODEL,
        "session_id": "sess_3nYFCvpVA9MKAF3kLu0KP",
        "started_s": 0.4,
        "expires_at": time.time() + 3350,
        "modality": "text",
        "received": 1894,
        "sent": 212,
        "rate": 38.4,
    }
    return Status(**{**usual, **fields})


async def shown(status: Status, width: int = 120) -> list[str]:
    """The two lines of a status."""
    async with staged(StatusStrip(id="status"), (width, 10)) as stage:
        stage.widget.update_status(status)
        await stage.pilot.pause()
        assert_clean(stage.widget)
        return lines(stage.widget)


async def test_at_a_glance() -> None:
    first, second = await shown(
        connected(agent=AgentState.SPEAKING, tokens_in=1204, tokens_out=388, first_output_ms=812), 130
    )
    assert first.startswith(f" ● connected   {HOST}   {MODEL}   ")
    for said in ("session 0 min, 55 min left", "↑ 212", "↓ 1,894", "38/s"):
        assert said in first
    for said in ("agent speaking", "mic off (F2)", "answers in text", "first output 812 ms"):
        assert said in second
    assert "tokens 1,204 in, 388 out" in second
    assert second.endswith("sess_3nYFCvpVA9MKAF3kLu0KP")


async def test_every_state_of_the_link_has_a_sign_and_a_word() -> None:
    said = []
    async with staged(StatusStrip(id="status"), (120, 2)) as stage:
        for link in Link:
            stage.widget.update_status(connected(link=link))
            said.append(lines(stage.widget)[0].split("   ")[0])
    assert said == [
        " ○ idle",
        " ◌ listening",
        " ◌ connecting",
        " ● connected",
        " ◌ waiting",
        " ◌ closing",
        " ○ closed",
        " ✗ failed",
    ]


async def test_every_state_of_the_agent_is_said() -> None:
    async with staged(StatusStrip(id="status"), (120, 2)) as stage:
        for agent in AgentState:
            stage.widget.update_status(connected(agent=agent))
            assert f"agent {agent}" in lines(stage.widget)[1]


async def test_a_failure_takes_the_second_line_and_says_what_to_press() -> None:
    first, second = await shown(connected(link=Link.FAILED, cause=CAUSE))
    assert "✗ failed" in first
    assert CAUSE.sentence in second
    assert second.endswith("ctrl+o says more")


async def test_the_clock_of_a_session_that_is_over_stops() -> None:
    first, _ = await shown(connected(link=Link.CLOSED, cause=CAUSE))
    assert "session" not in first and "left" not in first


async def test_the_last_minute_is_announced() -> None:
    assert "less than a minute left" in (await shown(connected(expires_at=time.time() + 42)))[0]


async def test_a_session_without_an_end_has_an_age_only() -> None:
    assert " left" not in (await shown(connected(expires_at=9_999_999_999)))[0], "a server without a limit"
    first, _ = await shown(connected(expires_at=None))
    assert "session 0 min" in first and "left" not in first


async def test_messages_that_wait_are_counted() -> None:
    assert "2 waiting" in (await shown(connected(queued=2)))[1]


async def test_the_simulator_is_never_taken_for_a_model() -> None:
    assert "simulator: scripted answers, no model" in (await shown(connected(simulator=True)))[0]
    for width in (80, 60, 40):
        assert "simulator" in (await shown(connected(simulator=True), width))[0]


async def test_where_there_is_less_room_what_matters_least_goes_first() -> None:
    status = connected(tokens_in=1204, tokens_out=388, first_output_ms=812)
    said_first, said_second = [], []
    for width in (140, 100, 80, 60, 40, 20):
        first, second = await shown(status, width)
        said_first.append([word for word in ("connected", HOST, MODEL, "min left", "↑", "↓", "/s") if word in first])
        said_second.append([word for word in ("agent", "mic", "tokens", "first output", "sess_") if word in second])
    assert said_first == [
        ["connected", HOST, MODEL, "min left", "↑", "↓", "/s"],
        ["connected", HOST, MODEL, "min left", "/s"],
        ["connected", HOST, MODEL, "↑", "↓"],
        ["connected", HOST, MODEL],
        ["connected", HOST],
        ["connected"],
    ]
    assert said_second == [
        ["agent", "mic", "tokens", "first output", "sess_"],
        ["agent", "mic", "tokens", "first output"],
        ["agent", "mic", "tokens", "first output"],
        ["agent", "mic", "tokens"],
        ["agent", "mic"],
        ["agent"],
    ]


async def test_one_line_says_what_nobody_can_do_without() -> None:
    async with staged(StatusStrip(id="status"), (60, 1)) as stage:
        stage.widget.styles.height = 1
        await until(stage.pilot, lambda: stage.widget.size.height == 1)
        stage.widget.update_status(connected(agent=AgentState.SPEAKING, queued=1, modality="audio"))
        await stage.pilot.pause()
        assert lines(stage.widget) == [" ● connected   agent speaking   1 waiting   mic off"]
        stage.widget.update_status(connected(simulator=True))
        assert lines(stage.widget) == [" ● simulator   agent idle   mic off"]
        stage.widget.update_status(connected(link=Link.FAILED, cause=CAUSE))
        assert lines(stage.widget) == [f" {CAUSE.sentence[:57]}…"[:60]]
        assert_clean(stage.widget)


async def test_the_microphone_says_its_state() -> None:
    async with staged(StatusStrip(id="status"), (100, 2)) as stage:
        stage.widget.update_status(connected())
        stage.widget.update_status(connected(microphone=MicrophoneState.UNAVAILABLE))
        assert "mic unavailable (F2)" in lines(stage.widget)[1]


async def test_good_and_bad_news_have_colours_of_their_own() -> None:
    async with staged(StatusStrip(id="status"), (100, 2)) as stage:
        stage.widget.update_status(connected())
        (good,), (plain,) = segments(stage.widget, "● connected"), segments(stage.widget, HOST)
        stage.widget.update_status(connected(link=Link.FAILED, cause=CAUSE))
        stage.widget.refresh()
        await stage.pilot.pause()
        (bad,) = segments(stage.widget, "✗ failed")
    colours = {segment.style.color for segment in (good, plain, bad) if segment.style}
    assert len(colours) == 3


async def test_only_a_line_that_changed_is_drawn() -> None:
    async with staged(StatusStrip(id="status"), (100, 2)) as stage:
        stage.widget.update_status(connected())
        drawn = watched(stage.widget)
        stage.widget.update_status(connected())
        assert drawn == []
        stage.widget.update_status(connected(agent=AgentState.THINKING))
        assert drawn == [Region(0, 1, 100, 1)]


@each_hostile
async def test_hostile_names_are_drawn_as_text(hostile: str) -> None:
    cause = Cause("closed-1008", hostile, hostile, {hostile: hostile})
    async with staged(StatusStrip(id="status"), (100, 2)) as stage:
        for status in (
            connected(host=hostile, model=hostile, session_id=hostile, modality="text"),
            connected(link=Link.CLOSED, cause=cause),
        ):
            stage.widget.update_status(status)
            await stage.pilot.pause()
            assert_clean(stage.widget)
            assert cell_len(lines(stage.widget)[0]) <= 100


async def test_meters_move_while_there_is_something_to_hear_and_nothing_ticks_otherwise() -> None:
    levels = [0.0, 0.0]
    async with staged(StatusStrip(id="status"), (100, 2)) as stage:
        strip = stage.widget
        strip.watch_levels(lambda: (levels[0], levels[1]), per_second=100)
        strip.update_status(connected(modality="audio"))
        assert strip._meter is not None and not strip._meter._active.is_set(), "paused"
        assert "mic off (F2)" in lines(strip)[1]
        strip.update_status(connected(modality="audio", microphone=MicrophoneState.ON, agent=AgentState.SPEAKING))
        assert strip._meter._active.is_set()
        assert "agent speaking ▁   mic on ▁ (F2)" in lines(strip)[1]
        levels[:] = [1.0, 0.5]
        await until(stage.pilot, lambda: "agent speaking ▅   mic on █ (F2)" in lines(strip)[1])
        await stage.pilot.pause()
        drawn = watched(strip)
        for _ in range(5):
            strip._measure()
        assert drawn == [], "the same level is not drawn again"
        levels[:] = [0.3, 0.5]
        strip._measure()
        assert drawn == [Region(0, 1, 100, 1)]
        strip.update_status(connected(modality="audio"))
        assert not strip._meter._active.is_set() and "agent idle   mic off (F2)" in lines(strip)[1]


async def test_an_answer_in_text_has_no_meter() -> None:
    async with staged(StatusStrip(id="status"), (100, 2)) as stage:
        stage.widget.watch_levels(lambda: (1.0, 1.0), per_second=100)
        stage.widget.update_status(connected(agent=AgentState.SPEAKING))
        assert "agent speaking   mic off" in lines(stage.widget)[1]
