"""Reading and writing small files: a crash leaves the old one or the new one, and a huge one is not read at all."""

import errno
import os
import select
import stat
import tempfile
from pathlib import Path

LARGEST = 1 << 20
"""Bytes that a file of settings may have: parsing more takes seconds, and nobody writes so much by hand."""


PIPE_PATIENCE_S = 5.0
"""How long a pipe in the place of such a file may have nothing in it."""


def read_settings_text(path: Path) -> str:
    """Return the text of a file of settings, without a byte order mark; OSError or UnicodeDecodeError if that fails.

    A named pipe is read, too: password managers write ``.env`` into one. They have a moment to do so.
    """
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        if stat.S_ISFIFO(os.fstat(file.fileno()).st_mode):
            written, _, _ = select.select([file], [], [], PIPE_PATIENCE_S)
            if not written:
                raise OSError(errno.ETIMEDOUT, "it is a pipe, and nobody writes into it")
        os.set_blocking(file.fileno(), True)
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise OSError(errno.EFBIG, f"it has more than {LARGEST >> 20} MiB, which settings never need")
    text = data.decode("utf-8-sig")
    if "\0" in text:  # UTF-16 without a byte order mark, or no text at all
        raise UnicodeDecodeError("utf-8", data, data.index(0), data.index(0) + 1, "a zero byte is no text")
    return text


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


def readable_by_others(path: Path) -> bool:
    """Whether other users of the machine may read the file. False where the system has no such modes."""
    try:
        return os.name == "posix" and bool(path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))
    except OSError:
        return False
