"""The defaults: the same everywhere, and none that ends soon after the dates were read."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path
from typing import get_args

import pytest

from tui import models
from tui.endpoint import DEFAULT_OPENAI_MODEL, openai_target
from tui.models import Vendor, ending, endings
from tui.settings import Settings
from tui.simulator import client_events, config

ROOT = Path(__file__).parents[2]
EXAMPLE = (ROOT / ".env.example").read_text()
ROWS = [pytest.param(vendor, row, id=f"{vendor}-{row.model}") for vendor in get_args(Vendor) for row in endings(vendor)]


def example(name: str) -> str:
    """The value that ``.env.example`` has for a variable, commented out or not."""
    found = re.search(rf"^(?:# )?{name}=(.*)$", EXAMPLE, re.MULTILINE)
    assert found, name
    return found[1]


def test_the_defaults_are_the_same_everywhere() -> None:
    assert (models.REALTIME, models.TRANSCRIPTIONS[0], models.VOICE) == (
        "gpt-realtime-2.1",
        "gpt-live-transcribe",
        "marin",
    )
    assert openai_target("").model == DEFAULT_OPENAI_MODEL == config.DEFAULT_MODEL == models.REALTIME
    assert Settings().voice == config.DEFAULT_VOICE == models.VOICE
    assert models.VOICE in client_events.VOICES


def test_the_documents_say_the_same() -> None:
    assert example("AZURE_OPENAI_DEPLOYMENT") == models.REALTIME
    assert f"({models.REALTIME} if it is not set)" in EXAMPLE
    assert example("AZRT_URL").endswith(f"?model={models.REALTIME}")
    assert example("AZRT_VOICE") == models.VOICE
    assert example("AZRT_TRANSCRIPTION_MODEL") == models.TRANSCRIPTIONS[0]
    assert "{} is tried, then {}".format(*models.TRANSCRIPTIONS) in " ".join(EXAMPLE.replace("#", "").split())
    assert f"AZURE_OPENAI_DEPLOYMENT={models.REALTIME}\n" in (ROOT / "README.md").read_text()


def test_no_document_names_a_model_that_ends() -> None:
    """As a word of its own: the name of a newer model begins with that of an older one."""
    ends = {row.model for row in endings("openai")} - set(models.TRANSCRIPTIONS)
    for name in (".env.example", "README.md", "docs/capture-format.md"):
        named = set(re.findall(r"(?<![\w.-])(?:gpt|whisper)-[\w.-]*\w", (ROOT / name).read_text()))
        assert not named & ends, name


@pytest.mark.parametrize(("vendor", "row"), ROWS)
def test_each_row_has_dates_that_can_be(vendor: Vendor, row: models.Ending) -> None:
    assert ending(row.model, vendor) == row, "each model once"
    assert date(2026, 1, 1) < row.source < date(2027, 1, 1)
    assert date(2026, 1, 1) < row.ends < date(2030, 1, 1)
    assert row.instead != row.model
    assert ending(row.model.upper(), vendor) is None, "only the exact name"


@pytest.mark.parametrize("vendor", get_args(Vendor))
def test_no_default_ended_soon_when_the_dates_were_read(vendor: Vendor) -> None:
    """Against the dates of the table, not today's: a test does not begin to fail by itself."""
    read = max(row.source for row in endings(vendor))
    for model in (models.REALTIME, models.TRANSCRIPTIONS[0]):
        found = ending(model, vendor)
        assert found is None or not found.is_near(read), model


def test_what_is_near() -> None:
    row = models.Ending("m", date(2027, 1, 20), "n", date(2026, 12, 1))
    assert row.is_near(row.ends - timedelta(days=models.WITHIN_DAYS))
    assert not row.is_near(row.ends - timedelta(days=models.WITHIN_DAYS + 1))
    assert row.is_near(row.ends + timedelta(days=400)), "what is over too"
