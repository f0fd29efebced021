"""A song taken apart, as its notation needs it."""

import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from statistics import median
from typing import NamedTuple

from unbraid.errors import InputError
from unbraid.export.chord_symbols import ChordSymbol
from unbraid.spelling import Mode, signature
from unbraid.types import BeatGrid, ChordSegment, DrumStroke, Key, NoteEvent, StemName

_BEATS_OF_TEMPO = 8  # whose mean length a detected beat's inaccuracy does not touch


class Change(NamedTuple):
    """From a beat on, a chord rules, or none.

    Attributes:
        beat: counted from the first downbeat.
        chord: what is played.
    """

    beat: int
    chord: ChordSymbol | None


class Signature(NamedTuple):
    """From a bar on, a key signature is valid.

    Attributes:
        bar: counted from 0, that of the first downbeat.
        sharps: negative for flats.
        mode: of the key; None if it is not known.
    """

    bar: int
    sharps: int
    mode: Mode | None


@dataclass(frozen=True)
class Sheet:
    """What is known of a song.

    Attributes:
        grid: its beats; None if they are not known, and it cannot be notated.
        title: of the song.
        artist: who plays it.
        details: what else is said of it, by name.
        key: None if it is not known.
        chords: the harmony, in order of time.
        notes: of each pitched stem.
        strokes: on the drums.
    """

    grid: BeatGrid | None
    title: str = ""
    artist: str = ""
    details: Mapping[str, str] = field(default_factory=dict)
    key: Key | None = None
    chords: Sequence[ChordSegment] = ()
    notes: Mapping[StemName, Sequence[NoteEvent]] = field(default_factory=dict)
    strokes: Sequence[DrumStroke] = ()

    @property
    def beats(self) -> BeatGrid:
        """The beats.

        Raises:
            InputError: they are not known.
        """
        if self.grid is None:
            raise InputError(
                "notation needs beats, and none are known of this song; `unbraid process` looks "
                "for them, or takes its tempo by --midi-tempo"
            )
        return self.grid

    @cached_property
    def signatures(self) -> tuple[Signature, ...]:
        """The key signatures in order, none like the one before.

        The first is valid from the beginning on, the others from the bar that begins nearest.
        """
        if self.key is None:
            return (Signature(0, 0, None),)
        found = {0: Signature(0, self.key.sharps, self.key.mode)}
        length = self.beats.beats_per_bar
        for k, segment in enumerate(self.key.segments):
            bar = max(0, math.floor(self.beat(segment.start_s) / length + 0.5)) if k else 0
            found[bar] = Signature(bar, signature(segment.tonic, segment.mode), segment.mode)
        changes = groupby(found.values(), lambda each: each.sharps)
        return tuple(next(alike) for _, alike in changes)

    def signature_at(self, bar: int) -> Signature:
        """The signature that is valid in a bar, counted from that of the first downbeat."""
        k = bisect_right(self.signatures, bar, key=lambda each: each.bar)
        return self.signatures[max(0, k - 1)]

    @property
    def tempo_bpm(self) -> float:
        """Beats per minute, of most of the song."""
        beats_s = self.beats.beats_s
        reach = min(_BEATS_OF_TEMPO, len(beats_s) - 1)
        spans_s = (after - at for at, after in zip(beats_s, beats_s[reach:], strict=False))
        return 60 * reach / median(spans_s)

    def beat(self, time_s: float) -> float:
        """Position in beats from the first downbeat."""
        return self.beats.beat_at(time_s) - self.beats.first_downbeat

    @cached_property
    def harmony(self) -> tuple[Change, ...]:
        """Where the chord changes, to the nearest beat; the last change ends the harmony.

        Raises:
            InputError: the beats are not known, or a label is not in Harte's notation.
        """
        starts: dict[int, ChordSymbol | None] = {}
        for segment in self.chords:
            starts[self._nearest_beat(segment.start_s)] = ChordSymbol.of(segment.label)
            starts.setdefault(self._nearest_beat(segment.end_s), None)
        early = [beat for beat in starts if beat < 0]
        if early and 0 not in starts:  # the chord of the first bar, named from the beginning on
            starts[0] = starts.pop(max(early))
        return tuple(_changes(starts))

    def _nearest_beat(self, time_s: float) -> int:
        return math.floor(self.beat(time_s) + 0.5)


def _changes(starts: Mapping[int, ChordSymbol | None]) -> Iterator[Change]:
    before = None
    for beat in sorted(starts):
        if starts[beat] != before:
            yield Change(beat, starts[beat])
        before = starts[beat]
