"""What azrt-tui remembers by itself from one run to the next. It is not in config.toml, which is the user's."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, get_args

from tui import paths
from tui.settings.files import replace_privately

Remembered = Literal["theme", "input_device", "output_device"]
"""The settings that are remembered once they were chosen on the screen."""


def remembered(file: Path | None = None) -> Mapping[str, str]:
    """Return what was chosen last, by the setting's name; nothing when the file is damaged.

    A device is "" where the system's default was chosen.
    """
    state = _read(file or paths.state_file())
    return {name: value for name in get_args(Remembered) if isinstance(value := state.get(name), str)}


def remember(name: Remembered, value: str, file: Path | None = None) -> bool:
    """Remember a choice, and tell whether that worked: a full disk is no reason to interrupt anyone."""
    path = file or paths.state_file()
    try:
        paths.private_dir(path.parent)
        replace_privately(path, json.dumps(_read(path) | {name: value}, indent=1))
    except (OSError, UnicodeError):
        return False
    return True


def _read(path: Path) -> dict[str, object]:
    try:
        state = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return state if isinstance(state, dict) else {}
