"""Chords as musicians write them, from Harte's notation.

The notation is that of C. Harte et al., "Symbolic representation of musical chords", ISMIR 2005;
the kinds are those of MusicXML 4.0.
"""

import re
from dataclasses import dataclass

from unbraid.errors import InputError
from unbraid.export.note_names import Spelling

NO_CHORD = "N.C."
_LABEL = re.compile(
    r"(?P<root>[A-G][#b]*)"
    r"(?::(?P<quality>\w*)(?:\((?P<degrees>[^()]+)\))?)?"
    r"(?:/(?P<bass>[#b]*\d+))?"
)
_DEGREE = re.compile(r"(?P<omitted>\*?)(?P<signs>[#b]*)(?P<number>[1-9]|1[0-3])")
_SCALE_FIFTHS = (0, 2, 4, -1, 1, 3, 5)  # of a major scale's notes above its first


@dataclass(frozen=True)
class Quality:
    """What a chord is made of.

    Attributes:
        suffix: written after the root.
        kind: its name in MusicXML.
        degrees: its notes, as degrees of the major scale on its root.
    """

    suffix: str
    kind: str
    degrees: str


QUALITIES = {
    "maj": Quality("", "major", "1 3 5"),
    "min": Quality("m", "minor", "1 b3 5"),
    "dim": Quality("dim", "diminished", "1 b3 b5"),
    "aug": Quality("aug", "augmented", "1 3 #5"),
    "5": Quality("5", "power", "1 5"),
    "sus2": Quality("sus2", "suspended-second", "1 2 5"),
    "sus4": Quality("sus4", "suspended-fourth", "1 4 5"),
    "maj6": Quality("6", "major-sixth", "1 3 5 6"),
    "min6": Quality("m6", "minor-sixth", "1 b3 5 6"),
    "7": Quality("7", "dominant", "1 3 5 b7"),
    "maj7": Quality("maj7", "major-seventh", "1 3 5 7"),
    "min7": Quality("m7", "minor-seventh", "1 b3 5 b7"),
    "minmaj7": Quality("m(maj7)", "major-minor", "1 b3 5 7"),
    "dim7": Quality("dim7", "diminished-seventh", "1 b3 b5 bb7"),
    "hdim7": Quality("m7b5", "half-diminished", "1 b3 b5 b7"),
    "9": Quality("9", "dominant-ninth", "1 3 5 b7 9"),
    "maj9": Quality("maj9", "major-ninth", "1 3 5 7 9"),
    "min9": Quality("m9", "minor-ninth", "1 b3 5 b7 9"),
    "11": Quality("11", "dominant-11th", "1 3 5 b7 9 11"),
    "maj11": Quality("maj11", "major-11th", "1 3 5 7 9 11"),
    "min11": Quality("m11", "minor-11th", "1 b3 5 b7 9 11"),
    "13": Quality("13", "dominant-13th", "1 3 5 b7 9 11 13"),
    "maj13": Quality("maj13", "major-13th", "1 3 5 7 9 11 13"),
    "min13": Quality("m13", "minor-13th", "1 b3 5 b7 9 11 13"),
}
_SYNONYMS = {"": "maj", "6": "maj6", "minmaj": "minmaj7"}
_USUAL_SUFFIXES = {
    "suspended-fourth b7": "7sus4",
    "major-sixth 9": "6/9",
    "major 9": "add9",
    "minor 9": "madd9",
}


@dataclass(frozen=True)
class Degree:
    """A note of a chord, from its root.

    Attributes:
        number: degree of the major scale on the root.
        alter: sharps; negative for flats.
        omitted: whether the chord lacks it.
    """

    number: int
    alter: int
    omitted: bool = False

    @classmethod
    def of(cls, text: str) -> "Degree":
        """Read a degree such as `b7`, or `*3` for one that is left out.

        Raises:
            InputError: it is none.
        """
        match = _DEGREE.fullmatch(text)
        if not match:
            raise InputError(f"{text!r} is not a degree of a chord, such as 9, b7 or *5")
        alter = match["signs"].count("#") - match["signs"].count("b")
        return cls(int(match["number"]), alter, bool(match["omitted"]))

    @property
    def fifths(self) -> int:
        """How far from the root it is on the line of fifths."""
        return _SCALE_FIFTHS[(self.number - 1) % 7] + 7 * self.alter

    def __str__(self) -> str:
        signs = "#" * self.alter if self.alter > 0 else "b" * -self.alter
        return f"{'no' * self.omitted}{signs}{self.number}"


@dataclass(frozen=True)
class ChordSymbol:
    """A chord.

    Attributes:
        root: the note it stands on.
        quality: what it is made of.
        changes: notes that are added or left out.
        bass: its lowest note; None for the root.

    Example:
        >>> [str(ChordSymbol.of(name)) for name in ("F#:min7", "C:maj/3", "B:hdim7", "G:sus4(b7)")]
        ['F#m7', 'C/E', 'Bm7b5', 'G7sus4']
    """

    root: Spelling
    quality: Quality
    changes: tuple[Degree, ...] = ()
    bass: Degree | None = None

    @classmethod
    def of(cls, label: str) -> "ChordSymbol | None":
        """Read a chord in Harte's notation; None where there is no chord, or none is known.

        Raises:
            InputError: the label is not in this notation, or of a quality without a symbol.
        """
        if label in ("N", "X"):
            return None
        match = _LABEL.fullmatch(label)
        name = match["quality"] or "" if match else "?"
        quality = QUALITIES.get(_SYNONYMS.get(name, name))
        if not match or not quality:
            raise InputError(
                f"{label!r} is not a chord of a known quality; write it as F#:min7, D:maj/3 or N"
            )
        changes = tuple(Degree.of(text) for text in (match["degrees"] or "").split(",") if text)
        bass = Degree.of(match["bass"]) if match["bass"] else None
        return cls(Spelling.of(match["root"]), quality, changes, bass)

    @property
    def suffix(self) -> str:
        """What is written after the root."""
        changes = ",".join(map(str, self.changes))
        usual = _USUAL_SUFFIXES.get(f"{self.quality.kind} {changes}")
        return usual or self.quality.suffix + (f"({changes})" if changes else "")

    @property
    def bass_name(self) -> Spelling | None:
        """Its lowest note; None for the root."""
        return self._name(self.bass) if self.bass and self.bass.fifths else None

    @property
    def notes(self) -> tuple[Spelling, ...]:
        """The names of its notes, with those added and its bass."""
        degrees = [Degree.of(text) for text in self.quality.degrees.split()]
        degrees += [degree for degree in (*self.changes, self.bass) if degree]
        return tuple(map(self._name, degrees))

    def _name(self, degree: Degree) -> Spelling:
        return Spelling(self.root.fifths + degree.fifths)

    def __str__(self) -> str:
        return f"{self.root}{self.suffix}" + (f"/{self.bass_name}" if self.bass_name else "")


def symbol(label: str) -> str:
    """What musicians write for a chord in Harte's notation.

    Raises:
        InputError: see `ChordSymbol.of`.

    Example:
        >>> symbol("F#:min7"), symbol("N")
        ('F#m7', 'N.C.')
    """
    return str(ChordSymbol.of(label) or NO_CHORD)
