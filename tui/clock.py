"""A length of time, or a time since the beginning, as a person reads it."""


def clock(seconds: float) -> str:
    """Whole seconds as ``0:07``, ``12:30``, ``3:05:00``."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
