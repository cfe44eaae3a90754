"""Looking through a log in slices: the same rows as one by one, whatever comes meanwhile."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.properties import PROPERTY
from tests.unit.capture.filter.test_language import EXPRESSIONS
from tests.unit.capture.log.test_index import frame, frames, log_of, text_delta
from tui.capture import CaptureReader, EventLog
from tui.capture.file.encoding import find_audio, frame_line, header_line, remark_line
from tui.capture.file.records import Audio, Header, Remark
from tui.capture.filter import Filter, matches, parse
from tui.capture.filter.matches import Matches
from tui.capture.filter.syntax import Expression, Id, Kind, Name, Not, Size, Text, Type, all_of
from tui.wire import Direction

RECEIVED, SENT, LOCAL = Direction.RECEIVED, Direction.SENT, Direction.LOCAL


@pytest.fixture(params=["row by row", "all at once"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Both ways of deciding rows, on a small log in many small blocks."""
    monkeypatch.setattr(matches, "_LARGEST_BLOCK", 200)
    monkeypatch.setattr(matches, "_SMALLEST_BLOCK", 1)
    monkeypatch.setattr(matches, "_ROWS_AT_ONCE", 4)
    if request.param == "all at once":
        monkeypatch.setattr(matches, "_FEW", 0)
    yield request.param


def one_by_one(log: EventLog, chosen: Filter) -> list[int]:
    """What should be found."""
    return [row for row in range(log.rows) if chosen.matches_row(log, row)]


def found(log: EventLog, written: str) -> list[int]:
    finding = Matches(log, parse(written))
    finding.update(log.rows)
    while not finding.work(0.0):
        pass
    return list(finding.rows)


LIKELY: st.SearchStrategy[Expression] = st.sampled_from(
    [
        Type("response.*"),
        Type("delta"),
        Name("audio"),
        Name("error"),
        Name("sent"),
        Name("unknown"),
        Size(">", 90),
        Text("x"),
        Text("E"),
        Text("note"),
        Id(Kind.ITEM, "a"),
        Id(Kind.ITEM, "*"),
        Not(Text("b")),
        Not(Type("delta")),
    ]
)

STEPS = st.lists(
    st.tuples(st.sampled_from(Direction), frames(), st.booleans(), st.sampled_from(["", "", "a note"]), st.booleans()),
    max_size=30,
)


@settings(PROPERTY, max_examples=80)
@given(st.lists(STEPS, min_size=1, max_size=4), st.lists(LIKELY | EXPRESSIONS, min_size=1, max_size=3))
@pytest.mark.parametrize("few", [0, 300])
def test_it_finds_what_a_look_at_every_row_finds(
    few: int, batches: list[list[tuple[Direction, bytes, bool, str, bool]]], parts: list[Expression]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(matches, "_LARGEST_BLOCK", 200)
        patch.setattr(matches, "_ROWS_AT_ONCE", 4)
        patch.setattr(matches, "_FEW", few)
        chosen = Filter("", all_of(*parts))
        log = EventLog(window_bytes=200)
        finding = Matches(log, chosen)
        for number, batch in enumerate(batches):
            for direction, data, binary, note, alarm in batch:
                index = log.append(direction, data, number, binary=binary)
                if note:
                    log.add_note(index, note)
                if alarm:
                    log.mark_alarm(index)
            finding.update(log.rows, log.take_changed())
            finding.work(0.0)  # one piece, and more comes before it is done
        while not finding.work(0.0):
            pass
        assert list(finding.rows) == one_by_one(log, chosen)
        log.close()


def test_the_newest_hits_come_first(way: str) -> None:
    log = log_of(*(frame("session.updated", text="hit" if at % 3 == 0 else "") for at in range(30)))
    finding = Matches(log, parse("hit"))
    finding.update(log.rows)
    seen = []
    while not finding.work(0.0):
        seen.append(list(finding.rows))
    assert list(finding.rows) == list(range(0, 30, 3))
    assert all(rows == [row for row in range(0, 30, 3) if row >= (rows or [30])[0]] for rows in seen)
    assert len(seen) > 5
    log.close()


def test_a_row_comes_in_and_goes_as_its_run_grows(way: str) -> None:
    log = log_of(text_delta("a", "sun"), frame("session.updated"))
    with_rain, without = Matches(log, parse("rain")), Matches(log, parse("-rain"))
    both = (with_rain, without)

    def take() -> tuple[list[int], list[int]]:
        changed = log.take_changed()
        for each in both:
            each.update(log.rows, changed)
            while not each.work(0.0):
                pass
        return list(with_rain.rows), list(without.rows)

    assert take() == ([], [0, 1])
    log.append(RECEIVED, text_delta("a", " and rain"), 0)
    log.append(RECEIVED, frame("error", text="rain"), 0)
    assert take() == ([0, 2], [1])
    log.add_note(1, "it rains")
    assert take() == ([0, 1, 2], [])
    assert [with_rain.holds(row) for row in range(4)] == [True, True, True, False]
    log.close()


def test_rows_may_be_added_by_hand(way: str) -> None:
    log = log_of(*(frame("session.updated" if at % 2 else "error") for at in range(9)))
    finding = Matches(log, parse("type:error"), also={1, 2, 7})
    finding.update(log.rows)
    while not finding.work(0.0):
        pass
    assert list(finding.rows) == [0, 1, 2, 4, 6, 7, 8]
    log.close()


def test_types_that_the_log_does_not_keep_are_found(way: str) -> None:
    strange = "x" * 300
    log = log_of(frame("session.updated"), frame(strange), frame("response.done"), frame(f"y{strange}"))
    assert found(log, f"type:{strange}") == [1]
    assert found(log, "-type:session.*") == [1, 2, 3]
    assert found(log, f"type:*{strange} -updated") == [1, 3]
    log.close()


def test_text_is_found_across_the_window_in_memory(way: str) -> None:
    log = EventLog(window_bytes=500)
    for at in range(60):
        log.append(RECEIVED, frame("session.updated", number=f"n{at}n"), at)
    assert [found(log, f"n{at}n") for at in (0, 13, 31, 59)] == [[0], [13], [31], [59]]
    log.close()


def test_an_empty_log_is_looked_through_at_once(way: str) -> None:
    log = EventLog()
    for written in ("error", "text", "-type:x"):
        finding = Matches(log, parse(written))
        finding.update(0)
        assert finding.complete and finding.work(0.0) and not len(finding.rows)
        log.append(RECEIVED, frame("error", text="text"), 0)
        finding.update(log.rows)
        assert finding.work(1.0) and finding.holds(log.rows - 1)
    log.close()


LETTERS = st.text('aAbBäÄöÖéßſπΠςσΣрРиИİıKΩ日\u2028😀 [{@`.:"}\\\n', max_size=8)


@PROPERTY
@example(["ÄRGER", "ärger"], "Ärger", [0, 1])
@example(["a"], "about", [0])
@example(["x"], '""', [0])
@example(["x"], "}}", [0])
@example(["x"], "REVG", [0])
@given(st.lists(LETTERS, min_size=1, max_size=12), LETTERS.filter(bool), st.lists(st.integers(0, 2), min_size=1))
def test_all_at_once_finds_the_letters_that_one_by_one_finds(texts: list[str], text: str, ways: list[int]) -> None:
    audio = {"type": "response.output_audio.delta", "item_id": "a", "delta": "QUJDREVG" * 10}
    spelled = [
        json.dumps({"type": "x", "text": each}, ensure_ascii=way == 1).encode("utf-8", "surrogatepass")
        for each, way in zip(texts, cycle(ways), strict=False)
    ]
    data = [*spelled, json.dumps({**audio, "event_id": texts[0]}, separators=(",", ":")).encode(), texts[-1].encode()]
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(matches, "_FEW", 0)
        path = Path(folder) / "events.jsonl"
        path.write_bytes(header_line(Header()) + b"".join(map(line, data)))
        reader = CaptureReader(path)
        reader.read_all()
        for log in (reader.log, log_of(*data)):
            chosen = Filter(text, Text(text))
            finding = Matches(log, chosen)
            finding.update(log.rows)
            finding.look(0.0)
            assert finding.work(1.0)
            assert list(finding.rows) == one_by_one(log, chosen)
            log.close()
        reader.close()


def line(data: bytes) -> bytes:
    """The line of a frame in a capture whose audio is elsewhere, with a remark behind those that end with an ``a``."""
    where = find_audio(data, b'"delta"')
    audio = Audio(0, len(where[1]), where[0]) if where is not None else None
    remark = remark_line(1, Remark(0, alarm=True)) if data.endswith(b'a"}') else b""
    return frame_line(1, RECEIVED, data, audio=audio)[0] + remark


@pytest.mark.parametrize("written", ["type:x", "-audio >1kB", "error", '"some text" item:item_1'])
def test_a_filter_is_read_without_numpy(written: str) -> None:
    code = (
        "import sys; from tui.capture.filter import parse, frame; from tui.wire import Direction;"
        f"parse({written!r}).matches(frame(Direction.SENT, b'{{}}'));"
        "import tui.capture.filter.matches, tui.capture.log.view;"
        "print(json.dumps([name for name in ('numpy', 'textual') if name in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", f"import json; {code}"], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []
