"""`azrt-tui events`: print the events of a capture."""

from typing import TYPE_CHECKING

import click

from tui.commands.common import complain_about, load
from tui.commands.flags import CAPTURE_FILE

if TYPE_CHECKING:
    pass


@click.command(epilog=CAPTURE_FILE)
@click.option("--filter", "filter_text", metavar="FILTER", default="", help='Only these, such as "type:response.*".')
@click.option("--json", "json_output", is_flag=True, help="Print each as a line of JSON instead.")
@click.argument("file", required=False, default="")
@click.pass_context
def events(context: click.Context, /, file: str, filter_text: str, json_output: bool) -> int:
    """Print the events of a recorded session, a line each.

    A filter takes each event by itself here; on the screen it takes a run of deltas as one, with the bytes of all.
    """
    loaded = load(context, {})
    from tui.capture import CaptureError
    from tui.capture.filter import FilterError, parse
    from tui.export.events import print_events

    try:
        chosen = parse(filter_text, loaded.settings.filters)
    except FilterError as error:
        complain_about(loaded)
        raise click.BadParameter(str(error), param_hint="--filter") from None
    try:
        return print_events(file, chosen, json_output=json_output)
    except CaptureError as error:
        raise click.ClickException(str(error)) from error
