"""The command that shows the sessions of other clients."""

from typing import TYPE_CHECKING

import click

from tui.commands.common import check_terminal, load, note
from tui.commands.flags import watch_flags

if TYPE_CHECKING:
    from tui.watch.request import Credentials


@click.command()
@watch_flags
@click.option(
    "--listen", metavar="HOST:PORT", default="127.0.0.1:8765", show_default=True, help="Where clients connect to."
)
@click.option("--to", metavar="URL", default="", help="Where the sessions go; without it, to the configured service.")
@click.option(
    "--credentials",
    type=click.Choice(("auto", "client", "settings")),
    default="auto",
    show_default=True,
    help="Whose key is used: the client's where it sends one, only the client's, or only yours.",
)
@click.option(
    "--allow-origin", "origins", metavar="ORIGIN", multiple=True, help="Let web pages of this origin connect, too."
)
@click.option("--tls", is_flag=True, help="Listen with TLS, for clients that insist on wss:; it says what to trust.")
@click.option("--expose", is_flag=True, help="Allow --listen on an address that other machines reach.")
@click.pass_context
def watch(
    context: click.Context,
    /,
    listen: str,
    to: str,
    credentials: "Credentials",
    origins: tuple[str, ...],
    tls: bool,
    expose: bool,
    **flags: object,
) -> int:
    """Relay the sessions of other Realtime clients, and watch them live.

    A client, in any language, connects here instead of to the service. Every frame passes unchanged both ways, is shown
    and captured. Web pages of other machines are refused, because they would talk with your key.
    """
    loaded = load(context, flags)
    from tui.watch import Address, RelayPlan

    try:
        address = Address.parse(listen, exposed=expose)
    except ValueError as problem:
        raise click.UsageError(f"--listen: {problem}.") from problem
    plan = RelayPlan.from_settings(
        loaded.settings, address, to=to, credentials=credentials, allowed_origins=origins, tls=tls
    )
    note(loaded, plan.target.notes)
    check_terminal()
    from tui.ui.watch_app import run as run_screen

    try:
        return run_screen(loaded, plan)
    except OSError as error:
        raise click.ClickException(f"cannot listen on {listen}: {error.strerror or error}") from error
