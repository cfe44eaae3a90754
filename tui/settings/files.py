"""Writing a small private file so that a crash leaves the old one or the new one."""

import os
import tempfile
from pathlib import Path


def replace_privately(path: Path, text: str) -> None:
    """Replace ``path`` by ``text`` in one step, with mode 0600; where ``path`` is a link, what it points to.

    Raises OSError, or UnicodeEncodeError for text that is not Unicode; the old file is then untouched.
    """
    data = text.encode()
    target = path.resolve()
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f"{target.name}.")  # mkstemp makes it 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
