"""The ``[keys]`` table of config.toml: which keys a person gives to which binding, checked before Textual sees it.

Textual takes any string for a key, and a keymap in which two bindings want one key silently loses one of them. So what
cannot work is left out here and reported, one line each; the rest goes to ``App.set_keymap``.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from textual.binding import Binding
from textual.keys import KEY_NAME_REPLACEMENTS, REPLACED_KEYS, Keys, key_to_character

from tui.ui.text import clip, printable

RESERVED = ("app.quit",)
"""Bindings that must keep a key which works everywhere."""

_MODIFIERS = ("alt", "ctrl", "hyper", "meta", "shift", "super")
_ALIASES = {
    "control": "ctrl",
    "option": "alt",
    "cmd": "super",
    "esc": "escape",
    "return": "enter",
    "del": "delete",
    "ins": "insert",
    "pgup": "pageup",
    "pgdn": "pagedown",
    "pagedn": "pagedown",
}
_NAMED = frozenset(name for key in Keys if len(name := key.value.rpartition("+")[2]) > 1 and name.isalnum())
_SENT_AS = {"ctrl+i": "tab", "ctrl+m": "enter", "ctrl+h": "backspace", "ctrl+left_square_bracket": "escape"}
_TYPING = frozenset({"space", "enter", "backspace", "delete", "tab", "left", "right", "up", "down", "home", "end"})


@dataclass(frozen=True, slots=True)
class KeymapReport:
    """What came of checking the ``[keys]`` table."""

    keymap: dict[str, str]
    """Binding id -> keys, for ``App.set_keymap``: only what works."""

    problems: tuple[str, ...]
    """One line for each entry that was left out: the id, the key, and what would work."""


def check_keymap(
    requested: Mapping[str, object], known: Iterable[Binding], reserved: Collection[str] = RESERVED
) -> KeymapReport:
    """Check a person's keys against the bindings there are.

    The part of an id before the last dot is its scope: ``events.search`` and ``events.filter`` cannot share a key,
    ``events.search`` and ``transcript.copy`` can. Bindings with priority and those in ``reserved`` hold in every scope,
    so no other may take their keys, and they cannot move to a key that people type with.

    Args:
        requested: Binding id -> keys, as in the configuration: ``"f2"`` or ``"f2,ctrl+t"``.
        known: All bindings of the program, with their default keys; those without an id are not remapped.
        reserved: Ids that must keep a key which works everywhere.
    """
    bindings: dict[str, list[Binding]] = {}
    for binding in known:
        if binding.id is not None:
            bindings.setdefault(binding.id, []).append(binding)
    everywhere = {name for name, group in bindings.items() if name in reserved or any(b.priority for b in group)}
    defaults = {name: _default_keys(group) for name, group in bindings.items()}
    accepted: dict[str, tuple[str, ...]] = {}
    problems: dict[str, str] = {}
    for name, keys in requested.items():
        if name not in bindings:
            problems[name] = f"{_shown(name)} is no binding{_nearest(name, bindings)}"
            continue
        parsed = _parse_keys(keys, typing_allowed=name not in everywhere)
        if isinstance(parsed, str):
            problems[name] = f"{name} = {_shown(keys)}: {parsed}; {name} stays on {_listed(defaults[name])}"
        else:
            accepted[name] = parsed
    # To refuse one entry gives its default key back, which another entry may have taken: repeat until nothing changes.
    while clash := _first_clash(accepted, defaults, everywhere):
        name, key, owner = clash
        problems[name] = f"{name} = {_shown(requested[name])}: {key} is {owner}; choose another or move {owner} too"
        del accepted[name]
    keymap = {name: ",".join(keys) for name, keys in accepted.items()}
    return KeymapReport(keymap, tuple(problems[name] for name in requested if name in problems))


def canonical_key(key: str) -> str | None:
    """The name by which Textual knows a key, or None for what no key is called.

    Takes what people write and what the footer shows: ``?``, ``^t``, ``Ctrl+T``, ``esc``, ``pgup``, ``shift+g``.
    """
    key = key.strip()
    if len(key) == 2 and key.startswith("^"):
        key = f"ctrl+{key[1:]}"
    *modifiers, base = ["+"] if key == "+" else key.split("+")
    modifiers = [_ALIASES.get(modifier.lower(), modifier.lower()) for modifier in modifiers]
    if not set(modifiers) <= set(_MODIFIERS) or len(set(modifiers)) < len(modifiers):
        return None
    named = _canonical_base(base)
    if named is None:
        return None
    if len(named) == 1 and modifiers:
        if modifiers == ["shift"]:
            # Shift and a letter is the capital; shift and anything else depends on the keyboard.
            return named.upper() if named.isalpha() else None
        named = named.lower()
    return "+".join([*sorted(modifiers), named])


def character_of(key: str) -> str | None:
    """What a key types: ``?`` for ``question_mark``; None for one that types nothing."""
    # Textual has names of its own for some: its "slash" is Unicode's "solidus".
    return key_to_character(REPLACED_KEYS.get(key, key))


def _canonical_base(base: str) -> str | None:
    if len(base) == 1:
        return _character_name(base) if base.isprintable() else None
    lowered = base.lower()
    name = _ALIASES.get(lowered, lowered)
    if name in _NAMED or name in KEY_NAME_REPLACEMENTS.values():
        return name
    # Unicode has a name for everything ("banana" is one), but a keyboard has keys for ASCII.
    character = key_to_character(name)
    return _character_name(character) if character is not None and character.isascii() else None


def _character_name(character: str) -> str:
    """``question_mark`` for ``?``: letters and digits are their own names."""
    if character == ",":  # separates keys, so Textual cannot be given it as it is
        return "comma"
    (binding,) = Binding.make_bindings([Binding(character, "")])
    return binding.key


def _parse_keys(keys: object, typing_allowed: bool) -> tuple[str, ...] | str:
    """The canonical keys of an entry, or what is wrong with it."""
    if not isinstance(keys, str) or not keys.strip():
        return 'write the keys as one text, such as "f2" or "f2,ctrl+t"'
    parsed: list[str] = []
    for written in keys.split(","):
        key = canonical_key(written)
        if key is None:
            return f"there is no key {_shown(written.strip())}{_nearest_key(written)}"
        if key in _SENT_AS:
            return f"terminals send {_SENT_AS[key]} for {key}"
        if not typing_allowed and (key in _TYPING or character_of(key) is not None):
            return f"{key} is needed for typing; choose a function key, or ctrl and a letter"
        if key not in parsed:
            parsed.append(key)
    return tuple(parsed)


def _first_clash(
    accepted: Mapping[str, tuple[str, ...]], defaults: Mapping[str, tuple[str, ...]], everywhere: Collection[str]
) -> tuple[str, str, str] | None:
    """The first clash that an accepted entry causes: its id, the key, and the id that has the key.

    Of two accepted entries the later one is at fault.
    """
    earlier: list[str] = []
    for name, keys in accepted.items():
        for other, default in defaults.items():
            if other == name or (other in accepted and other not in earlier):
                continue
            if not ({name, other} & set(everywhere) or _scope(name) == _scope(other)):
                continue
            shared = set(keys).intersection(accepted.get(other, default))
            if shared:
                return name, min(shared), other
        earlier.append(name)
    return None


def _default_keys(group: Iterable[Binding]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(binding.key for binding in Binding.make_bindings(group)))


def _scope(name: str) -> str:
    return name.rpartition(".")[0]


def _nearest(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    if not close:  # the last word alone may be right: "search" for "events.search"
        close = [each for each in names if each.rpartition(".")[2] == name.rpartition(".")[2]][:1]
    return f"; did you mean {close[0]}?" if close else "; the help shows what there is"


def _nearest_key(written: str) -> str:
    *modifiers, base = written.strip().lower().replace("-", "+").split("+")
    close = difflib.get_close_matches(base, sorted(_NAMED), n=1, cutoff=0.7) if len(base) > 1 else [base]
    guess = canonical_key("+".join([*modifiers, *close])) if close else None
    return f"; did you mean {guess}?" if guess else '; keys are called "f2", "ctrl+t", "space", "?" and so on'


def _listed(keys: Iterable[str]) -> str:
    return ", ".join(keys)


def _shown(value: object) -> str:
    return f'"{clip(printable(value), 60)}"' if isinstance(value, str) else clip(printable(str(value)), 60)
