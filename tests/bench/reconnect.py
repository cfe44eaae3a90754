"""What happens when the connection is lost: how soon the next message is out, what is lost, what it is called.

In this process, with the real SDK over loopback; what the terminal adds is measured elsewhere.
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import replace

from tests.bench.figures import Figure, percentile, spread
from tests.support.faults import SAID, cause_of, names, provoked
from tests.support.killing import QUICK, far_view, lost_and_doubled, messages, near_view, survive_kills
from tests.support.sessions import session
from tests.support.soaking import soak
from tests.unit.simulator.support import simulator
from tui.session import SendText
from tui.simulator.session_log import SessionLog

_ROUNDS = 30
_TURNS = 10
"""Turns of the conversation that each new session is given."""

_KILLS = 50
_SOAK_S, _EVENTS_A_SECOND, _LOST_EVERY_S = 600.0, 500.0, 20.0


def socket_loss() -> list[Figure]:
    """From the loss of the socket to the next message at the server, over a conversation of ten turns and more.

    The back-off is none here: it is a wait by intention. The message is typed the moment the socket is lost.
    """
    took = asyncio.run(_socket_loss())
    return [
        Figure(
            "reconnect.p50", "socket lost to next message: p50", percentile(took, 50), "ms", 300, spread(took, "ms")
        ),
        Figure("reconnect.p95", "socket lost to next message: p95", percentile(took, 95), "ms"),
    ]


async def _socket_loss() -> list[float]:
    took = []
    limits = replace(QUICK, back_off_s=0.0)
    async with simulator() as sim, session(sim.url(), attended=True, timeouts=limits) as running:
        for number in range(_TURNS + _ROUNDS):
            await running.connected()
            text = f"Message {number}"
            begin = time.monotonic()
            if number >= _TURNS:
                assert sim._server is not None
                for connection in list(sim._server.connections):
                    connection.transport.abort()
            running.worker.submit(SendText(text))
            await running.until(lambda: _arrived(sim.sessions[-1], text) is not None)  # noqa: B023
            arrived = _arrived(sim.sessions[-1], text)
            assert arrived is not None
            if number >= _TURNS:
                took.append((arrived - begin) * 1000)
            await running.idle()
    return took


def _arrived(log: SessionLog, text: str) -> float | None:
    """When a message came to the server, by ``time.monotonic()``."""
    quoted = json.dumps(text)
    return next((f.at for f in log.frames if f.direction == "received" and quoted in str(f.data)), None)


def kills() -> list[Figure]:
    """Messages lost or doubled when the server is killed and restarted 50 times in the middle of a turn."""
    lost, doubled, same = asyncio.run(_kills())
    return [
        Figure("reconnect.lost", f"{_KILLS} kills: messages lost", lost, "", 0),
        Figure("reconnect.doubled", f"{_KILLS} kills: messages doubled", doubled, "", 0),
        Figure("reconnect.differs", f"{_KILLS} kills: turns other than at the far end", same, "", 0),
    ]


async def _kills() -> tuple[int, int, int]:
    async with (
        simulator(speed=60) as sim,
        session(sim.url(), attended=True, timeouts=QUICK, while_answering="queue") as running,
    ):
        typed = await survive_kills(running, sim, _KILLS)
        near, far = near_view(running), far_view(sim.sessions[-1])
        lost, doubled = lost_and_doubled(typed, messages(near))
        differs = sum(one != other for one, other in zip(near, far, strict=False)) + abs(len(near) - len(far))
        return lost, doubled, differs


def faults() -> list[Figure]:
    """Faults of the simulator that are not called by the name of their cause."""
    wrong = [fault for fault in SAID if not asyncio.run(_is_named(fault))]
    return [
        Figure("faults.wrong", f"faults without their name, of {len(SAID)}", len(wrong), "", 0, " ".join(wrong)),
    ]


async def _is_named(fault: str) -> bool:
    async with provoked(fault) as running:
        try:
            await running.until(lambda: cause_of(fault) in names(running))
        except AssertionError:
            return False
        return True


def long_soak(seconds: float = _SOAK_S) -> list[Figure]:
    """Ten minutes at 500 events a second, with the connection lost every 20 s."""
    report = asyncio.run(soak(seconds=seconds, rate=_EVENTS_A_SECOND, every_s=_LOST_EVERY_S))
    detail = f"{report.events:,} events, {report.messages:,} messages, {report.reconnects} losses"
    return [
        Figure("soak.lost", "soak: messages lost", report.lost, "", 0, detail),
        Figure("soak.doubled", "soak: messages doubled", report.doubled, "", 0),
        Figure("soak.strange", "soak: sessions given something else", report.strange, "", 0),
        Figure("soak.memory", "soak: memory in the second half", report.grown_mb, "MB", 25),
    ]
