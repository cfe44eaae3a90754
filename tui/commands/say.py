"""`azrt-tui say`: ask one question without a screen."""

import click

from tui.commands.common import check_open_files, complain_about, load, note, read_stdin
from tui.commands.flags import connection_flags

_MOST_READ = 64 * 2**20
"""Bytes of stdin: more than can be sent, and no more than fits into memory."""


class _Say(click.Command):
    """A command whose text may begin with a dash, and then be taken for an option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the arguments apart; where one is no option, say how it can be a text."""
        given = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            text = next((each for each in given if each.startswith(error.option_name)), "")
            hint = " " in text or not error.possibilities
            raise click.UsageError(
                f"{error.format_message()}{' To say a text that begins with a dash: say -- TEXT' if hint else ''}", ctx
            ) from error


@click.command(cls=_Say)
@connection_flags
@click.option("--json", "json_output", is_flag=True, help="Print every event as a line of JSON instead.")
@click.option("--demo", "demo_server", is_flag=True, help="Ask the built-in server: no key, no network.")
@click.argument("text", nargs=-1, required=True)
@click.pass_context
def say(context: click.Context, /, text: tuple[str, ...], json_output: bool, demo_server: bool, **flags: object) -> int:
    """Send TEXT, print the answer, and end. "-" reads the text from stdin."""
    check_open_files()
    loaded = load(context, flags)
    complain_about(loaded)
    notes: tuple[str, ...] = ()
    if not demo_server:
        target = loaded.settings.target()
        loaded.settings.key_for(target)
        notes = target.notes
    message = read_stdin(_MOST_READ) if text == ("-",) else " ".join(text)
    if not message.strip():
        raise click.UsageError("there is no text to say")
    note(loaded, notes)
    from tui.headless import say as say_headless

    return say_headless(loaded, message, json_output=json_output, demo=demo_server)
