"""Measures: ``python -m tests.bench [NAME...] [--json FILE]``.

A table goes to stdout, the same as JSON behind it or to a file, progress to stderr. Exit code 0 when every measurement
could be made, whatever it gave, 1 when one could not, 2 for a wrong name.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import traceback
from collections.abc import Mapping
from pathlib import Path

from tests.bench import captures, echo, finding, keys, log, machine, paint, reconnect, relay, rest, stall, start, voice
from tests.bench.figures import Figure, Measurement, NotMeasuredError, table

MEASUREMENTS: Mapping[str, Measurement] = {
    "first-frame": start.first_frame,
    "first-frame-imports": start.first_frame_imports,
    "append-spoken": log.append_spoken,
    "append-typed": log.append_typed,
    "append-spilling": log.append_spilling,
    "index-memory": log.index_memory,
    "capture-spoken": captures.append_spoken,
    "capture-typed": captures.append_typed,
    "capture-open": captures.opening,
    "find": finding.finding,
    "append-elsewhere": finding.appending_elsewhere,
    "flood": finding.keys_in_a_flood,
    "flood-slow": finding.keys_in_a_flood_on_a_slow_line,
    "frame-beside": paint.frame_beside,
    "frame-zoomed": paint.frame_zoomed,
    "keys-0": keys.keys_at_rest,
    "keys-200": keys.keys_at_200,
    "keys-1000": keys.keys_at_1000,
    "keys-200-slow": keys.keys_on_a_slow_line,
    "keys-importing": keys.keys_while_importing,
    "interrupt": keys.interrupting,
    "idle": rest.idle,
    "voice-interrupt": voice.interrupting,
    "voice-next": voice.following,
    "voice-capture": voice.capturing,
    "voice-capture-busy": voice.capturing_busy,
    "voice-gaps": voice.gaps_busy,
    "voice-duplex": voice.duplex,
    "voice-silence": voice.open_microphone,
    "echo-duplex": echo.duplex,
    "echo-own": echo.own_voice,
    "echo-person": echo.person,
    "echo-barge-in": echo.barge_in,
    "relay": relay.relay,
    "socket-loss": reconnect.socket_loss,
    "kills": reconnect.kills,
    "faults": reconnect.faults,
    "stall": stall.stalled_terminal,
    "say": start.say,
    "doctor": start.doctor,
    "wheel": start.wheel,
}


LONG: Mapping[str, Measurement] = {"soak": reconnect.long_soak}
"""Measurements that take minutes, and are made only when they are named."""


def main(arguments: list[str]) -> int:
    """Measure, print, and return the exit code."""
    parser = argparse.ArgumentParser("python -m tests.bench", description="Measure what the program costs.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of: {', '.join(MEASUREMENTS)}; none: all")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the JSON here instead of behind the table")
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.names if name not in {**MEASUREMENTS, **LONG}]:
        parser.error(f"there is no measurement {', '.join(unknown)}; there are: {', '.join(MEASUREMENTS)}")
    system = machine.describe()
    figures: list[Figure] = []
    failures: dict[str, str] = {}
    for name in options.names or MEASUREMENTS:
        begin = time.monotonic()
        try:
            figures += {**MEASUREMENTS, **LONG}[name]()
        except Exception as error:
            failures[name] = f"{type(error).__name__}: {error}".partition("\n")[0]
            if not isinstance(error, NotMeasuredError):
                traceback.print_exc()
        print(f"{name}: {time.monotonic() - begin:.1f} s", file=sys.stderr, flush=True)
    print(table(figures, failures))
    report = {"machine": system, "figures": [figure.as_json() for figure in figures], "failures": failures}
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n")
    else:
        print("\n" + json.dumps(report, indent=2))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
