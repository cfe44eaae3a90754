"""One row for each setting: its name in config.toml, its environment variable, and what it accepts."""

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from tui.endpoint import WRAPPING, escape_controls, shown
from tui.settings.headers import headers_from
from tui.settings.model import MAX_FPS, Auth, ByItself, Echo, Modality, Secret, TurnDetection, WhileAnswering

TURN_DETECTIONS: tuple[str, ...] = get_args(TurnDetection)
MODALITIES: tuple[str, ...] = get_args(Modality)
WHILE_ANSWERING: tuple[str, ...] = get_args(WhileAnswering)

ECHOES: tuple[str, ...] = get_args(Echo)
AUTHS: tuple[str, ...] = get_args(Auth)
BY_ITSELF: tuple[str, ...] = get_args(ByItself)


@dataclass(frozen=True, slots=True)
class Option:
    """How one field of Settings is given."""

    name: str
    """The field's name, and its key in config.toml."""
    parse: Callable[[object], object]
    """From a flag's, a variable's or a TOML value to the field's; ValueError ends the sentence ``NAME ...``."""
    environment: str = ""
    """The environment variable, also read from ``.env``; empty for none."""
    flag: bool = True
    flag_of_one: str = ""
    """The flag of a setting that is given piece by piece."""

    @property
    def flag_name(self) -> str:
        return self.flag_of_one or f"--{self.name.replace('_', '-')}"


def _text(raw: object) -> str:
    if not isinstance(raw, str):
        raise ValueError(f'must be text, not "{shown(str(raw))}"')
    return raw.strip()


def _word(raw: object) -> str:
    text = _text(raw)
    if not text or not text.isprintable():
        raise ValueError(f'must be a name, not "{escape_controls(text)}"')
    return text


def _transcription(raw: object) -> str:
    word = _word(raw)
    return "none" if word.lower() in ("none", "off") else word


def _choice(*allowed: str) -> Callable[[object], str]:
    def parse(raw: object) -> str:
        text = _text(raw)
        if text.lower() not in allowed:
            raise ValueError(f'must be one of {", ".join(allowed)}, not "{shown(text)}"')
        return text.lower()

    return parse


def _switch(raw: object) -> bool:
    if not isinstance(raw, bool):
        raise ValueError("must be true or false")
    return raw


def _on_off(raw: object) -> bool:
    word = raw.strip().lower() if isinstance(raw, str) else raw
    if word in ("true", "yes", "on", "1", True):
        return True
    if word in ("false", "no", "off", "0", False):
        return False
    raise ValueError(f'must be true or false, not "{shown(str(raw))}"')


_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}


def _bytes(raw: object) -> int:
    found = re.fullmatch(r"(\d{1,15}) ?([kmgt]?)b?", str(raw).strip().lower())
    if found is None or isinstance(raw, bool):
        raise ValueError(f'must be a size such as 500MB or 2GB, or 0 for no limit, not "{shown(str(raw))}"')
    return int(found[1]) * _UNITS[found[2]]


def _number(least: int, most: int, least_means: str = "") -> Callable[[object], int]:
    def parse(raw: object) -> int:
        try:
            number = int(raw) if isinstance(raw, str) else raw
        except ValueError:
            number = None
        if not isinstance(number, int) or isinstance(number, bool) or not least <= number <= most:
            raise ValueError(f'must be a whole number from {least}{least_means} to {most}, not "{shown(str(raw))}"')
        return number

    return parse


def key_from(raw: object) -> Secret:
    """Accept what a header can carry, else raise ValueError, which ends a sentence and never shows the value."""
    if not isinstance(raw, str):
        raise ValueError("must be text")
    key = raw.strip(WRAPPING)
    if raw.strip().lower().startswith(("your-", "your_", "<")):
        raise ValueError("still holds a placeholder; put your key there")
    if re.match(r"(?:export +)?[A-Z][A-Z0-9_]*=.", key):
        raise ValueError("begins with the name of a variable; the key is what follows the =")
    if "://" in key:
        raise ValueError("is an address and not a key")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ValueError("holds a character that no key has, such as a space or a line break")
    return Secret(key)


def _command(raw: object) -> tuple[str, ...]:
    """A program and its arguments. A text is split as a shell splits it, and no shell ever sees it."""
    if isinstance(raw, list) and raw and all(isinstance(word, str) for word in raw):
        words = list(raw)
    elif isinstance(raw, str):
        try:
            words = shlex.split(raw)
        except ValueError as error:
            raise ValueError(f"cannot be split into a program and its arguments: {error}".lower()) from None
    else:
        raise ValueError('must be a program and its arguments, such as ["pass", "show", "azure"]')
    if not words or not words[0] or any("\0" in word for word in words):
        raise ValueError('must be a program and its arguments, such as ["pass", "show", "azure"]')
    return tuple(words)


def _file(raw: object) -> Path:
    path = Path(_word(raw)).expanduser()
    if not path.is_file():
        raise ValueError(f'must be a file that exists, not "{shown(str(path))}"')
    return path


OPTIONS: tuple[Option, ...] = (
    Option("endpoint", _text, "AZURE_OPENAI_ENDPOINT"),
    Option("deployment", _text, "AZURE_OPENAI_DEPLOYMENT"),
    Option("url", _text, "AZRT_URL"),
    Option("insecure", _switch),
    Option("azure_api_key", key_from, "AZURE_OPENAI_API_KEY", flag=False),
    Option("openai_api_key", key_from, "OPENAI_API_KEY", flag=False),
    Option("api_key_command", _command, flag=False),
    Option("headers", headers_from, "AZRT_HEADERS", flag_of_one="--header"),
    Option("auth", _choice(*AUTHS), "AZRT_AUTH"),
    Option("entra_scope", _word, "AZRT_ENTRA_SCOPE", flag=False),
    Option("ca_file", _file, "AZRT_CA_FILE"),
    Option("transcription_model", _transcription, "AZRT_TRANSCRIPTION_MODEL"),
    Option("voice", _word, "AZRT_VOICE"),
    Option("instructions", _text, "AZRT_INSTRUCTIONS"),
    Option("turn_detection", _choice(*TURN_DETECTIONS), "AZRT_TURN_DETECTION"),
    Option("modality", _choice(*MODALITIES), "AZRT_MODALITY"),
    Option("while_answering", _choice(*WHILE_ANSWERING), "AZRT_WHILE_ANSWERING"),
    Option("echo", _choice(*ECHOES), "AZRT_ECHO"),
    Option("input_device", _text, "AZRT_INPUT_DEVICE"),
    Option("output_device", _text, "AZRT_OUTPUT_DEVICE"),
    Option("output_latency_ms", _number(20, 1000), "AZRT_OUTPUT_LATENCY_MS", flag=False),
    Option("output_delay_ms", _number(0, 2000), "AZRT_OUTPUT_DELAY_MS", flag=False),
    Option("reconnect", _choice(*BY_ITSELF), "AZRT_RECONNECT", flag=False),
    Option("handover", _choice(*BY_ITSELF), "AZRT_HANDOVER", flag=False),
    Option("session_wait_s", _number(1, 600), "AZRT_SESSION_WAIT_S", flag=False),
    Option("answer_wait_s", _number(1, 600), "AZRT_ANSWER_WAIT_S", flag=False),
    Option("response_wait_s", _number(1, 600), "AZRT_RESPONSE_WAIT_S", flag=False),
    Option("pong_wait_s", _number(1, 600), "AZRT_PONG_WAIT_S", flag=False),
    Option("capture", _on_off, "AZRT_CAPTURE"),
    Option("captures_kept", _number(0, 100_000, " (all)"), "AZRT_CAPTURES_KEPT", flag=False),
    Option("captures_size", _bytes, "AZRT_CAPTURES_SIZE", flag=False),
    Option("theme", _word, "AZRT_THEME"),
    Option("fps", _number(0, MAX_FPS, " (automatic)"), "AZRT_FPS"),
)
"""Every field of Settings that a user gives, except the ``[keys]`` table."""
