"""Failures on demand: everything that a Realtime client may meet, so that it can be rehearsed.

`table.FAULTS` names them; the server, the session and the response each ask `FaultPlan` what is due.
"""

from tui.simulator.faults.kinds import (
    AddressFault,
    AnswerFault,
    Fault,
    HandshakeFault,
    OpeningFault,
    TlsFault,
    TranscriptionFault,
)
from tui.simulator.faults.plan import FaultPlan
from tui.simulator.faults.table import FAULTS

__all__ = [
    "FAULTS",
    "AddressFault",
    "AnswerFault",
    "Fault",
    "FaultPlan",
    "HandshakeFault",
    "OpeningFault",
    "TlsFault",
    "TranscriptionFault",
]
