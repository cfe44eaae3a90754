"""Tell what is a secret, and put asterisks in its place.

Pasted addresses, relayed requests, frames, captures and the log all use this one test. Pure: standard library only.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, AnyStr, Final
from urllib.parse import unquote, unquote_plus

KEY: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:[0-9a-fA-F]{32}|(?:sk|ek|rk|sess)[-_][A-Za-z0-9_-]{16,}|eyJ[\w.-]{20,}|[A-Za-z0-9+_-]{65,}=*)"
    r"(?![A-Za-z0-9])"
)
"""Shapes of keys: Azure's 32 hex digits and its newer 84 characters, OpenAI's ``sk-...``, an Entra ID token.

A resource or deployment name has at most 64 characters.
"""

KNOWN_NAMES: Final = frozenset({"api-version", "deployment", "model"})
"""The names in a query that mean something here and hold no secret."""

_NAME: Final = re.compile(
    r"(?<!cache[-_])(?<!public[-_])key(?!word|board|frame)|token(?!s|i[sz])|secret|passw|passphrase|pwd"
    r"|auth(?!or(?!i[sz]))|bearer|credential|cookie|signature|^sig|jwt|^code$"
    r"|(?:^|[^a-z])(?:sas|sig|pat|pass|creds?|otp|ek|sk|ticket|assertion)(?:$|[^a-z])"
)
"""Names of secrets: ``api-key``, ``subscription-key``, ``access_token``, ``client_secret``, ``sig``, and so on.

``max_tokens``, ``keyword``, ``author`` and ``prompt_cache_key`` are none.
"""

_TAGGED: Final = re.compile(r"(?:sk|ek|rk)[-_][\w.~+/=-]{3,}|eyJ[\w.~+/=-]{20,}")
"""A value that says by itself that it is a key, whatever its length and its name."""

_SCHEMES: Final = "bearer|basic|digest|negotiate|sharedaccesssignature|api-?key|token|key"
_SCHEME: Final = re.compile(rf"(?:{_SCHEMES})[\s:]+(?=\S)", re.IGNORECASE)
"""What stands before the credential in ``Authorization``."""

_SURE_SCHEME: Final = re.compile(r"\s*(?:bearer|basic|sharedaccesssignature)\s+\S", re.IGNORECASE)
"""The schemes that are no beginning of a sentence."""

_HIDDEN_PARAMETER: Final = re.compile(r"[?&;#][^=]*=")

_NO_VALUE: Final = frozenset({"", "true", "false", "0", "1", "yes", "no", "on", "off", "null", "none", "undefined"})
"""What stands behind ``auth=`` and the like and is no credential."""

LONG: Final = 12
"""Characters. So many in a row are the secret wherever they stand; a shorter one may be a part of something else."""

_SHORT, _SHORT_MIXED = 4, 6
"""Characters. What is shorter than the first is never masked; from the second on, letters and digits together are no
word that other text would hold."""

_ABOUT_A_KEY: Final = r"(?i:key|token|secret|password|credential|bearer|authoriz)"

_CUT: Final = 16
"""Characters. So much of the beginning of a secret is masked where the rest was cut off."""

_REST: Final = r"(?:[\w~+/=%-]|\.(?=\w))*"
"""What may follow such a beginning."""

_SPELLED_OUT: Final = 256
"""Characters. In a longer secret only those are looked for in other spellings that an encoder changes."""

_SPELLED: Final = re.compile(
    r"(?:%(?:25)*|\\u00)(?:3[0-9]|[46][1-9a-f]|[57][0-9a])|&#0*(?:4[89]|[5-9]\d|1[012]\d);|&#x", re.IGNORECASE
)
"""A letter or a digit that an encoder has spelled out, which few do; all others leave those as they are."""

_SPELLED_IN_BYTES: Final = re.compile(_SPELLED.pattern.encode(), re.IGNORECASE)

_ENTITIES: Final = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}


# The test


def names_secret(name: str) -> bool:
    """Return whether a parameter, a header or a field of this name holds a secret. Any case, percent-encoded or not."""
    return bool(_NAME.search(unquoted(name).lower()))


def is_secret(name: str, value: str) -> bool:
    """Return whether ``name=value`` is, or may hide, a secret. Both are decoded."""
    if names_secret(name) or KEY.search(name):
        return True
    if _says_so(value) or _HIDDEN_PARAMETER.search(value):
        return True  # deployment=d%26key=... hides one
    # A deployment may end in 32 hex digits.
    return bool(KEY.fullmatch(value) if name.lower() in KNOWN_NAMES else KEY.search(value))


def is_secret_value(value: str) -> bool:
    """Return whether this looks like a secret, whatever it is called."""
    return _says_so(value) or bool(KEY.search(value))


def _says_so(value: str) -> bool:
    return bool(_TAGGED.fullmatch(value) or _SURE_SCHEME.match(value))


def is_credential(name: str, value: str) -> bool:
    """Return whether ``name=value`` is what a client signs in with.

    It is a secret that is not empty; an id of 32 digits is none.
    """
    if no_value(value):
        return False
    if re.search(r"(?:^|[-_])id$", name, re.IGNORECASE):  # agent-authentication-...-client-id
        return _says_so(value)
    return is_secret(name, value)


def is_credential_header(name: str, value: str) -> bool:
    """Return whether a client signs in with this header."""
    if no_value(value):
        return False
    if names_secret(name) or _says_so(value):
        return True
    return bool(KEY.fullmatch(value)) and not re.search(r"id$|^trace|trace-?parent", name, re.IGNORECASE)


def no_value(value: str) -> bool:
    """Return whether this stands where a secret would and is none: nothing, ``true``, or a scheme alone."""
    text = unquoted(value).strip().lower()
    return text in _NO_VALUE or bool(re.fullmatch(_SCHEMES, text))


def unquoted(text: str) -> str:
    """Return the text without percent-encoding, however often it was encoded; a plus is a space."""
    for _ in range(3):
        text, before = unquote_plus(text), text
        if text == before:
            break
    return text


def hidden(text: str) -> str:
    """Return free text, such as a line of the log, with ``***`` in place of what looks like a secret."""
    text = _IN_URL.sub(lambda match: match[0] if not names_secret(match[1]) else f"{match[0][0]}{match[1]}=***", text)
    return KEY.sub("***", _IN_HEADER.sub(r"\1***", text))


_IN_URL: Final = re.compile(r"[?&;]([^\s=&;?\"'<>]+)=[^\s&;\"'<>)]+")
_IN_HEADER: Final = re.compile(
    r"""(?ix)
    ( (?: (?:proxy-)?authorization | (?:[\w-]+-)?api-key | [\w-]*subscription-key | (?:set-)?cookie )
      ["']? \s*[:=,]\s* ["']? (?:(?:bearer|basic|token)\s+)?
    | \b(?:bearer|basic)\s+ | insecure-api-key\. )
    [^\s"',;)]{4,}
    """
)


# What was presented


def parts(value: str) -> Iterator[str]:
    """Yield what a credential may be echoed as: itself, decoded, without its scheme, the two sides of Basic.

    ``value`` is that of a header or a parameter, as it came.
    """
    seen: set[str] = set()
    waiting = [value]
    while waiting:
        text = waiting.pop().strip().strip("\"'")
        if text in seen or no_value(text):
            continue
        seen.add(text)
        scheme = _SCHEME.match(text)
        if scheme:
            waiting.append(text[scheme.end() :])
            if scheme[0].lower().startswith("basic"):
                waiting.extend(_both_sides(text[scheme.end() :]))
        else:
            yield text
        waiting += [unquote_plus(text), unquote(text)]
        if "=" in text.rstrip("="):  # Digest, SharedAccessSignature, cookies
            waiting.extend(named for pair in re.split(r"[,;&\s]+", text) if (named := pair.partition("=")[2]))


def _both_sides(encoded: str) -> Iterator[str]:
    """Yield ``user:password`` of a Basic credential, and each side; a key may be either."""
    text = decoded(encoded)
    user, colon, password = text.partition(":")
    if text:
        yield text
    if colon:
        yield password
        if not password or is_secret_value(user):
            yield user


def decoded(encoded: str) -> str:
    """Return the text that is encoded in base64 of either alphabet; "" where there is none."""
    try:
        return base64.urlsafe_b64decode(
            encoded.replace("+", "-").replace("/", "_") + "=" * (-len(encoded) % 4)
        ).decode()
    except (binascii.Error, ValueError):
        return ""


def in_event(event: object) -> Iterator[str]:
    """Yield the secrets that an event holds under a name of one: ``{"type": "auth", "token": ...}``."""
    waiting: list[Any] = [event]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, Mapping):
            for name, inner in value.items():
                if not isinstance(inner, str):
                    waiting.append(inner)
                elif is_credential(name, inner) and not re.search(r"\s", _SCHEME.sub("", inner.strip(), count=1)):
                    yield from parts(inner)


# The asterisks


class Mask:
    """Puts asterisks in the place of secrets, in the same length, however they are spelled.

    Spellings are upper and lower case, percent-encoding, JSON's and HTML's escapes, and base64, also within a longer
    text such as ``user:key``.
    """

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._forms: dict[str, _Form] = {}
        self.add(values)

    def add(self, values: Iterable[str]) -> None:
        """Mask these from now on, too. The longest goes first, so that no part of it is left."""
        new = {value: _Form(value) for value in values if len(value) >= _SHORT and value not in self._forms}
        if new:
            forms = self._forms | new
            self._forms = {value: forms[value] for value in sorted(forms, key=len, reverse=True)}

    def __bool__(self) -> bool:
        return bool(self._forms)

    def __repr__(self) -> str:
        return f"Mask({len(self._forms)})"

    def masked(self, text: AnyStr) -> AnyStr:
        """Return the text with asterisks for each secret, in the same length. Bytes are taken for JSON."""
        if not self._forms or not text:
            return text
        if isinstance(text, bytes):
            lowered = text.lower()
            odd = (b"%" in text or b"\\u00" in text or b"&#" in text) and bool(_SPELLED_IN_BYTES.search(text))
            for form in self._forms.values():
                if form.may_be_in(text, lowered, odd):
                    text = form.masked(text.decode("latin-1"), json=True).encode("latin-1")
            return text
        lowered_text = text.lower()
        odd = ("%" in text or "\\u00" in text or "&#" in text) and bool(_SPELLED.search(text))
        for form in self._forms.values():
            if form.may_be_in_text(text, lowered_text, odd):
                text = form.masked(text, json=False)
        return text


class _Form:
    """One secret, and how it is looked for: first for a needle of each spelling, which is quick, then in earnest."""

    def __init__(self, value: str) -> None:
        self._value = value
        self.short = len(value) < LONG and not _TAGGED.fullmatch(value)
        """True where it can be a word: it is masked only where the text tells that a secret is meant."""
        cores = [] if len(value) < LONG else [core for core in _base64_cores(value.encode()) if len(core) >= _SHORT]
        self._cores = cores
        needle = value.lower() if self.short else _longest_run(value).lower()
        heads = [value[:_CUT].lower()] if len(value) > _CUT else []
        self._lowered = tuple(text.encode() for text in (needle, *heads))
        self._exact = tuple(_longest_run(core).encode() for core in cores)
        self._lowered_text, self._exact_text = (needle, *heads), tuple(map(_longest_run, cores))

    def may_be_in(self, data: bytes, lowered: bytes, odd: bool) -> bool:
        """Return whether it is worth looking. ``odd``: something in the data is escaped."""
        for needle in self._lowered:
            if needle in lowered:
                return True
        for needle in self._exact:
            if needle in data:
                return True
        return odd and not self.short

    def may_be_in_text(self, text: str, lowered: str, odd: bool) -> bool:
        """Do the same for text."""
        return (
            any(needle in lowered for needle in self._lowered_text)
            or any(needle in text for needle in self._exact_text)
            or (odd and not self.short)
        )

    def masked(self, text: str, *, json: bool) -> str:
        """Return the text with asterisks. ``json``: it is bytes of JSON, decoded as Latin-1."""
        if self.short:
            value = self._value.encode().decode("latin-1") if json else self._value
            return _masked_word(text, value, between=r'(?:[^"\\]|\\.)' if json else ".")
        return (self._pattern_of_bytes if json else self._pattern).sub(_stars, text)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return self._compiled(str)

    @cached_property
    def _pattern_of_bytes(self) -> re.Pattern[str]:
        return self._compiled(lambda c: c.encode(errors="replace").decode("latin-1"))

    def _compiled(self, written: Any) -> re.Pattern[str]:
        thorough = len(self._value) <= _SPELLED_OUT
        plain = "".join(_spelled(c, written(c), thorough) for c in self._value)
        cores = ["".join(_spelled_in_base64(c) for c in core) for core in self._cores]
        # A reason of a close frame has room for 123 bytes, so the rest may be cut off; another token begins alike.
        head = [rf"{re.escape(self._value[:_CUT])}{_REST}"] if len(self._value) > _CUT else []
        # Base64 has two cases: only the plain spelling may be in any.
        return re.compile("|".join([f"(?i:{plain})", *(f"{core}=*" for core in cores), *head]))


def _stars(match: re.Match[str]) -> str:
    return "*" * len(match[0])


def _spelled(character: str, written: str, thorough: bool) -> str:
    """Return the pattern of a character in any spelling; ``written`` is how it stands in the text without any."""
    if character.isascii() and character.isalnum() and not thorough:
        return character
    code = ord(character)
    percent = "".join(f"%(?:25)*{byte:02x}" for byte in character.encode(errors="replace"))
    plain = re.escape(written) if character.isascii() and character.isalnum() else rf"\\*{re.escape(written)}"
    spellings = [plain, percent, rf"\\+u{code:04x}", f"&#0*{code};", f"&#x0*{code:x};"]
    if character in _ENTITIES:
        spellings.append(f"&(?:amp;)*{_ENTITIES[character]};")
    if character == " ":
        spellings.append(r"\+")
    return f"(?:{'|'.join(spellings)})"


def _spelled_in_base64(character: str) -> str:
    """Return the pattern of a character of base64, in either alphabet and escaped or not."""
    if character in "+-":
        return r"(?:[+-]|%(?:25)*2[bB]|\\+u002[bB])"
    if character in "/_":
        return r"(?:\\*/|_|%(?:25)*2[fF]|\\+u002[fF])"
    return character


def _longest_run(text: str) -> str:
    """Return the longest run of letters and digits, which no encoder changes; the text itself where there is none."""
    return max(re.findall("[A-Za-z0-9]+", text), key=len, default=text)


def _base64_cores(value: bytes) -> Iterator[str]:
    """Yield what base64 makes of the value wherever it stands in a text: the digits that come from it alone."""
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + value).decode().rstrip("=")
        first = -(-before * 8 // 6)
        last = len(encoded) - (1 if (before + len(value)) % 3 else 0)
        yield encoded[first:last]


def _masked_word(text: str, key: str, *, between: str) -> str:
    """Mask a short secret, which may be a word: only as one, and behind another that tells that a secret is meant.

    Servers that need no key are often given ``none`` or ``test``: "Incorrect API key: test". Letters and digits
    together need no such word. ``between``: what may stand between the two; in JSON both must be in one string.
    """
    stars = "*" * len(key)
    word = rf"(?:(?<![\w+/-])|(?<=\\[nrt])){re.escape(key)}(?![\w+/=-])"  # JSON writes a new line as a letter
    if len(key) >= _SHORT_MIXED and re.search("[a-zA-Z]", key) and re.search("[0-9]", key):
        return re.sub(word, stars, text, flags=re.ASCII)
    told = re.compile(f"({_ABOUT_A_KEY}{between}{{0,80}}?){word}", re.ASCII)
    before = ""
    while text != before:  # one word may tell of several
        before, text = text, told.sub(lambda match: match[1] + stars, text)
    return text
