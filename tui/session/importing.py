"""Importing the SDK, without the garbage collector in the way."""

from __future__ import annotations

import gc
import sys
from typing import Final

_SDK: Final = "tui.session.sdk"


def import_sdk() -> None:
    """Import :mod:`tui.session.sdk`. The first time takes two seconds or three.

    It makes half a million objects that stay. Collecting while they come, and walking through all of them whenever it
    is due later, would stop every thread for 100 ms and more each time, and a key would wait for as long. So nothing is
    collected meanwhile, and what is there at the end is never looked at again: what little of it is garbage stays.
    """
    if _SDK in sys.modules:
        return
    enabled = gc.isenabled()
    gc.disable()
    try:
        import tui.session.sdk  # noqa: F401
    finally:
        gc.freeze()
        if enabled:
            gc.enable()
