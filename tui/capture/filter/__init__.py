"""Filters: a small language that picks events, for the screen and for the command line.

    response.done          text anywhere in the frame, ignoring case; "in quotes" with spaces
    type:response.*        the type: a pattern with *, or whole parts of it, such as type:delta
    dir:out                sent; also dir:in and dir:local, or sent, received, local
    item:item_123          everything of one item; also response:, call: and event:; * stands for any letters
    error  audio  tool     names of what belongs together: see :data:`NAMES`
    >1kB  <=200            bytes on the wire
    @name                  a saved filter
    a b  ·  a or b  ·  -a  ·  ( )

Use it on single frames::

    chosen = parse('type:response.* -audio >1kB', saved=settings.filters)   # raises FilterError
    chosen.matches(frame(Direction.RECEIVED, data))                          # or with an Entry of the log

and on a whole log, in slices, without holding up a screen: :class:`Matches`. A filter is about rows: a run of deltas
matches as one, with the bytes of all its frames, and holds a text when one of its frames does.
"""

from tui.capture.filter.completion import Completion, Known, complete
from tui.capture.filter.evaluation import Filter, Subject, frame
from tui.capture.filter.parser import FilterError, parse
from tui.capture.filter.syntax import NAMES

__all__ = ["NAMES", "Completion", "Filter", "FilterError", "Known", "Subject", "complete", "frame", "parse"]
