"""What reaches a widget draws what it is: no control characters, nothing hidden, never wider than asked."""

import json
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui.ui.text import cleaned, clip, legible, printable

ANY_TEXT = st.text(st.characters(exclude_categories=()))  # lone surrogates included
NEVER_DRAWN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
NON_JOINER = "\u200c"
JOINERS = {NON_JOINER, "\u200d"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("\x1b[2J\x1b]0;owned\x07", r"\u001b[2J\u001b]0;owned\u0007"),
        ("a\r\nb\tc", r"a\r\nb\tc"),
        ("\x9b31m", r"\u009b31m"),
        ("user\u202etxt.exe", r"user\u202etxt.exe"),
        ("\ud800", r"\ud800"),
        ("a\u200bb\ufeffc", r"a\u200bb\ufeffc"),
        ("\U000e0041", r"\udb40\udc41"),
        ("[bold red]x[/]", "[bold red]x[/]"),
        ("back\\slash", "back\\slash"),
    ],
)
def test_what_is_hidden_or_dangerous_is_shown_as_a_json_escape(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "Grüße",
        "日本語",
        "한국어",
        "عربى",
        "می‌خواهم",
        "हिन्दी",
        "क्\u200dष",
        "e\u0301",
        "❤️",
        "👍🏽",
        "🇫🇷",
        "1️⃣",
        "…“”–·←→",
        "\u00a0",
    ],
)
def test_what_people_write_stays_as_it_is(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("👨\u200d👩\u200d👧", "👨👩👧"),
        ("co\xadoperate", "cooperate"),
        ("\u200fשלום\u200e", "שלום"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("Voilà\u00a0: 10\u202f000", "Voilà\u00a0: 10\u202f000"),
        ("a\u202eb", r"a\u202eb"),
        ("pass\u200cword", "password"),
    ],
)
def test_text_to_read_has_no_escapes_for_what_draws_nothing(text: str, shown: str) -> None:
    assert legible(text) == shown


def test_a_non_joiner_hides_nothing_in_latin_text() -> None:
    assert printable(f"pass{NON_JOINER}word") == r"pass\u200cword"


def test_a_second_variation_selector_is_shown() -> None:
    assert printable("❤\ufe0f\ufe0f") == "❤\ufe0f\\ufe0f"


@given(ANY_TEXT)
@example("\u202e\x00\ud800\U000e0001")
@example(NON_JOINER)
def test_printable_text_has_no_character_that_is_not_drawn(text: str) -> None:
    shown = printable(text)
    assert {unicodedata.category(c) for c in shown if c not in JOINERS} & NEVER_DRAWN == set()
    assert printable(shown) == shown
    shown.encode("utf-8")


@given(ANY_TEXT)
@example("https://a\u200b.b\r\x1b[2J\u202e")
def test_cleaned_text_has_nothing_to_escape_and_loses_nothing_else(text: str) -> None:
    kept = cleaned(text)
    assert printable(kept) == kept
    assert cleaned(kept) == kept
    if printable(text) == text:
        assert kept == text


@given(ANY_TEXT)
def test_printable_json_is_the_same_json(text: str) -> None:
    # Pairs of lone surrogates are one character once they went through JSON, here as everywhere.
    expected = json.loads(json.dumps(text))
    assert json.loads(printable(json.dumps(text, ensure_ascii=False))) == expected


@given(ANY_TEXT, st.integers(-2, 40))
@example("日本語", 3)
@example("a" + "\u0301" * 10_000, 1)
@example("0" * 23 + "\u0300" * 9 + "000", 25)
@example("ok", 2)
@example("👍🏽👍🏽", 3)
def test_clipped_text_fits(text: str, width: int) -> None:
    text = printable(text)
    clipped = clip(text, width)
    assert cell_len(clipped) <= max(width, 0)
    assert len(clipped) <= 8 * (max(width, 0) + 1) + 1
    if clipped != text and width > 0:
        assert clipped.endswith("…")
        assert text.startswith(clipped[:-1])


def test_a_clip_fills_the_width_that_it_has() -> None:
    assert clip("0123456789", 5) == "0123…"
    assert clip("日本語だよ", 6) == "日本…"
    assert clip("日本語", 6) == "日本語"
