"""Notes on the steps of their beats, in the rhythm that a player would read.

Positions are in ticks from the first downbeat, twelve of a quarter note, so that sixteenths and
the thirds of a quarter are whole. Of every beat it is asked whether its notes lie nearer to
sixteenths or to a triplet. Where a note ends is heard less well than where it begins, and matters
less to who reads it: short rests go, and ends fall on eighths.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from unbraid.types import Metre

QUARTER, EIGHTH, SIXTEENTH, THIRD = 12, 6, 3, 4  # in ticks
LONGEST_HIDDEN_REST = 4.5  # between two notes; a shorter one is how they are played
EARLY = 0.75  # ticks by which the ends of notes are heard too soon
TIMING_VARIANCE = 0.25  # square ticks; players are 20 ms off at 120 quarters per minute
USUAL_TRIPLETS, LEAST_TRIPLETS, MOST_TRIPLETS = 0.3, 0.02, 0.9  # shares of a part's divided beats
TOGETHER = 1.5  # ticks within which notes of a step are a chord
LEAST_SWUNG_BEATS = 8
SWUNG_SHARE = 0.75  # of the beats that are divided in two or three


class Played(NamedTuple):
    """A note as it was played, from and to so many ticks."""

    start: float
    end: float
    pitch: int


class Figure(NamedTuple):
    """Notes that begin and end together."""

    start: int
    end: int
    pitches: tuple[int, ...]


@dataclass(frozen=True)
class Steps:
    """The steps of a part's beats.

    Attributes:
        triplets: the quarters that have three steps; the others have four.
        swung: the quarters whose second eighth comes late, and is written as if it did not.
    """

    triplets: frozenset[int] = frozenset()
    swung: frozenset[int] = frozenset()

    @classmethod
    def of(cls, starts: Iterable[float], metre: Metre) -> "Steps":
        """What fits the beginnings of a part's notes best; 6/8 has sixteenths only.

        In a part that has many triplets, others are more likely.
        """
        if metre == "6/8":
            return cls()
        quarters: dict[int, list[float]] = defaultdict(list)
        for start in starts:
            quarters[_quarter(start)].append(start)
        better = {
            quarter: _misfit(within, SIXTEENTH) - _misfit(within, THIRD)
            for quarter, within in quarters.items()
            if any(SIXTEENTH * _round(start / SIXTEENTH) % QUARTER for start in within)
        }
        found = sum(gain > _least_gain(USUAL_TRIPLETS) for gain in better.values())
        share = min(max(found / max(1, len(better)), LEAST_TRIPLETS), MOST_TRIPLETS)
        return cls(frozenset(k for k, gain in better.items() if gain > _least_gain(share)))

    def swinging(self, starts: Iterable[float]) -> "Steps":
        """The same, with triplets that are but two notes, a long and a short one, as eighths."""
        thirds = {self.at(start) for start in starts}
        swung = frozenset(k for k in self.triplets if QUARTER * k + THIRD not in thirds)
        return Steps(self.triplets - swung, swung)

    def at(self, position: float) -> int:
        """The nearest step."""
        quarter = _quarter(position)
        if quarter in self.triplets:
            return THIRD * _round(position / THIRD)
        if quarter in self.swung:
            third = _round((position - QUARTER * quarter) / THIRD)
            return QUARTER * quarter + (0, EIGHTH, EIGHTH, QUARTER)[third]
        return SIXTEENTH * _round(position / SIXTEENTH)

    def end(self, start: int, end: float, after: int | None) -> int:
        """Where a note ends on paper.

        Args:
            start: its step.
            end: where it was heard to end.
            after: the step of the next note; None for the last one.
        """
        if after is not None and after - end <= LONGEST_HIDDEN_REST:
            return after
        width = self._width(end + EARLY)
        nearest = width * _round((end + EARLY) / width)
        width = self._width(start)
        written = max(nearest, width * (start // width + 1))
        return written if after is None else min(written, after)

    def _width(self, position: float) -> int:
        return THIRD if position // QUARTER in self.triplets else EIGHTH


def swings(parts: Sequence[tuple[Steps, Sequence[float]]]) -> bool:
    """Whether a song's eighths swing: most divided beats have a note at two thirds alone."""
    divided: Counter[bool] = Counter()
    for steps, starts in parts:
        inner: dict[int, set[int]] = defaultdict(set)
        for at in map(steps.at, starts):
            if at % QUARTER:
                inner[at // QUARTER].add(at % QUARTER)
        divided += Counter(ticks == {2 * THIRD} for ticks in inner.values())
    return divided[True] >= max(LEAST_SWUNG_BEATS, SWUNG_SHARE * divided.total())


def figures(notes: Sequence[Played], steps: Steps, one_at_a_time: bool = False) -> list[Figure]:
    """Write notes as one voice: those that begin together are a chord, and end with the next.

    Args:
        notes: of one staff.
        steps: where notes begin.
        one_at_a_time: keep only the longest note of those that begin on one step.
    """
    written = []
    for start, after, begun in notes_by_step(notes, steps):
        main = max(begun, key=lambda note: (note.end - note.start, note.pitch))
        chord = [main]
        if not one_at_a_time:
            chord = [note for note in begun if abs(note.start - main.start) <= TOGETHER]
        end = steps.end(start, main.end, after)
        written.append(Figure(start, end, tuple(sorted({note.pitch for note in chord}))))
    return written


def struck_figures(notes: Sequence[Played], steps: Steps, beat: int) -> list[Figure]:
    """Write strokes, which have no length: each lasts until the next, or to the end of its beat."""
    return [
        Figure(
            start,
            min(beat * (start // beat + 1), start + beat if after is None else after),
            tuple(sorted({note.pitch for note in begun})),
        )
        for start, after, begun in notes_by_step(notes, steps)
    ]


def notes_by_step(
    notes: Sequence[Played], steps: Steps
) -> Iterator[tuple[int, int | None, list[Played]]]:
    """Each step on which notes begin, the next such, and the notes."""
    begun: dict[int, list[Played]] = defaultdict(list)
    for note in notes:
        begun[steps.at(note.start)].append(note)
    starts = sorted(begun)
    for start, after in zip(starts, [*starts[1:], None], strict=False):
        yield start, after, begun[start]


def _quarter(position: float) -> int:
    """The quarter to which a position belongs; just before the next it belongs to that."""
    return math.floor((position + SIXTEENTH / 2) / QUARTER)


def _least_gain(share: float) -> float:
    """How much better triplets must fit a beat to be more likely, if they have such a share."""
    return 2 * TIMING_VARIANCE * math.log((1 - share) / share)


def _misfit(starts: Sequence[float], step: int) -> float:
    return sum((start - step * _round(start / step)) ** 2 for start in starts)


def _round(x: float) -> int:
    return math.floor(x + 0.5)
