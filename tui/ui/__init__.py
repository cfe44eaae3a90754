"""The screen: a Textual application over the session, the capture and the conversation."""
