"""`azrt-tui watch`: a relay that other Realtime clients connect to, so that their sessions can be seen."""

from tui.relay.plan import Address, RelayPlan
from tui.relay.relay import Relay
from tui.relay.watched import WatchedSession

__all__ = ["Address", "Relay", "RelayPlan", "WatchedSession"]
