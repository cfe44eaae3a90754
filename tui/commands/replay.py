"""The command that plays a recorded session."""

import re

import click

from tui.commands.common import Factor, check_terminal, load
from tui.commands.flags import replay_flags


def _seconds(context: click.Context, option: click.Parameter, value: str) -> float:
    """Read ``90``, ``1:30`` or ``1:02:03``."""
    if not re.fullmatch(r"(\d+:){0,2}\d+(\.\d+)?", value, re.ASCII):
        raise click.BadParameter(f"{value!r} is no time; write 90, 1:30 or 1:02:03", context, option)
    seconds = 0.0
    for part in value.split(":"):
        seconds = seconds * 60 + float(part)
    return seconds


@click.command(epilog="FILE is a capture, or any file with an event a line; the newest capture without one.")
@replay_flags
@click.option("--speed", type=Factor(0.1, 100), default=1.0, show_default=True, help="Times as fast.")
@click.option(
    "--from", "start_s", callback=_seconds, metavar="TIME", default="0", help="Begin there: 90, 1:30 or 1:02:03."
)
@click.argument("file", required=False, default="")
@click.pass_context
def replay(context: click.Context, /, file: str, speed: float, start_s: float, **flags: object) -> int:
    """Play a recorded session on the screen. Nothing is sent."""
    loaded = load(context, flags)
    check_terminal(instead="events FILE")
    from tui.capture import CaptureError, CaptureReader
    from tui.export.opening import path_of
    from tui.replay.recording import Recording
    from tui.ui.app import run as run_screen

    try:
        path = path_of(file)
        if path is None:
            raise click.UsageError("the screen takes keys from stdin; write the events to a file first.")
        reader = CaptureReader(path)
        reader.read()
    except CaptureError as error:
        raise click.ClickException(str(error)) from error
    header = reader.header
    host, model = (header.host, header.deployment) if header is not None else ("", "")
    try:
        return run_screen(loaded, recording=Recording(reader, host, model, start_s=start_s, speed=speed))
    finally:
        reader.close()
