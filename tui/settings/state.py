"""What azrt-tui remembers by itself from one run to the next. The user's config.toml is never written."""

import json
from pathlib import Path

from tui import paths
from tui.settings.files import replace_privately


def remembered_theme(file: Path | None = None) -> str:
    """Return the theme chosen last; empty when there is none or the file is damaged."""
    theme = _read(file or paths.state_file()).get("theme")
    return theme if isinstance(theme, str) else ""


def remember_theme(name: str, file: Path | None = None) -> bool:
    """Remember the theme, and tell whether that worked: a full disk is no reason to interrupt anyone."""
    path = file or paths.state_file()
    try:
        paths.private_dir(path.parent)
        replace_privately(path, json.dumps(_read(path) | {"theme": name}, indent=1))
    except (OSError, UnicodeError):
        return False
    return True


def _read(path: Path) -> dict[str, object]:
    try:
        state = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return state if isinstance(state, dict) else {}
