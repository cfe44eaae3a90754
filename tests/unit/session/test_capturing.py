"""A real session leaves a capture that says what the far end says, and no secret, whatever happens to the disk."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.servers import CREATED, DEADLINE_S, Peer, websocket_server
from tests.support.sessions import KEY, plan
from tests.support.terminal import PATIENCE_S, clean_environment
from tui import paths
from tui.audio import SilentPlayback
from tui.capture import CaptureReader, EventLog, Interrupted, Playing
from tui.capture.file.folder import captures
from tui.conversation import Link
from tui.session import Batch, SendText, SessionWorker, capture_failed, event_log
from tui.session.batch import Severity
from tui.session.recorder import Recorder
from tui.settings import Settings
from tui.wire import Direction

IDS = {"event_id": "e", "response_id": "r", "item_id": "i", "output_index": 0, "content_index": 0}
PCM = bytes(range(256)) * 20


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The state folder of the test's own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def names(folder: Path) -> list[str]:
    """What is in a folder."""
    return sorted(path.name for path in folder.iterdir())


async def converse(peer: Peer) -> None:
    """A server with everything: text, audio, broken, binary, hostile, and the key in an error."""
    await peer.send(CREATED)
    await peer.until("response.create")
    await peer.send(
        {"type": "response.created", "response": {"id": "r", "status": "in_progress"}},
        {"type": "response.output_audio.delta", **IDS, "delta": base64.b64encode(PCM).decode()},
        json.dumps(
            {"type": "response.output_audio.delta", **IDS, "delta": base64.b64encode(PCM[:-1]).decode()}, indent=1
        ),
        {"type": "response.output_audio.delta", **IDS, "delta": "!"},
        {"type": "response.output_text.delta", **IDS, "delta": "[red]caf\u00e9\x1b[2J\ud800[/]"},
        "no JSON",
        "[" * 5_000,
        '{"type":"x",\n"v":NaN}',
        {"type": "unknown.to_all", "time_ns": 1, "direction": "sent"},
    )
    await peer.send(b"\x00\xff\x01", text=False)
    await peer.send({"type": "error", "error": {"code": "c", "message": f"the key {KEY} is wrong"}})
    await peer.send({"type": "response.done", "response": {"id": "r", "status": "completed"}})
    await peer.drain()


async def run(url: str, settings: Settings, *texts: str) -> list[Batch]:
    """A session that says these texts and ends with the answer."""
    the_plan = plan(url)
    batches: list[Batch] = []
    worker = SessionWorker(the_plan, batches.append, fps=100, log=event_log(settings, the_plan))
    for text in texts:
        worker.submit(SendText(text))
    worker.start()
    deadline = time.monotonic() + DEADLINE_S
    try:
        while '"response.done"' not in "".join(
            worker.log.data(at).decode("latin-1")[:80] for at in range(batches[-1].events if batches else 0)
        ):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)
    finally:
        assert await asyncio.to_thread(worker.stop, DEADLINE_S)
        worker.log.close()
    assert batches[-1].status.link is Link.CLOSED
    return batches


async def test_it_holds_what_the_far_end_saw_and_no_key() -> None:
    async with websocket_server(converse) as server:
        await run(server.url, Settings(), "Hello", f"my key is {KEY}, keep it")
    (path,) = captures(paths.captures_dir())
    (peer,) = server.peers
    reader = CaptureReader(path)
    reader.read_all()
    assert reader.problems == []
    stars = b"*" * len(KEY)
    for direction, frames in ((Direction.RECEIVED, peer.sent), (Direction.SENT, peer.received)):
        entries = [reader.log.entry(at) for at in range(len(reader.log))]
        ours = [entry.data for entry in entries if entry.direction is direction]
        expected = [frame.replace(KEY.encode(), stars) for frame in frames]
        assert ours == expected
    notes = [entry.note for entry in entries if entry.note]
    assert any(note.startswith("not JSON") for note in notes)
    assert [entry.type for entry in entries if entry.direction is Direction.LOCAL] == [
        "websocket.connect",
        "websocket.close",
    ]
    assert reader.header is not None
    assert (reader.header.host, reader.header.deployment) == (server.url.split("/")[2], "gpt-realtime")
    for file in path.parent.iterdir():
        assert KEY.encode() not in file.read_bytes()
        assert base64.b64encode(PCM)[:200] not in file.read_bytes() or file.suffix == ".wav"
    reader.close()


async def test_without_capture_nothing_is_on_disk(tmp_path: Path) -> None:
    async with websocket_server(converse) as server:
        await run(server.url, Settings(capture=False), "Hello")
    assert names(tmp_path) == []


async def test_a_disk_that_refuses_is_one_warning_and_the_session_goes_on(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where a folder should be")
    async with websocket_server(converse) as server:
        batches = await run(server.url, Settings(), "Hello")
    notices = [notice for batch in batches for notice in batch.notices]
    assert [notice.text for notice in notices if "kept on disk" in notice.text] == [
        f"{capture_failed('Not a directory')}."
    ]
    assert [notice.severity for notice in notices if "kept on disk" in notice.text] == [Severity.WARNING]


SAYING = """
import sys
from tui.__main__ import main
sys.argv = ["azrt-tui", "say", "--demo", "--modality", "audio", "Tell me a long story"]
sys.exit(main())
"""


def test_say_killed_in_the_middle_leaves_what_came_until_then(tmp_path: Path) -> None:
    running = subprocess.Popen(
        [sys.executable, "-c", SAYING],
        env={**clean_environment(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=tmp_path,
    )
    folder = tmp_path / "state" / "azrt-tui" / "captures"
    deadline = time.monotonic() + PATIENCE_S
    while not [path for path in captures(folder) if b"output_audio.delta" in path.read_bytes()]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert running.stdout is not None
    running.stdout.close()
    (path,) = captures(folder)
    reader = CaptureReader(path)
    reader.read_all()
    assert set(reader.problems) <= {"the last line is cut off, and left out"}
    events = [json.loads(reader.log.data(at)) for at in range(len(reader.log))]
    deltas = [event["delta"] for event in events if event["type"] == "response.output_audio.delta"]
    assert deltas
    assert all(deltas)
    reader.close()


class Loud(SilentPlayback):
    """A playback that somebody hears; its clock is the test's."""

    def quiet_s(self) -> float:
        """It sounds."""
        return 0.0


async def test_what_is_heard_and_when_is_marked() -> None:
    now = 100.0
    playback = Loud(lambda: now)
    log = EventLog(int(100e9))
    tested = Recorder(log, playback, lambda _: None, fps=100, clock_ns=lambda: int(now * 1e9))

    def hear(seconds: float) -> None:
        delta = base64.b64encode(bytes(int(seconds * 48_000))).decode()
        event: dict[str, Any] = {"type": "response.output_audio.delta", **IDS, "delta": delta}
        tested.received(json.dumps(event).encode(), binary=False)

    hear(1.0)
    now = 100.25
    tested.flush()
    now = 100.5
    tested.flush()
    assert [mark for _, mark in log.marks] == [Playing(250_000_000, "i", 0, 250.0)], "once an item"
    now = 101.5
    hear(1.0)  # it came too late: there was a gap
    now = 101.75
    tested.flush()
    assert isinstance(log.marks[-1][1], Playing)
    assert log.marks[-1][1].ms == 1_250.0
    tested.interrupted("r", playback.flush())
    assert log.marks[-1] == (2, Interrupted(1_750_000_000, "r", {"i": 1_250}))
    hear(1.0)
    tested.new_connection()
    hear(1.0)
    now = 102.0
    tested.flush()
    tested.end_session(playback.flush())
    assert log.marks[-1] == (4, Interrupted(2_000_000_000, "", {"i": 250}))
    tested.stop()


async def test_where_nobody_listens_nothing_is_unheard() -> None:
    log = EventLog(0)
    tested = Recorder(log, SilentPlayback(), lambda _: None, fps=100)
    event = {"type": "response.output_audio.delta", **IDS, "delta": base64.b64encode(PCM).decode()}
    tested.received(json.dumps(event).encode(), binary=False)
    tested.flush()
    tested.end_session({"i": 3})
    assert log.marks == []
    tested.stop()


async def test_a_capture_beyond_the_limit_is_said_once() -> None:
    log = event_log(replace(Settings(), captures_size=50_000), plan("ws://127.0.0.1:1/"))
    assert log.capture is not None
    batches: list[Batch] = []
    tested = Recorder(log, SilentPlayback(), batches.append, fps=100)
    for number in range(1, 4):
        tested.received(b'{"type":"x","pad":"%b"}' % (b"p" * 100_000), binary=False)
        while len(log.capture.frames) < number:
            await asyncio.sleep(0.001)
    tested.flush()
    tested.stop()
    log.close()
    assert [notice.text for batch in batches for notice in batch.notices] == [
        "The capture of this session alone is larger than captures_size (50kB). It is kept whole."
    ]
    assert len(log.capture.frames) == 3


def test_settings_decide_how_much_stays(tmp_path: Path) -> None:
    for _ in range(4):
        settings = replace(Settings(), captures_kept=2)
        log = event_log(settings, plan("ws://127.0.0.1:1/"))
        log.append(Direction.LOCAL, b'{"type":"websocket.connect"}', 0)
        log.close()
    assert len(captures(paths.captures_dir())) == 2
    assert KEY not in "".join(path.read_text() for path in captures(paths.captures_dir()))
