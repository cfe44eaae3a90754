"""What is offered while a filter is written."""

from __future__ import annotations

import pytest

from tests.unit.capture.log.test_index import frame, log_of
from tui.capture import EventLog
from tui.capture.filter import NAMES, Known, complete, parse
from tui.capture.filter.syntax import KEYS, Kind

KNOWN = Known(
    types=["error", "response.done", "response.output_text.delta", "response.output_text.done", "session.created"],
    ids={Kind.ITEM: ["item_9", "item_1"], Kind.CALL: ["call_1"]},
    saved={"quiet": "-delta", "Mine": "error"},
)


def offers(text: str, cursor: int | None = None) -> list[str]:
    at = len(text) if cursor is None else cursor
    found = complete(text, at, KNOWN)
    return [text[: offer.start] + offer.text + text[at:] for offer in found]


def test_an_empty_line_offers_all_there_is() -> None:
    assert offers("") == ["@Mine", "@quiet", *(f"{key}:" for key in KEYS), *NAMES]
    assert all(offer.about for offer in complete("", 0, KNOWN))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ty", ["type:"]),
        ("a -au", ["a -audio"]),
        ("(err", ["(error", "(type:error"]),
        ("@q", ["@quiet"]),
        ("type:resp", ["type:response.*", "type:response.done", "type:response.output_text.delta"]),
        ("type:response.output_text.", ["type:response.output_text.delta", "type:response.output_text.done"]),
        ("type:done", ["type:response.done", "type:response.output_text.done"]),
        ("response.d", ["type:response.done"]),
        ("dir:", ["dir:in", "dir:out", "dir:local"]),
        ("item:", ["item:item_9", "item:item_1"]),
        ("item:item_1", []),
        ("call:c", ["call:call_1"]),
        ('"res', []),
        ('a "b c', []),
        ("size:", []),
        ("foo:", []),
    ],
)
def test_what_was_begun_is_completed(text: str, expected: list[str]) -> None:
    assert offers(text)[: max(1, len(expected))] == expected


def test_the_word_at_the_cursor_is_completed_not_the_last_one() -> None:
    assert offers("dir:o error", 5) == ["dir:out error"]


@pytest.mark.parametrize("text", ["", "ty", "type:r", "-d", "item:", "res"])
def test_what_is_offered_is_a_filter_or_the_beginning_of_one(text: str) -> None:
    for offer in complete(text, len(text), KNOWN):
        if not offer.text.endswith(":"):
            parse(offer.text, KNOWN.saved)


def test_types_and_ids_come_from_the_log_the_newest_first() -> None:
    log = log_of(
        frame("session.created"),
        frame("conversation.item.added", item={"id": "item_1"}),
        frame("response.created", response={"id": "resp_1"}),
        frame("response.output_item.added", item={"id": "item_2", "call_id": "call_2"}, response_id="resp_1"),
        frame("a type with blanks"),
        frame("x", item_id="not told yet"),
        b"null",
    )
    known = Known.from_log(log, {"mine": "error"}, rows=5)
    assert {kind: list(found) for kind, found in known.ids.items()} == {
        Kind.ITEM: ["item_2", "item_1"],
        Kind.RESPONSE: ["resp_1"],
        Kind.CALL: ["call_2"],
        Kind.EVENT: [],
    }
    assert "type:a type with blanks" not in [offer.text for offer in complete("type:a", 6, known)]
    assert [offer.text for offer in complete("type:sess", 9, known)] == ["type:session.created"]
    assert [offer.text for offer in complete("@", 1, Known.from_log(EventLog(), {"mine": "error"}))] == ["@mine"]
    log.close()
