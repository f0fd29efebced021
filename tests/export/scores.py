"""Reads MusicXML as other programs do."""

from fractions import Fraction
from typing import Any, NamedTuple

import music21
import verovio

from unbraid.types import BeatGrid, Key, Metre, NoteEvent


class Sounding(NamedTuple):
    """A note with all that is tied to it, in quarters from the first full bar."""

    quarter: Fraction
    quarters: Fraction
    pitch: int


def steady(
    metre: Metre = "4/4", tempo_bpm: float = 120, first_downbeat: int = 0, beats: int = 16
) -> BeatGrid:
    """Beats at a tempo, from 0 on."""
    times_s = tuple(60 / tempo_bpm * beat for beat in range(beats))
    return BeatGrid(times_s, first_downbeat, metre, confidence=1.0)


def in_key(name: str) -> Key:
    """A key such as `D minor`."""
    tonic, mode = name.split()
    return Key(tonic, "minor" if mode == "minor" else "major", confidence=1.0)


def notes(*places: tuple[float, float, int]) -> list[NoteEvent]:
    """Notes from and to a second, of a pitch."""
    return [NoteEvent(start_s, end_s, pitch, 0.8) for start_s, end_s, pitch in places]


def read(xml: str) -> Any:
    """What music21 makes of it."""
    return music21.converter.parseData(xml, format="musicxml")


def soundings(part: Any) -> list[Sounding]:
    """The notes of a part, or of a staff, in order."""
    first = part.getElementsByClass("Measure")[0]
    lead = first.quarterLength if first.number == 0 else 0
    return sorted(
        Sounding(Fraction(note.offset) - Fraction(lead), Fraction(note.quarterLength), pitch)
        for note in part.stripTies().flatten().notes
        if not isinstance(note, music21.harmony.ChordSymbol)
        for pitch in (each.midi for each in note.pitches)
    )


def symbols(part: Any) -> list[tuple[float, str]]:
    """The chord symbols of a part, in quarters from the beginning of the first bar."""
    chords = part.flatten().getElementsByClass(music21.harmony.ChordSymbol)
    return [(chord.offset, chord.figure) for chord in chords]


def engraved(xml: str) -> str:
    """The first page that verovio draws; it complains on standard error."""
    verovio.enableLog(verovio.LOG_WARNING)
    toolkit = verovio.toolkit()
    assert toolkit.loadData(xml)
    return str(toolkit.renderToSVG(1))
