"""A simulator that is killed and restarted, and what the far end of a session believes to have been said."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterable, Sequence

from tests.support.sessions import Running
from tui import wire
from tui.conversation import Link, Speaker
from tui.session import SendText
from tui.session.plan import Timeouts
from tui.simulator import Simulator
from tui.simulator.session_log import SessionLog

QUICK = Timeouts(open_s=5, created_s=5, close_s=0.3, back_off_s=0.005)
"""Backs off for milliseconds."""

SEED = 20_260

_SPEAKERS = {"user": Speaker.USER, "assistant": Speaker.AGENT}


async def kill(simulator: Simulator) -> None:
    """Break every connection without a goodbye, and listen no more."""
    assert simulator._server is not None
    for connection in list(simulator._server.handlers):  # those in the handshake too
        connection.transport.abort()
    await simulator.stop()


def far_view(log: SessionLog) -> list[tuple[Speaker, str]]:
    """Who said what in one session, in the order of its conversation, as its server confirmed it."""
    order: list[str] = []
    said: dict[str, tuple[Speaker, str]] = {}
    for frame in log.sent:
        event = json.loads(frame)
        item = event.get("item")
        if event["type"] not in ("conversation.item.added", "conversation.item.done") or item["type"] != "message":
            continue
        if item["id"] not in said:
            previous = event.get("previous_item_id")
            order.insert(order.index(previous) + 1 if previous in order else len(order), item["id"])
        said[item["id"]] = _SPEAKERS[item["role"]], wire.content_text(item["content"])
    return [said[item_id] for item_id in order]


def near_view(running: Running) -> list[tuple[Speaker, str]]:
    """Who said what, in the order of the transcript, as far as it was heard."""
    both = (Speaker.USER, Speaker.AGENT)
    heard = ((turn.speaker, turn.text[: turn.heard].rstrip()) for turn in running.transcript if turn.speaker in both)
    return [(speaker, text) for speaker, text in heard if text]


def messages(view: Iterable[tuple[Speaker, str]]) -> list[str]:
    """What the person said."""
    return [text for speaker, text in view if speaker is Speaker.USER]


async def survive_kills(running: Running, simulator: Simulator, kills: int, seed: int = SEED) -> list[str]:
    """Type a message, and kill the server at a random moment of its turn, so many times; then wait until all is quiet.

    Returns:
        What was typed, in order.
    """
    moments = random.Random(seed)
    typed = [f"Message {number} of many" for number in range(kills)]
    for text in typed:
        await running.connected()
        running.worker.submit(SendText(text))
        await asyncio.sleep(moments.uniform(0, 0.06))
        await kill(simulator)
        await asyncio.sleep(moments.uniform(0, 0.02))
        await simulator.start()
    await running.until(lambda: running.status.link is Link.CONNECTED and not running.status.queued, "all is sent")
    await running.until(lambda: near_view(running)[-1][0] is Speaker.AGENT, "the last one is answered")
    await running.idle()
    return typed


def lost_and_doubled(typed: Sequence[str], arrived: Sequence[str]) -> tuple[int, int]:
    """How many of the messages are not there, and how many are there more than once."""
    return sum(text not in arrived for text in typed), sum(arrived.count(text) > 1 for text in typed)
