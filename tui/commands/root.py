"""The command itself, without a subcommand: the flags of all of them, and the screen."""

import click

from tui import __version__
from tui.commands.common import PROGRAM, load, open_screen
from tui.commands.flags import connection_flags, screen_flags


@click.group(
    PROGRAM,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="These flags also work after a command. They win over the environment, .env and config.toml.",
)
@connection_flags
@screen_flags
@click.version_option(__version__, prog_name=PROGRAM, message="%(prog)s %(version)s")
@click.pass_context
def cli(context: click.Context, /, **flags: object) -> int:
    """Talk to the Azure OpenAI or OpenAI Realtime API in the terminal, and see every event.

    Without a command, the screen opens. The API key comes from AZURE_OPENAI_API_KEY or OPENAI_API_KEY, never from a
    flag, which other users of the machine could read.
    """
    context.obj = flags
    if context.invoked_subcommand is not None:
        return 0
    return open_screen(load(context, {}), demo=False)
