"""What every command does: load the settings, say what is wrong, end with the right code."""

import sys
from collections.abc import Sequence

import click

from tui.endpoint import EndpointError, escape_controls
from tui.settings import Loaded, NotConfigured, SettingsError, load_settings

PROGRAM = "azrt-tui"

FAILED = 1
USAGE_ERROR = 2
INTERRUPTED = 130


def load(context: click.Context, flags: dict[str, object]) -> Loaded:
    """Load the settings with the flags before the command and, winning over those, the ones after it."""
    given = {name: value for name, value in flags.items() if value is not None}
    return load_settings({**context.find_root().obj, **given})


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


def check_terminal() -> None:
    """Raise UsageError where the screen cannot be shown."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError(f"the screen needs a terminal; in a script or a pipe, use: {PROGRAM} say TEXT.")
    if not sys.stderr.isatty():
        raise click.UsageError("the screen is drawn on stderr, which goes elsewhere; start it without 2>.")


def complain_about(loaded: Loaded) -> None:
    """Say on stderr what in the files does not count, a line each."""
    for problem in loaded.problems:
        complain(problem)


def note(loaded: Loaded, notes: Sequence[str]) -> None:
    """Say on stderr what was changed, in one line."""
    if changed := (*loaded.notes, *notes):
        complain("; ".join(changed))


def read_stdin() -> str:
    """Return the text on stdin; ClickException when it is not UTF-8."""
    try:
        return sys.stdin.buffer.read().decode()
    except UnicodeDecodeError as error:
        raise click.ClickException("the text on stdin is not UTF-8") from error


def complain(message: str) -> None:
    """Say one line on stderr."""
    click.echo(f"{PROGRAM}: {escape_controls(message)}", err=True)


def fail(message: str, code: int) -> int:
    """Say why the command failed and return ``code``."""
    complain(message)
    return code
