"""Keys take effect in the order in which they were pressed, however fast they come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events

if TYPE_CHECKING:
    from textual.widget import Widget as _Base
else:
    # Not a widget of its own: Textual takes styles and bindings from the first base that is one.
    _Base = object


class OrderedKeys(_Base):
    """For text inputs: runs bindings at once, and hands letters on to where the focus has gone meanwhile.

    Textual gives each key to the widget that has the focus when the key arrives, and runs a binding only after the
    key has bubbled up to the app. When keys come in a burst (a fast typist on a slow link, a key-sending tool), the
    letters behind an enter still get into the message, and a password typed behind a tab into the field before it.
    """

    async def _on_key(self, event: events.Key) -> None:
        focused = self.screen.focused
        if focused is not None and focused is not self:
            event.stop()
            event.prevent_default()
            focused._forward_event(events.Key(event.key, event.character))
            return
        if not event.is_printable:
            active = self.screen.active_bindings.get(event.key)
            # An action may pass (a pane that has nothing to scroll): then the key takes the usual way to the next one.
            if active is not None and active.enabled and await self.app.run_action(active.binding.action, active.node):
                event.stop()
                event.prevent_default()
