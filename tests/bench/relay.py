"""What the relay of ``azrt-tui watch`` adds to the way of a frame."""

from __future__ import annotations

import base64
import json
import socket
import subprocess
import sys
import time

from websockets.sync.client import ClientConnection, connect

from tests.bench.figures import Figure, NotMeasuredError, percentile
from tests.bench.terminal import REPOSITORY, Meter
from tests.support.terminal import PATIENCE_S

_ROUNDS = 300
_PAUSE_S = 0.01
"""Between two frames, in which the terminal is read: as of a client that sends its microphone, and hears an answer."""

_SIZES = {"small": 960, "large": 24_000}
"""Bytes of audio in a frame: 20 ms of a microphone, 500 ms of an answer."""


def relay() -> list[Figure]:
    """The time that a frame takes longer through the relay than without it, while the screen shows it.

    A client sends a frame to a server that sends it back, in turn on a connection of its own and on one through the
    real program in its pseudo-terminal. Half of the difference of the medians is what the relay adds to a frame; the
    99th percentile of the way through it is taken against the median of the direct one.
    """
    command = [sys.executable, "-m", "tests.bench.inside.echoing"]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            return _measure(int(server.stdout.readline()))
        finally:
            server.kill()


def _measure(server_port: int) -> list[Figure]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    target = f"ws://127.0.0.1:{server_port}/v1/realtime?model=echo"
    figures = []
    with Meter.module("tui", "watch", "--listen", f"127.0.0.1:{port}", "--to", target) as terminal:
        terminal.wait_for("listening")
        with (
            connect(target, compression=None, max_size=None) as direct,
            connect(f"ws://127.0.0.1:{port}/v1/realtime?model=echo", compression=None, max_size=None) as relayed,
        ):
            for name, size in _SIZES.items():
                frame = json.dumps(
                    {"type": "input_audio_buffer.append", "audio": base64.b64encode(bytes(size)).decode()}
                )
                straight, through = [], []
                for _ in range(_ROUNDS):
                    straight.append(_round_trip(direct, frame))
                    terminal.read(_PAUSE_S)
                    through.append(_round_trip(relayed, frame))
                    terminal.read(_PAUSE_S)
                base = percentile(straight, 50)
                added = [max(0.0, one - base) / 2 for one in through]
                detail = f"{_ROUNDS} frames of {len(frame):,} bytes; directly {base / 2:.2f} ms"
                title = f"added by the relay to a {name} frame"
                figures.append(Figure(f"relay.{name}.p50", title, percentile(added, 50), "ms", 1.0, detail))
                figures.append(Figure(f"relay.{name}.p99", f"{title}: p99", percentile(added, 99), "ms"))
    return figures


def _round_trip(connection: ClientConnection, frame: str) -> float:
    begin = time.perf_counter()
    connection.send(frame)
    back = connection.recv(timeout=PATIENCE_S)
    if back != frame:
        raise NotMeasuredError("the frame that came back is another one")
    return (time.perf_counter() - begin) * 1000
