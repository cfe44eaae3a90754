"""Failures on demand: everything that a Realtime client may meet, so that it can be rehearsed.

`table.FAULTS` names them; the server, the session and the response each ask `FaultPlan` what is due.
"""

from tui.simulator.faults.kinds import AnswerFault, Fault, HandshakeFault, OpeningFault, TranscriptionFault
from tui.simulator.faults.plan import FaultPlan
from tui.simulator.faults.table import FAULTS

__all__ = [
    "FAULTS",
    "AnswerFault",
    "Fault",
    "FaultPlan",
    "HandshakeFault",
    "OpeningFault",
    "TranscriptionFault",
]
