"""Frames by index, in memory and on disk."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.properties import PROPERTY
from tui.capture.log.frames import FrameStore


@PROPERTY
@given(st.lists(st.binary(max_size=60), max_size=80), st.integers(0, 200), st.randoms(use_true_random=False))
def test_it_gives_back_what_was_appended(frames: list[bytes], window: int, order: random.Random) -> None:
    store = FrameStore(window)
    for count, frame in enumerate(frames, 1):
        store.append(frame)
        at = order.randrange(count)
        assert store[at] == frames[at]
    assert len(store) == len(frames)
    assert [store[at] for at in range(len(frames))] == frames
    assert [store.size(at) for at in range(len(frames))] == [len(frame) for frame in frames]
    for beyond in (len(frames), -1):
        with pytest.raises(IndexError):
            store[beyond]
    store.close()


def test_more_frames_than_one_system_call_takes() -> None:
    store = FrameStore(8_000)
    frames = [str(at).encode() * 3 for at in range(5_000)]
    for frame in frames:
        store.append(frame)
    assert [store[at] for at in range(len(frames))] == frames
    assert not store.trouble
    store.close()


def test_the_window_is_the_memory_that_it_takes() -> None:
    store = FrameStore(100_000)
    for _ in range(1_000):
        store.append(bytes(1_000))
    _, window = store._window
    assert sum(map(len, window)) <= 100_000
    store.close()


def test_the_file_has_no_name_and_is_nobody_elses() -> None:
    store = FrameStore(10)
    store.append(bytes(20))
    assert store._spilled is not None
    fd = store._spilled._fd
    assert os.fstat(fd).st_mode & 0o777 == 0o600
    assert os.fstat(fd).st_nlink == 0
    assert not os.get_inheritable(fd)
    store.close()
    store.close()


def test_a_reader_in_another_thread_sees_whole_frames() -> None:
    store = FrameStore(50_000)
    frames = [bytes([at % 251]) * (at % 900) for at in range(6_000)]
    wrong: list[int] = []
    finished = threading.Event()

    def read() -> None:
        choose = random.Random(1)
        while not finished.is_set():
            length = len(store)
            if length:
                at = choose.randrange(length)
                if store[at] != frames[at]:
                    wrong.append(at)

    reader = threading.Thread(target=read)
    reader.start()
    for frame in frames:
        store.append(frame)
    finished.set()
    reader.join()
    assert not wrong
    store.close()


FULL_DISK = """
import resource, signal
from tui.capture import EventLog
from tui.wire import Direction
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
log = EventLog(window_bytes=10_000)
frames = [b'{"type":"x","n":%d,"pad":"%s"}' % (at, b"p" * (at % 700)) for at in range(1_000)]
for at, frame in enumerate(frames):
    log.append(Direction.RECEIVED, frame, at)
assert log.trouble == "File too large", log.trouble
assert [log.data(at) for at in range(len(frames))] == frames
assert log.frames._window[0] > 0, "some frames were written before the disk was full"
print("all there")
"""


def test_a_full_disk_loses_nothing() -> None:
    # A limit on the size of files refuses a write in the middle, as a full disk does.
    found = subprocess.run([sys.executable, "-c", FULL_DISK], capture_output=True, text=True)
    assert (found.stdout, found.stderr) == ("all there\n", "")


def test_no_folder_for_temporary_files_loses_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    store = FrameStore(10)
    for at in range(10):
        store.append(bytes([at]) * 9)
    assert store.trouble == "No such file or directory"
    assert [store[at] for at in range(10)] == [bytes([at]) * 9 for at in range(10)]
