"""The recorded events in tests/data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent.parent / "data"


def lines(name: str) -> list[dict[str, Any]]:
    """The objects of a file in tests/data, one a line."""
    return [json.loads(line) for line in (DATA / name).read_text().splitlines()]


def examples(dialect: str) -> list[dict[str, Any]]:
    """The official examples of server events, ``ga`` or ``beta``."""
    return [line["event"] for line in lines(f"openai_docs_examples_{dialect}.jsonl")]
