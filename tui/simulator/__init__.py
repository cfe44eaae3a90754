"""A small Realtime server on loopback: the far end of the demo and of every test.

It speaks the protocol as the service does and answers from a script; it is no model and says so.
"""

from tui.simulator.command import run, serve_forever
from tui.simulator.server import Frame, SessionLog, Simulator
from tui.simulator.threaded import SimulatorThread

__all__ = ["Frame", "SessionLog", "Simulator", "SimulatorThread", "run", "serve_forever"]
