"""Runs the program, and writes down which heavy packages are loaded when the first frame with the panes goes out."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from textual.driver import Driver

from tui import commands as cli
from tui.ui import app

HEAVY = ("agents", "openai", "numpy", "sounddevice")


def main(report: Path, arguments: list[str]) -> int:
    """Run azrt-tui with these arguments; ``report`` gets a JSON list of package names."""

    class WatchedApp(app.AzrtApp):
        """The program, with an eye on what its driver writes."""

        def get_driver_class(self) -> type[Driver]:
            """The usual driver, watched."""

            class WatchedDriver(super().get_driver_class()):  # type: ignore[misc]
                """Writes as ever."""

                def write(self, data: str) -> None:
                    """Look at the modules when the frame is written, before anything else can happen."""
                    if "Conversation" in data and not report.exists():
                        report.write_text(json.dumps([name for name in HEAVY if name in sys.modules]))
                    super().write(data)

            return WatchedDriver

    app.AzrtApp = WatchedApp  # type: ignore[misc]
    return cli.run(arguments)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
