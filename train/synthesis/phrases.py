"""Lines cut at their rests, so that nothing is computed where nobody plays."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from unbraid.types import NoteEvent

REST_S = 0.4  # a longer gap ends a phrase
LEAD_S = 0.15  # before its first note, for consonants and bows
TAIL_S = 0.25  # after its last one


@dataclass(frozen=True)
class Phrase:
    """Notes without a rest.

    Attributes:
        start_s: when it begins, `LEAD_S` before its first note or less.
        length_s: until all has died away.
        notes: their times count from `start_s`.
        words: a syllable for each, if they have any.
    """

    start_s: float
    length_s: float
    notes: tuple[NoteEvent, ...]
    words: tuple[str, ...]


def phrases(notes: Sequence[NoteEvent], words: Sequence[str] = ()) -> Iterator[Phrase]:
    """Cut a line of single notes; one that overlaps the next is shortened.

    Args:
        notes: in order of time.
        words: a syllable for each note, or nothing.
    """
    first = 0
    for last in range(1, len(notes) + 1):
        if last < len(notes) and notes[last].start_s - notes[last - 1].end_s < REST_S:
            continue
        yield _phrase(notes[first:last], words[first:last])
        first = last


def _phrase(notes: Sequence[NoteEvent], words: Sequence[str]) -> Phrase:
    start_s = max(0.0, notes[0].start_s - LEAD_S)
    limits = [*(note.start_s for note in notes[1:]), notes[-1].end_s]
    shifted = tuple(
        replace(note, start_s=note.start_s - start_s, end_s=min(note.end_s, limit) - start_s)
        for note, limit in zip(notes, limits, strict=True)
    )
    return Phrase(start_s, shifted[-1].end_s + TAIL_S, shifted, tuple(words))
