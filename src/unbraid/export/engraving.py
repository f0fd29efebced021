"""Bars filled with note values: ties, rests and beams where a reader expects them.

The rules are the usual ones of engraving (E. Gould, "Behind Bars", 2011): a bar's middle and its
beats stay visible, except under the plainest syncopations, and rests begin where their value does.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from unbraid.export.rhythm import EIGHTH, QUARTER, SIXTEENTH, THIRD, Figure
from unbraid.types import BEATS_PER_BAR, QUARTERS_PER_BEAT, Metre

DOTTED_QUARTER, HALF, DOTTED_HALF, WHOLE = 18, 24, 36, 48


class NoteValue(NamedTuple):
    """How a length is drawn.

    Attributes:
        type: its name in MusicXML.
        dots: behind it.
        flags: of a note without a beam.
        triplet: whether three take the time of two.
    """

    type: str
    dots: int = 0
    flags: int = 0
    triplet: bool = False


VALUES = {  # the longest first
    WHOLE: NoteValue("whole"),
    DOTTED_HALF: NoteValue("half", dots=1),
    HALF: NoteValue("half"),
    DOTTED_QUARTER: NoteValue("quarter", dots=1),
    QUARTER: NoteValue("quarter"),
    EIGHTH + SIXTEENTH: NoteValue("eighth", dots=1, flags=1),
    2 * THIRD: NoteValue("quarter", triplet=True),
    EIGHTH: NoteValue("eighth", flags=1),
    THIRD: NoteValue("eighth", flags=1, triplet=True),
    SIXTEENTH: NoteValue("16th", flags=2),
}


class Bar(NamedTuple):
    """A bar, in ticks from the first downbeat.

    Attributes:
        number: 0 for a pickup.
        start: first tick.
        end: the tick after its last.
        origin: where it would start if it were full.
    """

    number: int
    start: int
    end: int
    origin: int


class Symbol(NamedTuple):
    """A note, chord or rest that is drawn.

    Attributes:
        start: first tick.
        end: the tick after its last.
        pitches: none for a rest.
        onset: where it began, if it goes on from the one before.
        tied_to: whether it goes on in the next.
        beams: what happens to the beams from the first to the last: begin, continue, end or a hook.
    """

    start: int
    end: int
    pitches: tuple[int, ...]
    onset: int
    tied_to: bool = False
    beams: tuple[str, ...] = ()

    @property
    def ticks(self) -> int:
        """Its length."""
        return self.end - self.start

    @property
    def tied_from(self) -> bool:
        """Whether it goes on from the one before."""
        return bool(self.pitches) and self.onset < self.start

    @property
    def value(self) -> NoteValue:
        """How it is drawn."""
        return VALUES[self.ticks]

    @property
    def beamed(self) -> int:
        """How many beams it may have."""
        return self.value.flags if self.pitches else 0


def beat_ticks(metre: Metre) -> int:
    """Length of a beat."""
    return round(QUARTER * QUARTERS_PER_BEAT[metre])


def bars(metre: Metre, start: int, end: int) -> list[Bar]:
    """The bars from one tick to another; a first one that is not full is a pickup."""
    length = beat_ticks(metre) * BEATS_PER_BAR[metre]
    first, last = start // length, max(-(-end // length), start // length + 1)
    number = 0 if start % length else 1
    return [
        Bar(number + k, max(start, origin), origin + length, origin)
        for k, origin in enumerate(range(first * length, last * length, length))
    ]


def engrave(figures: Sequence[Figure], bars: Sequence[Bar], metre: Metre) -> list[list[Symbol]]:
    """Fill bars with the notes of one voice, and with rests between them.

    Args:
        figures: in order, none overlapping the next.
        bars: one after the other.
        metre: theirs.

    Returns:
        A list for each bar; in full ones in which nothing is played, a rest of their length.
    """
    contents: list[list[Symbol]] = [[] for _ in bars]
    k = 0
    for figure in _without_gaps(figures, bars[0].start, bars[-1].end):
        while bars[k].end <= figure.start:
            k += 1
        for j in range(k, len(bars)):
            if figure.end <= bars[j].start:
                break
            contents[j] += _symbols(figure, bars[j], metre)
    return [
        _beamed(symbols, bar, metre) if any(symbol.pitches for symbol in symbols) else symbols
        for symbols, bar in zip(contents, bars, strict=True)
    ]


def _without_gaps(figures: Sequence[Figure], start: int, end: int) -> Iterator[Figure]:
    """The figures, and others without notes between them."""
    for figure in (*figures, Figure(end, end, ())):
        if start < figure.start:
            yield Figure(start, figure.start, ())
        if figure.pitches:
            yield figure
        start = figure.end


def _symbols(figure: Figure, bar: Bar, metre: Metre) -> Iterator[Symbol]:
    """The part of a figure that lies in a bar."""
    start, end = max(figure.start, bar.start), min(figure.end, bar.end)
    if not figure.pitches and (start, end) == (bar.origin, bar.end):
        yield Symbol(start, end, (), start)
        return
    for at, until in _cut(start - bar.origin, end - bar.origin, metre, bool(figure.pitches)):
        tied_to = bool(figure.pitches) and bar.origin + until < figure.end
        yield Symbol(bar.origin + at, bar.origin + until, figure.pitches, figure.start, tied_to)


def _cut(start: int, end: int, metre: Metre, sounding: bool) -> Iterator[tuple[int, int]]:
    """Cut a span, in ticks from where its bar starts, into lengths that can be read."""
    while start < end:
        ticks = next(
            ticks
            for ticks in VALUES
            if start + ticks <= end
            and (_reads if sounding else _rests)(start, start + ticks, end, metre)
        )
        yield start, start + ticks
        start += ticks


def _reads(start: int, stop: int, end: int, metre: Metre) -> bool:
    """Whether a note from `start` to `stop`, the first of several up to `end`, is read easily."""
    ticks = stop - start
    if VALUES[ticks].triplet:
        return _in_triplet(start, stop, end)
    if start % SIXTEENTH or (end % SIXTEENTH and stop > end - end % QUARTER):
        return False
    if metre == "6/8":
        return _reads_in_compound(start, stop)
    if start // QUARTER == (stop - 1) // QUARTER:
        return True
    if start % EIGHTH or stop % EIGHTH or (stop % QUARTER and stop != end):
        return False
    if metre == "4/4" and start < HALF < stop:
        return start == 0 or (start == QUARTER and stop == end == DOTTED_HALF)
    return ticks < HALF or start % QUARTER == 0


def _reads_in_compound(start: int, stop: int) -> bool:
    ticks, within = stop - start, start % DOTTED_QUARTER
    if within + ticks > DOTTED_QUARTER:
        return start == 0 and ticks == DOTTED_HALF
    if ticks == EIGHTH + SIXTEENTH:
        return within % (EIGHTH + SIXTEENTH) == 0
    return ticks == SIXTEENTH or within % EIGHTH == 0


def _rests(start: int, stop: int, end: int, metre: Metre) -> bool:
    """The same for a rest."""
    ticks = stop - start
    if VALUES[ticks].triplet:
        return _in_triplet(start, stop, end)
    if start % SIXTEENTH or (end % SIXTEENTH and stop > end - end % QUARTER):
        return False
    if ticks in (SIXTEENTH, EIGHTH):
        return start % ticks == 0
    if metre == "6/8":
        return ticks in (QUARTER, DOTTED_QUARTER) and start % DOTTED_QUARTER == 0
    return (ticks == QUARTER or (ticks == HALF and metre == "4/4")) and start % ticks == 0


def _in_triplet(start: int, stop: int, end: int) -> bool:
    """Whether it is a part of a quarter that is divided in three."""
    same_quarter = start // QUARTER == (stop - 1) // QUARTER
    return same_quarter and start % THIRD == 0 and bool(start % SIXTEENTH or end % SIXTEENTH)


def _beamed(symbols: Sequence[Symbol], bar: Bar, metre: Metre) -> list[Symbol]:
    """Join the flags within beats, and those of four eighths in half a bar."""
    halves = {
        half
        for half, inside in groupby(symbols, lambda symbol: (symbol.start - bar.origin) // HALF)
        if metre == "4/4" and [s.ticks for s in inside if s.beamed] == [EIGHTH] * 4
    }

    def group(symbol: Symbol) -> tuple[str, int]:
        half = (symbol.start - bar.origin) // HALF
        beat = (symbol.start - bar.origin) // beat_ticks(metre)
        return ("half", half) if half in halves else ("beat", beat)

    beamed = []
    for _, inside in groupby(symbols, lambda symbol: (group(symbol), symbol.beamed > 0)):
        beamed += _joined(list(inside))
    return beamed


def _joined(symbols: Sequence[Symbol]) -> list[Symbol]:
    """Give symbols of one group their beams; there are none for a single one."""
    if len(symbols) == 1 or not symbols[0].beamed:
        return list(symbols)
    return [
        symbol._replace(beams=tuple(_beam(symbols, k, level) for level in range(symbol.beamed)))
        for k, symbol in enumerate(symbols)
    ]


def _beam(symbols: Sequence[Symbol], k: int, level: int) -> str:
    """What happens to a beam, counted from 0, at the k-th of its symbols."""
    before = k > 0 and symbols[k - 1].beamed > level
    after = k + 1 < len(symbols) and symbols[k + 1].beamed > level
    match before, after:
        case True, True:
            return "continue"
        case True, False:
            return "end"
        case False, True:
            return "begin"
    return "backward hook" if k else "forward hook"
