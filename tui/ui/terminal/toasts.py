"""Words in passing: none twice at a time, and a list of problems in one."""

from __future__ import annotations

import logging

from textual.notifications import SeverityLevel

from tui import paths
from tui.ui.terminal.pacing import PacedApp
from tui.ui.text import printable

logger = logging.getLogger(__name__)

TOAST_LINES = 6
"""Problems that a toast lists: more would hide the screen, and run off it."""


class ToastApp(PacedApp[int]):
    """An app that does not cover its own screen."""

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        """Show a toast, unless the same one is still there: a key that is held down must not cover the screen."""
        if all(shown.message != message for shown in self._notifications):
            super().notify(message, title=title, severity=severity, timeout=timeout, markup=markup)

    def warn(self, title: str, *lines: str) -> None:
        """Show lines from anywhere in one toast; those that do not fit are in the log file only."""
        for line in lines:
            logger.warning("%s: %s", title, printable(line))
        shown = [printable(line) for line in lines[:TOAST_LINES]]
        if len(lines) > TOAST_LINES:
            shown.append(f"and {len(lines) - TOAST_LINES} more, in {paths.for_display(paths.log_file())}")
        if shown:
            self.notify("\n".join(shown), title=title, severity="warning", timeout=15, markup=False)
