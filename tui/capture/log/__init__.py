"""The event log in memory: frames in blocks, a compact index, rows folded from runs."""
