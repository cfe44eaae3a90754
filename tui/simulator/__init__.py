"""A small Realtime server on loopback: the far end of the demo and of every test.

It speaks the protocol as the service does and answers from a script; it is no model and says so.
"""

from tui.simulator.command import list_faults, run, serve_forever
from tui.simulator.faults import FaultPlan
from tui.simulator.server import Simulator
from tui.simulator.session_log import Frame, SessionLog
from tui.simulator.threaded import SimulatorThread

__all__ = ["FaultPlan", "Frame", "SessionLog", "Simulator", "SimulatorThread", "list_faults", "run", "serve_forever"]
