"""How pitch classes are written: names on the line of fifths."""

from typing import Literal, TypeAlias

Mode: TypeAlias = Literal["major", "minor"]

FIFTHS = (
    "Gb",
    "Db",
    "Ab",
    "Eb",
    "Bb",
    "F",
    "C",
    "G",
    "D",
    "A",
    "E",
    "B",
    "F#",
    "C#",
    "G#",
    "D#",
    "A#",
    "E#",
)


def pitch_class(name: str) -> int:
    """Semitones of a note such as `F#` above C, 0 to 11."""
    return 7 * (FIFTHS.index(name) - FIFTHS.index("C")) % 12


def tonic_name(pitch: int, mode: Mode) -> str:
    """A tonic as signatures of at most six sharps or five flats have it."""
    return _named(pitch, FIFTHS.index("Db" if mode == "major" else "Bb"))


def signature(tonic: str, mode: Mode) -> int:
    """Sharps of the signature of a key; negative for flats."""
    return FIFTHS.index(tonic) - FIFTHS.index("C" if mode == "major" else "A")


def key_symbol(tonic: str, mode: Mode) -> str:
    """A key as a chord is written, `F#m`."""
    return f"{tonic}{'m' if mode == 'minor' else ''}"


def root_name(pitch: int, tonic: str = "C") -> str:
    """The root of a chord as it is written near a tonic."""
    return _named(pitch, min(max(FIFTHS.index(tonic) - 5, 0), len(FIFTHS) - 12))


def _named(pitch: int, first: int) -> str:
    """The one of twelve neighbours on the line that sounds so."""
    return next(name for name in FIFTHS[first : first + 12] if pitch_class(name) == pitch % 12)
