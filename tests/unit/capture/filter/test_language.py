"""The language of filters: what a person writes, what it means, and which character is wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.properties import PROPERTY
from tui.capture.filter import NAMES, FilterError, parse
from tui.capture.filter.syntax import (
    COMPARISONS,
    DIRECTIONS,
    EVERYTHING,
    All,
    Any,
    Expression,
    Id,
    Kind,
    Name,
    Not,
    Size,
    Text,
    Type,
    Way,
)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("", EVERYTHING),
        ("  ", EVERYTHING),
        ("type:response.*", Type("response.*")),
        ("TYPE:response.done", Type("response.done")),
        ("response.*", Type("response.*")),
        ("-audio", Not(Name("audio"))),
        ("not audio", Not(Name("audio"))),
        ("!audio", Not(Name("audio"))),
        ("dir:out", Way("out")),
        ("dir:sent", Way("out")),
        ("item:item_123", Id(Kind.ITEM, "item_123")),
        ("response:resp_1", Id(Kind.RESPONSE, "resp_1")),
        ("call:call_*", Id(Kind.CALL, "call_*")),
        ("Error", Name("error")),
        (">1kB", Size(">", 1000)),
        ("> 1.5 kB", Size(">", 1500)),
        ("size:<=1MiB", Size("<=", 1024 * 1024)),
        (">200 audio", All((Size(">", 200), Name("audio")))),
        ('"free text"', Text("free text")),
        ('"error"', Text("error")),
        ('text:"error"', Text("error")),
        (r'"a \"b\" \\ c"', Text('a "b" \\ c')),
        ("weather", Text("weather")),
        ("orange nothing", All((Text("orange"), Text("nothing")))),
        ("a and b", All((Text("a"), Text("b")))),
        ("a b or c", Any((All((Text("a"), Text("b"))), Text("c")))),
        ("a | b OR c", Any((Text("a"), Text("b"), Text("c")))),
        ("a (b or -c)", All((Text("a"), Any((Text("b"), Not(Text("c"))))))),
        ("-(a b)", Not(All((Text("a"), Text("b"))))),
        ("--a", Not(Not(Text("a")))),
    ],
)
def test_what_is_written_means_what_a_person_guesses(written: str, meant: Expression) -> None:
    assert parse(written).expression == meant


@pytest.mark.parametrize(
    ("written", "position", "length", "says"),
    [
        ("typ:x", 0, 4, "type: is one"),
        ("a foo:bar", 2, 4, "there are type: dir: item:"),
        ("http://x", 0, 5, "goes in quotes"),
        ('a "bc', 2, 1, "never closed"),
        ('""', 0, 2, "nothing between"),
        ("type:", 5, 1, "type:response.*"),
        ("item: x", 5, 1, "right behind it"),
        ('type:""', 5, 1, "right behind it"),
        ("dir:up", 4, 2, "in, out or local"),
        ("> x", 2, 1, "a number of bytes"),
        (">1s", 2, 1, "the units are"),
        ("size:5", 5, 1, "begins with >"),
        ("(a", 0, 1, "never closed"),
        ("a (b (c) ", 2, 1, "never closed"),
        ("a)", 1, 1, "nothing is open"),
        ("()", 1, 1, "must stand here"),
        ("a or", 4, 1, "something must stand here"),
        ("or a", 0, 1, 'before "or"'),
        ("a or or b", 5, 1, 'before "or"'),
        ("a -", 2, 1, "what is not wanted"),
        ("@quiet", 0, 6, "there are @brief"),
        ("a @broken", 2, 7, "the saved filter is wrong, at character 5"),
        ("(" * 60 + "a" + ")" * 60, 40, 1, "40 levels"),
    ],
)
def test_a_mistake_is_named_at_its_character(written: str, position: int, length: int, says: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse(written, {"brief": "error", "broken": "dir:up"})
    assert (caught.value.position, caught.value.length) == (position, length)
    assert says in caught.value.problem
    assert f"at character {position + 1}: " in str(caught.value)


def test_a_saved_filter_stands_for_itself_and_may_name_others() -> None:
    saved = {"quiet": "-delta -@noise", "noise": "limits or audio", "own": "a @own"}
    assert parse("error @quiet", saved).expression == All(
        (Name("error"), All((Not(Name("delta")), Not(Any((Name("limits"), Name("audio")))))))
    )
    with pytest.raises(FilterError, match="the saved filter is wrong"):
        parse("@own", saved)


_TERMS = st.one_of(
    st.builds(Type, st.text(min_size=1)),
    st.builds(Way, st.sampled_from(sorted(DIRECTIONS))),
    st.builds(Name, st.sampled_from(sorted(NAMES))),
    st.builds(Id, st.sampled_from(Kind), st.text(min_size=1)),
    st.builds(Size, st.sampled_from(sorted(COMPARISONS)), st.integers(0, 10**13)),
    st.builds(Text, st.text(min_size=1)),
)
EXPRESSIONS = st.recursive(
    _TERMS,
    lambda inside: st.one_of(
        st.builds(Not, inside),
        st.lists(inside, min_size=2, max_size=4).map(lambda parts: All(tuple(parts))),
        st.lists(inside, min_size=2, max_size=4).map(lambda parts: Any(tuple(parts))),
    ),
    max_leaves=12,
)


@PROPERTY
@given(EXPRESSIONS)
def test_every_filter_can_be_written_and_read_again(expression: Expression) -> None:
    assert parse(str(expression)).expression == expression


@PROPERTY
@given(st.text() | st.text(alphabet='atyperdi:>< kB1.*()"\\-!@|or'))
def test_any_text_is_a_filter_or_has_a_character_that_is_wrong(text: str) -> None:
    try:
        expression = parse(text).expression
    except FilterError as error:
        assert 0 <= error.position <= len(text)
        assert error.length >= 1
        assert error.problem
    else:
        assert parse(str(expression)).expression == expression
