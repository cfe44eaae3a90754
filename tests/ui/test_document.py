"""The lines of a frame: right whatever the frame holds, and cheap whatever its size."""

import itertools
import json
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui.ui.document import Document, Role, Search, open_frame
from tui.ui.document.base import LARGE_TEXT, MAX_MATCHES, row_starts
from tui.ui.document.json_document import JsonDocument
from tui.ui.document.jsontext import parse, pretty
from tui.ui.document.plain import HexDocument, TextDocument

AUDIO = "UklGR" + "A" * 16_379
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(ANY_TEXT, inner, max_size=5),
    max_leaves=30,
)


def laid_out(raw: bytes | str, width: int = 80) -> Document:
    document = open_frame(raw)
    document.resize(width)
    return document


def lines(document: Document) -> list[str]:
    return [document.line(y).text.rstrip() for y in range(document.height)]


def check_every_line(document: Document, width: int) -> None:
    for y in range(document.height):
        text = document.line(y).text
        assert cell_len(text) <= width
        assert not {unicodedata.category(c) for c in text} & {"Cc", "Cs", "Zl", "Zp"}
        assert document.find(document.anchor(y)) == y


def test_an_event_looks_like_json_with_its_folds() -> None:
    event = {"type": "session.updated", "session": {"tools": [], "speed": 1.0, "voice": None, "on": True}}
    assert lines(laid_out(json.dumps(event))) == [
        "▾ {",
        '│   "type": "session.updated"',
        '│ ▾ "session": {',
        '│ │   "tools": []',
        '│ │   "speed": 1.0',
        '│ │   "voice": null',
        '│ │   "on": true',
        "│   }",
        "  }",
    ]


def test_roles_tell_keys_strings_numbers_and_words_apart() -> None:
    document = laid_out('{"a": ["s", 1, null]}')
    found = [[(text, role) for text, role in document.line(y).spans if role not in {Role.GUIDE}] for y in range(5)]
    assert found[1] == [("▾ ", Role.PUNCTUATION), ('"a"', Role.KEY), (": ", Role.PUNCTUATION), ("[", Role.PUNCTUATION)]
    assert [line[-1] for line in found[2:]] == [('"s"', Role.STRING), ("1", Role.NUMBER), ("null", Role.LITERAL)]


def test_nothing_that_the_frame_says_is_changed() -> None:
    document = laid_out('{"a":1,"a":2,"n":-0,"f":1.10,"big":' + "9" * 40 + ',"e":1E400}')
    assert lines(document)[1:-1] == [
        '│   "a": 1',
        '│   "a": 2',
        '│   "n": -0',
        '│   "f": 1.10',
        '│   "big": ' + "9" * 40,
        '│   "e": 1E400',
    ]


def test_folding_and_unfolding_one_object_says_what_it_holds() -> None:
    document = laid_out('{"item": {"id": "msg_1", "content": [1, 2]}, "last": 0}')
    before = lines(document)
    assert document.toggle(1) == 1
    assert lines(document) == ["▾ {", '│ ▸ "item": {"id": "msg_1", "content": […]} 2 keys', '│   "last": 0', "  }"]
    assert document.toggle(1) == 1
    assert '│ │ ▸ "content": [1, 2] 2 items' in lines(document)
    assert document.toggle(3) == 3
    assert lines(document) == before


def test_a_closing_bracket_folds_what_it_closes() -> None:
    document = laid_out('{"a": {"b": 1}}')
    assert document.toggle(3) == 1
    assert document.toggle(0) == 0
    assert document.height == 1


def test_all_can_be_folded_and_unfolded() -> None:
    document = laid_out('{"a": {"b": {"c": 1}}, "d": [[1]]}')
    everything = lines(document)
    assert document.fold_all()
    assert [line.split('"')[1] for line in lines(document)[1:-1]] == ["a", "d"]
    assert document.unfold_all()
    assert lines(document) == everything


@pytest.mark.parametrize(
    ("event", "shown"),
    [
        ({"type": "response.output_audio.delta", "delta": AUDIO}, '"UklGRAA…" 16,384 characters, 256 ms of audio'),
        ({"type": "response.audio.delta", "delta": AUDIO}, '"UklGRAA…" 16,384 characters, 256 ms of audio'),
        ({"type": "input_audio_buffer.append", "audio": AUDIO}, '"UklGRAA…" 16,384 characters, 256 ms of audio'),
        ({"type": "input_audio", "audio": AUDIO + "AAA="}, '"UklGRAA…" 16,388 characters, 256 ms of audio'),
        ({"type": "response.output_text.delta", "delta": AUDIO}, 'A…" 16,384 characters'),
    ],
)
def test_audio_is_told_by_its_length_and_duration(event: dict[str, str], shown: str) -> None:
    line = lines(laid_out(json.dumps(event)))[2]
    assert line.startswith("│ ▸ ")
    assert line.endswith(shown)


def test_a_long_string_is_cut_off_until_it_is_unfolded() -> None:
    document = laid_out(json.dumps({"x": "word " * 400}), 40)
    assert lines(document)[1] == '│ ▸ "x": "word word w…" 2,000 characters'
    assert document.toggle(1) == 1
    shown = lines(document)
    assert shown[1] == '│ ▾ "x": "word word word word word word'
    assert "".join(line.removeprefix("│").strip(' "▾x:') for line in shown[1:-1]).count("word") == 400
    assert document.toggle(20) == 1
    assert document.height == 3


def test_prose_is_shown_whole_with_its_line_ends() -> None:
    document = laid_out(json.dumps({"instructions": 'Be kind.\nNever say "no".\n' * 3}), 60)
    assert lines(document)[1:-1] == [
        r'│ ▾ "instructions": "Be kind.\n',
        r"│   Never say \"no\".\n",
        r"│   Be kind.\n",
        r"│   Never say \"no\".\n",
        r"│   Be kind.\n",
        r'│   Never say \"no\".\n"',
    ]
    assert document.toggle(3) == 1
    assert lines(document)[1] == r'│ ▸ "instructions": "Be kind.\nNever say \"n…" 75 characters'


@pytest.mark.parametrize(
    ("raw", "kind", "reason"),
    [
        ('{"a": tru}', TextDocument, "not JSON: expecting value at character 6"),
        ('{"a": "\x1b"}', TextDocument, "not JSON: invalid control character at character 7"),
        ('{"a": NaN}', TextDocument, "not JSON: NaN is not a number"),
        ("[" * 100_000, TextDocument, "JSON nested too deeply to be laid out"),
        ("", TextDocument, "an empty frame"),
        ("\ufeff{}", TextDocument, "not JSON: unexpected UTF-8 BOM (decode using utf-8-sig) at character 0"),
        (b"\xff\xfe", HexDocument, "not UTF-8 at byte 0"),
        (b"ab\x00", HexDocument, "binary: a zero byte at byte 2"),
        (b'{"a": 1}', JsonDocument, ""),
        ("7", JsonDocument, ""),
        ('"text"', JsonDocument, ""),
        ("[]", JsonDocument, ""),
    ],
)
def test_what_is_not_json_is_shown_with_the_reason(raw: bytes | str, kind: type, reason: str) -> None:
    document = laid_out(raw)
    assert isinstance(document, kind)
    assert document.reason == reason
    check_every_line(document, 80)


def test_text_is_wrapped_and_escaped() -> None:
    document = laid_out("one \x1b[2J\r\ntwo \u202e日本語日本語\n", 12)
    assert lines(document) == [r"one \u001b[2", r"J\r", r"two \u202e日", "本語日本語", ""]


def test_a_hex_dump_fits_the_width_and_shows_ascii() -> None:
    document = laid_out(b"\x00GET / HTTP/1.1\r\n\xff" + bytes(8), 76)
    assert lines(document) == [
        "00000000  00 47 45 54 20 2f 20 48 54 54 50 2f 31 2e 31 0d  ·GET / HTTP/1.1·",
        "00000010  0a ff 00 00 00 00 00 00 00 00                    ··········",
    ]
    document.resize(36)
    assert document.height == 7
    check_every_line(document, 36)


@given(VALUES, st.integers(24, 100), st.lists(st.integers(0, 200), max_size=12), st.integers(24, 100))
@example({"\u0301" * 50: "e\u0301" * 500, "日本": "日" * 90}, 24, [1, 2, 1], 60)
@example([[[[[[[[[[[[[[[[[[{"deep": AUDIO}]]]]]]]]]]]]]]]]]], 30, [17], 24)
def test_every_line_is_right_however_it_is_folded(value: object, width: int, toggles: list[int], other: int) -> None:
    document = laid_out(json.dumps(value), width)
    check_every_line(document, width)
    for y in toggles:
        top = document.toggle(y % document.height)
        assert top is None or 0 <= top <= y % max(document.height, y + 1)
    check_every_line(document, width)
    document.resize(other)
    check_every_line(document, other)
    document.fold_all()
    assert document.unfold_all()
    check_every_line(document, other)


@given(VALUES)
def test_what_is_copied_is_the_same_json(value: object) -> None:
    raw = json.dumps(value)
    copied = laid_out(raw).copy_text(10**6)
    assert copied is not None
    assert parse(copied) == parse(raw)
    copied.encode("utf-8")
    assert json.loads(copied) == json.loads(raw)


def test_a_copy_that_is_too_long_is_refused_early() -> None:
    assert pretty(["x" * 100] * 10, 1_000) is None
    assert pretty("x" * 100, 100) is None
    assert pretty(parse("[" * 800 + "]" * 800), 2 * 10**6) is not None


@given(VALUES, st.text(min_size=1, max_size=3), st.integers(30, 100))
@example({"key": "x" * 3_000 + "needle" + "x" * 3_000}, "NEEDLE", 40)
@example({"a": [{"b": {"c": "needle"}}]}, "needle", 80)
@example(["İstanbul", "ſ", "ß"], "S", 40)
@example([], "[", 30)
@example({"0000000000000\x1f": [0]}, "0", 30)
def test_every_match_can_be_gone_to_and_is_marked(value: object, query: str, width: int) -> None:
    document = laid_out(json.dumps(value), width)
    document.fold_all()
    found = [match for match in document.search(Search(query)) if match is not None]
    for match in found[:20]:
        y = document.reveal(match)
        line = document.line(y, Search(query, match))
        current = [(start, end) for start, end, now in line.marks if now]
        long_key = any(role is Role.KEY and text.endswith('…"') for text, role in line.spans)
        assert current or long_key
        for start, end in current:
            assert document.line(y).text[start:end] != ""
        check_every_line(document, width)


def test_a_search_finds_keys_values_and_both_together() -> None:
    document = laid_out(json.dumps({"type": "response.done", "response": {"id": "r1", "say": 'say "hi"', "é": "\x1b"}}))

    def count(query: str) -> int:
        return sum(match is not None for match in document.search(Search(query)))

    assert count("RESPONSE") == 2
    assert count('"type": "response.done"') == 1
    assert count('say "hi"') == 1
    assert count("é") == 1
    assert count("\\u001b") == 1
    assert count("nothing") == 0


def test_a_search_stops_at_so_many_matches() -> None:
    document = laid_out(json.dumps(["a" * 100] * 200))
    assert sum(match is not None for match in document.search(Search("a"))) == MAX_MATCHES


def test_a_search_in_bytes_takes_words_and_numbers() -> None:
    document = laid_out(b"\x00\x01GET /\x1b[2J" + bytes(40), 80)
    (match,) = (m for m in document.search(Search("get")) if m)
    assert document.line(document.reveal(match), Search("get", match)).marks == ((61, 64, True),)
    assert len(list(document.search(Search("1b 5b")))) == 1


def test_a_match_across_two_rows_is_marked_on_both() -> None:
    document = laid_out("x" * 18 + "needle" + "\n", 20)
    search = Search("needle", next(document.search(Search("needle"))))
    assert [document.line(y, search).marks for y in range(2)] == [((18, 20, True),), ((0, 4, True),)]


@given(ANY_TEXT.map(lambda text: json.dumps(text, ensure_ascii=False)), st.integers(2, 30))
@example('"a\\nb\\\\nc\\n"', 10)
@example("日本語" * 10, 3)
def test_rows_hold_all_of_the_text_and_fit(text: str, width: int) -> None:
    starts = row_starts(text, width)
    assert starts[0] == 0
    rows = [text[start:end] for start, end in itertools.pairwise([*starts, len(text)])]
    assert "".join(rows) == text
    for row in rows:
        assert cell_len(row.rstrip(" ")) <= width


# Sizes that a parser or a layout which does too much would not survive. What is counted is work, not time.


@pytest.mark.parametrize(
    "raw",
    [
        json.dumps({"type": "response.output_audio.delta", "delta": "A" * 8_388_608}),
        json.dumps({"x": "日" * 1_000_000}, ensure_ascii=False),
        json.dumps({"k" * 1_000_000: "v" * 1_000_000}),
        "[" + "1," * 300_000 + "1]",
        "[" + "[1]," * 200_000 + "1]",
        "[" * 900 + "]" * 900,
        "[" * 100_000,
        "\x1b" * 1_000_000,
        "\n" * 1_000_000,
        "x\u202e" * 500_000,
    ],
    ids=["audio", "wide", "key", "numbers", "arrays", "deep", "brackets", "escape", "newlines", "bidi"],
)
def test_a_huge_frame_is_drawn_line_by_line(raw: str) -> None:
    document = laid_out(raw, 100)
    at = document.height // 2
    document.toggle(min(1, document.height - 1))
    for y in {0, 1, 2, at, document.height - 1}:
        if y < document.height:
            assert cell_len(document.line(y, Search("zz")).text) <= 100
    document.resize(60)
    document.unfold_all()
    assert document.height <= max(2_000_010, 2 * len(raw))
    assert document.find(document.anchor(document.height - 1)) == document.height - 1


def test_two_hundred_thousand_lines_unfold_and_every_hundredth_is_right() -> None:
    items = [{"id": f"item_{n}", "n": n, "inner": {"a": 1}} for n in range(28_572)]
    document = laid_out(json.dumps(items), 80)
    assert document.unfold_all()
    assert document.height == 28_572 * 7 + 2 == 200_006
    for n in range(0, 28_572, 100):
        assert document.line(1 + 7 * n + 2).text == f'│ │   "n": {n}'


def test_too_much_to_unfold_is_said_and_bounded() -> None:
    document = laid_out("[" + "[1]," * 100_000 + "1]")
    assert document.unfold_all() is False
    assert document.height <= 250_003


def test_a_large_text_is_wrapped_by_arithmetic() -> None:
    assert row_starts("a" * (LARGE_TEXT + 1), 80) == range(0, LARGE_TEXT + 1, 80)
    assert row_starts("日" * (LARGE_TEXT + 1), 80) == range(0, LARGE_TEXT + 1, 40)
