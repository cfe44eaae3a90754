"""`azrt-tui url`: print the URL of a session, without a connection."""

import click

from tui.commands.common import complain_about, load, note
from tui.commands.flags import connection_flags


@click.command()
@connection_flags
@click.pass_context
def url(context: click.Context, /, **flags: object) -> int:
    """Print the WebSocket URL that would be used, and nothing else."""
    loaded = load(context, flags)
    complain_about(loaded)
    target = loaded.settings.target()
    note(loaded, target.notes)
    click.echo(target.url)
    return 0
