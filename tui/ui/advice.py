"""Which key does what now, and the words for it: nothing outside the screen knows what is bound to which key."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Final

from tui.ui.bindings import default_keys
from tui.ui.keymap import character_of
from tui.ui.terminal.keys import keys_of
from tui.ui.text import printable

if TYPE_CHECKING:
    from textual.app import App

    from tui.conversation import Offer

_FUNCTION_KEY: Final = re.compile(r"f[0-9]{1,2}")

_HELPS: Final = {
    "session.reconnect": "{} reconnects.",
    "session.microphone": "{} tries again.",
    "session.devices": "{} shows the devices, and tries again.",
    "session.checkup": "{} shows all checks.",
}


def key_of(app: App[Any], binding_id: str) -> str:
    """The first key that a binding of the program has now: ``ctrl+r``, ``F7``, ``/``; "" where none has the id."""
    keys = keys_of(app, binding_id) or default_keys(binding_id)
    *modifiers, key = keys.split(",")[0].split("+")
    return "+".join([*modifiers, _written(key)])


def _written(key: str) -> str:
    """A key without modifiers as people write it: by what it types, if that can be seen; else by its name."""
    character = character_of(key) or ""
    if character.isprintable() and character.strip():
        return character
    return key.upper() if _FUNCTION_KEY.fullmatch(key) else key


def advice(app: App[Any], command: str) -> str:
    """What a command may do about it: ``ctrl+r reconnects.``; "" for none."""
    words = _HELPS.get(command)
    return words.format(key_of(app, command)) if words else ""


def offered(app: App[Any], offer: Offer, now_s: float) -> str:
    """An offer in one line: what is the matter, how long still, and the keys. ``now_s`` is by ``time.monotonic()``."""
    text = printable(offer.text)
    if offer.due_s is not None:
        text += f" {_left(max(0, math.ceil(offer.due_s - now_s)))}"
    return " · ".join([text, *(f"{key_of(app, choice)} {does}" for choice, does in offer.choices)])


def _left(seconds: int) -> str:
    return f"{seconds} s" if seconds < 100 else f"{seconds // 60}:{seconds % 60:02d}"
