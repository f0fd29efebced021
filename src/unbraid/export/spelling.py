"""The names of pitches in a key: which of G sharp and A flat is meant.

Notes have places on the line of fifths (…, B♭ -2, F -1, C 0, G 1, D 2, …): a sharp is seven to the
right, and a key is a stretch of it (Temperley, "The Line of Fifths", Music Analysis 19, 2000).
"""

from typing import NamedTuple, Protocol

from unbraid.errors import InputError

_STEPS = "FCGDAEB"
_SIGNS = {"#": 1, "b": -1, "♯": 1, "♭": -1}
_MOST_SHARPS = 7  # of a key signature, and most flats


class Tonality(Protocol):
    """The key of a song."""

    @property
    def tonic(self) -> str:
        """Name of its first note, such as `Bb`."""

    @property
    def mode(self) -> str:
        """`major` or `minor`."""


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
        """Read a name such as `F#`.

        Raises:
            InputError: it is none.
        """
        if not name or name[0] not in _STEPS or any(sign not in _SIGNS for sign in name[1:]):
            raise InputError(f"{name!r} is not the name of a note, such as C, F# or Bb")
        return cls(_STEPS.index(name[0]) - 1 + 7 * sum(_SIGNS[sign] for sign in name[1:]))

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


def signature(key: Tonality | None) -> int:
    """The sharps of a key, negative for flats; none without a key.

    Keys beyond seven of either are meant by those that sound the same.

    Raises:
        InputError: the tonic is not the name of a note.
    """
    if key is None:
        return 0
    sharps = Spelling.of(key.tonic).fifths - (3 if key.mode == "minor" else 0)
    while abs(sharps) > _MOST_SHARPS:
        sharps -= 12 if sharps > 0 else -12
    return sharps


def signed_alter(step: str, sharps: int) -> int:
    """What the signature of a key makes of a letter: 1 sharp, -1 flat, 0 neither."""
    return (sharps - _STEPS.index(step) + 6) // 7


def note_name(pitch: int, sharps: int) -> Spelling:
    """The name of a note in a key of so many sharps; between its notes are more sharps than flats.

    Example:
        >>> [str(note_name(pitch, sharps=0)) for pitch in (61, 63, 66, 68, 70)]
        ['C#', 'Eb', 'F#', 'G#', 'Bb']
    """
    return _within(pitch, sharps - 3)


def root_name(pitch: int, sharps: int) -> Spelling:
    """The name of a chord's root in a key of so many sharps: flat ones are borrowed more often.

    Example:
        >>> [str(root_name(pitch, sharps=0)) for pitch in (61, 63, 66, 68, 70)]
        ['Db', 'Eb', 'F#', 'Ab', 'Bb']
    """
    return _within(pitch, sharps - 5)


def _within(pitch: int, first: int) -> Spelling:
    """The only name of a pitch among twelve neighbours on the line of fifths."""
    return Spelling(first + (7 * pitch - first) % 12)
