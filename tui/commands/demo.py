"""`azrt-tui demo`: open the screen with the embedded simulator."""

import click

from tui.commands.common import load, open_screen
from tui.commands.flags import connection_flags, screen_flags


@click.command()
@connection_flags
@screen_flags
@click.pass_context
def demo(context: click.Context, /, **flags: object) -> int:
    """Open the screen on a built-in server: no key, no network."""
    return open_screen(load(context, flags), demo=True)
