"""Textual's command palette, made so that it may be closed at any moment, and opened on any screen."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final, Generic

from textual import work
from textual.app import App, ReturnType
from textual.command import CommandList, CommandPalette
from textual.css.query import NoMatches
from textual.theme import ThemeProvider

_gather: Final[Any] = CommandPalette._gather_commands.__wrapped__  # type: ignore[attr-defined]  # below its @work


class Palette(CommandPalette):
    """Textual's own ends the program when it is closed while its worker still gathers commands, and at page down where
    the screen has no row for them.
    """

    @work(exclusive=True, group=CommandPalette._GATHER_COMMANDS_GROUP)
    async def _gather_commands(self, search_value: str) -> None:
        try:
            await _gather(self, search_value)
        except NoMatches:
            if self.query(CommandList):  # else there is nothing to show them in any more
                raise

    def _action_command_list(self, action: str) -> None:
        with suppress(KeyError):  # of a list that was never laid out
            super()._action_command_list(action)


class PaletteApp(App[ReturnType], Generic[ReturnType]):
    """An app with such a palette."""

    def action_command_palette(self) -> None:
        """Show the commands."""
        if not isinstance(self.screen, CommandPalette):
            self.push_screen(Palette(id="--command-palette"))

    def search_themes(self) -> None:
        """Show the themes."""
        self.push_screen(Palette(providers=[ThemeProvider], placeholder="Search for themes…"))
