"""What a cause of failure is: the words for it, the facts, and what follows from it."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


class Retry(enum.StrEnum):
    """What the program does by itself about a connection that ended so."""

    NEVER = "never"
    """It would only end in the same way, or there is nothing to connect again for."""
    BACK_OFF = "back-off"
    """It may pass: try again after a while, each time a longer one."""
    AT_ONCE = "at once"


@dataclass(frozen=True, slots=True)
class Cause:
    """Why something failed or ended, in words for a person, with the facts of the wire beside them.

    No text of it names a key: what is bound to which key is known to the screen only.
    """

    name: str
    """A short stable name: ``beta-session``, ``http-401``, ``closed-1006``."""
    sentence: str
    """What happened, in one plain sentence."""
    fix: str
    """What to do about it, preferably a line to type; "" when there is nothing to do but to connect again."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """Status codes, request ids, close codes: what a support person asks for. Never a secret."""
    retry: Retry = Retry.NEVER
    passes: bool = False
    """Whether it may pass without anybody changing anything."""
    wait_s: float | None = None
    """Seconds after which the service said to try again."""
    line: str = ""
    """A line to type in a terminal, towards the fix; "" when there is none."""
    short: str = ""
    """What happened, in so few words that they fit beside others: without the server's name, which is shown already,
    and without its words; "" when the sentence is short enough."""

    def mapped(self, change: Callable[[str], str]) -> Cause:
        """The same cause with every text changed."""
        facts = {name: change(value) for name, value in self.facts.items()}
        return Cause(
            self.name,
            change(self.sentence),
            change(self.fix),
            facts,
            self.retry,
            self.passes,
            self.wait_s,
            change(self.line),
            change(self.short),
        )


@dataclass(frozen=True, slots=True)
class Kind:
    """A row of the table. Texts are formats: ``{host}`` is the server, ``{said}`` its own words, and so on."""

    sentence: str
    fix: str = ""
    retry: Retry = Retry.NEVER
    passes: bool = False
    """Whether it may pass; true for whatever is tried again."""
    line: str = ""
    """A line to type; what is in capitals is for the person to fill in."""
    short: str = ""
    """The sentence in 55 characters, for a row whose sentence is longer or begins with a name."""
