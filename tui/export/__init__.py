"""What is done with captures without a screen: list them, print their events, export what was said."""
