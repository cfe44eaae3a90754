"""The way to the server, and that nothing of it stays open."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import math
import ssl
import warnings
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.certificates import Authority
from tests.support.proxies import Proxy
from tests.support.sessions import plan
from tui.doctor import Case
from tui.doctor.network import _handshake
from tui.simulator import SimulatorThread

STEPS = range(60)
"""Turns of the loop before the handshake is cancelled: from the socket to the end of TLS."""


@pytest.mark.parametrize("through_proxy", [False, True])
def test_a_handshake_that_is_cancelled_leaves_nothing_open(through_proxy: bool, tmp_path: Path) -> None:
    authority = Authority()
    context = ssl.create_default_context(cafile=authority.write(tmp_path))
    ended = 0

    async def cancelled(case: Case, steps: int) -> bool:
        task = asyncio.create_task(_handshake(case, context))
        for _ in range(steps):
            await asyncio.sleep(0.0005 if steps % 2 else 0)
        done = task.done()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        return done

    with SimulatorThread(speed=math.inf, tls=authority.good()) as simulator:
        port = urlsplit(simulator.url()).port
        assert port is not None
        with Proxy(port) as proxy, warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", ResourceWarning)
            for steps in STEPS:
                case = Case(None, plan(simulator.url()))
                case.proxy = proxy.url if through_proxy else None
                ended += asyncio.run(cancelled(case, steps))
            gc.collect()
    assert [str(each.message) for each in caught if issubclass(each.category, ResourceWarning)] == []
    assert ended < len(STEPS), "most were cancelled on their way"
