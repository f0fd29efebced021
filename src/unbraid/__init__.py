"""Takes a song apart: stems, the notes of each stem as MIDI, tempo, key and chords."""

__version__ = "0.1.0"
