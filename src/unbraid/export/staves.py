"""The staves that a stem is written on."""

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from unbraid.export.rhythm import Figure, Played, Steps, figures, notes_by_step
from unbraid.types import Drum, StemName


class Clef(NamedTuple):
    """A clef; in MusicXML's terms."""

    sign: str
    line: int
    octave_change: int = 0


TREBLE, BASS = Clef("G", 2), Clef("F", 4)
TREBLE_8VB, BASS_8VB = Clef("G", 2, -1), Clef("F", 4, -1)
PERCUSSION = Clef("percussion", 2)
CLEFS: dict[StemName, tuple[Clef, ...]] = {  # to choose from
    "vocals": (TREBLE, TREBLE_8VB),
    "bass": (BASS_8VB,),
    "guitar": (TREBLE_8VB,),
}
ONE_AT_A_TIME: tuple[StemName, ...] = ("bass",)
_MIDDLE_LINES = {TREBLE: 71, TREBLE_8VB: 59, BASS: 50, BASS_8VB: 38}
_ONE_STAFF_SHARE = 0.9  # of the chords fit it
_MIDDLE_C = 60
_LEAST_IN_TREBLE, _MOST_IN_BASS = 55, 64  # two ledger lines and a space


class DrumLine(NamedTuple):
    """How strokes on a drum are drawn."""

    step: str
    octave: int
    notehead: str = "normal"


DRUM_LINES: dict[Drum, DrumLine] = {  # N. Weinberg, "Guide to Standardized Drumset Notation", 1998
    "kick": DrumLine("F", 4),
    "snare": DrumLine("C", 5),
    "side stick": DrumLine("C", 5, "x"),
    "closed hi-hat": DrumLine("G", 5, "x"),
    "open hi-hat": DrumLine("G", 5, "circle-x"),
    "low tom": DrumLine("A", 4),
    "mid tom": DrumLine("D", 5),
    "high tom": DrumLine("E", 5),
    "ride": DrumLine("F", 5, "x"),
    "crash": DrumLine("A", 5, "x"),
}


class Staff(NamedTuple):
    """A staff and what is written on it."""

    clef: Clef
    figures: Sequence[Figure]


def staves(stem: StemName, notes: Sequence[Played], steps: Steps) -> list[Staff]:
    """Choose a staff, or the two of a piano where one does not hold what a stem plays.

    Args:
        stem: its name.
        notes: in any order.
        steps: where they begin.
    """
    if stem in ONE_AT_A_TIME:
        return [melody_staff(stem, notes, steps)]
    chords = [sorted(note.pitch for note in begun) for _, _, begun in notes_by_step(notes, steps)]
    if stem in CLEFS:
        return [Staff(_nearest(CLEFS[stem], notes), figures(notes, steps))]
    for clef, fits in ((TREBLE, _high), (BASS, _low)):
        if sum(map(fits, chords)) >= _ONE_STAFF_SHARE * len(chords):
            return [Staff(clef, figures(notes, steps))]
    right, left = _hands(notes, steps)
    return [Staff(TREBLE, figures(right, steps)), Staff(BASS, figures(left, steps))]


def melody_staff(stem: StemName, notes: Sequence[Played], steps: Steps) -> Staff:
    """A staff for a line of single notes; the arguments are those of `staves`."""
    clef = _nearest(CLEFS.get(stem, (TREBLE, BASS)), notes)
    return Staff(clef, figures(notes, steps, one_at_a_time=True))


def _nearest(clefs: Sequence[Clef], notes: Sequence[Played]) -> Clef:
    centre = median(note.pitch for note in notes) if notes else _MIDDLE_LINES[clefs[0]]
    return min(clefs, key=lambda clef: abs(_MIDDLE_LINES[clef] - centre))


def _high(pitches: Sequence[int]) -> bool:
    return pitches[0] >= _LEAST_IN_TREBLE


def _low(pitches: Sequence[int]) -> bool:
    return pitches[-1] <= _MOST_IN_BASS


def _hands(notes: Sequence[Played], steps: Steps) -> tuple[list[Played], list[Played]]:
    """What the right and the left hand play: chords that fit one staff stay whole."""
    right, left = [], []
    for _, _, begun in notes_by_step(notes, steps):
        pitches = sorted(note.pitch for note in begun)
        split = 0 if _high(pitches) else 128 if _low(pitches) else _MIDDLE_C
        right += [note for note in begun if note.pitch >= split]
        left += [note for note in begun if note.pitch < split]
    return right, left
