"""The parts of a score: who plays what, on which staves, in which rhythm."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from unbraid.export.engraving import Bar, bars, beat_ticks
from unbraid.export.midi import (
    DEFAULT_PROGRAM,
    DRUM_CHANNEL,
    DRUM_KEYS,
    PITCHED_CHANNELS,
    PROGRAMS,
)
from unbraid.export.rhythm import Played, Steps, struck_figures, swings
from unbraid.export.sheet import Sheet
from unbraid.export.staves import PERCUSSION, Staff, melody_staff, staves
from unbraid.types import Drum, Metre, StemName

TOP_STEMS, BOTTOM_STEMS = ("vocals",), ("bass",)  # of a score, above its drums
DRUMS: dict[int, Drum] = {key: drum for drum, key in DRUM_KEYS.items()}


class Instrument(NamedTuple):
    """What a player sounds: a General MIDI program, counted from 0, or a key of its drums."""

    name: str
    channel: int
    program: int
    key: int | None = None


class Part(NamedTuple):
    """A player's part."""

    name: str
    staves: Sequence[Staff]
    instruments: Sequence[Instrument]


class Score(NamedTuple):
    """All parts.

    Attributes:
        parts: from the top to the bottom.
        bars: of all of them.
        swing: whether eighths swing.
    """

    parts: Sequence[Part]
    bars: Sequence[Bar]
    swing: bool


def melody_score(sheet: Sheet, melody: StemName) -> Score:
    """One stem, its notes one at a time."""
    rhythm = _Rhythm.of(sheet)
    notes = rhythm.notes.get(melody, ())
    staff = melody_staff(melody, notes, rhythm.steps(notes))
    return _score(sheet, [_pitched_part(melody, 0, [staff])], rhythm.swing)


def whole_score(sheet: Sheet) -> Score:
    """All stems, and the drums if there are strokes, or nothing else."""
    rhythm = _Rhythm.of(sheet)
    parts = [
        _pitched_part(stem, k, staves(stem, rhythm.notes[stem], rhythm.steps(rhythm.notes[stem])))
        for k, stem in enumerate(sorted(rhythm.notes, key=_height))
    ]
    if sheet.strokes or not parts:
        kit = [Instrument(drum, DRUM_CHANNEL, 0, key) for key, drum in DRUMS.items()]
        beat = beat_ticks(sheet.beats.metre)
        struck = struck_figures(rhythm.strokes, rhythm.steps(rhythm.strokes), beat)
        parts.append(Part("drums", [Staff(PERCUSSION, struck)], kit))
    return _score(sheet, parts, rhythm.swing)


def _height(stem: StemName) -> int:
    return 0 if stem in TOP_STEMS else 2 if stem in BOTTOM_STEMS else 1


def _pitched_part(stem: StemName, index: int, staves: Sequence[Staff]) -> Part:
    channel = PITCHED_CHANNELS[index % len(PITCHED_CHANNELS)]
    program = PROGRAMS.get(stem, DEFAULT_PROGRAM)
    return Part(stem, staves, [Instrument(stem, channel, program)])


def _score(sheet: Sheet, parts: Sequence[Part], swing: bool) -> Score:
    """Add the bars in which something happens, and those between them and the first downbeat."""
    beat = beat_ticks(sheet.beats.metre)
    played = [figure for part in parts for staff in part.staves for figure in staff.figures]
    starts = [figure.start // beat for figure in played]
    starts += [change.beat for change in sheet.harmony if change.chord]
    ends = [figure.end for figure in played] + [beat * change.beat for change in sheet.harmony]
    first, last = beat * min([0, *starts]), max([0, *ends])
    return Score(parts, bars(sheet.beats.metre, first, last), swing)


@dataclass(frozen=True)
class _Rhythm:
    """When a song's notes were played, in ticks from the first downbeat.

    Attributes:
        metre: of the song.
        notes: of each pitched stem.
        strokes: on the drums, with their MIDI keys as pitches.
        swing: whether its eighths swing.
    """

    metre: Metre
    notes: Mapping[StemName, Sequence[Played]]
    strokes: Sequence[Played]
    swing: bool

    @classmethod
    def of(cls, sheet: Sheet) -> "_Rhythm":
        metre, beat = sheet.beats.metre, beat_ticks(sheet.beats.metre)

        def played(start_s: float, end_s: float, pitch: int) -> Played:
            return Played(beat * sheet.beat(start_s), beat * sheet.beat(end_s), pitch)

        notes = {
            stem: [played(note.start_s, note.end_s, note.pitch) for note in notes]
            for stem, notes in sheet.notes.items()
        }
        strokes = [
            played(stroke.time_s, stroke.time_s, DRUM_KEYS[stroke.drum]) for stroke in sheet.strokes
        ]
        parts = [[note.start for note in part] for part in (*notes.values(), strokes)]
        swing = swings([(Steps.of(starts, metre), starts) for starts in parts])
        return cls(metre, notes, strokes, swing)

    def steps(self, notes: Sequence[Played]) -> Steps:
        """Where the notes of a part begin."""
        starts = [note.start for note in notes]
        steps = Steps.of(starts, self.metre)
        return steps.swinging(starts) if self.swing else steps
