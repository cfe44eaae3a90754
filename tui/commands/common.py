"""What every command does: load the settings, say what is wrong, end with the right code."""

import math
import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from tui.endpoint import EndpointError, escape_controls, shown
from tui.settings import Loaded, NotConfigured, SettingsError, load_settings

PROGRAM = "azrt-tui"

FAILED = 1
USAGE_ERROR = 2
INTERRUPTED = 130

_FILES_NEEDED = 32
"""Files, sockets and pipes that a session with its screen, its sound and its capture has open at a time."""

_FILES_WANTED = 1024
"""What many sessions at a time need."""

_NO_TERMINALS = ("dumb", "unknown")
"""Values of TERM for what only prints, such as a shell inside an editor. Without TERM, a modern terminal is likely."""

_COLOUR_SYSTEMS = ("auto", "standard", "256", "truecolor")


def load(context: click.Context, flags: dict[str, object]) -> Loaded:
    """Load the settings with the flags before the command and, winning over those, the ones after it."""
    given = {name: value for name, value in flags.items() if value is not None}
    before = context.find_root().obj
    pieces = {
        name: (*before[name], *value) for name, value in given.items() if isinstance(value, tuple) and before[name]
    }
    return load_settings({**before, **given, **pieces})


def open_screen(loaded: Loaded, *, demo: bool) -> int:
    """Show the screen and return the exit code; UsageError or SettingsError when it cannot be shown."""
    if not demo:
        try:
            target = loaded.settings.target()
            loaded.settings.key_for(target)
        except NotConfigured:
            pass  # the first-run screen asks for what is missing
        except (EndpointError, SettingsError):
            complain_about(loaded)  # the screen would have; what is wrong in a file may be the reason
            raise
    check_terminal()
    from tui.ui.app import run as run_screen

    return run_screen(loaded, demo=demo)


def check_open_files() -> None:
    """Let the program open as many files as it may; ClickException where that is too few for a session."""
    import resource

    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed < _FILES_WANTED and (most == resource.RLIM_INFINITY or allowed < most):
        allowed = _FILES_WANTED if most == resource.RLIM_INFINITY else min(_FILES_WANTED, most)
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))
    if allowed < _FILES_NEEDED:
        raise click.ClickException(
            f"this shell lets a program open {allowed} files, and a session needs {_FILES_NEEDED}; "
            "in another shell, raise it first: ulimit -n 1024"
        )


class Factor(click.FloatRange):
    """A number in a range; "nan" is in none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number; BadParameter when it is none."""
        number = float(super().convert(value, param, ctx))
        if math.isnan(number):
            self.fail(f"{value} is no number.", param, ctx)
        return number


def check_terminal(instead: str = "say TEXT") -> None:
    """Raise UsageError where the screen cannot be shown; ``instead`` is the command that needs none."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError(f"the screen needs a terminal; in a script or a pipe, use: {PROGRAM} {instead}.")
    if not sys.stderr.isatty():
        raise click.UsageError("the screen is drawn on stderr, which goes elsewhere; start it without 2>.")
    if os.environ.get("TERM", "") in _NO_TERMINALS:
        raise click.UsageError(
            f"the screen needs a terminal that can move its cursor, and TERM is "
            f'"{os.environ.get("TERM", "")}"; use: {PROGRAM} {instead}.'
        )
    colours = os.environ.get("TEXTUAL_COLOR_SYSTEM", "auto")
    if colours not in _COLOUR_SYSTEMS:
        raise click.UsageError(
            f'TEXTUAL_COLOR_SYSTEM must be one of {", ".join(_COLOUR_SYSTEMS)}, not "{shown(colours)}".'
        )
    check_open_files()


def complain_about(loaded: Loaded) -> None:
    """Say on stderr what in the files does not count, a line each."""
    for problem in loaded.problems:
        complain(problem)


def note(loaded: Loaded, notes: Sequence[str]) -> None:
    """Say on stderr what was changed, in one line."""
    if changed := (*loaded.notes, *notes):
        complain("; ".join(changed))


def read_stdin(limit: int) -> str:
    """Return the text on stdin; ClickException when it has more bytes than the limit, or is not UTF-8."""
    data = sys.stdin.buffer.read(limit + 1)
    if len(data) > limit:
        raise click.ClickException(f"the text on stdin has more than {limit >> 20} MiB")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise click.ClickException("the text on stdin is not UTF-8") from error


def complain(message: str) -> None:
    """Say one line on stderr."""
    click.echo(f"{PROGRAM}: {escape_controls(message)}", err=True)


def fail(message: str, code: int) -> int:
    """Say why the command failed and return ``code``."""
    complain(message)
    return code
