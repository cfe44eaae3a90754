"""The capture file: written as a session goes on, read back, and files of other programs read like one."""
