"""The ``[filters]`` table of config.toml: filters by name, and the one part of that file which the program writes."""

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tui import paths
from tui.endpoint import escape_controls
from tui.settings.files import read_settings_text, replace_privately

_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")
_HEADER = re.compile(r"\s*\[\s*filters\s*\]\s*(#.*)?")
_ANY_HEADER = re.compile(r"\s*\[")


def is_filter_name(name: str) -> bool:
    """Whether a filter can have this name: letters, digits, ``-`` and ``_``, at most 40 of them."""
    return _NAME.fullmatch(name) is not None


def filters_of(config: Mapping[str, Any]) -> tuple[dict[str, str], list[str]]:
    """Return the saved filters of a parsed config.toml, and a problem for each that cannot be one."""
    table = config.get("filters", {})
    if not isinstance(table, dict):
        return {}, ['config.toml: filters must be a table, such as [filters] with quiet = "-delta"']
    filters: dict[str, str] = {}
    problems = []
    for name, text in table.items():
        if not is_filter_name(name):
            problems.append(
                f"config.toml: [filters] {escape_controls(name)} must be a name of letters, digits, - and _"
            )
        elif not isinstance(text, str) or not text.strip():
            problems.append(f'config.toml: [filters] {name} must be text, such as "type:response.* -delta"')
        else:
            filters[name] = text.strip()
    return filters, problems


def save_filter(name: str, text: str, file: Path | None = None) -> None:
    """Write a filter into config.toml, in place of one of the same name; every other line stays as it is.

    Raises ValueError, with the line to write by hand, when the file is not one that this can be done to safely, and
    OSError.
    """
    path = file or paths.config_file()
    line = f"{name} = {json.dumps(text, ensure_ascii=False)}"
    by_hand = f"write it yourself, under [filters]: {line}"
    if not is_filter_name(name):
        raise ValueError("a name has letters, digits, - and _ only, at most 40")
    try:
        old = read_settings_text(path)
    except FileNotFoundError:
        old = ""
    except UnicodeDecodeError:
        raise ValueError(f"config.toml is not UTF-8 text; {by_hand}") from None
    before = _parsed(old)
    if before is None:
        raise ValueError(f"config.toml has a mistake in it; {by_hand}")
    new = _with_line(old, name, line)
    filters = before.get("filters", {})
    if not isinstance(filters, dict) or _parsed(new) != before | {"filters": filters | {name: text}}:
        raise ValueError(f"config.toml has its filters in another form; {by_hand}")
    paths.private_dir(path.parent)
    replace_privately(path, new)


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return None


def _with_line(old: str, name: str, line: str) -> str:
    lines = old.split("\n")
    header = next((at for at, each in enumerate(lines) if _HEADER.fullmatch(each.rstrip("\r"))), None)
    if header is None:
        return f"{old.rstrip()}\n\n[filters]\n{line}\n".lstrip("\n")
    same = re.compile(rf'\s*(?:{name}|"{name}"|\'{name}\')\s*=')
    for at in range(header + 1, len(lines)):
        if _ANY_HEADER.match(lines[at]):
            break
        if same.match(lines[at]):
            return "\n".join([*lines[:at], line, *lines[at + 1 :]])
    return "\n".join([*lines[: header + 1], line, *lines[header + 1 :]])
