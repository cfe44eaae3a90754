"""The ids that an event holds: of the items, responses, function calls and events that it is about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tui.capture.filter.syntax import Kind


def ids(kind: Kind, event: Mapping[str, Any]) -> Iterator[str]:
    """The ids of one kind in an event of any shape; the same one may come twice.

    ``previous_item_id`` is not one of them: it says where an item stands, and the event is about another one.
    """
    for holder, key in _places(kind, event):
        value = holder.get(key)
        if isinstance(value, str) and value:
            yield value


def _places(kind: Kind, event: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], str]]:
    yield event, f"{kind}_id"
    item, response, error = event.get("item"), event.get("response"), event.get("error")
    if kind is Kind.EVENT:
        if isinstance(error, Mapping):
            yield error, "event_id"
    elif kind is Kind.RESPONSE:
        if isinstance(response, Mapping):
            yield response, "id"
    else:
        key = "id" if kind is Kind.ITEM else "call_id"
        if isinstance(item, Mapping):
            yield item, key
        output = response.get("output") if isinstance(response, Mapping) else None
        for each in output if isinstance(output, list) else ():
            if isinstance(each, Mapping):
                yield each, key
