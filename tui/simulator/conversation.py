"""The items of a conversation: their order, their audio, and what they weigh in tokens."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import Any

from tui.simulator.audio import AudioFormat
from tui.simulator.events import ITEM_PREFIX, ClientError, new_id

CHARS_PER_TOKEN = 4
INPUT_AUDIO_TOKENS_PER_S = 10
OUTPUT_AUDIO_TOKENS_PER_S = 20
IMAGE_TOKENS = 85
"""Audio as the service bills it; text and a picture of low detail by rule of thumb."""


@dataclass
class Tokens:
    """A token count by modality."""

    text: int = 0
    audio: int = 0
    image: int = 0

    @property
    def total(self) -> int:
        """All of them together."""
        return self.text + self.audio + self.image

    def __add__(self, other: Tokens) -> Tokens:
        return Tokens(self.text + other.text, self.audio + other.audio, self.image + other.image)


def text_tokens(text: str) -> int:
    """Return about how many tokens `text` is: one for every four characters, at least one if there is any."""
    return -(-len(text) // CHARS_PER_TOKEN)


@dataclass
class Sound:
    """The audio of one content part, in the format it came in or went out."""

    format: AudioFormat
    data: bytearray = field(default_factory=bytearray)
    truncated: bool = False

    @property
    def ms(self) -> float:
        """How long it sounds, in milliseconds."""
        return self.format.duration_ms(len(self.data))

    def extend(self, more: bytes) -> None:
        """Append what was spoken further, unless the client has truncated it: it was not heard."""
        if not self.truncated:
            self.data += more


@dataclass
class Item:
    """One conversation item: what goes over the wire (without audio) and the audio of its content parts."""

    data: dict[str, Any]
    sounds: dict[int, Sound] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The item's id."""
        return str(self.data["id"])

    def text(self) -> str:
        """Return what the item says in words: text, or the transcript of audio."""
        parts = (part.get("text") or part.get("transcript") or "" for part in self.data.get("content", ()))
        return " ".join(part for part in parts if part)

    def shown(self) -> dict[str, Any]:
        """Return a copy of `data`, for an event that may still wait to be sent when the item changes."""
        copy = dict(self.data)
        if "content" in copy:
            copy["content"] = [dict(part) for part in copy["content"]]
        return copy

    def truncate(self, index: int, end_ms: int) -> None:
        """Cut the audio of part `index` after `end_ms` and drop its transcript: it was not all heard."""
        sound = self.sounds[index]
        del sound.data[sound.format.size(end_ms) :]
        sound.truncated = True
        self.data["content"][index].pop("transcript", None)

    def with_audio(self) -> dict[str, Any]:
        """Return the item as `conversation.item.retrieved` shows it, with its audio in base64."""
        copy = self.shown()
        for index, sound in self.sounds.items():
            copy["content"][index]["audio"] = base64.b64encode(sound.data).decode()
        return copy

    def tokens(self) -> Tokens:
        """Return what the item adds to the input of a response."""
        spoken = sum(sound.ms for sound in self.sounds.values()) / 1000
        words = sum(len(self.data.get(name, "")) for name in ("name", "arguments", "output"))
        images = 0
        for index, part in enumerate(self.data.get("content", ())):
            images += part["type"] == "input_image"
            # A user's transcript is for the reader only; the model hears the audio.
            if index not in self.sounds:
                words += len(part.get("text") or "")
        return Tokens(-(-words // CHARS_PER_TOKEN), round(spoken * INPUT_AUDIO_TOKENS_PER_S), images * IMAGE_TOKENS)


def decode_audio(text: str, path: str) -> bytes:
    """Return the bytes of base64 `text`. Raises ClientError naming `path` where it is not base64."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ClientError(
            f"Invalid '{path}'. Expected base64-encoded audio bytes (mono PCM16 at 24kHz) but got an invalid value.",
            code="invalid_value",
            param=path,
        ) from None


def item_from_client(given: dict[str, Any], audio_format: AudioFormat, path: str = "item") -> Item:
    """Return the item a client described (already validated), with its id, status and audio in place."""
    data: dict[str, Any] = {"id": given.get("id") or new_id(ITEM_PREFIX)}
    if given["type"] != "mcp_approval_response":
        data["object"] = "realtime.item"
    data |= {name: value for name, value in given.items() if name not in ("id", "object", "content", "status")}
    item = Item(data)
    if given["type"] != "mcp_approval_response":
        data["status"] = "completed"
    if given["type"] == "function_call":
        data.setdefault("call_id", new_id("call"))
    if "content" in given:
        data["content"] = []
        for index, part in enumerate(given["content"]):
            shown = {name: value for name, value in part.items() if name != "audio"}
            if part["type"] == "input_audio":
                sound = decode_audio(part["audio"], f"{path}.content[{index}].audio")
                item.sounds[index] = Sound(audio_format, bytearray(sound))
                shown.setdefault("transcript", None)
            data["content"].append(shown)
    return item


class Conversation:
    """The default conversation: items in order, found by id."""

    def __init__(self) -> None:
        self.id = new_id("conv")
        self._items: list[Item] = []

    @property
    def items(self) -> tuple[Item, ...]:
        """All items, oldest first."""
        return tuple(self._items)

    def get(self, item_id: str) -> Item | None:
        """Return the item with this id, or None."""
        return next((item for item in self._items if item.id == item_id), None)

    def find(self, item_id: str, doing: str) -> Item:
        """Return the item with this id. Raises ClientError as the service words it while `doing` something."""
        item = self.get(item_id)
        if item is None:
            verb = {"retrieving": "retrieve", "truncating": "truncate", "deleting": "delete"}[doing]
            raise ClientError(
                f"Error {doing} item: the item with id '{item_id}' does not exist.",
                code=f"item_{verb}_invalid_item_id",
                param="item_id",
            )
        return item

    def insert(self, item: Item, after: str | None = None) -> str | None:
        """Put `item` after the item `after` (None: at the end, "root": first) and return the id before it.

        Raises ClientError for an id that is taken, an unknown `after`, or the output of a call nobody made.
        """
        if self.get(item.id) is not None:
            raise ClientError(
                f"Error adding item: the item with id '{item.id}' already exists.",
                code="item_create_duplicate_item_id",
                param="item.id",
            )
        if item.data["type"] == "function_call_output":
            self._check_call(item.data["call_id"])
        index = self._index_after(after)
        previous = self._items[index - 1].id if index else None
        self._items.insert(index, item)
        return previous

    def remove(self, item: Item) -> None:
        """Take `item` out."""
        self._items.remove(item)

    def before(self, item: Item) -> str | None:
        """Return the id of the item before `item`, None for the first or one no longer there."""
        index = next((at for at, other in enumerate(self._items) if other is item), 0)
        return self._items[index - 1].id if index else None

    def _index_after(self, after: str | None) -> int:
        if after is None:
            return len(self._items)
        if after == "root":
            return 0
        for index, other in enumerate(self._items):
            if other.id == after:
                return index + 1
        raise ClientError(
            f"Error adding item: the previous item with id '{after}' does not exist.",
            code="item_create_invalid_previous_item_id",
            param="previous_item_id",
        )

    def _check_call(self, call_id: str) -> None:
        calls = (item.data for item in self._items if item.data["type"] == "function_call")
        if not any(call["call_id"] == call_id for call in calls):
            raise ClientError(
                f"Tool call ID '{call_id}' not found in conversation.",
                code="invalid_tool_call_id",
                param="item.call_id",
            )
