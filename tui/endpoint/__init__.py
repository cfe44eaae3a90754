"""What a user pasted -> where to connect, or the reason why not.

``pasted`` takes the text apart, ``kinds`` tells which API it leads to, ``target`` makes the URL. Pure: no I/O, no
environment, standard library only.
"""

from tui.endpoint.kinds import BETA, KINDS, REALTIME, UNKNOWN, Kind, kind_of
from tui.endpoint.pasted import WRAPPING, EndpointError, escape_controls, is_loopback, shown
from tui.endpoint.target import DEFAULT_OPENAI_MODEL, Target, azure_target, explicit_target, openai_target

__all__ = [
    "BETA",
    "DEFAULT_OPENAI_MODEL",
    "KINDS",
    "REALTIME",
    "UNKNOWN",
    "WRAPPING",
    "EndpointError",
    "Kind",
    "Target",
    "azure_target",
    "escape_controls",
    "explicit_target",
    "is_loopback",
    "kind_of",
    "openai_target",
    "shown",
]
