"""The import of the SDK, in an interpreter of its own: nothing is collected in it, and what it leaves never is."""

from __future__ import annotations

import json
import subprocess
import sys

_PROBE = """
import gc, json
from tui.session.importing import import_sdk
collections = []
gc.callbacks.append(lambda phase, info: collections.append(phase))
before = gc.get_freeze_count()
if {disabled}:
    gc.disable()
import_sdk()
during, frozen = len(collections), gc.get_freeze_count()
import_sdk()
print(json.dumps([before, during, frozen, gc.get_freeze_count(), gc.isenabled()]))
"""


def probe(disabled: bool) -> list[object]:
    """Objects frozen before, collections during it, objects frozen then and after a second time, whether gc is on."""
    done = subprocess.run(
        [sys.executable, "-c", _PROBE.format(disabled=disabled)], capture_output=True, text=True, timeout=60, check=True
    )
    found = json.loads(done.stdout)
    assert isinstance(found, list)
    return found


def test_nothing_is_collected_while_the_sdk_is_imported_and_never_what_it_leaves() -> None:
    before, during, frozen, again, enabled = probe(disabled=False)
    assert (before, during, enabled) == (0, 0, True)
    assert isinstance(frozen, int) and frozen > 100_000
    assert again == frozen, "only the first time: garbage must not be kept at each reconnect"


def test_a_collector_that_was_off_stays_off() -> None:
    assert probe(disabled=True)[-1] is False
