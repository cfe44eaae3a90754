"""The doctor: checks a connection step by step, and says of each what was found and, where it fails, what to do.

It shares the session's own sign-in, transport and table of causes, and needs the SDK for one check only: it has
something to say also when the SDK has not.
"""

from tui.doctor.case import Case, Limits
from tui.doctor.examination import ALL, CONNECTION, WAY, examine
from tui.doctor.report import Check, Outcome, Report

__all__ = ["ALL", "CONNECTION", "WAY", "Case", "Check", "Limits", "Outcome", "Report", "examine"]
