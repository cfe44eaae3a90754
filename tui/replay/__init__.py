"""A capture played again on the screen: its batches as they were posted, at any speed, from any position."""
