"""Which keys bindings have now. Textual has no public way to ask for the keymap of an app."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from textual.app import App
from textual.binding import Binding, BindingsMap


def mapped(app: App[Any], declared: Iterable[Binding]) -> list[Binding]:
    """Return the bindings as the app's keymap leaves them: one for each key, as Textual does for a key press."""
    now = BindingsMap(declared)
    now.apply_keymap(app._keymap)
    return [binding for _, binding in now]


def keys_of(app: App[Any], binding_id: str) -> str:
    """Return the keys that the app's keymap gives to a binding, separated by commas; "" when it has its default."""
    return app._keymap.get(binding_id, "")
