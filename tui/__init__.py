"""azrt-tui: a terminal client for the Azure OpenAI and OpenAI Realtime API."""

__version__ = "0.1.0"
