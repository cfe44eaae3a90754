"""The capture file against its enemies: kill -9, a full disk, a slow one, none at all, and another program."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.support.servers import DEADLINE_S
from tests.unit.capture.file.test_round_trip import RECEIVED, delta, read, writer
from tui.capture import CaptureWriter, EventLog
from tui.capture.file import writer as module
from tui.capture.file.folder import NewCapture, Retention, captures, is_being_written, size_of
from tui.capture.file.records import Header

ENDLESS = """
import base64, sys, time
from pathlib import Path
from tui.capture import CaptureWriter, EventLog
from tui.capture.file.folder import NewCapture
from tui.capture.file.records import Header
from tui.wire import Direction
log = EventLog(capture=CaptureWriter(NewCapture(Path(sys.argv[1])), Header(host="h")))
for at in range(10**9):
    audio = base64.b64encode(at.to_bytes(4, "big") * 300)
    frame = b'{"type":"response.output_audio.delta","n":%d,"delta":"%b"}' % (at, audio)
    log.append(Direction.RECEIVED, frame, at)
    if at % 50 == 0:
        time.sleep(0.001)
        print(at, flush=True)
"""


def test_kill_9_tears_the_last_line_at_most(tmp_path: Path) -> None:
    folder = tmp_path / "captures"
    running = subprocess.Popen([sys.executable, "-c", ENDLESS, str(folder)], stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    while int(running.stdout.readline()) < 3_000:
        pass
    (path,) = captures(folder)
    assert is_being_written(path)
    running.kill()
    running.wait()
    running.stdout.close()
    assert not is_being_written(path)
    reader = read(path)
    assert set(reader.problems) <= {"the last line is cut off, and left out"}
    assert len(reader.log) > 1_000
    for at in range(len(reader.log)):
        event = json.loads(reader.log.data(at))
        assert event["n"] == at
    *_, last = path.read_bytes().rstrip(b"\n").split(b"\n")
    assert last.startswith(b'{"')
    reader.close()


def test_what_was_shown_a_moment_ago_is_on_disk(tmp_path: Path) -> None:
    writing = writer(tmp_path)
    log = EventLog(capture=writing)
    for at in range(3):
        log.append(RECEIVED, b'{"type":"x"}', at)
        while len(writing.frames) <= at:  # only a broken program lets this go on
            time.sleep(0.001)
        assert writing.path.read_bytes().count(b"\n") == at + 2
    log.close()


FULL_DISK = """
import sys, time
from pathlib import Path
from tui.capture import CaptureReader, CaptureWriter, EventLog
from tui.capture.file.folder import NewCapture
from tui.capture.file.records import Header
from tui.wire import Direction
{refuse}
writing = CaptureWriter(NewCapture(Path(sys.argv[1]) / "captures"), Header())
log = EventLog(capture=writing, window_bytes=10_000)
frames = [b'{{"type":"x","n":%d,"pad":"%b"}}' % (at, b"p" * (at % 700)) for at in range(1_000)]
for at, frame in enumerate(frames):
    log.append(Direction.RECEIVED, frame, at)
    if at % 20 == 0:
        time.sleep(0.006)
writing.close()
assert writing.trouble == "{trouble}", writing.trouble
assert [log.data(at) for at in range(len(frames))] == frames, "the session has lost something"
kept = len(writing.frames)
reader = CaptureReader(writing.path)
reader.read_all()
assert reader.problems == [], reader.problems
assert [reader.log.data(at) for at in range(len(reader.log))] == frames[:kept]
assert kept > 20
print("all there")
"""
LIMIT = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))
"""


def test_a_file_that_may_not_grow_ends_with_a_whole_line_and_the_session_goes_on(tmp_path: Path) -> None:
    code = FULL_DISK.format(refuse=LIMIT, trouble="File too large")
    found = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True)
    assert (found.stdout, found.stderr) == ("all there\n", "")


def test_a_full_disk_ends_the_file_with_a_whole_line_and_the_session_goes_on(tmp_path: Path) -> None:
    full, disk = tmp_path / "full.py", tmp_path / "disk"
    full.write_text(FULL_DISK.format(refuse="", trouble="No space left on device"))
    disk.mkdir()
    mount = 'mount -t tmpfs -o size=128k none "$1" || exit 99; exec "$2" "$3" "$1"'
    command = ["unshare", "-rm", "sh", "-c", mount, "sh", str(disk), sys.executable, str(full)]
    try:
        found = subprocess.run(
            command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        )
    except FileNotFoundError:
        pytest.skip("unshare is not installed")
    if found.returncode == 99 or "unshare" in found.stderr:
        pytest.skip("this machine does not let tests mount a file system of their own")
    assert (found.stdout, found.stderr) == ("all there\n", "")


def test_a_folder_that_cannot_be_written_is_one_trouble_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "captures").write_text("a file where the folder should be")
    writing = writer(tmp_path)
    log = EventLog(capture=writing, window_bytes=100)
    for at in range(50):
        log.append(RECEIVED, b'{"n":%d}' % at, at)
    writing.close()
    assert writing.trouble == "File exists"
    assert [log.data(at) for at in range(50)] == [b'{"n":%d}' % at for at in range(50)]
    log.close()
    assert [path.name for path in tmp_path.iterdir()] == ["captures"]


def test_a_disk_that_hangs_holds_nobody_up_and_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # No disk can be made to hang at will: the write itself waits.
    hangs, goes_on, real = threading.Event(), threading.Event(), module.write_all

    def write_all(fd: int, data: bytes) -> None:
        if b'"n":' in data:
            hangs.set()
            goes_on.wait()
        real(fd, data)

    monkeypatch.setattr(module, "write_all", write_all)
    monkeypatch.setattr(module, "_MOST_BEHIND", 100_000)
    writing = writer(tmp_path)
    log = EventLog(capture=writing, window_bytes=30_000)
    frames = [b'{"type":"x","n":%d,"pad":"%b"}' % (at, b"p" * 1_000) for at in range(300)]
    for at, frame in enumerate(frames):
        log.append(RECEIVED, frame, at)
        if not at:
            assert hangs.wait(DEADLINE_S)
    assert writing.trouble == module.TOO_SLOW
    assert [log.data(at) for at in range(300)] == frames
    assert log._store._window[0] > 0, "memory does not wait for the disk either"
    writing.close(0.01)
    goes_on.set()
    assert writing._thread is not None
    writing._thread.join()
    assert len(writing.frames) == 0, "what was given up does not count later on"
    assert log.data(0) == frames[0]
    assert read(writing.path).problems == []
    log.close()


def test_a_system_without_threads_to_spare_costs_the_file_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:  # what Python raises there; root has no limit to run into
        raise RuntimeError("can't start new thread")

    writing = writer(tmp_path)
    log = EventLog(capture=writing)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        log.append(RECEIVED, b'{"type":"x"}', 1)
    log.append(RECEIVED, b'{"type":"y"}', 2)
    assert writing.trouble == "can't start new thread"
    assert [log.data(at) for at in range(2)] == [b'{"type":"x"}', b'{"type":"y"}']
    writing.close()


def test_nothing_is_made_before_there_is_something_to_keep(tmp_path: Path) -> None:
    log = EventLog(capture=writer(tmp_path))
    log.close()
    assert list(tmp_path.iterdir()) == []


def test_a_log_without_a_capture_leaves_nothing_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    log = EventLog(window_bytes=1_000)
    for at in range(100):
        log.append(RECEIVED, b"x" * 100, at)
    assert log._store._spilled is not None
    assert list(tmp_path.iterdir()) == []
    log.close()


def test_what_comes_after_the_end_is_not_written(tmp_path: Path) -> None:
    writing = writer(tmp_path)
    log = EventLog(capture=writing)
    log.append(RECEIVED, b"{}", 0)
    writing.close()
    size = writing.path.stat().st_size
    log.append(RECEIVED, b"{}", 1)
    log.add_note(1, "too late")
    writing.close()
    assert writing.path.stat().st_size == size
    assert log.data(1) == b"{}"
    log.close()


# Retention


def old(folder: Path, name: str, size: int, *, audio: int = 0) -> Path:
    """A capture of an earlier day, with so many bytes."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}-1-abcdef.jsonl"
    path.write_bytes(b"x" * size)
    if audio:
        path.with_name(f"{path.stem}.sent.wav").write_bytes(b"x" * audio)
    return path


def begin(folder: Path, retention: Retention) -> NewCapture:
    """A new capture, begun."""
    new = NewCapture(folder, retention)
    os.write(new.open(), b"y" * 10)
    return new


def test_the_oldest_go_when_there_are_too_many(tmp_path: Path) -> None:
    kept = [old(tmp_path, f"2026010{day}T000000Z", 10, audio=5) for day in range(1, 6)][3:]
    (tmp_path / "mine.jsonl").write_text("renamed to stay")
    new = begin(tmp_path, Retention(count=3, size=0))
    assert captures(tmp_path) == [*kept, new.path]
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix == ".wav") == [
        f"{path.stem}.sent.wav" for path in kept
    ]
    assert (tmp_path / "mine.jsonl").exists()
    new.close()


def test_the_oldest_go_when_they_are_too_large(tmp_path: Path) -> None:
    large, small = old(tmp_path, "20260101T000000Z", 900, audio=200), old(tmp_path, "20260102T000000Z", 900)
    assert size_of(large) == 1_100
    new = begin(tmp_path, Retention(count=0, size=1_000))
    assert captures(tmp_path) == [small, new.path]
    again = begin(tmp_path, Retention(count=0, size=1))
    assert captures(tmp_path) == sorted([new.path, again.path]), "those that are being written stay"
    new.close()
    again.close()


def test_what_another_program_writes_is_never_removed(tmp_path: Path) -> None:
    running = subprocess.Popen([sys.executable, "-c", ENDLESS, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert running.stdout is not None
        running.stdout.readline()
        (theirs,) = captures(tmp_path)
        mine = CaptureWriter(NewCapture(tmp_path, Retention(count=1, size=1)), Header())
        log = EventLog(capture=mine)
        log.append(RECEIVED, delta("QUJD"), 0)
        log.close()
        assert not mine.trouble
        assert set(captures(tmp_path)) == {theirs, mine.path}
        assert read(mine.path).log.data(0) == delta("QUJD")
        before = len(read(theirs).log)
        running.stdout.readline()
        assert before > 0
    finally:
        running.send_signal(signal.SIGKILL)
        running.wait()
        assert running.stdout is not None
        running.stdout.close()
    last = begin(tmp_path, Retention(count=1, size=0))
    assert captures(tmp_path) == [last.path], "what nobody writes any more goes"
    last.close()


def test_older_ones_make_room_for_a_session_that_goes_on(tmp_path: Path) -> None:
    first, second = old(tmp_path, "20260101T000000Z", 100_000), old(tmp_path, "20260102T000000Z", 150_000)
    mine = CaptureWriter(NewCapture(tmp_path, Retention(count=0, size=300_000)), Header())
    log = EventLog(capture=mine)
    seen = []

    def grow(count: int) -> None:
        for _ in range(count):
            log.append(RECEIVED, b'{"type":"x","pad":"%b"}' % (b"p" * 10_000), 0)
        while len(mine.frames) < len(log):
            time.sleep(0.001)
        # The room is made behind the write.
        log.append(RECEIVED, b"{}", 0)
        while len(mine.frames) < len(log):
            time.sleep(0.001)
        seen.append((captures(tmp_path), mine.oversized))

    grow(7)
    grow(20)
    grow(30)
    assert seen == [([second, mine.path], False), ([mine.path], False), ([mine.path], True)]
    assert not first.exists()
    log.close()
    reader = read(mine.path)
    assert (len(reader.log), reader.problems) == (60, []), "its own is kept whole"
    reader.close()


def test_a_link_in_the_folder_leads_nowhere(tmp_path: Path) -> None:
    outside = tmp_path / "outside.jsonl"
    outside.write_text("not to be removed")
    folder = tmp_path / "captures"
    folder.mkdir()
    (folder / "20260101T000000Z-1-abcdef.jsonl").symlink_to(outside)
    begin(folder, Retention(count=1, size=0)).close()
    assert outside.exists()
