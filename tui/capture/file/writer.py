"""Writes a session's frames to its capture file, in a thread of its own: a slow disk holds nobody up."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import threading
import time
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tui import wire
from tui.audio_format import PCM16_24K, AudioFormat
from tui.capture.file.encoding import find_audio, frame_line, header_line, mark_line, remark_line
from tui.capture.file.folder import NewCapture
from tui.capture.file.records import Audio, Decoded, Header, Mark, Remark
from tui.capture.file.wav import WavWriter, write_all
from tui.capture.log.captured import CapturedFrames
from tui.wire import Direction

logger = logging.getLogger(__name__)

_GATHER_S: Final = 0.005
"""Pause between two writes. What is lost when the process is killed is what came in this time."""

_BATCH: Final = 2_000
"""Records that are written at once, at most."""

_MOST_BEHIND: Final = 64 * 1024 * 1024
"""Bytes of frames that may wait for the disk. One that is slower than the network for so long is given up."""

_TYPE_WITHIN: Final = 200
"""Bytes at the start of a frame that hold its type, when it is one that holds audio."""

_ROOM_STEP: Final = 64 * 1024
_ROOM_STEPS: Final = 50
"""After so many bytes of frames, at least, or a part of what all captures may have, older ones make room."""

TOO_SLOW: Final = "the disk is too slow"


@dataclass(frozen=True, slots=True)
class _Frame:
    t_ns: int
    direction: Direction
    data: bytes
    binary: bool
    decoded: Decoded | None = None
    audio_format: AudioFormat = PCM16_24K


_Item = _Frame | tuple[int, Remark] | Mark | None


class CaptureWriter:
    """One session's file. Everything but ``close`` is called by the thread that appends to the log, and never waits.

    The first frame creates the file. When the disk refuses, the file ends with the last whole line, :attr:`trouble`
    says why, and what comes later is not written.
    """

    def __init__(
        self,
        new: NewCapture,
        header: Header,
        *,
        clock_ns: Callable[[], int] = time.monotonic_ns,
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """``header`` needs no ``started`` and no names of files."""
        self.path = new.path
        """Where the capture is, or will be once there is a frame."""
        self.frames = CapturedFrames()
        """What is in the file by now."""
        self.trouble = ""
        """Why nothing is written any more, in the system's words; "" while it is."""
        self.oversized = False
        """True when this capture alone has more than all captures together may have."""
        self._new = new
        self._room_at = _ROOM_STEP
        self._header = header
        self._clock_ns = clock_ns
        self._wall_ns = wall_ns
        self._queue: queue.SimpleQueue[_Item] = queue.SimpleQueue()
        self._put_bytes = 0
        self._written_bytes = 0
        self._zero_ns = 0
        self._end = 0
        self._wavs = {
            Direction.RECEIVED: WavWriter(new.audio_path("received")),
            Direction.SENT: WavWriter(new.audio_path("sent")),
        }
        self._giving_up = threading.Lock()
        self._thread: threading.Thread | None = None

    @property
    def limit(self) -> int:
        """Bytes that all captures together may have; 0 is without a limit."""
        return self._new.limit

    def put(
        self,
        direction: Direction,
        data: bytes,
        t_ns: int,
        *,
        binary: bool,
        origin_ns: int,
        audio: Decoded | None = None,
        audio_format: AudioFormat = PCM16_24K,
    ) -> None:
        """Write one frame.

        Args:
            direction: who sent it.
            data: its payload.
            t_ns: when, since ``origin_ns``.
            binary: True for a WebSocket binary frame.
            origin_ns: the monotonic time that counts as zero.
            audio: what the caller has decoded of it, if anything.
            audio_format: the format of the audio in it, if there is any.
        """
        if self.frames.complete:
            return
        if self._thread is None:
            # The wall clock may be set meanwhile: it counts once, and times go on from there.
            self._zero_ns = self._wall_ns() - (self._clock_ns() - origin_ns)
            thread = threading.Thread(target=self._run, name="azrt-capture", daemon=True)
            try:
                thread.start()
            except RuntimeError as error:  # the system gives no more threads, or memory
                self._give_up(str(error))
                return
            self._thread = thread
        self._put_bytes += len(data)
        if self._put_bytes - self._written_bytes > _MOST_BEHIND:
            self._give_up(TOO_SLOW)
            return
        self._queue.put(_Frame(t_ns, direction, data, binary, audio, audio_format))

    def remark(self, t_ns: int, remark: Remark) -> None:
        """Write what was found out about a frame that was put before."""
        self._put((t_ns, remark))

    def mark(self, mark: Mark) -> None:
        """Write what happened here."""
        self._put(mark)

    def close(self, timeout_s: float = 2.0) -> None:
        """Write what waits and let the file go; give up on a disk that needs longer. Frames can still be read."""
        thread = self._thread
        if thread is not None:
            self._queue.put(None)
            thread.join(timeout_s)
            if thread.is_alive():
                self._give_up(TOO_SLOW)
        self.frames.complete = True

    def release(self) -> None:
        """Give the files back: frames cannot be read any more."""
        if self._thread is not None and self._thread.is_alive():
            return  # it hangs in a write; the files go with the process
        for wav in self._wavs.values():
            wav.close()
        self._new.close()
        self.frames.fd = -1

    def _put(self, item: _Item) -> None:
        if self._thread is not None and not self.frames.complete:
            self._queue.put(item)

    def _give_up(self, why: str) -> None:
        with self._giving_up:
            self.trouble = self.trouble or why
            self.frames.complete = True

    # The thread

    def _run(self) -> None:
        try:
            self._open()
            while not self.trouble:
                items: list[_Item] = [self._queue.get()]
                while items[-1] is not None and len(items) < _BATCH and not self._queue.empty():
                    items.append(self._queue.get())
                self._write([item for item in items if item is not None])
                self._make_room()
                if items[-1] is None:
                    return
                time.sleep(_GATHER_S)
        except OSError as error:
            self._give_up(error.strerror or str(error))
        except Exception:
            logger.exception("The capture failed")
            self._give_up("a fault of azrt-tui; the log file has the details")
        if self.frames.fd >= 0:
            self._cut()
        else:
            self._new.discard()
        while not self._queue.empty():  # nobody will ask for these
            self._queue.get()

    def _open(self) -> None:
        fd = self._new.open()
        started = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(self._zero_ns // 10**9))
        header = Header(
            program=self._header.program,
            host=self._header.host,
            deployment=self._header.deployment,
            started=f"{started}.{self._zero_ns % 10**9 // 1000:06}Z",
            received_audio=self._wavs[Direction.RECEIVED].path.name,
            sent_audio=self._wavs[Direction.SENT].path.name,
        )
        line = header_line(header)
        write_all(fd, line)
        self._end = len(line)
        self.frames.fd = fd
        self.frames.audio.update(self._wavs)

    def _write(self, items: list[_Frame | tuple[int, Remark] | Mark]) -> None:
        lines: list[bytes] = []
        offsets, heads, odd = array("Q"), bytearray(), array("I")
        first = len(self.frames)
        end = self._end
        weight = 0
        for item in items:
            if isinstance(item, _Frame):
                weight += len(item.data)
                line, head = self._line(item)
                if head < 0:
                    odd.append(first + len(offsets))
                heads.append(max(0, head))
                offsets.append(end)
            else:
                line = remark_line(*item) if isinstance(item, tuple) else mark_line(item)
                if first + len(offsets):
                    odd.append(first + len(offsets) - 1)
            lines.append(line)
            end += len(line)
        # Audio first: no line ever speaks of samples that are not there.
        for wav in self._wavs.values():
            wav.flush()
        write_all(self.frames.fd, b"".join(lines))
        with self._giving_up:
            if self.trouble:
                return
            self._end = end
            self._written_bytes += weight
            self.frames.extend(offsets, heads, odd)

    def _make_room(self) -> None:
        if self._new.limit and self._written_bytes >= self._room_at:
            self._room_at = self._written_bytes + max(_ROOM_STEP, self._new.limit // _ROOM_STEPS)
            self.oversized = not self._new.make_room()

    def _line(self, frame: _Frame) -> tuple[bytes, int]:
        data, audio = frame.data, None
        if not frame.binary and b"audio" in data[:_TYPE_WITHIN]:
            key = wire.event_type(wire.sniff_type(data)).audio
            found = (
                find_audio(data, f'"{key}"'.encode(), frame.decoded) if key and frame.direction in self._wavs else None
            )
            if found is not None:
                at, sound = found
                start = self._wavs[frame.direction].add(sound, frame.audio_format)
                audio = None if start is None else Audio(start, len(sound), at, frame.audio_format.coding)
        return frame_line(frame.t_ns, frame.direction, data, binary=frame.binary, audio=audio)

    def _cut(self) -> None:
        """Leave no half line behind."""
        with contextlib.suppress(OSError):  # then the last line is torn, and is read as one
            os.ftruncate(self.frames.fd, self._end)
