"""Wrapping: no line is too wide, no word is lost, and what is inside a line stays as it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.support.drawing import each_hostile, is_safe
from tests.support.properties import PROPERTY
from tui.ui.text import legible
from tui.ui.wrapping import GrowingText, Span, wrap

AWKWARD = " \n\t日👍🏽🇫🇷\u0301\ufe0f\u200d\u202e\x1b"
ANY = st.one_of(st.characters(exclude_categories=()), st.sampled_from(AWKWARD))
TEXTS = st.text(ANY, max_size=60)
STYLES = st.sampled_from(["heard", "unheard"])
SPANS = st.lists(st.tuples(TEXTS, STYLES), max_size=4)
VISIBLE = st.one_of(st.characters(exclude_categories=["Zs", "Zl", "Zp", "Cc"]), st.sampled_from("日👍🏽🇫🇷\u0301\ufe0f"))
WORDS = st.lists(st.text(VISIBLE, min_size=1, max_size=8), max_size=8)
"""Words that are too short to hold a pile of marks."""


def texts(lines: list[list[Span]]) -> list[str]:
    return ["".join(text for text, _ in line) for line in lines]


@PROPERTY
@given(SPANS, st.integers(2, 30))
def test_no_line_is_wider_than_asked(spans: list[Span], width: int) -> None:
    for line in wrap(spans, width):
        assert sum(cell_len(text) for text, _ in line) <= width
        assert cell_len("".join(text for text, _ in line)) <= width


@PROPERTY
@given(st.lists(st.tuples(WORDS, STYLES), max_size=5), st.integers(2, 30))
def test_nothing_but_space_is_lost_and_everything_keeps_its_style(
    spans: list[tuple[list[str], str]], width: int
) -> None:
    lines = wrap([(" ".join(words), style) for words, style in spans], width)
    for style in ("heard", "unheard"):
        expected = "".join(legible(word) for words, its_style in spans if its_style == style for word in words)
        drawn = "".join(text for line in lines for text, its_style in line if its_style == style)
        assert "".join(drawn.split()) == expected


@PROPERTY
@given(SPANS, st.integers(2, 30))
def test_what_comes_out_can_be_drawn(spans: list[Span], width: int) -> None:
    assert all(is_safe(text) for line in wrap(spans, width) for text, _ in line)


@each_hostile
def test_hostile_text_is_safe_and_fits(hostile: str) -> None:
    drawn = texts(wrap([(hostile, "")], 12))
    assert is_safe("".join(drawn))
    assert max(map(cell_len, drawn[:1000])) <= 12


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("one two three", 7, ["one two", "three"]),
        ("one two", 7, ["one two"]),
        ("one  two", 3, ["one", "two"]),
        ("a    b", 8, ["a    b"]),
        ("abc  d", 4, ["abc", "d"]),
        ("  indented", 12, ["  indented"]),
        ("one\n\ntwo", 9, ["one", "", "two"]),
        ("one\r\ntwo", 9, ["one", "two"]),
        ("one\n\n", 9, ["one"]),
        ("tab\tstop", 12, ["tab    stop"]),
        ("extraordinary", 5, ["extra", "ordin", "ary"]),
        ("an extraordinary", 5, ["an", "extra", "ordin", "ary"]),
        ("extraordinary it is", 6, ["extrao", "rdinar", "y it", "is"]),
        ("日本語です", 5, ["日本", "語で", "す"]),
        ("日本 語で", 6, ["日本", "語で"]),
        ("ab👍🏽cd", 3, ["ab", "👍🏽c", "d"]),
        ("", 5, []),
        (" \n ", 5, []),
        ("abcde \nfg", 5, ["abcde", "fg"]),
        ("abcde \n\nfg", 5, ["abcde", "", "fg"]),
        ("          wide", 5, ["wide"]),
    ],
)
def test_where_lines_break(text: str, width: int, lines: list[str]) -> None:
    assert texts(wrap([(text, "")], width)) == lines


def test_styles_change_in_mid_line_and_mid_word() -> None:
    assert wrap([("the depth of th", "heard"), ("e bay", "unheard")], 12) == [
        [("the depth of", "heard")],
        [("th", "heard"), ("e bay", "unheard")],
    ]


def test_a_pile_of_marks_is_not_sent_to_the_terminal() -> None:
    (line,) = texts(wrap([("e" + "\u0301" * 100_000, "")], 20))
    assert len(line) == 8
    assert cell_len(line) == 1


@PROPERTY
@given(
    st.text(st.sampled_from("ab \n\r\t日"), max_size=60), st.integers(2, 30), st.lists(st.integers(0, 60), max_size=4)
)
def test_a_growing_text_wraps_as_if_it_had_come_at_once(text: str, width: int, cuts: list[int]) -> None:
    growing = GrowingText(width, "style")
    for cut in (*sorted(cuts), len(text)):
        assert growing.wrap(text[:cut]) == wrap([(text[:cut], "style")], width)
    assert growing.wrap("another text") == wrap([("another text", "style")], width)
