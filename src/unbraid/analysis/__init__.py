"""What a listener would say about a song: its tempo."""
