"""What runs inside another process: the program with a probe on it. Each module is started with ``python -m``."""
