"""The command that runs the built-in server for other programs."""

import click

from tui.commands.common import Factor


@click.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, show_default="any free one", help="Port to listen on."
)
@click.option(
    "--dialect", type=click.Choice(("ga", "beta")), default="ga", show_default=True, help="Protocol to speak."
)
@click.option(
    "--speed",
    type=Factor(min=0, min_open=True),
    default=1.0,
    show_default=True,
    help="How many times faster than real time it answers.",
)
@click.option("--tls", is_flag=True, help="Serve wss://, with a certificate of a private authority made for it.")
@click.option(
    "--fault",
    "faults",
    metavar="NAME[@N]",
    multiple=True,
    help="Let this go wrong each time, or the Nth time only. May be given several times.",
)
@click.option("--list-faults", is_flag=True, help="Name every fault, what N counts, and what happens; and end.")
def simulator(port: int, dialect: str, speed: float, tls: bool, faults: tuple[str, ...], list_faults: bool) -> int:
    """Run the built-in Realtime server on 127.0.0.1, for trying other programs.

    With --fault, it fails in the ways that clients meet, so that they can be rehearsed.
    """
    from tui.simulator import FaultPlan
    from tui.simulator import list_faults as print_faults
    from tui.simulator import run as run_simulator

    if list_faults:
        return print_faults()
    try:
        FaultPlan(faults)
    except ValueError as problem:
        raise click.UsageError(f"{problem}.") from problem
    return run_simulator(port=port, dialect=dialect, speed=speed, faults=faults, tls=tls)
