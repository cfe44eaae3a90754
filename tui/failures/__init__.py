"""What can go wrong, named once: the table of failures, and who finds the row for an event or an HTTP answer."""
