"""Opens a capture, or another file with an event a line, and reads it piece by piece into an event log.

The file may be anybody's: cut off in the middle, from another version, without its audio, or no capture at all. What
can be shown is shown, and :attr:`CaptureReader.problems` says what cannot.
"""

from __future__ import annotations

import os
import stat
import tempfile
import time
from array import array
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from tui import wire
from tui.capture.file.decoding import read_line
from tui.capture.file.documents import MAX_BYTES, NoEventsError, is_document, lines_of
from tui.capture.file.folder import audio_path
from tui.capture.file.foreign import CUT_OFF, SINCE_1970_NS
from tui.capture.file.records import DIRECTION_NAMES, MAX_LINE_BYTES, VERSION, Header, Mark, Remark, Stored
from tui.capture.file.wav import WavFile, write_all
from tui.capture.log.blocks import Block
from tui.capture.log.captured import CapturedFrames
from tui.capture.log.index import Entry, EventLog
from tui.wire import PCM16_RATE, Direction

_CHUNK: Final = 1024 * 1024
_STEP_S: Final = 0.05
_DOCUMENT_LINES: Final = 1_000
"""Lines of a document that are taken at once."""

_HOPELESS: Final = 20_000
"""Lines without a single event, after which a file is no capture."""

_ALARMING: Final = ("error", "response.done")

_MOST_PROBLEMS: Final = 20

_UNNAMED: Final = "the capture names no file"


class CaptureError(Exception):
    """A file that cannot be read at all. The text names it and says why."""


class CaptureReader:
    """One file. One thread reads it on; any thread may read what is in :attr:`log` by then.

    A capture that is still being written can be read on later: :meth:`read` then finds what is new.
    """

    def __init__(self, path: Path | None, *, stdin: int = 0) -> None:
        """Open a file, or the descriptor ``stdin`` when there is no path. Raises CaptureError."""
        self.path = path
        self.name = str(path) if path is not None else "stdin"
        self.header: Header | None = None
        """The first line; None where there is none, and before the first :meth:`read`."""
        self.position = 0
        """Bytes read so far."""
        self._frames = _StoredFrames()
        self.log = EventLog(frames=self._frames)
        self._input = -1
        self._torn = ""
        self._first = 0
        self._audio_names: dict[Direction, str] = {}
        """Of audio that was not asked for yet: its file comes into being with it."""
        self._missing: dict[Direction, str] = {}
        self._problems: dict[str, int] = {}
        self._lines = 0
        self._last_ns = 0
        self._origin_ns: int | None = None
        """The time of the calendar that is zero, in a file of another program that has such times."""
        self._document: Iterator[bytes] | None = None
        """The lines of a file that is read as a whole."""
        self._rest = b""
        self._stored = self._frames.captured
        self._own_input = False
        try:
            fd = stdin if path is None else _open(path)
            kind = os.fstat(fd).st_mode
            if stat.S_ISDIR(kind):
                os.close(fd)
                raise CaptureError(f"{self.name} is a folder; name a file in it")
            if path is not None and stat.S_ISREG(kind):
                self._stored.fd = fd
            else:
                # What comes through a pipe comes once, and rows are read when they are looked at.
                self._input, self._own_input = fd, path is not None
                self._stored.fd = _nameless()
        except OSError as error:
            raise CaptureError(f"{self.name}: {error.strerror or error}") from None

    @property
    def size(self) -> int:
        """Bytes that the file has by now."""
        return os.fstat(self._stored.fd).st_size

    @property
    def problems(self) -> list[str]:
        """What could not be read or shown so far, a sentence each."""
        said = [f"{what} ({count:,} times)" if count > 1 else what for what, count in self._problems.items()]
        return [*said, self._torn] if self._torn else said

    def read(self, limit_s: float = _STEP_S) -> bool:
        """Read on for about so many seconds; False at the end of the file. Raises CaptureError.

        A file in which nothing can be read raises it too, at its end or when that is clear.
        """
        until = time.monotonic() + limit_s
        while True:
            chunk = self._more()
            if not chunk:
                self._end()
                return False
            self._take(chunk)
            if (self._input >= 0 and self._document is None) or time.monotonic() >= until:
                return True

    def read_all(self) -> None:
        """Read to the end. Raises CaptureError."""
        while self.read(1.0):
            pass

    def __iter__(self) -> Iterator[Entry | Mark]:
        """Everything in order, read as it is needed. Raises CaptureError."""
        entries = marks = 0
        more = True
        while more:
            more = self.read()
            while entries < len(self.log) or marks < len(self.log.marks):
                if marks < len(self.log.marks) and self.log.marks[marks][0] <= entries:
                    yield self.log.marks[marks][1]
                    marks += 1
                else:
                    yield self.log.entry(entries)
                    entries += 1

    def close(self) -> None:
        """Give the files back; entries cannot be read any more."""
        self._frames.close()
        if self._own_input:
            os.close(self._input)
            self._own_input = False

    def report(self, problem: str) -> None:
        """Add to :attr:`problems`."""
        if problem in self._problems or len(self._problems) < _MOST_PROBLEMS:
            self._problems[problem] = self._problems.get(problem, 0) + 1

    # Reading

    def _more(self) -> bytes:
        try:
            if self._document is None:
                chunk = self._next_chunk()
                if self.position or not is_document(chunk):
                    if self._input >= 0:
                        write_all(self._stored.fd, chunk)
                    return chunk
                self._document = lines_of(self._whole(chunk))
            lines = list(islice(self._document, _DOCUMENT_LINES))
            chunk = b"".join(lines)
            write_all(self._stored.fd, chunk)
            return chunk
        except OSError as error:
            raise CaptureError(f"{self.name}: {error.strerror or error}") from None
        except NoEventsError as error:
            raise CaptureError(f"{self.name} {error}") from None

    def _next_chunk(self) -> bytes:
        if self._input >= 0:
            return os.read(self._input, _CHUNK)
        return os.pread(self._stored.fd, _CHUNK, self.position)

    def _whole(self, chunk: bytes) -> bytes:
        """Everything in a file that begins with this chunk; its lines go into a file without a name."""
        if self._input < 0:
            self._input, self._own_input = self._stored.fd, True
            os.lseek(self._input, len(chunk), os.SEEK_SET)
            self._stored.fd = _nameless()
        data = bytearray()
        while chunk:
            data += chunk
            if len(data) > MAX_BYTES:
                raise CaptureError(
                    f"{self.name} is read as a whole, and is larger than {MAX_BYTES // 2**20} MiB; "
                    "a file with one event a line may have any size"
                )
            chunk = os.read(self._input, _CHUNK)
        return bytes(data)

    def _take(self, chunk: bytes) -> None:
        data = self._rest + chunk if self._rest else chunk
        offset = self.position - len(self._rest)
        self.position += len(chunk)
        at = 0
        while (end := data.find(b"\n", at)) >= 0:
            self._line(data[at:end], offset + at)
            at = end + 1
        self._rest = data[at:]
        if len(self._rest) > MAX_LINE_BYTES:
            raise CaptureError(f"{self.name}: line {self._lines + 1} is longer than {MAX_LINE_BYTES // 2**20} MiB")

    def _line(self, line: bytes, offset: int) -> bool:
        """Take one line; False when it is none that can be read."""
        self._lines += 1
        try:
            record = read_line(line, self._last_ns)
        except Exception:
            # Whatever a stranger has made of a line, the others count.
            record = None
        match record:
            case Stored():
                self._enter(record, offset)
            case Remark():
                self._stored.end_frame()
                self._remark(record)
            case Header():
                self._stored.end_frame()
                self._begin(record)
            case None:
                self._stored.end_frame()
                if line.strip():
                    self.report("a line is no event")
                if not len(self.log) and self.header is None and self._lines >= _HOPELESS:
                    raise CaptureError(
                        f"{self.name} is no capture: there is no event in its first {self._lines:,} lines"
                    )
                return not line.strip()
            case _:
                self._stored.end_frame()
                self.log.mark(record)
        return True

    def _enter(self, stored: Stored, offset: int) -> None:
        if self.header is None:
            stored = self._placed(stored)
        # A search knows by the type of a frame that its audio may be elsewhere.
        silent = stored.audio is None or bool(wire.event_type(wire.sniff_type(stored.rest)).audio)
        self._frames.add(stored.size, offset, stored.head if silent else -1)
        if self.header is None:
            # Nobody has marked what failed.
            self._enter_foreign(stored)
        else:
            self.log.enter(stored)
            if not stored.exact and self.header.version <= VERSION:
                self.report("a line was written by another program; spaces and spellings of its frame may be too")
        if stored.audio is not None and stored.direction not in self._stored.audio:
            self._open_audio(stored.direction, self.log.audio_format(len(self.log) - 1).rate)
            if stored.direction not in self._stored.audio:
                self.report(f"no audio: {self._missing.get(stored.direction, _UNNAMED)}")
        self._last_ns = stored.t_ns

    def _placed(self, stored: Stored) -> Stored:
        """An event of another program, in time: times of the calendar count from the first one."""
        if not stored.timed:
            self.report("no time could be read; the event stands at the time of the one before")
            return stored._replace(t_ns=self._last_ns)
        if abs(stored.t_ns) < SINCE_1970_NS:
            return stored
        if self._origin_ns is None:
            self._origin_ns = stored.t_ns - self._last_ns
        return stored._replace(t_ns=stored.t_ns - self._origin_ns)

    def _enter_foreign(self, stored: Stored) -> None:
        if stored.note == CUT_OFF:
            self.report("an event was cut off by the program that logged it")
        index = self.log.enter(stored)
        event_type = self.log.type_of(index)
        if event_type in (wire.BROKEN_TYPE, wire.BINARY_TYPE):
            self.log.mark_alarm(index)
        elif event_type in _ALARMING or event_type.endswith(".failed"):
            event = wire.parse(stored.rest)
            if event is not None and wire.is_alarm(event):
                self.log.mark_alarm(index)

    def _remark(self, remark: Remark) -> None:
        index = self._first + remark.about
        if index >= len(self.log):
            self.report("a remark is about no event")
            return
        if remark.note:
            self.log.add_note(index, remark.note)
        if remark.alarm:
            self.log.mark_alarm(index)

    def _begin(self, header: Header) -> None:
        if self.header is not None:
            self._first = len(self.log)
            self._frames.close_audio()
            self._audio_names.clear()
            self._missing = dict.fromkeys(Direction, "there are several captures in this file")
            self.report("another capture begins in the middle of the file; its times begin anew")
            return
        self.header = header
        if header.version > VERSION:
            self.report(
                f"it was written by a newer {header.program or 'azrt-tui'} (format {header.version}); "
                f"this one knows format {VERSION}, and shows what it can"
            )
        elif header.version < VERSION:
            said = f"format {header.odd_version}, which there is not" if header.odd_version else "no format"
            self.report(f"its header names {said}; it is shown as format {VERSION}, as far as it can be")
        self._audio_names = {Direction.RECEIVED: header.received_audio, Direction.SENT: header.sent_audio}

    def _open_audio(self, direction: Direction, rate: int) -> None:
        name = self._audio_names.pop(direction, None)
        if name is None:
            return
        if self.path is None:
            self._missing[direction] = "stdin has no file beside it"
            return
        candidates = [audio_path(self.path, DIRECTION_NAMES[direction])]  # that of a file that was renamed with it
        # A header may be anybody's: it can name files in this folder, and no others.
        if name and Path(name).name == name:
            candidates.insert(0, self.path.with_name(name))
        why = _UNNAMED
        for path in candidates:
            try:
                samples = WavFile(path)
                if samples.rate in (rate, PCM16_RATE):  # azrt-tui 0.1.0 wrote 24 kHz over audio of every format
                    self._stored.audio[direction] = samples
                    return
                samples.close()
                raise ValueError(f"its rate is {samples.rate:,} Hz, that of the session {rate:,} Hz")
            except OSError as error:
                why = f"{path.name}: {error.strerror or error}" if path is candidates[0] else why
            except ValueError as error:
                why = f"{path.name}: {error}"
        self._missing[direction] = why

    def _end(self) -> None:
        """What is left at the end of the file: a last line without its line break, or half of one."""
        rest, self._rest = self._rest, b""
        if rest.strip():
            problems = dict(self._problems)
            if not self._line(rest, self.position - len(rest)):
                # It may be on its way still: then it is read again with what follows.
                self._problems = problems
                self._rest = rest
                self._torn = "the last line is cut off, and left out"
        else:
            self._torn = ""
        if not self.position:
            raise CaptureError(f"{self.name} is empty")
        if not len(self.log) and self.header is None:
            raise CaptureError(f"{self.name} is no capture: it has no event in it")


def _open(path: Path) -> int:
    """Open a file to read. Only a pipe that somebody has named is waited for. Raises OSError."""
    waits = stat.S_ISFIFO(path.stat().st_mode)
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC | (0 if waits else os.O_NONBLOCK))


def _nameless() -> int:
    """A file without a name. Raises OSError."""
    with tempfile.TemporaryFile(buffering=0) as file:
        return os.dup(file.fileno())


class _StoredFrames:
    """The frames of a file, as an event log wants them."""

    def __init__(self) -> None:
        self.trouble = ""
        self.captured = CapturedFrames()
        self._sizes = array("I")

    def add(self, size: int, offset: int, head: int) -> None:
        """Add a frame of so many bytes; for the rest see :meth:`CapturedFrames.add`."""
        self._sizes.append(size)
        self.captured.add(offset, head)

    def size(self, index: int) -> int:
        return self._sizes[index]

    def sizes(self, start: int, stop: int) -> array[int]:
        return self._sizes[start:stop]

    def before(self, stop: int, limit: int) -> Block:
        return self.captured.before(stop, limit, self._sizes)

    def after(self, start: int, stop: int, limit: int) -> Block:
        return self.captured.after(start, stop, limit, self._sizes)

    def __getitem__(self, index: int) -> bytes:
        return self.captured[index]

    def close_audio(self) -> None:
        """Read no audio any more."""
        for samples in self.captured.audio.values():
            assert isinstance(samples, WavFile)
            samples.close()
        self.captured.audio.clear()

    def close(self) -> None:
        self.close_audio()
        if self.captured.fd >= 0:
            os.close(self.captured.fd)
            self.captured.fd = -1
