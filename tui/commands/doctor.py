"""The command that says what is wrong with a connection."""

import click

from tui.commands.common import check_open_files, load
from tui.commands.flags import connection_flags
from tui.settings import Loaded, SettingsError


@click.command()
@connection_flags
@click.option("--json", "json_output", is_flag=True, help="Print each check as a line of JSON instead.")
@click.option("--demo", "demo_server", is_flag=True, help="Examine the built-in server: no key, no network.")
@click.pass_context
def doctor(context: click.Context, /, json_output: bool, demo_server: bool, **flags: object) -> int:
    """Check the connection step by step, and say what to do where it fails.

    One short answer is asked for, as text. Exit code: 0 healthy, 1 a check failed, 2 the settings cannot be used.
    """
    check_open_files()
    loaded: Loaded | SettingsError
    try:
        loaded = load(context, flags)
    except SettingsError as error:
        loaded = error
    from tui.doctor.command import doctor as examine

    return examine(loaded, json_output=json_output, demo=demo_server)
