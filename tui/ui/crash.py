"""What the terminal shows when the program ends on a fault of its own."""

from __future__ import annotations

import traceback

from rich.text import Text

from tui import paths
from tui.ui.text import printable


def crash_report() -> Text:
    """Describe the exception that is being handled, without local variables: a key may be one of them."""
    log_file = paths.for_display(paths.log_file())
    where = f"azrt-tui ended on a fault of its own. The log file may say more: {log_file}"
    return Text("\n".join(printable(line) for line in (*traceback.format_exc().rstrip().split("\n"), "", where)))
