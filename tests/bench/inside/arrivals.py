"""Runs the program, and writes down when each event of the stream arrived in its log."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tui import commands as cli
from tui.capture import EventLog
from tui.session import SessionWorker
from tui.ui import app


def main(report: Path, arguments: list[str]) -> int:
    """Run azrt-tui with these arguments; ``report`` gets a JSON list of event id and monotonic nanoseconds."""
    logs: list[EventLog] = []

    class WatchedWorker(SessionWorker):
        """The session, with its log in view."""

        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            logs.append(self.log)

    app.SessionWorker = WatchedWorker  # type: ignore[attr-defined]
    code = cli.run(arguments)
    arrivals = [arrival for log in logs for arrival in _arrivals(log)]
    report.write_text(json.dumps(arrivals))
    return code


def _arrivals(log: EventLog) -> list[tuple[str, int]]:
    """Only events of the stream: their ids have three parts."""
    entries = map(log.entry, range(len(log)))
    found = ((json.loads(entry.data).get("event_id", ""), log.origin_ns + entry.t_ns) for entry in entries)
    return [(event_id, at_ns) for event_id, at_ns in found if event_id.count("_") == 2]


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
