"""Notes moved to the steps of their song's beats, however the tempo drifts."""

from collections.abc import Sequence
from dataclasses import replace

from unbraid.types import BeatGrid, DrumStroke, NoteEvent, QuantiseOptions, Subdivision

STEP_QUARTERS: dict[Subdivision, float] = {
    "1/4": 1.0,
    "1/4T": 2 / 3,
    "1/8": 1 / 2,
    "1/8T": 1 / 3,
    "1/16": 1 / 4,
    "1/16T": 1 / 6,
    "1/32": 1 / 8,
}


def quantised_s(time_s: float, grid: BeatGrid, options: QuantiseOptions) -> float:
    """Where a moment is moved to; none is moved to before 0.

    Example:
        >>> grid = BeatGrid((0.0, 0.5, 1.0, 1.5), 0, "4/4", confidence=1.0)
        >>> quantised_s(0.63, grid, QuantiseOptions("1/16"))
        0.625
        >>> quantised_s(0.63, grid, QuantiseOptions("1/8", strength=0.5))
        0.69
    """
    step = STEP_QUARTERS[options.grid]
    pair = 2 * STEP_QUARTERS[options.swing_grid or options.grid]
    quarter = grid.quarters_per_beat * (grid.beat_at(time_s) - grid.first_downbeat)
    nearest = step * round(_straight(quarter, pair, options.swing) / step)
    beat = _swung(nearest, pair, options.swing) / grid.quarters_per_beat + grid.first_downbeat
    return max(0.0, time_s + options.strength * (grid.seconds(beat) - time_s))


def _swung(quarter: float, pair: float, swing: float) -> float:
    """Lengthen the first half of each pair at the expense of the second."""
    within = quarter % pair
    return quarter + swing * min(within, pair - within)


def _straight(quarter: float, pair: float, swing: float) -> float:
    """Undo the swing."""
    within = quarter % pair
    even = max(within / (1 + swing), pair - (pair - within) / (1 - swing))
    return quarter - within + even


def quantise_notes(
    notes: Sequence[NoteEvent], grid: BeatGrid, options: QuantiseOptions
) -> list[NoteEvent]:
    """Move the beginnings of notes to the nearest steps; their lengths stay.

    Args:
        notes: of one instrument.
        grid: the song's beats.
        options: which steps there are, and how much of the way notes go.
    """
    moved = []
    for note in notes:
        start_s = quantised_s(note.start_s, grid, options)
        moved.append(replace(note, start_s=start_s, end_s=note.end_s + start_s - note.start_s))
    return sorted(moved, key=lambda note: (note.start_s, note.pitch))


def quantise_strokes(
    strokes: Sequence[DrumStroke], grid: BeatGrid, options: QuantiseOptions
) -> list[DrumStroke]:
    """Move strokes to the nearest steps; of those that meet on a drum, the loudest stays."""
    loudest: dict[tuple[float, str], DrumStroke] = {}
    for stroke in strokes:
        moved = replace(stroke, time_s=quantised_s(stroke.time_s, grid, options))
        place = (moved.time_s, moved.drum)
        loudest[place] = max(moved, loudest.get(place, moved), key=lambda each: each.velocity)
    return [loudest[place] for place in sorted(loudest)]
