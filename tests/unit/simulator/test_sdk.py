"""The real openai-agents SDK against the simulator: the client everything here is built for."""

from __future__ import annotations

import asyncio

from agents import function_tool, set_tracing_disabled
from agents.realtime import RealtimeAgent, RealtimeRunner, RealtimeSession

from tests.unit.simulator.support import DEADLINE_S, simulator
from tui.simulator import Simulator, script


@function_tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"18 degrees in {city}"


async def open_session(sim: Simulator) -> RealtimeSession:
    set_tracing_disabled(True)
    runner = RealtimeRunner(RealtimeAgent(name="tutor", instructions="Be brief.", tools=[get_weather]))
    return await runner.run(
        model_config={
            "url": sim.url("my-deployment"),
            "headers": {"api-key": "any"},
            "api_key": "any",
            "initial_model_settings": {"model_name": "my-deployment", "modalities": ["text"], "tracing": None},
        }
    )


async def answer(session: RealtimeSession, text: str, ends: int = 1) -> str:
    """Send `text`; return the assistant's words once `ends` turns of the agent have ended."""
    await session.send_message(text)
    words = ""
    async with asyncio.timeout(DEADLINE_S):
        async for event in session:
            assert event.type != "error", event
            if event.type == "raw_model_event" and event.data.type == "raw_server_event":
                raw = event.data.data
                if raw["type"] == "response.output_text.delta":
                    words += raw["delta"]
            ends -= event.type == "agent_end"
            if ends == 0:
                return words
    raise AssertionError("the session ended before the answer did")


async def test_the_sdk_has_a_turn_and_a_tool_call() -> None:
    async with simulator() as sim:
        async with await open_session(sim) as session:
            assert await answer(session, "Which keys are there?") == script.KEYS.text
            said = await answer(session, "What is the weather in Paris?", ends=2)
            assert said == "The tool has answered. get_weather returned: 18 degrees in Paris"
        (log,) = sim.sessions
        assert not [frame for frame in log.sent if '"type":"error"' in frame]
        assert log.model == "my-deployment"
