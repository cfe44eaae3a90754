"""Text from outside, made safe to draw: nothing in it can move the cursor, hide, or turn the line around.

Every string that comes from the network, a file or the clipboard passes through :func:`printable` before it reaches a
widget. The escapes are JSON's own, so a JSON document stays the same document.
"""

from __future__ import annotations

import re

from rich.cells import cell_len, split_graphemes

_ELLIPSIS = "…"

_MARKS_PER_CELL = 8
"""Code points that one cell may hold: enough for any script and emoji, too few to pile marks up without end."""

# The Unicode categories Cc, Cf, Cs, Zl and Zp, what else has the property Default_Ignorable_Code_Point (it draws
# nothing), and the noncharacters of the first plane.
_UNSAFE = re.compile(
    r"""
      [\x00-\x1f\x7f-\x9f]                                          # C0, DEL, C1
    | [\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2]  # soft hyphen, grapheme joiner, Arabic signs
    | [\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0]            # letters and selectors that draw nothing
    | [\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]          # zero-width, line ends, bidi controls
    | (?<![\u0600-\u0dff])[\u200c\u200d]                            # joiner and non-joiner, but between Arabic
    | [\u200c\u200d](?![\u0600-\u0dff])                             # or Indic letters
    | [\ud800-\udfff\ufdd0-\ufdef\ufff0-\ufffb\ufffe\uffff]          # surrogates, noncharacters, specials
    | [\ufe00-\ufe0d] | (?<=[\ufe0e\ufe0f])[\ufe0e\ufe0f]            # variation selectors, but one text or emoji one
    | [\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a]
    | [\U000e0000-\U000e0fff]                                       # tags and variation selectors, a place to hide text
    """,
    re.VERBOSE,
)

_PLAIN = re.compile(r"[\x20-\x7e\xa0-\xac\xae-\u02ff\u0370-\u0482\u2010-\u2027\u2500-\u25fc]*")
"""Latin, Greek, Cyrillic, dashes, quotes, ellipsis, lines: harmless, and each one cell wide."""

_DRAWS_NOTHING = re.compile(
    r"""
      [\xad\u061c\u200b\u200e\u200f\u2060\ufeff]     # soft hyphen, marks of direction, zero-width spaces
    | (?<![\u0600-\u0dff])[\u200c\u200d]             # joiner and non-joiner, but between Arabic
    | [\u200c\u200d](?![\u0600-\u0dff])              # or Indic letters
    """,
    re.VERBOSE,
)

_SHORT = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    if character in _SHORT:
        return _SHORT[character]
    code = ord(character)
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


def printable(text: str) -> str:
    r"""The text with everything that draws nothing, or more than itself, as a JSON escape: ``\n``, ``\u001b``.

    That is: control characters, bidi controls, surrogates, zero-width characters and variation selectors beyond the
    one that a symbol may have. The zero-width joiner and non-joiner stay where Arabic and Indic scripts need them; the
    joiner of emoji is escaped, since terminals disagree on the width of what it joins. Backslashes are left alone.
    """
    return text if is_plain(text) else _UNSAFE.sub(_escape, text)


def legible(text: str) -> str:
    """Return printable text for reading: what draws nothing and does no harm is left out, and not escaped.

    The members of an emoji family stand side by side then, which every terminal draws in the same width.
    """
    return text if is_plain(text) else printable(_DRAWS_NOTHING.sub("", text))


def is_plain(text: str) -> bool:
    """Whether it is as long in cells as in characters, and printable. Quick, and sure only when it says so."""
    return (text.isascii() and text.isprintable()) or _PLAIN.fullmatch(text) is not None


def cleaned(text: str) -> str:
    """The text without what :func:`printable` would escape: for text that is pasted, where it is never meant."""
    return _UNSAFE.sub("", text)


def clip(text: str, width: int) -> str:
    """The beginning of printable text that fits in ``width`` cells, ending in ``…`` if something was cut off.

    A wide character is kept whole or left out, and the work is bounded by the width, not by the text.
    """
    if width <= 0:
        return ""
    if is_plain(text[: width + 1]):
        return text if len(text) <= width else f"{text[: width - 1]}{_ELLIPSIS}"
    # Only so many code points can be part of what fits, however long the text is.
    head = text[: _MARKS_PER_CELL * (width + 1)]
    cut = len(head) < len(text)
    if not cut and cell_len(head) <= width:
        return head
    used = 0
    for start, _, cells in split_graphemes(head)[0]:
        if used + cells > width - 1:
            return head[:start] + _ELLIPSIS
        used += cells
    return head + _ELLIPSIS
