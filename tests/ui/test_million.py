"""A million events in the event pane: the right rows everywhere, and only what is in view is read and formatted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.support.drawing import Staged, lines, staged, until, wheel
from tui.capture import CaptureReader, RowReader
from tui.capture.file.encoding import header_line
from tui.capture.file.records import Header
from tui.capture.filter import parse
from tui.capture.filter.syntax import Kind
from tui.capture.filter.thing import Thing
from tui.capture.log.blocks import Block
from tui.capture.log.captured import CapturedFrames
from tui.ui.widgets.event_pane import EventPane

_EVENTS = 1_000_000
_BLOCK = 1_000
_DELTAS = 100
"""So many of the events of a block make one row, its first."""

_ROWS = _BLOCK - _DELTAS + 1
"""Rows of a block."""

_FAILED = 765_432
"""The event that says that something failed."""

_HEIGHT = 20
_SCREENS = 3
"""Screens of rows that may be read for one step: what was in view, what comes into view, and the selected row."""


def _line(event: bytes) -> bytes:
    """What makes a line of a capture with ``%``, of a time and the number that is to stand in the event."""
    return b'{"time_ns":%%d,"direction":"received","size":%d,"event":%b}\n' % (len(event % 0), event)


_DELTA = _line(b'{"type":"response.output_text.delta","item_id":"item_%07d","delta":" so"}')
_OTHER = _line(b'{"type":"rate_limits.updated","rate_limits":[{"name":"row %07d"}]}')


@dataclass
class Reads:
    """What was read of the file, and how many rows were put into words."""

    frames: int = 0
    searched: list[Block] = field(default_factory=list)
    rows: int = 0

    def clear(self) -> None:
        """Count from 0 again."""
        self.frames = self.rows = 0
        self.searched.clear()


@pytest.fixture(scope="module")
def million(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CaptureReader]:
    path = tmp_path_factory.mktemp("million") / "million.jsonl"
    block = _DELTA * _DELTAS + _OTHER * (_BLOCK - _DELTAS)
    with path.open("wb") as file:
        file.write(header_line(Header()))
        for first in range(0, _EVENTS, _BLOCK):
            items = (number for at in range(_DELTAS) for number in (first + at, first))
            others = (number for at in range(_DELTAS, _BLOCK) for number in (first + at, first + at))
            file.write(block % (*items, *others))
    reader = CaptureReader(path)
    reader.read_all()
    assert reader.problems == []
    assert (len(reader.log), reader.log.rows) == (_EVENTS, _EVENTS // _BLOCK * _ROWS)
    reader.log.mark_alarm(_FAILED)
    yield reader
    reader.close()


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Reads:
    """Counts what is read; the reading itself is the real one."""
    counted = Reads()
    one, before, build = CapturedFrames.__getitem__, CapturedFrames.before, RowReader._build

    def read_one(self: CapturedFrames, index: int) -> bytes:
        counted.frames += 1
        return one(self, index)

    def read_block(self: CapturedFrames, *arguments: object) -> Block:
        counted.searched.append(before(self, *arguments))  # type: ignore[arg-type]
        return counted.searched[-1]

    def build_row(self: RowReader, *arguments: object) -> object:
        counted.rows += 1
        return build(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(CapturedFrames, "__getitem__", read_one)
    monkeypatch.setattr(CapturedFrames, "before", read_block)
    monkeypatch.setattr(RowReader, "_build", build_row)
    return counted


def row_of(number: int) -> int:
    """The row of the event with a number."""
    block, at = divmod(number, _BLOCK)
    return block * _ROWS + max(0, at - _DELTAS + 1)


def shown(pane: EventPane) -> list[int]:
    """The numbers of the rows in view that are no runs."""
    return [int(line.split("row ")[1][:7]) for line in lines(pane) if "row " in line]


async def looked(stage: Staged[EventPane]) -> None:
    """Wait until the log has been looked through."""
    pane = stage.widget
    await until(stage.pilot, lambda: pane.view.complete and not pane._looking, "looked through")


def assert_little(reads: Reads, rows: int = _HEIGHT) -> None:
    """Only what came into view was read; a run's words are those of its first frames."""
    assert reads.rows <= rows * _SCREENS
    assert reads.frames <= (rows + 2 * _DELTAS) * _SCREENS
    reads.clear()


async def test_a_million_events_scroll_fold_filter_and_are_searched(million: CaptureReader, reads: Reads) -> None:
    pane, log = EventPane(id="events"), million.log
    pane.watch_log(log)
    async with staged(pane, (100, _HEIGHT)) as stage:
        pilot = stage.pilot
        pane.update_rows(log.rows, log.take_changed())
        await pilot.pause()
        assert shown(pane) == list(range(_EVENTS - _HEIGHT, _EVENTS)), "the newest rows are followed"
        assert_little(reads)

        await pilot.press("g")
        first, *others = lines(pane)
        assert "×100   so so so" in first or "×100  so so so" in first
        assert shown(pane) == list(range(_DELTAS, _DELTAS + _HEIGHT - 1)) and len(others) == _HEIGHT - 1
        assert_little(reads)
        await pilot.press("pagedown", "pagedown", "j")
        assert pane.cursor == 2 * (_HEIGHT - 1) + 1
        assert_little(reads, 3 * _HEIGHT)
        await pilot.press("G")
        assert shown(pane)[-1] == _EVENTS - 1 and pane.following
        await wheel(pilot, pane, -100)
        assert shown(pane) == list(range(_EVENTS - 300 - _HEIGHT, _EVENTS - 300))
        assert_little(reads, 300 + _HEIGHT)
        pane.go_to_time(123_456e-9)
        await pilot.pause()
        assert pane.cursor == row_of(123_456)
        assert 123_456 in shown(pane)
        assert_little(reads)
        await pilot.press("e")
        await until(pilot, lambda: pane.cursor == row_of(_FAILED), "the failure")
        assert _FAILED in shown(pane)
        assert_little(reads)

        pane.choose(parse("type:response.*"))
        await looked(stage)
        assert len(pane.view) == _EVENTS // _BLOCK
        assert [pane.view.row(at) for at in (0, 1, 500, -1)] == [0, _ROWS, 500 * _ROWS, log.rows - _ROWS]
        await pilot.press("g")
        assert len([line for line in lines(pane) if "so so so" in line]) == _HEIGHT
        assert_little(reads, _HEIGHT * _DELTAS)
        assert not reads.searched, "types come from the index"

        pane.choose(parse(">1kB -error"))
        await looked(stage)
        assert len(pane.view) == _EVENTS // _BLOCK, "a run has the bytes of all its frames"
        reads.clear()

        pane.choose(parse('"ROW 0654321" or item:item_0654000 or error'))
        await looked(stage)
        assert [pane.view.row(at) for at in range(len(pane.view))] == [
            row_of(654_000),
            row_of(654_321),
            row_of(_FAILED),
        ]
        assert sum(map(len, reads.searched)) == _EVENTS, "every frame is looked at once"
        assert reads.frames <= (2 + _HEIGHT) * _DELTAS + len(reads.searched)
        reads.clear()

        await pilot.press("escape")
        pane.search("row 0500")
        await looked(stage)
        assert len(pane.view) == log.rows
        assert list(pane.view.hits) == list(range(row_of(500_100), row_of(500_999) + 1))
        pane.go_to_time(400_000e-9)
        for key, number in (("n", 500_100), ("n", 500_101), ("N", 500_100), ("N", 500_999)):
            await pilot.press(key)
            assert pane.cursor == row_of(number), key
            assert number in shown(pane)
        assert sum(map(len, reads.searched)) == _EVENTS

        pane.search("")
        pane.follow_thing(Thing(Kind.ITEM, "item_0999000"))
        await looked(stage)
        assert [pane.view.row(at) for at in range(len(pane.view))] == [row_of(999_000)]
