"""How the built-in separator comes about: its songs and its training."""
