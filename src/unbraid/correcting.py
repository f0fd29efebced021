"""A result set right by someone who knows better: its tempo, bars, key, chords, notes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np

from unbraid.analysing import key_record
from unbraid.analysis.chords import NO_CHORD, respelled
from unbraid.errors import InputError, ResourceError, resource_error
from unbraid.export.analysis import AnalysisRecord, ChordRecord, TempoPoint, dump_analysis
from unbraid.export.chord_symbols import symbol
from unbraid.export.folder import ResultFolder
from unbraid.export.manifest import Manifest
from unbraid.export.song import Song, open_song
from unbraid.exporting import note, remake_exports
from unbraid.rewriting import rewrite_midi
from unbraid.spelling import FIFTHS, Mode, pitch_class, tonic_name
from unbraid.types import (
    BeatGrid,
    ChordSegment,
    Key,
    KeySegment,
    NoteEvent,
    OnProgress,
    StemName,
)

SAME_NOTE_S = 0.003  # MIDI files round by less


@dataclass(frozen=True)
class Correction:
    """What to set right; what is not given stays.

    Attributes:
        tempo: whether the song is counted twice or half as fast.
        downbeat: beats by which the bars begin later.
        tonic: of the song's one key, such as `F#`.
        mode: of that key.
        chords: in the place of all that were found; between them there is none.
        notes: in the place of those of a stem; what was there already keeps its times and bends.
    """

    tempo: Literal["double", "half"] | None = None
    downbeat: int = 0
    tonic: str | None = None
    mode: Mode = "major"
    chords: tuple[ChordSegment, ...] | None = None
    notes: Mapping[StemName, tuple[NoteEvent, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.tonic is not None and self.tonic not in FIFTHS:
            raise InputError(f"{self.tonic!r} is no tonic; write it as C, F# or Bb")
        for chord in self.chords or ():
            symbol(chord.label)
        notes = [each for played in self.notes.values() for each in played]
        spans: list[ChordSegment | NoteEvent] = [*(self.chords or ()), *notes]
        if any(not 0 <= each.start_s < each.end_s for each in spans):
            raise InputError("chords and notes begin at 0 or later, and end after they begin")
        for one, other in pairwise(self.chords or ()):
            if other.start_s < one.end_s:
                raise InputError("chords follow each other in time, one after another")
        if any(not 0 <= each.pitch <= 127 for each in notes):
            raise InputError("the pitch of a note is 0 to 127; 60 is C4")


def correct_result(
    folder: Path | str, correction: Correction, on_progress: OnProgress | None = None
) -> Manifest:
    """Set a result right: analysis.json, the MIDI files, and the exports that follow from them.

    Args:
        folder: of the result.
        correction: what to set right.
        on_progress: called between exports; may raise `Cancelled` to stop.

    Returns:
        The manifest as it is then.

    Raises:
        InputError: there is no finished result, or nothing in it of what is to be set right.
        AudioError: a file of the result is missing or damaged.
        ResourceError: the folder is being worked on, or cannot be written.
    """
    target = ResultFolder(Path(folder))
    try:
        with open_song(target.path) as song, target.held() as ours:
            if not ours:
                raise ResourceError(f"{target.path.name!r} is being worked on; try again later")
            _check_notes(song, correction)
            _correct_analysis(target, song, correction)
        with open_song(target.path) as song:
            if midi := song.manifest.midi:
                corrected = tuple(sorted({*midi.corrected, *correction.notes}))
                midi = rewrite_midi(target, song, midi, _bent(correction.notes, song.notes))
                midi = midi.model_copy(update={"corrected": corrected})
                note(target, song.manifest.model_copy(update={"midi": midi}))
    except OSError as error:
        raise resource_error(error) from error
    return remake_exports(target.path, on_progress)


def _bent(
    notes: Mapping[StemName, Sequence[NoteEvent]], there: Mapping[StemName, Sequence[NoteEvent]]
) -> dict[StemName, list[NoteEvent]]:
    """Notes of which those that were there already keep their bends.

    They keep their times too: a rounded one could reach into the next note and lose its bends.
    """

    def as_it_was(note: NoteEvent, others: Sequence[NoteEvent]) -> NoteEvent:
        for other in others:
            times_s = (note.start_s - other.start_s, note.end_s - other.end_s)
            if note.pitch == other.pitch and max(map(abs, times_s)) < SAME_NOTE_S:
                return replace(
                    note, start_s=other.start_s, end_s=other.end_s, bends=note.bends or other.bends
                )
        return note

    return {
        name: [as_it_was(note, there[name]) for note in played] for name, played in notes.items()
    }


def _check_notes(song: Song, correction: Correction) -> None:
    if unknown := set(correction.notes) - set(song.notes):
        there = ", ".join(song.notes) or "none; transcribe it first"
        raise InputError(f"{min(unknown)!r} has no notes here; there are {there}")


def _correct_analysis(target: ResultFolder, song: Song, correction: Correction) -> None:
    found, file = song.analysis, song.manifest.analysis
    if found is None or file is None:
        if correction != Correction(notes=correction.notes):
            raise InputError("this result has no analysis; process the song with it first")
        return
    if correction.tempo or correction.downbeat:
        if song.beats is None:
            raise InputError("no beats were found in this song, so they cannot be set right")
        found = _counted(found, song.beats, correction)
    if correction.tonic:
        found = _in_key(found, song.chords, correction.tonic, correction.mode)
    if correction.chords is not None:
        found = found.model_copy(update={"chords": _filled(correction.chords, found.duration_s)})
    if found != song.analysis:
        with target.writing(target.path / file) as unfinished:
            unfinished.write_text(dump_analysis(found), "utf-8")


def _counted(found: AnalysisRecord, grid: BeatGrid, correction: Correction) -> AnalysisRecord:
    """The same with other beats and bars."""
    beats, first, factor = np.array(grid.beats_s), grid.first_downbeat, 1.0
    if correction.tempo == "double":
        between = (beats[:-1] + beats[1:]) / 2
        beats = np.sort(np.concatenate([beats, between]))
        first, factor = 2 * first, 2.0
    elif correction.tempo == "half":
        beats = beats[first % 2 :: 2]
        first, factor = first // 2, 0.5
    if correction.downbeat:  # else the first bar stays, so that half as fast undoes twice as fast
        first = (first + correction.downbeat) % grid.beats_per_bar
    counted = BeatGrid(tuple(np.round(beats, 3).tolist()), first, grid.metre, 1.0)
    times, paces = zip(*((point.time, point.bpm) for point in found.tempo.curve), strict=True)
    curve = tuple(
        TempoPoint(time=time_s, bpm=round(factor * float(np.interp(time_s, times, paces)), 3))
        for time_s in counted.beats_s
    )
    tempo = found.tempo.model_copy(update={"confidence": 1.0, "curve": curve})
    bpm = None if found.bpm is None else round(factor * found.bpm, 3)
    return found.model_copy(
        update={
            "bpm": int(bpm) if bpm is not None and bpm == int(bpm) else bpm,
            "tempo": tempo,
            "beats": counted.beats_s,
            "downbeats": counted.downbeats_s,
        }
    )


def _in_key(
    found: AnalysisRecord, chords: Sequence[ChordSegment], tonic: str, mode: Mode
) -> AnalysisRecord:
    """The same in one key, with its chords spelled as that has them."""
    tonic = tonic_name(pitch_class(tonic), mode)
    whole = KeySegment(0.0, found.duration_s, tonic, mode)
    key = Key(tonic, mode, confidence=1.0, segments=(whole,))
    spelled = _filled(respelled(chords, key), found.duration_s)
    return found.model_copy(update={"key": key_record(key), "chords": spelled})


def _filled(chords: Sequence[ChordSegment], duration_s: float) -> tuple[ChordRecord, ...]:
    """Chords from the beginning of a song to its end, with none where none is given."""
    edges = [0.0, *(time_s for each in chords for time_s in (each.start_s, each.end_s)), duration_s]
    labels = [NO_CHORD, *(label for each in chords for label in (each.label, NO_CHORD))]
    return tuple(
        ChordRecord(start=round(start_s, 3), end=round(min(end_s, duration_s), 3), label=label)
        for (start_s, end_s), label in zip(pairwise(edges), labels, strict=True)
        if start_s < min(end_s, duration_s)
    )
