"""Times: how a person writes one, and seven cells of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.properties import PROPERTY
from tui.ui.times import absolute, parse_time, relative


@pytest.mark.parametrize(
    ("written", "time_s"),
    [
        ("90", 90),
        ("1:30", 90),
        (" 1:02:03.5 ", 3723.5),
        ("0,25", 0.25),
        ("12s", 12),
        ("+10", 70),
        ("-10", 50),
        ("+1:00", 120),
    ],
)
def test_times_as_people_write_them(written: str, time_s: float) -> None:
    assert parse_time(written, 60) == time_s


@pytest.mark.parametrize("written", ["", "x", "1:", ":30", "1:2:3:4", "--5", "1e3", "1 2", "²"])
def test_what_is_no_time_says_what_is(written: str) -> None:
    with pytest.raises(ValueError, match="such as 90, 1:30"):
        parse_time(written, 0)


@PROPERTY
@given(st.floats(0, 999_999), st.floats(-99_999, 99_999))
def test_times_fill_seven_cells(time_s: float, apart_s: float) -> None:
    assert len(absolute(time_s)) == len(relative(apart_s)) == 7
    assert float(absolute(time_s)) == pytest.approx(time_s, abs=1)
    assert float(relative(apart_s)) == pytest.approx(apart_s, abs=1)
    assert relative(apart_s).strip()[0] in "+-"
