"""Where azrt-tui keeps its files: the folders that the user's system has for this.

On Linux these are the XDG folders. Nothing is created by asking; call ``private_dir`` before writing.
"""

from pathlib import Path

import platformdirs

APP = "azrt-tui"


def config_dir() -> Path:
    """The folder of what the user writes: ``config.toml`` and ``themes/``."""
    return platformdirs.user_config_path(APP, appauthor=False)


def config_file() -> Path:
    """The user's settings. azrt-tui writes nothing in it but a filter that the user saves by name."""
    return config_dir() / "config.toml"


def themes_dir() -> Path:
    """The folder of the user's own themes, one TOML file each."""
    return config_dir() / "themes"


def state_dir() -> Path:
    """The folder of what azrt-tui itself keeps: captures, what it remembers, its log."""
    return platformdirs.user_state_path(APP, appauthor=False)


def state_file() -> Path:
    """What azrt-tui remembers from one run to the next."""
    return state_dir() / "state.json"


def captures_dir() -> Path:
    """The folder of captures: a file of every session's events, and its audio."""
    return state_dir() / "captures"


def log_file() -> Path:
    """The program's own log."""
    return state_dir() / f"{APP}.log"


def private_dir(path: Path) -> Path:
    """Create ``path`` with mode 0700 if it is missing, and return it. An existing folder keeps its mode."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def for_display(path: Path) -> str:
    """Return the path as a person would write it: with ``~`` for the home folder."""
    try:
        return f"~/{path.relative_to(Path.home())}"
    except (ValueError, RuntimeError):  # elsewhere, or there is no home folder
        return str(path)
