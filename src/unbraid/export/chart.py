"""Chord charts, as plain text and as ChordPro.

ChordPro's grids are described at https://www.chordpro.org/chordpro/directives-env_grid/.
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import zip_longest

from unbraid.export.chord_symbols import NO_CHORD
from unbraid.export.sheet import Sheet

BARS_PER_LINE = 4
REPEAT = "%"  # a bar like the one before
BEAT_SIGNS = {"3/4": "♩", "4/4": "♩", "6/8": "♩."}
_NO_BRACES = str.maketrans("{}", "()")  # they end directives
GOES_ON = ""  # a beat on which the chord does not change

_Bar = tuple[str, ...]  # what begins on each beat


def text_chart(sheet: Sheet) -> str:
    """Write four bars a line, `| D | F#m7 | Bm | G A |`.

    Chords of a bar share it evenly; where they do not, each beat has its chord or a slash. What
    comes before the first downbeat stands before the first line.

    Raises:
        InputError: the song has no beats, or a chord is not in Harte's notation.
    """
    pickup, lines = bar_texts(sheet)
    widths = [max(map(len, column)) for column in zip_longest(*lines, fillvalue="")]
    before = f"{pickup} " if pickup else ""
    rows = []
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=False))
        rows.append(f"{before}| {' | '.join(cells)} |")
        before = " " * len(before)
    return "\n".join([*_head(sheet), "", *rows, ""])


def bar_texts(sheet: Sheet) -> tuple[str, list[list[str]]]:
    """What is played before the first downbeat, and the bars, four a line.

    Raises:
        InputError: the song has no beats, or a chord is not in Harte's notation.
    """
    pickup, bars = _bars(sheet)
    return _text_bar(pickup), [
        list(map(_text_bar, _with_repeats(bars, line)))
        for line in range(0, len(bars), BARS_PER_LINE)
    ]


def chordpro(sheet: Sheet) -> str:
    """Write a ChordPro file whose grid has a cell for each beat.

    What comes before the first downbeat is a bar of its own, on a line of its own.

    Raises:
        InputError: the song has no beats, or a chord is not in Harte's notation.
    """
    beats = sheet.beats.beats_per_bar
    pickup, bars = _bars(sheet)
    rows = [_with_repeats(bars, line) for line in range(0, len(bars), BARS_PER_LINE)]
    if pickup:
        rows.insert(0, [(GOES_ON,) * (beats - len(pickup)) + pickup])
    cells = [
        [" ".join(chord or "." for chord in (bar + (GOES_ON,) * beats)[:beats]) for bar in row]
        for row in rows
    ]
    directives = {
        "title": _line(sheet.title).translate(_NO_BRACES),
        "artist": _line(sheet.artist).translate(_NO_BRACES),
        "key": sheet.key and sheet.key.symbol,
        "tempo": f"{sheet.tempo_bpm:.0f}",
        "time": sheet.beats.metre,
    }
    return "\n".join(
        [
            *(f"{{{name}: {value}}}" for name, value in directives.items() if value),
            "",
            f'{{start_of_grid shape="{BARS_PER_LINE}x{beats}"}}',
            *(f"| {' | '.join(row)} |" for row in cells),
            "{end_of_grid}",
            "",
        ]
    )


def _head(sheet: Sheet) -> list[str]:
    facts = [
        f"Tempo: {BEAT_SIGNS[sheet.beats.metre]} = {sheet.tempo_bpm:.0f}",
        f"Metre: {sheet.beats.metre}",
    ]
    if sheet.key:
        facts.insert(0, f"Key: {sheet.key.name}")
    names = [name for name in (_line(sheet.title), _line(sheet.artist)) if name]
    return [*names, *([""] if names else []), "   ".join(facts)]


def _line(text: str) -> str:
    """A text in one line, without what cannot be printed."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def _bars(sheet: Sheet) -> tuple[_Bar, list[_Bar]]:
    """The beats before the first downbeat, and the bars from there on; each names its chord."""
    starts = [change.beat for change in sheet.harmony]
    names = [str(change.chord or NO_CHORD) for change in sheet.harmony]

    def bar(first: int, stop: int) -> _Bar:
        beats = []
        for beat in range(first, stop):
            k = bisect_right(starts, beat) - 1
            begins = beat == first or (k >= 0 and starts[k] == beat)
            beats.append((names[k] if k >= 0 else NO_CHORD) if begins else GOES_ON)
        return tuple(beats)

    length = sheet.beats.beats_per_bar
    first, last = min([0, *starts]), max([length, *starts])
    if names and names[-1] == NO_CHORD:  # nothing more: the last chord keeps its bar
        del starts[-1], names[-1]
    whole = first - first % -length
    bars = [bar(beat, beat + length) for beat in range(whole, last, length)]
    return bar(first, whole), bars


def _with_repeats(bars: Sequence[_Bar], line: int) -> list[_Bar]:
    """The bars of the line from a bar on; its first is written out even if it is a repeat."""
    repeat = (REPEAT,) + (GOES_ON,) * (len(bars[line]) - 1)
    inside = range(line, min(line + BARS_PER_LINE, len(bars)))
    return [repeat if k > line and bars[k] == bars[k - 1] else bars[k] for k in inside]


def _text_bar(bar: _Bar) -> str:
    chords = [chord for chord in bar if chord]
    if chords and len(bar) % len(chords) == 0 and all(bar[:: len(bar) // len(chords)]):
        return " ".join(chords)
    return " ".join(chord or "/" for chord in bar)
