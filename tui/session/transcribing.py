"""Which model transcribes the user: where none is set, the usual ones are tried until one does."""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Mapping
from typing import Any

from tui.session.plan import SessionPlan


class Step(enum.Enum):
    """What follows from a failure."""

    STAY = enum.auto()
    """Nothing: it says nothing about the model, or the model is the user's choice."""
    NEXT = enum.auto()
    """Another model is to be tried."""
    NONE_LEFT = enum.auto()
    """The last one has failed too. Comes once."""


class Change(enum.Enum):
    """What a session.update has to hold, so that another model is used."""

    TRANSCRIPTION = enum.auto()
    SETTINGS = enum.auto()
    """All of them: they were refused together with the model."""


class Transcribing:
    """Looks for the model, over all the sessions of a worker. Sends nothing itself.

    A failure counts for the model that was in force when the item was committed: of what was said before the change,
    more failures come that say nothing about the new model.
    """

    def __init__(self, plan: SessionPlan) -> None:
        self._left = deque(plan.transcription_fallbacks)
        self.by_itself = bool(self._left)
        """Whether the program may choose: the user has set no model."""
        self.model = plan.transcription_model
        self.tried = [self.model]
        self.works = False
        """Something was transcribed by it."""
        self._due: Change | None = None
        self._unconfirmed = False
        """The change is on its way: what is committed meanwhile goes to the model before."""
        self._configured = False
        """The session has taken the settings."""
        self.ended = False
        """The last one has failed."""
        self._items: set[str] = set()
        """Items that were committed under the model in force."""
        self._earlier: set[str] = set()
        """Items that were committed under one before."""

    def new_connection(self) -> None:
        """Forget what belongs to the session before; the next one begins with the model of now."""
        self._due, self._unconfirmed, self._configured = None, False, False
        self._items.clear()
        self._earlier.clear()

    def take_due(self) -> Change | None:
        """Return what has to be sent, once."""
        due, self._due = self._due, None
        return due

    def committed(self, item_id: str) -> None:
        """The server has taken what was spoken as this item."""
        if self.by_itself and not self.works:
            (self._earlier if self._unconfirmed else self._items).add(item_id)

    def updated(self, session: object) -> None:
        """The server has confirmed settings."""
        self._configured = True
        self._unconfirmed = self._unconfirmed and not _has_model(session, self.model)

    def completed(self, item_id: str) -> bool:
        """An item was transcribed; return whether that is the first success of the model in force."""
        news = not self.works and item_id not in self._earlier
        self.works = self.works or news
        return news

    def failed(self, item_id: str, *, there: bool) -> Step:
        """An item was not transcribed.

        Args:
            item_id: which one.
            there: whether the failure says that the model is there all the same.
        """
        if self.works or there or item_id in self._earlier:
            return Step.STAY
        return self._go_on(Change.TRANSCRIPTION)

    def refused(self) -> Step:
        """The server refused a session.update because of the transcription."""
        return self._go_on(Change.TRANSCRIPTION if self._configured else Change.SETTINGS)

    def _go_on(self, change: Change) -> Step:
        if not self.by_itself or self.ended:
            return Step.STAY
        if not self._left:
            self.ended = True
            if change is Change.SETTINGS:  # without the transcription, the rest of them holds
                self.model, self._due = "", change
            return Step.NONE_LEFT
        self.model = self._left.popleft()
        self.tried.append(self.model)
        self._due, self._unconfirmed, self.works = change, True, False
        self._earlier |= self._items
        self._items.clear()
        return Step.NEXT


def _has_model(session: object, model: str) -> bool:
    """Return whether a session of the server's has the model; one that does not say is believed to."""
    found: Any = session
    for name in ("audio", "input", "transcription", "model"):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found in (None, model)
