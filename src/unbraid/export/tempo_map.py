"""The time of a MIDI file: its tempi and metres, from seconds to ticks and back.

The events are those of "Standard MIDI Files 1.0" (MIDI Association, 1988).
"""

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import mido

from unbraid.errors import InputError
from unbraid.export.chord_symbols import symbol
from unbraid.spelling import key_symbol
from unbraid.types import (
    BEATS_PER_BAR,
    QUARTERS_PER_BEAT,
    BeatGrid,
    ChordSegment,
    Key,
    KeySegment,
    Metre,
)

MIN_TEMPO_BPM, MAX_TEMPO_BPM = 4, 1000
MAX_QUARTER_US = 2**24 - 1  # a file stores no longer ones
MIN_TICKS_PER_QUARTER = 480
MAX_TICK_US = 1500  # times are at most half of it off
BEAT_TOLERANCE_US = 200.0  # that a tempo may miss beats by; less than half a tick
BEGINNING_S = 0.0005  # a beat before is one at 0
SIXTEENTH, SIXTY_FOURTH = 1 / 4, 1 / 16  # in quarter notes


class TempoChange(NamedTuple):
    """From a tick on, quarter notes last so many microseconds."""

    tick: int
    quarter_us: int


class MetreChange(NamedTuple):
    """From a tick on, a bar has so many notes, and so many of them are a whole note."""

    tick: int
    numerator: int
    denominator: int


class _Knot(NamedTuple):
    """A place in quarter notes and when it is heard."""

    quarter: float
    time_us: float


@dataclass(frozen=True)
class TempoMap:
    """Where in a file a moment is.

    Attributes:
        ticks_per_quarter: resolution of the file.
        tempi: in order, the first at tick 0.
        metres: in order; empty where nothing is said of bars.

    Example:
        >>> TempoMap.steady(90).ticks(2.0), round(TempoMap.steady(90).seconds(1440), 3)
        (1440, 2.0)
    """

    ticks_per_quarter: int
    tempi: tuple[TempoChange, ...]
    metres: tuple[MetreChange, ...] = ()

    @classmethod
    def steady(cls, tempo_bpm: float) -> "TempoMap":
        """A tempo in quarter notes per minute, without bars.

        Raises:
            InputError: it cannot be stored.
        """
        check_tempo(tempo_bpm)
        quarter_us = round(60e6 / tempo_bpm)
        return cls(_resolution(quarter_us), (TempoChange(0, quarter_us),))

    @classmethod
    def of_grid(cls, grid: BeatGrid) -> "TempoMap":
        """The tempi of a song's beats; its first downbeat begins a bar, whatever comes before it.

        Raises:
            InputError: beats lie further apart than can be stored.
        """
        beat = grid.quarters_per_beat
        first = int(grid.beats_s[0] < BEGINNING_S)
        lead = _lead(beat * (first - grid.beat_at(0.0)))
        places = (lead + beat * k for k in range(len(grid.beats_s) - first))
        knots = [_Knot(0.0, 0.0)]
        knots += [
            _Knot(place, 1e6 * time_s)
            for place, time_s in zip(places, grid.beats_s[first:], strict=True)
        ]
        tempi = list(_tempi(knots))
        resolution = _resolution(max(quarter_us for _, quarter_us in tempi))
        bar = beat * grid.beats_per_bar
        pick_up = (lead + beat * (grid.first_downbeat - first)) % bar
        starts = (0.0, pick_up) if pick_up else (0.0,)
        lengths = (pick_up, bar) if pick_up else (bar,)
        return cls(
            resolution,
            tuple(TempoChange(round(place * resolution), us) for place, us in tempi),
            tuple(
                MetreChange(round(start * resolution), *_signature(length, grid.metre))
                for start, length in zip(starts, lengths, strict=True)
            ),
        )

    @classmethod
    def of_file(cls, file: mido.MidiFile) -> "TempoMap":
        """What the events of a file say."""
        tick, tempi, metres = 0, {0: mido.midifiles.midifiles.DEFAULT_TEMPO}, {0: (4, 4)}
        for message in mido.merge_tracks(file.tracks):
            tick += message.time
            if message.type == "set_tempo":
                tempi[tick] = message.tempo
            elif message.type == "time_signature":
                metres[tick] = (message.numerator, message.denominator)
        return cls(
            file.ticks_per_beat,
            tuple(TempoChange(*change) for change in tempi.items()),
            tuple(MetreChange(tick, *signature) for tick, signature in metres.items()),
        )

    def grid(self, last_tick: int) -> BeatGrid:
        """The beats up to a tick, counted from where the metre that lasts longest begins."""
        ends = [*(change.tick for change in self.metres[1:]), max(last_tick, self.metres[-1].tick)]
        _, start, notes, kind = max(
            (end - change.tick, *change) for change, end in zip(self.metres, ends, strict=True)
        )
        compound = kind == 8 and notes % 3 == 0
        metre: Metre = "6/8" if compound else "3/4" if notes == 3 else "4/4"
        beat = round(self.ticks_per_quarter * QUARTERS_PER_BEAT[metre])
        beats = range(start % beat, max(start, last_tick) + 2 * beat, beat)
        first_downbeat = start // beat % BEATS_PER_BAR[metre]
        return BeatGrid(tuple(map(self.seconds, beats)), first_downbeat, metre, confidence=1.0)

    def ticks(self, time_s: float) -> int:
        """The tick nearest to a time."""
        k = max(0, bisect_right(self._times_s, time_s) - 1)
        tick, quarter_us = self.tempi[k]
        past_us = 1e6 * (time_s - self._times_s[k])
        return tick + round(past_us * self.ticks_per_quarter / quarter_us)

    def seconds(self, tick: int) -> float:
        """The time of a tick."""
        k = bisect_right(self.tempi, tick, key=lambda change: change.tick) - 1
        return self._times_s[k] + self._lasting_s(tick - self.tempi[k].tick, k)

    @cached_property
    def _times_s(self) -> Sequence[float]:
        """When each tempo begins."""
        times_s = [0.0]
        for k, (change, after) in enumerate(pairwise(self.tempi)):
            times_s.append(times_s[-1] + self._lasting_s(after.tick - change.tick, k))
        return times_s

    def _lasting_s(self, ticks: int, k: int) -> float:
        return 1e-6 * ticks * self.tempi[k].quarter_us / self.ticks_per_quarter

    def track(self, chords: Sequence[ChordSegment] = (), key: Key | None = None) -> mido.MidiTrack:
        """The events, for the first track of a file, with markers of chords, and signatures."""
        events = [
            (tick, mido.MetaMessage("time_signature", numerator=notes, denominator=kind))
            for tick, notes, kind in self.metres
        ]
        events += [(tick, mido.MetaMessage("set_tempo", tempo=us)) for tick, us in self.tempi]
        if key:
            keys = key.segments or (KeySegment(0.0, 0.0, key.tonic, key.mode),)
            events += [
                (
                    self.ticks(each.start_s),
                    mido.MetaMessage("key_signature", key=key_symbol(each.tonic, each.mode)),
                )
                for each in keys
            ]
        events += [
            (self.ticks(chord.start_s), mido.MetaMessage("marker", text=symbol(chord.label)))
            for chord in chords
        ]
        events.sort(key=lambda event: event[0])
        ticks = [0, *(tick for tick, _ in events)]
        return mido.MidiTrack(
            message.copy(time=tick - before)
            for before, (tick, message) in zip(ticks, events, strict=False)
        )


def check_tempo(tempo_bpm: float) -> None:
    """Refuse a tempo that a MIDI file cannot store.

    Raises:
        InputError: says which tempi it can.
    """
    if not MIN_TEMPO_BPM <= tempo_bpm <= MAX_TEMPO_BPM:
        raise InputError(
            f"a MIDI file's tempo is between {MIN_TEMPO_BPM} and {MAX_TEMPO_BPM} beats per minute, "
            f"got {tempo_bpm:g}"
        )


def _resolution(quarter_us: int) -> int:
    """As few ticks as hold times within a millisecond, for readers refuse large ones."""
    ticks_per_quarter = MIN_TICKS_PER_QUARTER
    while quarter_us > MAX_TICK_US * ticks_per_quarter:
        ticks_per_quarter *= 2
    return ticks_per_quarter


def _lead(quarters: float) -> float:
    """Length of what comes before the first beat, so that the tempo there is nearly the same."""
    unit = SIXTEENTH if quarters >= SIXTEENTH / 2 else SIXTY_FOURTH
    return unit * max(1, round(quarters / unit))


def _signature(quarters: float, metre: Metre) -> tuple[int, int]:
    """The time signature of a bar so long, in notes of the metre's kind or shorter ones."""
    kind = int(metre[-1])
    while (notes := quarters * kind / 4) % 1:
        kind *= 2
    return int(notes), kind


def _tempi(knots: Sequence[_Knot]) -> Iterator[tuple[float, int]]:
    """Tempi, each lasting as long as it keeps within the tolerance of the knots: place, length."""
    now_us, k = 0.0, 0
    while k < len(knots) - 1:
        here, low, high, end = knots[k], 1, MAX_QUARTER_US, k
        for j in range(k + 1, len(knots)):
            quarters, after_us = knots[j].quarter - here.quarter, knots[j].time_us - now_us
            low = max(low, math.ceil((after_us - BEAT_TOLERANCE_US) / quarters))
            high = min(high, math.floor((after_us + BEAT_TOLERANCE_US) / quarters))
            if low > high:
                break
            end, best = j, min(high, max(low, round(after_us / quarters)))
        if end == k:
            raise InputError(f"beats are {after_us / 1e6:g} s apart, more than a MIDI file stores")
        yield here.quarter, best
        now_us += best * (knots[end].quarter - here.quarter)
        k = end
