"""The command that runs the built-in server for other programs."""

import click


@click.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, show_default="any free one", help="Port to listen on."
)
@click.option(
    "--dialect", type=click.Choice(("ga", "beta")), default="ga", show_default=True, help="Protocol to speak."
)
@click.option(
    "--speed",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    help="How many times faster than real time it answers.",
)
def simulator(port: int, dialect: str, speed: float) -> int:
    """Run the built-in Realtime server on 127.0.0.1, for trying other programs."""
    from tui.simulator import run as run_simulator

    return run_simulator(port=port, dialect=dialect, speed=speed)
