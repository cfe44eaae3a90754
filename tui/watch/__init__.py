"""`azrt-tui watch`: a relay that other Realtime clients connect to, so that their sessions can be seen."""

from tui.watch.plan import Address, RelayPlan
from tui.watch.relay import Relay
from tui.watch.watched import WatchedSession

__all__ = ["Address", "Relay", "RelayPlan", "WatchedSession"]
