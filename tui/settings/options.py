"""One row for each setting: its name in config.toml, its environment variable, and what it accepts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import get_args

from tui.endpoint import escape_controls, shown
from tui.settings.model import MAX_FPS, Echo, Modality, Secret, TurnDetection, WhileAnswering

TURN_DETECTIONS: tuple[str, ...] = get_args(TurnDetection)
MODALITIES: tuple[str, ...] = get_args(Modality)
WHILE_ANSWERING: tuple[str, ...] = get_args(WhileAnswering)

ECHOES: tuple[str, ...] = get_args(Echo)


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

    @property
    def flag_name(self) -> str:
        return f"--{self.name.replace('_', '-')}"


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


def _fps(raw: object) -> int:
    try:
        number = int(raw) if isinstance(raw, str) else raw
    except ValueError:
        number = None
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= MAX_FPS:
        raise ValueError(f'must be a whole number from 0 (automatic) to {MAX_FPS}, not "{shown(str(raw))}"')
    return number


def _key(raw: object) -> Secret:
    """Accept what a header can carry. No error here shows the value."""
    if not isinstance(raw, str):
        raise ValueError("must be text")
    key = raw.strip()
    if key.lower().startswith(("your-", "your_", "<")):
        raise ValueError("still holds a placeholder; put your key there")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ValueError("holds a character that no key has, such as a space or a line break")
    return Secret(key)


OPTIONS: tuple[Option, ...] = (
    Option("endpoint", _text, "AZURE_OPENAI_ENDPOINT"),
    Option("deployment", _text, "AZURE_OPENAI_DEPLOYMENT"),
    Option("url", _text, "AZRT_URL"),
    Option("insecure", _switch),
    Option("azure_api_key", _key, "AZURE_OPENAI_API_KEY", flag=False),
    Option("openai_api_key", _key, "OPENAI_API_KEY", flag=False),
    Option("transcription_model", _transcription, "AZRT_TRANSCRIPTION_MODEL"),
    Option("voice", _word, "AZRT_VOICE"),
    Option("instructions", _text, "AZRT_INSTRUCTIONS"),
    Option("turn_detection", _choice(*TURN_DETECTIONS), "AZRT_TURN_DETECTION"),
    Option("modality", _choice(*MODALITIES), "AZRT_MODALITY"),
    Option("while_answering", _choice(*WHILE_ANSWERING), "AZRT_WHILE_ANSWERING"),
    Option("echo", _choice(*ECHOES), "AZRT_ECHO"),
    Option("input_device", _text, "AZRT_INPUT_DEVICE"),
    Option("output_device", _text, "AZRT_OUTPUT_DEVICE"),
    Option("theme", _word, "AZRT_THEME"),
    Option("fps", _fps, "AZRT_FPS"),
)
"""Every field of Settings that a user gives, except the ``[keys]`` table."""
