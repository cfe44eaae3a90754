"""`azrt-tui devices`: list what there is to speak into and to listen to."""

import click

from tui.commands.common import load


@click.command()
@click.option("--json", "json_output", is_flag=True, help="Print each device as a line of JSON instead.")
@click.pass_context
def devices(context: click.Context, /, json_output: bool) -> int:
    """List the microphones and loudspeakers, and which of them would be used."""
    settings = load(context, {}).settings
    from tui.sound_check import print_devices

    return print_devices(settings, json_output=json_output)
