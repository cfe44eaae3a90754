"""Notices what nothing announces, while a session goes on: answers that do not come or end, a dead socket, its end.

Each is offered to the person, who decides: wait, ask again, or connect again. Nothing stands still meanwhile.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tui.conversation import AgentState, Cause, Choice, Offer
from tui.failures.table import cause
from tui.session.shared import Shared

if TYPE_CHECKING:
    from tui.session.sdk import Connection

WARNING_S: Final = 120.0
"""How long before the end of a session the person is told."""

PAUSE_S: Final = 2.0
"""So long nobody has spoken, when a new session takes over by itself."""

EXPIRED_S: Final = 1.0
"""How long a server that says that the session has expired may take to close the connection."""

_SLEPT_S: Final = 10.0
"""A step that takes so much longer than it should: the machine was asleep, and the connection may be gone."""

_RECONNECT: Final = (Choice.RECONNECT, "reconnect")
_WAIT: Final = (Choice.WAIT, "wait")


class Watch:
    """Runs in the session thread; one for each session."""

    def __init__(self, shared: Shared, connection: Connection) -> None:
        self._shared = shared
        self._connection = connection
        self._waited: dict[str, float] = {}
        """When the person chose to wait on, by ``time.monotonic()``: for what."""
        self._dismissed: set[str] = set()
        self._asked_at: float | None = None
        self._quiet_since = time.monotonic()
        left_s = self._left_s()
        # A short session is not at its end from the beginning.
        self._warning_s = WARNING_S if left_s is None else min(WARNING_S, left_s / 4)

    async def run(self) -> Cause:
        """Look until the session has to be ended; return why."""
        limits = self._shared.plan.timeouts
        step_s = min(1.0, min(limits.answer_s, limits.response_s, limits.pong_s) / 4)
        while True:
            verdict = self._look(time.monotonic())
            if verdict is not None:
                return verdict
            # Which of the two clocks goes on while the machine sleeps depends on the system.
            began, began_at = time.monotonic(), time.time()
            await asyncio.sleep(step_s)
            slept_s = max(time.monotonic() - began, time.time() - began_at) - step_s
            if slept_s > _SLEPT_S and not await self._connection.answers(limits.pong_s):
                return cause("silent", {"seconds asleep": f"{slept_s:.0f}"})

    def wait_on(self) -> None:
        """The person does not want to decide yet: it is offered again after the same time."""
        offer = self._shared.recorder.status.offer
        if offer is not None:
            self._waited[offer.name] = time.monotonic()
            self._dismissed.add(offer.name)
            self._shared.recorder.set_status(offer=None)

    def _look(self, now: float) -> Cause | None:
        recorder, limits = self._shared.recorder, self._shared.plan.timeouts
        silent_since = self._connection.silent_since
        if silent_since is None:
            self._dismissed.discard("no-pong")
        elif now - silent_since >= limits.pong_s + limits.ping_s and "no-pong" not in self._dismissed:
            return cause("silent", {"seconds without a pong": f"{now - silent_since:.0f}"})
        expired_at = self._shared.expired_at
        if expired_at is not None and now - expired_at >= EXPIRED_S:
            return cause("expired")
        if not self._shared.plan.attended:
            return None
        offer = next(self._offers(now, silent_since), None)
        if not _same(offer, recorder.status.offer):
            recorder.set_status(offer=offer)
        return self._hand_over(now)

    def _offers(self, now: float, silent_since: float | None) -> Iterator[Offer]:
        """What there is to decide, the most urgent first."""
        shared, limits = self._shared, self._shared.plan.timeouts
        status, reducer = shared.recorder.status, shared.recorder.reducer
        awaited = reducer.asked or reducer.promised or reducer.expected
        # A server may give its responses no id.
        begun = bool(status.response_id) or (status.agent is not AgentState.IDLE and not awaited)
        self._asked_at = (self._asked_at or now) if awaited and not begun else None
        ask_again = ((Choice.RETRY, "ask again"), _RECONNECT, _WAIT)
        if silent_since is not None and self._lasts("no-pong", silent_since, now, limits.pong_s):
            text = f"No sign of the server for {limits.pong_s:g} s"
            if "no-pong" in self._dismissed:
                yield Offer("no-pong", text, (_RECONNECT, _WAIT))
            else:
                due_s = silent_since + limits.pong_s + limits.ping_s
                yield Offer("no-pong", f"{text}, reconnects in", ((Choice.RECONNECT, "now"), _WAIT), due_s)
        if begun and self._lasts("no-response-done", shared.response_event_at, now, limits.response_s):
            yield Offer("no-response-done", f"Answer stands still for {limits.response_s:g} s", ask_again)
        if self._asked_at is not None and self._lasts("no-answer", self._asked_at, now, limits.answer_s):
            yield Offer("no-answer", f"No answer for {limits.answer_s:g} s", ask_again)
        left_s = self._left_s()
        if left_s is not None and left_s <= self._warning_s and "expiring" not in self._dismissed:
            if shared.plan.hands_over:
                text, later = "New session in a pause, at the latest in", "stop"
            else:
                text, later = "The session ends in", "later"
            yield Offer("expiring", text, ((Choice.RECONNECT, "now"), (Choice.WAIT, later)), now + left_s)

    def _lasts(self, name: str, since: float, now: float, limit_s: float) -> bool:
        """Whether something lasts longer than its limit; the person may have put its beginning forward."""
        return now - max(since, self._waited.get(name, since)) >= limit_s

    def _left_s(self) -> float | None:
        """Seconds until the session ends; None when the server has not said, or its clock is another."""
        expires_at = self._shared.recorder.status.expires_at
        if expires_at is None:
            return None
        left_s = expires_at - time.time()
        return left_s if left_s > 0 else None

    def _hand_over(self, now: float) -> Cause | None:
        """A new session takes over before the old one ends, when nobody speaks."""
        shared = self._shared
        if shared.answering or shared.voice.in_speech:
            self._quiet_since = now
        offer = shared.recorder.status.offer
        if offer is None or offer.name != "expiring" or not shared.plan.hands_over:
            return None
        return cause("expiring") if now - self._quiet_since >= PAUSE_S else None


def _same(one: Offer | None, other: Offer | None) -> bool:
    """Whether two offers say the same; a time that is computed anew differs by a little."""
    if one is None or other is None or one.due_s is None or other.due_s is None:
        return one == other
    return replace(one, due_s=other.due_s) == other and abs(one.due_s - other.due_s) < 0.5
