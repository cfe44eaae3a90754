"""What the figures were measured on."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from importlib.metadata import version
from typing import Any

_PACKAGES = ("azrt-tui", "textual", "openai-agents", "openai", "websockets", "pydantic")


def describe() -> dict[str, Any]:
    """System, interpreter, versions and load, without anything that names the machine or its user."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processors": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load": [round(load, 2) for load in os.getloadavg()],
        "packages": {package: version(package) for package in _PACKAGES},
        "json_loads_us": round(_json_loads_us(), 2),
    }


def _json_loads_us() -> float:
    """Processor time to parse one small object: a unit to compare machines by."""
    text = json.dumps({"type": "response.output_text.delta", "delta": " word", "ids": ["item", "response"] * 4})
    rounds = []
    for _ in range(9):
        start = time.thread_time()
        for _ in range(5000):
            json.loads(text)
        rounds.append((time.thread_time() - start) / 5000 * 1e6)
    return statistics.median(rounds)
