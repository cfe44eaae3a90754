"""Which faults are due when."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import TypeVar

from tui.simulator.faults.kinds import (
    ALWAYS,
    AddressFault,
    AnswerFault,
    Fault,
    HandshakeFault,
    NoAnswerFault,
    OpeningFault,
    TlsFault,
    TranscriptionFault,
)
from tui.simulator.faults.table import FAULTS

Kind = TypeVar("Kind", bound=Fault)

_NUMBER = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)


class FaultPlan:
    """The faults a person asked for, as `NAME` or `NAME@N`.

    Without a number a fault strikes every time. With one it strikes once: at the Nth connection, answer or
    transcription (whatever its kind counts) since the plan was made, over all sessions. A fault of the address is there
    from the beginning, so it takes no number.

    `narrate` is told of each that strikes.

    Raises ValueError, with a sentence for the person who typed it, for a fault that does not exist.
    """

    def __init__(self, specs: Iterable[str] = (), narrate: Callable[[str], None] = lambda line: None) -> None:
        self._narrate = narrate
        self._faults: list[tuple[Fault, int | None]] = []
        self._counts: Counter[str] = Counter()
        for spec in specs:
            self.add(spec)

    def add(self, spec: str) -> None:
        """Plan one more fault. Raises ValueError as the constructor does."""
        name, at, number = spec.partition("@")
        fault = FAULTS.get(name)
        if fault is None:
            raise ValueError(f"there is no fault {name!a}; --list-faults names them")
        if at and not _NUMBER.fullmatch(number):
            raise ValueError(f"{number!a} after @ in {spec!a} is not a number from 1 on")
        if at and fault.counted == ALWAYS:
            raise ValueError(f"{name} is there as long as the server runs: leave out @{number}")
        self._faults.append((fault, int(number) if at else None))

    def clear(self) -> None:
        """Plan no faults from now on. What has been counted stays counted."""
        self._faults.clear()

    @property
    def address(self) -> AddressFault | None:
        """What is wrong with the URL, if anything."""
        return next((fault for fault, _ in self._faults if isinstance(fault, AddressFault)), None)

    @property
    def secure(self) -> bool:
        """Whether a fault needs TLS."""
        return any(isinstance(fault, TlsFault) for fault, _ in self._faults)

    def arrival(self) -> TlsFault | None:
        """Count a TCP connection to wss:// and return its fault, if it has one."""
        self._counts[TlsFault.counted] += 1
        return next(iter(self._due(TlsFault)), None)

    def connection(self) -> tuple[tuple[HandshakeFault, ...], tuple[OpeningFault, ...]]:
        """Count a connection and return the faults of its handshake and of its session's start."""
        self._counts["connection"] += 1
        return self._due(HandshakeFault), self._due(OpeningFault)

    def answer(self) -> tuple[tuple[NoAnswerFault, ...], tuple[AnswerFault, ...]]:
        """Count an answer and return the faults that come in its place, and those within it."""
        self._counts["answer"] += 1
        return self._due(NoAnswerFault), self._due(AnswerFault)

    def transcription(self, model: str) -> TranscriptionFault | None:
        """Count a transcription by `model` and return its fault, if it has one."""
        self._counts["transcription"] += 1
        return next(iter(self._due(TranscriptionFault, lambda fault: model not in fault.deployed)), None)

    def _due(self, kind: type[Kind], strikes: Callable[[Kind], bool] = lambda fault: True) -> tuple[Kind, ...]:
        now = self._counts[kind.counted]
        planned = (fault for fault, at in self._faults if isinstance(fault, kind) and at in (None, now))
        due = tuple(fault for fault in planned if strikes(fault))
        for fault in due:
            self._narrate(f"fault {fault.name} at {kind.counted} {now}")
        return due
