"""Notes without what a network hears beside them: ghosts, echoes of overtones, split notes."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from unbraid.types import CleanupOptions, NoteEvent

STRONG_PERCENTILE = 90  # of a stem's notes; what ghosts are compared with
OVERTONES = (12, 19, 24, 28, 31, 36)  # semitones above the note that they belong to
TOGETHER_S = 0.06  # notes this close begin together
SPLIT_S = 0.03  # longest gap in a note that was split
SPLIT_LEVEL = 0.85  # the rest of a split note is softer than its beginning; a new one need not be
INTERRUPTION_LEVEL = 0.7  # of the amplitude of a note that sounds, what ends it for another


def clean_notes(
    notes: Iterable[NoteEvent],
    options: CleanupOptions,
    *,
    monophonic: bool = False,
    song_db: float = -math.inf,
) -> list[NoteEvent]:
    """Drop and join notes of a stem.

    Args:
        notes: in any order.
        options: what is dropped and joined.
        monophonic: whether one note sounds at a time.
        song_db: RMS level of the song that the stem was separated from, in dBFS.

    Returns:
        Notes sorted by start, then pitch.
    """
    kept = sorted(notes, key=lambda note: (note.start_s, note.pitch))
    floor_db = song_db - options.floor_db
    kept = [note for note in kept if note.level_db is None or note.level_db >= floor_db]
    kept = _without_ghosts(kept, options)
    if options.join_splits:
        kept = _joined(kept)
    kept = list(_without_echoes(kept, options.echo_level))
    if monophonic:
        kept = _one_at_a_time(kept)
    curved = (replace(note, amplitude=note.amplitude**options.velocity_curve) for note in kept)
    return [note for note in curved if note.velocity >= options.min_velocity]


def _without_ghosts(notes: Sequence[NoteEvent], options: CleanupOptions) -> list[NoteEvent]:
    """The notes that are neither weak nor soft beside the strong and loud ones."""
    amplitudes = [note.amplitude for note in notes]
    levels_db = [note.level_db for note in notes if note.level_db is not None]
    strong, loud_db = (
        np.percentile(values, STRONG_PERCENTILE) if values else 0.0
        for values in (amplitudes, levels_db)
    )
    return [
        note
        for note in notes
        if note.amplitude >= options.ghost_level * strong
        and (note.level_db is None or note.level_db >= loud_db - options.ghost_db)
    ]


def _joined(notes: Iterable[NoteEvent]) -> list[NoteEvent]:
    """Lengthen notes, sorted by start, by softer ones that follow at once on their pitch."""
    joined: list[NoteEvent] = []
    last: dict[int, int] = {}
    for note in notes:
        k = last.get(note.pitch)
        if (
            k is not None
            and note.start_s - joined[k].end_s < SPLIT_S
            and note.amplitude < SPLIT_LEVEL * joined[k].amplitude
        ):
            end_s = max(joined[k].end_s, note.end_s)
            joined[k] = replace(joined[k], end_s=end_s, bends=joined[k].bends + note.bends)
        else:
            last[note.pitch] = len(joined)
            joined.append(note)
    return joined


def _without_echoes(notes: Sequence[NoteEvent], level: float) -> Iterator[NoteEvent]:
    """The notes, sorted by start, that are no overtones of a stronger one."""
    sounding: list[NoteEvent] = []
    begun = 0
    for note in notes:
        while begun < len(notes) and notes[begun].start_s < note.start_s + TOGETHER_S:
            sounding.append(notes[begun])
            begun += 1
        sounding = [other for other in sounding if other.end_s > note.start_s]
        if not any(
            note.pitch - other.pitch in OVERTONES and note.amplitude < level * other.amplitude
            for other in sounding
        ):
            yield note


def _one_at_a_time(notes: Iterable[NoteEvent]) -> list[NoteEvent]:
    """A line: strong notes end the one that sounds, weak ones are dropped."""
    line: list[NoteEvent] = []
    for note in notes:
        sounding = line[-1] if line and line[-1].end_s > note.start_s else None
        if sounding is None:
            line.append(note)
        elif note.start_s - sounding.start_s < TOGETHER_S:
            line[-1] = max(sounding, note, key=lambda each: each.amplitude)
        elif note.amplitude >= INTERRUPTION_LEVEL * sounding.amplitude:
            line[-1] = _until(sounding, note.start_s)
            line.append(note)
    return line


def _until(note: NoteEvent, end_s: float) -> NoteEvent:
    """The beginning of a note."""
    share = (end_s - note.start_s) / (note.end_s - note.start_s)
    return replace(note, end_s=end_s, bends=note.bends[: round(share * len(note.bends))])
