"""Tests of tui.doctor."""
