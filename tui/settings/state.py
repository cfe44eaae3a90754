"""What azrt-tui remembers by itself from one run to the next. It is not in config.toml, which is the user's."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, get_args

from tui import paths
from tui.settings.files import replace_privately

_MAX_HOSTS = 50
"""Of which it is remembered what transcribes there; the oldest go first."""

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
    return _remember(name, value, file)


def transcribed(file: Path | None = None) -> Mapping[str, str]:
    """Return the transcription model that worked last, by host."""
    hosts = _read(file or paths.state_file()).get("transcription")
    if not isinstance(hosts, dict):
        return {}
    return {host: model for host, model in hosts.items() if isinstance(model, str)}


def remember_transcription(host: str, model: str, file: Path | None = None) -> bool:
    """Remember what transcribes at ``host``, and tell whether that worked."""
    hosts = dict(transcribed(file))
    if hosts.pop(host, "") == model:  # a session is running: no write without need
        return True
    kept = dict([*hosts.items(), (host, model)][-_MAX_HOSTS:])
    return _remember("transcription", kept, file)


def _remember(name: str, value: object, file: Path | None) -> bool:
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
