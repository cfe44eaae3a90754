"""``.env``: reading it with a report of its bad lines, and changing a few keys in it without touching the rest.

The grammar is python-dotenv's own (its parser gives the line numbers and the text of each binding), without
interpolation: a ``$`` in a key stays a ``$``.
"""

import io
import re
from collections.abc import Mapping
from pathlib import Path

from dotenv.parser import Binding, parse_stream

from tui.endpoint import escape_controls
from tui.settings.files import read_settings_text, replace_privately
from tui.settings.model import SettingsError

_BARE = re.compile(r"[A-Za-z0-9_./:@%+,=?&~^-]+")
_SLIPS = (
    (re.compile(r"\s*(?:set|setx|let|declare|env)\s+\w+\s*=", re.IGNORECASE), "leave out the word before the name"),
    (re.compile(r"""\s*["']?\w+["']?\s*:"""), "between the two stands = and not :"),
    (re.compile(r"""[^#]*=\s*(["']).*\1\s*[,;]\s*$"""), "leave out what stands behind the closing quote"),
)
"""Lines as other formats have them, and what to do about them."""

_COMMENT = re.compile(
    r"""=(?:[^\S\r\n]*(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")|[^\r\n]*?)(?P<comment>\s+#[^\r\n]*)?\s*$""", re.DOTALL
)


def read_dotenv(path: Path) -> tuple[dict[str, str], list[str]]:
    """Return the values of a ``.env`` file, and a line for each thing in it that cannot be read.

    A missing file has no values. A key without ``=`` counts as not set.
    """
    try:
        text = _text(path)
    except SettingsError as error:
        return {}, [str(error)]
    # Behind a line that it cannot read, python-dotenv counts each \r\n twice.
    bindings = _bindings(text.replace("\r\n", "\n"))
    values = {binding.key: binding.value for binding in bindings if binding.key and binding.value is not None}
    problems = [
        f"{path.name}, line {_line(binding)}: not KEY=VALUE; {_fix(binding.original.string)}"
        for binding in bindings
        if binding.error
    ]
    return values, problems


def _fix(line: str) -> str:
    """Return what is probably wrong with a line that is no ``KEY=VALUE``."""
    return next((fix for form, fix in _SLIPS if form.match(line)), "check the quotes")


def write_dotenv(path: Path, values: Mapping[str, str]) -> None:
    """Set ``values`` in a ``.env`` file, and nothing else: other lines, comments, order and ``export`` stay.

    The file is replaced in one step and gets mode 0600. Every value reads back exactly, with python-dotenv and with
    ``read_dotenv``. Raises SettingsError, and leaves the file as it was, for a value that the format cannot hold (a
    line break, a surrogate) and for a file that cannot be read or written.
    """
    for key, value in values.items():
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", key):
            raise SettingsError(f'"{escape_controls(key)}" is not the name of a variable')
        if any(c in "\r\n\0" for c in value) or not _encodable(value):
            raise SettingsError(f"{key} cannot be written to {path.name}: it holds a line break or a broken character")

    old = _text(path)
    bindings = _bindings(old)
    newline = "\r\n" if "\r\n" in old else "\n"
    lines = [
        _rewritten(binding, values[binding.key]) if binding.key and binding.key in values else binding.original.string
        for binding in bindings
    ]
    present = {binding.key for binding in bindings}
    added = [f"{key}={_quoted(value)}{newline}" for key, value in values.items() if key not in present]
    if added and lines and not lines[-1].endswith(("\n", "\r")):
        lines.append(newline)
    new = "".join(lines + added)

    # The quoting rules have corners (python-dotenv 1.0 reads a backslash before a quote unlike 1.2): prove the result.
    expected = {b.key: b.value for b in bindings if b.key} | dict(values)
    if {b.key: b.value for b in _bindings(new) if b.key} != expected:
        raise SettingsError(f"{path.name} cannot hold {', '.join(values)} beside what is in it; edit it by hand")
    try:
        replace_privately(path, new)
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {error.strerror or error}") from error


def _text(path: Path) -> str:
    """Return the file's text, empty when there is no file; SettingsError when it cannot be read."""
    try:
        return read_settings_text(path)
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise SettingsError(f"{path.name} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path.name} is not UTF-8 text; save it as UTF-8") from error


def _bindings(text: str) -> list[Binding]:
    return list(parse_stream(io.StringIO(text, newline="")))


def _line(binding: Binding) -> int:
    """The line of the binding itself; python-dotenv counts from the blank lines before it."""
    text = binding.original.string
    return binding.original.line + text[: len(text) - len(text.lstrip())].count("\n")


def _rewritten(binding: Binding, value: str) -> str:
    """Return the binding's own text with another value: blank lines before, ``export`` and a comment after stay."""
    text = binding.original.string
    head = re.match(r"\s*(?:export\s+)?", text)
    body = text.rstrip("\r\n")
    comment = _COMMENT.search(body)
    return "".join(
        (
            head[0] if head else "",
            f"{binding.key}={_quoted(value)}",
            (comment["comment"] or "") if comment else "",
            text[len(body) :],
        )
    )


def _quoted(value: str) -> str:
    if not value or _BARE.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _encodable(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
