"""The settings themselves, and what follows from them: where to connect, and with which key."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, AnyStr, Literal
from urllib.parse import urlsplit

from tui import models, paths
from tui.endpoint import EndpointError, Target, azure_target, explicit_target, is_loopback, openai_target
from tui.secrets import Mask

if TYPE_CHECKING:
    from tui.settings.headers import Header

TurnDetection = Literal["semantic_vad", "server_vad", "none"]
Modality = Literal["auto", "text", "audio"]
WhileAnswering = Literal["interrupt", "queue"]
Echo = Literal["auto", "half-duplex", "headset", "cancel"]
Auth = Literal["key", "entra"]
ByItself = Literal["auto", "ask"]

AZURE_SCOPE = "https://cognitiveservices.azure.com/.default"
"""What an Entra ID token is asked for. openai-python's samples have it; newer ones of Azure have
``https://ai.azure.com/.default``."""

MAX_FPS = 60
"""Textual itself draws no more often."""

DEFAULT_INSTRUCTIONS = (
    "You are a helpful assistant in a voice conversation. Answer briefly and naturally, in the language of the user."
)

_LOCAL_FPS = 30
_SSH_FPS = 10


class SettingsError(ValueError):
    """A setting that cannot be used. The text names it and what is allowed; it never holds a key."""


class NotConfigured(SettingsError):  # noqa: N818 - a state that the first-run screen answers, more than an error
    """Nothing says where to connect: no URL, no Azure endpoint, no OpenAI key."""


class Secret:
    """A key that does not show itself: ``repr``, ``str`` and format give ``***``. False when empty."""

    __slots__ = ("_mask", "_value")

    def __init__(self, value: str = "") -> None:
        self._value = value
        self._mask: Mask | None = None

    def reveal(self) -> str:
        """Return the key, for the header that carries it."""
        return self._value

    def masked(self, text: AnyStr) -> AnyStr:
        """The same number of bytes or characters, with asterisks for the key: servers echo it in their errors.

        See :class:`tui.secrets.Mask` for the spellings, and for keys that can be a word.
        """
        if self._mask is None:
            self._mask = Mask([self._value])
        return self._mask.masked(text)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return "***"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a user can choose. ``sources`` says where each value comes from."""

    endpoint: str = field(default="", repr=False)
    """The Azure endpoint in any form that ``azure_target`` takes. Not in repr: a pasted URL can hold a key."""
    deployment: str = ""
    """The Azure deployment, or the model on OpenAI."""
    url: str = field(default="", repr=False)
    """A whole WebSocket URL, used as given instead of ``endpoint``."""
    insecure: bool = False
    """Whether ``url`` may be ``ws://`` to another machine."""
    azure_api_key: Secret = field(default_factory=Secret)
    """Sent to Azure in the ``api-key`` header."""
    openai_api_key: Secret = field(default_factory=Secret)
    """Sent to OpenAI as ``Authorization: Bearer``."""
    api_key_command: tuple[str, ...] = ()
    """The program and arguments that print the key, for password managers; used where no key is set. Only from
    config.toml: a ``.env`` that came with somebody's project must not run anything."""
    headers: "tuple[Header, ...]" = ()
    """Added to the handshake with the service, for API gateways."""
    auth: Auth = "key"
    """How to sign in: with a key, or with a token of Entra ID."""
    entra_scope: str = AZURE_SCOPE
    """What the token of Entra ID is asked for."""
    ca_file: Path | None = None
    """Certificates (PEM) to trust besides the system's: a company's own CA."""
    transcription_model: str = ""
    """What transcribes the user's speech: a model (on Azure a deployment), ``none``, or empty for the usual one."""
    voice: str = models.VOICE
    """The voice of the answers."""
    instructions: str = DEFAULT_INSTRUCTIONS
    """The system prompt of the session."""
    turn_detection: TurnDetection = "semantic_vad"
    """Who decides that the user has finished speaking; ``none`` for the user."""
    modality: Modality = "auto"
    """The form of the answers; ``auto`` is audio where this machine can play it, else text."""
    while_answering: WhileAnswering = "interrupt"
    """What a message does that is sent during an answer."""
    echo: Echo = "auto"
    """What keeps the agent from hearing itself: ``cancel`` takes its voice out of the microphone's, ``half-duplex``
    holds the microphone while it is heard, ``headset`` does neither. ``auto`` is ``cancel`` where the extra ``aec`` is
    installed, else ``half-duplex``."""
    reconnect: ByItself = "auto"
    """Whether a lost connection is made again by itself, where that may help, or only by the key."""
    handover: ByItself = "auto"
    """Whether a new session takes over by itself, in a pause, before the old one reaches its time limit."""
    session_wait_s: int = 10
    """Seconds to wait for a session after the connection is there, before asking what to do."""
    answer_wait_s: int = 15
    """Seconds to wait for an answer to begin, before asking what to do."""
    response_wait_s: int = 30
    """Seconds that an answer may stand still, before asking what to do."""
    pong_wait_s: int = 10
    """Seconds without a sign of the server after a ping, before asking what to do."""
    input_device: str = ""
    """The microphone: its name, or a part of it; empty for the system's default."""
    output_device: str = ""
    """The loudspeaker, in the same way."""
    output_latency_ms: int = 100
    """What the loudspeaker is asked to hold, 20 to 1000 ms: more of it survives a busier machine, or a sound server
    across a network. Interrupting is as quick with any: what is held is dropped."""
    output_delay_ms: int = 0
    """What the sound takes behind the system's clock, 0 to 2000 ms, as with Bluetooth: what was heard is counted by it,
    and the microphone held longer."""
    capture: bool = True
    """Whether every event is kept in a file, so that the session can be looked at again."""
    captures_kept: int = 100
    """So many captures stay, the oldest go first; 0 for all."""
    captures_size: int = 2_000_000_000
    """So many bytes of captures stay, their audio included; 0 for all."""
    theme: str = ""
    """The name of a theme; empty for the program's own."""
    fps: int = 0
    """The most screen updates per second, 1 to 60; 0 for ``frame_rate`` to decide."""
    keymap: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Binding id -> keys, from the ``[keys]`` table of config.toml."""
    filters: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Name -> filter of events, from the ``[filters]`` table of config.toml."""
    themes_dir: Path = field(default_factory=paths.themes_dir)
    """The folder of the user's own themes, beside config.toml."""
    over_ssh: bool = False
    """Whether the program runs at the far end of an SSH connection."""
    transcribed: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Host -> the transcription model that worked there last, where none was set."""
    sources: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Field -> ``flag --voice``, ``environment AZRT_VOICE``, ``.env``, ``remembered``, ``config.toml``, ``default``."""

    @property
    def frame_rate(self) -> int:
        """Screen updates per second: ``fps``, or 30, or 10 over SSH, where every frame crosses the network."""
        return self.fps or (_SSH_FPS if self.over_ssh else _LOCAL_FPS)

    def transcription(self, target: Target) -> tuple[str, ...]:
        """Return the models to try for the user's speech at ``target``, in order; none for no transcription.

        One that the user has set is the only one. Else the usual ones, what worked there last first: on Azure the name
        is a deployment, which nobody can know, and other servers have what they have.
        """
        if self.transcription_model:
            return () if self.transcription_model == "none" else (self.transcription_model,)
        worked = self.transcribed.get(target.host, "")
        return tuple(sorted(models.TRANSCRIPTIONS, key=lambda model: model != worked))

    def target(self, *, watched: bool = False) -> Target:
        """Return where to connect: ``url``, else the Azure endpoint, else OpenAI when its key is set.

        With ``watched``, sessions of other clients go there, which may be of any kind.

        Raises NotConfigured when none of them is set, and EndpointError for a value that cannot be used.
        """
        try:
            if self.url:
                target = explicit_target(self.url, self.deployment, insecure=self.insecure, watched=watched)
                return self._signed_in(target)
            if self.endpoint:
                return self._signed_in(azure_target(self.endpoint, self.deployment, watched=watched))
            if self.openai_api_key:
                return openai_target(self.deployment)
        except EndpointError as error:
            source = self.sources.get(error.subject, "default")
            if source == "default":  # nothing was given, and that is the error
                raise
            raise EndpointError(f"{source}: {error}", error.subject) from None
        raise NotConfigured(
            "nothing to connect to: set AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_DEPLOYMENT and AZURE_OPENAI_API_KEY, "
            "or OPENAI_API_KEY, in the environment or in .env"
        )

    def _signed_in(self, target: Target) -> Target:
        """The target with the header that Entra ID needs; a token of Entra ID is nothing for OpenAI."""
        return replace(target, auth_header="Authorization") if self.uses_entra(target) else target

    def uses_entra(self, target: Target) -> bool:
        """Whether a token of Entra ID is sent to ``target`` instead of a key."""
        return self.auth == "entra" and target.provider != "openai" and not self.signs_in_by_header

    @property
    def signs_in_by_header(self) -> bool:
        """Whether one of ``headers`` stands where the key would, for whatever vendor."""
        return any(header.name.lower() in ("authorization", "api-key") for header in self.headers)

    def key_for(self, target: Target) -> Secret:
        """Return the key that belongs to ``target``; a key of one vendor is never sent to the other.

        A server that is neither vendor's, or that runs on this machine, gets the key that is set, if any (the empty
        secret otherwise). The empty secret too where a token, ``api_key_command`` or one of ``headers`` takes the key's
        place. Raises SettingsError when the vendor's key is missing, and no header carries another one.
        """
        if self.uses_entra(target) or self.signs_in_by_header:
            return Secret()
        own, name = {
            "azure": (self.azure_api_key, "AZURE_OPENAI_API_KEY"),
            "openai": (self.openai_api_key, "OPENAI_API_KEY"),
            "compatible": (Secret(), ""),
        }[target.provider]
        if own:
            return own
        if self.api_key_command:
            return Secret()
        if target.provider == "compatible" or is_loopback(urlsplit(target.url).hostname or ""):
            return self.openai_api_key or self.azure_api_key
        if any(header.credential for header in self.headers):
            return Secret()
        raise SettingsError(f"no key for {target.host}: set {name} in the environment or in .env")
