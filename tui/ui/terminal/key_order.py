"""Keys take effect in the order in which they were pressed, however fast they come."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final, Generic

from textual import events
from textual.app import App, ReturnType
from textual.message import Message
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input, TextArea

if TYPE_CHECKING:
    _Base = Widget
else:
    # Not a widget of its own: Textual takes styles and bindings from the first base that is one.
    _Base = object

_MOVING: Final = frozenset(("up", "down", "left", "right", "pageup", "pagedown", "home", "end", "backspace", "delete"))
"""Keys that come in bursts because somebody holds them down, and that open and close nothing."""

_PATIENCE_S: Final = 0.25
"""How long a key may hold those behind it up, where the widget that was to pass it on is gone."""


class OrderedKeysApp(App[ReturnType], Generic[ReturnType]):
    """For the app: a key that may open or close a screen is finished before the next one is given to anybody.

    Textual gives a key to who has the focus when it arrives. Behind an escape that closes a dialog that is still the
    dialog, so that of an escape and a message typed in one go the message would be lost.
    """

    class Passed(Message, namespace="keys"):
        """Takes a key's way behind it, up to the app: when it is here, so was the key."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._waiting_keys: deque[events.Key | events.Paste] = deque()
        self._key_under_way = 0
        """Counts the keys that were waited for; 0 while none is."""
        self._keys_begun = 0

    async def on_event(self, event: events.Event) -> None:
        """Hold a key or a paste back while a key is under way that may decide who gets it."""
        if not isinstance(event, events.Key | events.Paste) or event.is_forwarded:
            await super().on_event(event)
        elif self._key_under_way:
            self._waiting_keys.append(event)
        elif isinstance(event, events.Paste):
            await super().on_event(event)
        else:
            target, decides = self.focused or self.screen, self._may_change_the_screen(event)
            await super().on_event(event)
            if decides:
                self._keys_begun += 1
                number = self._key_under_way = self._keys_begun
                target.post_message(self.Passed())
                self.set_timer(_PATIENCE_S, lambda: self._release(number))

    def _may_change_the_screen(self, event: events.Key) -> bool:
        if not isinstance(self.screen, ModalScreen):
            return event.key.startswith("ctrl+") or event.key[1:].isdigit()  # what opens dialogs
        if event.is_printable:
            return not isinstance(self.focused, Input | TextArea)
        return event.key not in _MOVING

    def on_keys_passed(self) -> None:
        """Go on when what the key has begun here is done as well."""
        number = self._key_under_way
        self.call_later(lambda: self._release(number))

    async def _release(self, number: int) -> None:
        if number != self._key_under_way:
            return
        self._key_under_way = 0
        while self._waiting_keys and not self._key_under_way and self.screen_stack:
            await self.on_event(self._waiting_keys.popleft())


class OrderedKeys(_Base):
    """For text inputs: runs bindings at once, and hands letters on to where the focus has gone meanwhile.

    Textual gives each key to the widget that has the focus when the key arrives, and runs a binding only after the
    key has bubbled up to the app. When keys come in a burst (a fast typist on a slow link, a key-sending tool), the
    letters behind an enter still get into the message, and a password typed behind a tab into the field before it.
    """

    async def _on_key(self, event: events.Key) -> None:
        if hand_on(self, event):
            event.prevent_default()
            return
        if not event.is_printable:
            active = self.screen.active_bindings.get(event.key)
            # An action may pass (a pane that has nothing to scroll): then the key takes the usual way to the next one.
            if active is not None and active.enabled and await self.app.run_action(active.binding.action, active.node):
                event.stop()
                event.prevent_default()


def hand_on(widget: Widget, event: events.Key) -> bool:
    """Give a key that was meant for ``widget`` to the widget that has got the focus meanwhile.

    Returns:
        True when there is one; the event is stopped then.
    """
    focused = widget.screen.focused
    if focused is None or focused is widget:
        return False
    event.stop()
    focused._forward_event(events.Key(event.key, event.character))
    return True
