"""How long it waits before it tries again."""

from __future__ import annotations

import pytest

from tui.failures.table import KINDS, Retry, cause
from tui.session.back_off import LONGEST_S, MAX_TRIES, BackOff

LOST = cause("closed-1006")


def test_each_wait_is_twice_as_long_up_to_a_limit() -> None:
    back_off = BackOff(lambda: 1.0)
    waits = [back_off.next_s(LOST, 0.5) for _ in range(MAX_TRIES)]
    assert waits[:7] == [0.5, 1, 2, 4, 8, 16, LONGEST_S]
    assert set(waits[6:]) == {LONGEST_S}
    assert back_off.next_s(LOST, 0.5) is None, "after that the person decides"
    back_off.reset()
    assert back_off.next_s(LOST, 0.5) == 0.5


@pytest.mark.parametrize(("chance", "wait_s"), [(0.0, 0.25), (0.5, 0.375), (1.0, 0.5)])
def test_the_jitter_is_up_to_half_of_it(chance: float, wait_s: float) -> None:
    assert BackOff(lambda: chance).next_s(LOST, 0.5) == wait_s


def test_the_time_that_the_service_names_comes_first() -> None:
    busy = cause("http-429", host="h", http="HTTP 429", status="HTTP 429", said="", wait_s=17.0)
    assert BackOff(lambda: 0.0).next_s(busy, 0.5) == 17.25


def test_at_once_is_at_once_only_the_first_time() -> None:
    back_off = BackOff(lambda: 1.0)
    expired = cause("expired")
    assert [back_off.next_s(expired, 0.5), back_off.next_s(expired, 0.5)] == [0.0, 1.0]


@pytest.mark.parametrize("kind", ["http-401", "http-403", "http-404", "beta-session", "beta-api", "url", "closed-1009"])
def test_what_cannot_pass_is_never_tried_again(kind: str) -> None:
    assert KINDS[kind].retry is Retry.NEVER
    fields = {"host": "h", "http": "HTTP", "status": "s", "said": "", "url": "u"}
    assert BackOff().next_s(cause(kind, **fields), 0.5) is None


@pytest.mark.parametrize(
    "kind", ["closed-1006", "closed-1011", "http-429", "http-5xx", "dns", "refused", "timeout", "no-session-created"]
)
def test_what_may_pass_is_tried_again(kind: str) -> None:
    assert KINDS[kind].retry is Retry.BACK_OFF
