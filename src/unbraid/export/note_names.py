"""The names of pitches in a key: which of G sharp and A flat is meant.

Notes have places on the line of fifths (…, B♭ -2, F -1, C 0, G 1, D 2, …): a sharp is seven to the
right, and a key is a stretch of it (Temperley, "The Line of Fifths", Music Analysis 19, 2000).
"""

from typing import NamedTuple

_STEPS = "FCGDAEB"


class Spelling(NamedTuple):
    """A named pitch class, by its place on the line of fifths.

    Example:
        >>> name = Spelling.of("F#")
        >>> name.fifths, name.step, name.alter, name.pitch_class, str(Spelling(-2))
        (6, 'F', 1, 6, 'Bb')
    """

    fifths: int

    @classmethod
    def of(cls, name: str) -> "Spelling":
        """Read a name: a letter with its sharps or flats."""
        return cls(_STEPS.index(name[0]) - 1 + 7 * (name.count("#") - name.count("b")))

    @property
    def step(self) -> str:
        """The letter."""
        return _STEPS[(self.fifths + 1) % 7]

    @property
    def alter(self) -> int:
        """Sharps; negative for flats."""
        return (self.fifths + 1) // 7

    @property
    def pitch_class(self) -> int:
        """0 for C to 11 for B."""
        return 7 * self.fifths % 12

    def octave(self, pitch: int) -> int:
        """The octave in which this name is MIDI number `pitch`: B♯3 sounds as C4."""
        return (pitch - self.alter) // 12 - 1

    def __str__(self) -> str:
        return self.step + ("#" * self.alter if self.alter > 0 else "b" * -self.alter)


def signed_alter(step: str, sharps: int) -> int:
    """What the signature of a key makes of a letter: 1 sharp, -1 flat, 0 neither."""
    return (sharps - _STEPS.index(step) + 6) // 7


def note_name(pitch: int, sharps: int) -> Spelling:
    """The name of a note in a key of so many sharps; between its notes are more sharps than flats.

    Example:
        >>> [str(note_name(pitch, sharps=0)) for pitch in (61, 63, 66, 68, 70)]
        ['C#', 'Eb', 'F#', 'G#', 'Bb']
    """
    first = sharps - 3  # of twelve neighbours on the line, one of which sounds so
    return Spelling(first + (7 * pitch - first) % 12)
