"""The program's main screen in its own colours, with nothing behind it."""

from __future__ import annotations

from tui.ui import theming
from tui.ui.screens.main import MainScreen
from tui.ui.terminal.pacing import PacedApp


class ThemedApp(PacedApp[None]):
    """An app that looks like the program."""

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """The program's colours."""
        theme = self.get_theme(self.theme)
        return theming.variable_defaults(theme) if theme is not None else {}

    def show_main(self) -> MainScreen:
        """Show the main screen."""
        for theme in theming.load_themes().loaded:
            self.register_theme(theme)
        self.theme = theming.DEFAULT_THEME
        screen = MainScreen("interrupt")
        self.push_screen(screen)
        return screen
