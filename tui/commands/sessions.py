"""`azrt-tui sessions`: list the captures."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    pass


@click.command()
@click.option("--json", "json_output", is_flag=True, help="Print each as a line of JSON instead.")
def sessions(json_output: bool) -> int:
    """List the recorded sessions, the newest first.

    A + behind the length: it is still running. Names can be given to replay, events and export.
    """
    from tui.export.sessions import print_sessions

    return print_sessions(json_output=json_output)
