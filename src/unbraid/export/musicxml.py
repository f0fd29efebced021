"""Lead sheets and scores as MusicXML 4.0.

The format is that of the W3C's Music Notation Community Group,
https://www.w3.org/2021/06/musicxml40/.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import groupby
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from unbraid.export.chord_symbols import NO_CHORD, ChordSymbol
from unbraid.export.engraving import Bar, Symbol, beat_ticks, engrave
from unbraid.export.note_names import Spelling, note_name, signed_alter
from unbraid.export.parts import DRUMS, Part, Score, melody_score, whole_score
from unbraid.export.rhythm import QUARTER
from unbraid.export.sheet import Sheet, Signature
from unbraid.export.staves import DRUM_LINES, PERCUSSION
from unbraid.export.xml import plain
from unbraid.types import StemName

DOCTYPE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" '
    '"http://www.musicxml.org/dtds/partwise.dtd">\n'
)
BARS_PER_LINE = 4  # of a lead sheet
_NO_SIGNATURE = Signature(0, 0, None)
SECOND_STAFF_VOICE = 5  # a staff may have four
ACCIDENTALS = {-2: "flat-flat", -1: "flat", 0: "natural", 1: "sharp", 2: "double-sharp"}


def lead_sheet(sheet: Sheet, melody: StemName = "vocals") -> str:
    """Write one stem as a melody with the chords above it.

    Args:
        sheet: the song.
        melody: the stem; of notes that begin at once, the longest is written.

    Raises:
        InputError: the song has no beats, or a chord is not in Harte's notation.
    """
    return _document(sheet, melody_score(sheet, melody), BARS_PER_LINE)


def full_score(sheet: Sheet) -> str:
    """Write every stem on staves of its own, and the drums below them.

    Raises:
        InputError: the song has no beats, or a chord is not in Harte's notation.
    """
    return _document(sheet, whole_score(sheet))


def _document(sheet: Sheet, score: Score, bars_per_line: int | None = None) -> str:
    root = Element("score-partwise", version="4.0")
    if sheet.title:
        _add(_add(root, "work"), "work-title", plain(sheet.title))
    identification = _add(root, "identification")
    if sheet.artist:
        _add(identification, "creator", plain(sheet.artist), type="composer")
    encoding = _add(identification, "encoding")
    _add(encoding, "software", "Unbraid")
    for element in ("accidental", "beam"):
        _add(encoding, "supports", element=element, type="yes")
    if sheet.details:
        more = _add(identification, "miscellaneous")
        for name, text in sheet.details.items():
            _add(more, "miscellaneous-field", plain(text), name=name.replace("_", " "))
    part_list = _add(root, "part-list")
    for number, part in enumerate(score.parts, start=1):
        _list_part(part_list, part, f"P{number}")
    for number, part in enumerate(score.parts, start=1):
        writer = _Writer(sheet, score, part, f"P{number}", bars_per_line)
        writer.write(_add(root, "part", id=f"P{number}"))
    indent(root, " ")
    return DOCTYPE + tostring(root, "unicode") + "\n"


def _list_part(part_list: Element, part: Part, part_id: str) -> None:
    score_part = _add(part_list, "score-part", id=part_id)
    _add(score_part, "part-name", _capital(part.name))
    for number, instrument in enumerate(part.instruments):
        element = _add(score_part, "score-instrument", id=f"{part_id}-I{number}")
        _add(element, "instrument-name", _capital(instrument.name))
    for number, instrument in enumerate(part.instruments):
        element = _add(score_part, "midi-instrument", id=f"{part_id}-I{number}")
        _add(element, "midi-channel", instrument.channel + 1)
        _add(element, "midi-program", instrument.program + 1)
        if instrument.key is not None:
            _add(element, "midi-unpitched", instrument.key + 1)


def _capital(name: str) -> str:
    return plain(name[:1].upper() + name[1:])


class _Writer:
    """Writes one part, measure by measure."""

    def __init__(
        self,
        sheet: Sheet,
        score: Score,
        part: Part,
        part_id: str,
        bars_per_line: int | None,
    ) -> None:
        self._sheet = sheet
        self._score = score
        self._part = part
        self._part_id = part_id
        self._drums = part.staves[0].clef == PERCUSSION
        self._on_top = part_id == "P1"
        self._bars_per_line = bars_per_line
        self._metre = sheet.beats.metre
        self._beat = beat_ticks(self._metre)
        self._bar = self._beat * sheet.beats.beats_per_bar
        self._voices = [engrave(staff.figures, score.bars, self._metre) for staff in part.staves]
        self._changes_at = [self._beat * change.beat for change in sheet.harmony]
        self._chord_names = [_names(change.chord) for change in sheet.harmony]

    def write(self, part: Element) -> None:
        """Write all measures."""
        for k, bar in enumerate(self._score.bars):
            measure = _add(part, "measure", number=bar.number)
            if bar.start > bar.origin:
                measure.set("implicit", "yes")
            if self._bars_per_line and bar.number > 1 and bar.number % self._bars_per_line == 1:
                _add(measure, "print", new_system="yes")
            if k == 0:
                self._attributes(measure, bar)
                if self._on_top:
                    self._tempo(measure)
            elif self._signature(bar.origin) != self._signature(bar.origin - 1):
                self._key(_add(measure, "attributes"), bar)
            for number, voice in enumerate(self._voices, start=1):
                if number > 1:
                    _add(_add(measure, "backup"), "duration", bar.end - bar.start)
                self._voice(measure, bar, number, voice[k])
        barline = _add(measure, "barline", location="right")
        _add(barline, "bar-style", "light-heavy")

    def _signature(self, tick: int) -> Signature:
        """The key signature at a tick; drums have none."""
        return _NO_SIGNATURE if self._drums else self._sheet.signature_at(tick // self._bar)

    def _key(self, attributes: Element, bar: Bar) -> None:
        signature = self._signature(bar.origin)
        key = _add(attributes, "key")
        _add(key, "fifths", signature.sharps)
        if signature.mode:
            _add(key, "mode", signature.mode)

    def _attributes(self, measure: Element, bar: Bar) -> None:
        attributes = _add(measure, "attributes")
        _add(attributes, "divisions", QUARTER)
        self._key(attributes, bar)
        time = _add(attributes, "time")
        beats, beat_type = self._metre.split("/")
        _add(time, "beats", beats)
        _add(time, "beat-type", beat_type)
        if len(self._voices) > 1:
            _add(attributes, "staves", len(self._voices))
        for number, staff in enumerate(self._part.staves, start=1):
            clef = _add(attributes, "clef", number=number)
            _add(clef, "sign", staff.clef.sign)
            if staff.clef != PERCUSSION:
                _add(clef, "line", staff.clef.line)
            if staff.clef.octave_change:
                _add(clef, "clef-octave-change", staff.clef.octave_change)

    def _tempo(self, measure: Element) -> None:
        direction = _add(measure, "direction", placement="above")
        if self._score.swing:
            _add(_add(direction, "direction-type"), "words", "Swing")
        metronome = _add(_add(direction, "direction-type"), "metronome")
        _add(metronome, "beat-unit", "quarter")
        if self._beat > QUARTER:
            _add(metronome, "beat-unit-dot")
        tempo_bpm = self._sheet.tempo_bpm
        _add(metronome, "per-minute", round(tempo_bpm))
        sound = _add(direction, "sound", tempo=f"{tempo_bpm * self._beat / QUARTER:.2f}")
        if self._score.swing:
            swing = _add(sound, "swing")
            _add(swing, "first", 2)
            _add(swing, "second", 1)
            _add(swing, "swing-type", "eighth")

    def _voice(self, measure: Element, bar: Bar, staff: int, symbols: Sequence[Symbol]) -> None:
        """Write what one staff has in a bar."""
        altered: dict[_Line, int] = {}
        for symbol, tuplet in zip(symbols, _tuplets(symbols), strict=True):
            if staff == 1 and self._on_top:
                self._harmony(measure, symbol)
            for k, pitch in enumerate(symbol.pitches):
                note = _add(measure, "note")
                if k:
                    _add(note, "chord")
                if self._drums:
                    self._stroke(note, pitch, symbol, staff)
                else:
                    self._note(note, pitch, symbol, staff, altered)
                if k == 0:
                    _beams(note, symbol)
                _notations(note, symbol, tuplet if k == 0 else None)
            if not symbol.pitches:
                note = _add(measure, "note")
                whole_bar = (symbol.start, symbol.end) == (bar.origin, bar.end)
                _add(note, "rest", **({"measure": "yes"} if whole_bar else {}))
                self._length(note, symbol, staff)
                if not whole_bar:
                    _value(note, symbol)
                self._staff_number(note, staff)
                _notations(note, symbol, tuplet)

    def _note(
        self, note: Element, pitch: int, symbol: Symbol, staff: int, altered: dict["_Line", int]
    ) -> None:
        name = self._name(pitch, symbol.onset)
        line = (name.step, name.octave(pitch))
        element = _add(note, "pitch")
        _add(element, "step", name.step)
        if name.alter:
            _add(element, "alter", name.alter)
        _add(element, "octave", line[1])
        self._length(note, symbol, staff)
        sharps = self._signature(symbol.start).sharps
        valid = altered.get(line, signed_alter(name.step, sharps))
        accidental = None
        if name.alter != valid and not symbol.tied_from:
            altered[line] = name.alter
            accidental = ACCIDENTALS[name.alter]
        _value(note, symbol, accidental)
        self._staff_number(note, staff)

    def _stroke(self, note: Element, key: int, symbol: Symbol, staff: int) -> None:
        line = DRUM_LINES[DRUMS[key]]
        element = _add(note, "unpitched")
        _add(element, "display-step", line.step)
        _add(element, "display-octave", line.octave)
        self._length(note, symbol, staff, list(DRUMS).index(key))
        _value(note, symbol)
        _add(note, "stem", "up")
        if line.notehead != "normal":
            _add(note, "notehead", line.notehead)
        self._staff_number(note, staff)

    def _length(self, note: Element, symbol: Symbol, staff: int, instrument: int = 0) -> None:
        _add(note, "duration", symbol.ticks)
        if symbol.tied_from:
            _add(note, "tie", type="stop")
        if symbol.tied_to:
            _add(note, "tie", type="start")
        if symbol.pitches and len(self._part.instruments) > 1:
            _add(note, "instrument", id=f"{self._part_id}-I{instrument}")
        _add(note, "voice", 1 if staff == 1 else SECOND_STAFF_VOICE)

    def _staff_number(self, note: Element, staff: int) -> None:
        if len(self._part.staves) > 1:
            _add(note, "staff", staff)

    def _name(self, pitch: int, tick: int) -> Spelling:
        """The name of a pitch: its chord's, or else its key's."""
        k = bisect_right(self._changes_at, tick) - 1
        in_chord = self._chord_names[k] if k >= 0 else {}
        return in_chord.get(pitch % 12) or note_name(pitch, self._signature(tick).sharps)

    def _harmony(self, measure: Element, symbol: Symbol) -> None:
        """The chords that begin while a symbol lasts."""
        first = bisect_left(self._changes_at, symbol.start)
        for k in range(first, bisect_left(self._changes_at, symbol.end)):
            chord = self._sheet.harmony[k].chord
            if not chord and self._changes_at[k] >= self._score.bars[-1].start:
                return  # the song ends
            harmony = _add(measure, "harmony", placement="above")
            if chord:
                _chord(harmony, chord)
            else:
                _add(_add(harmony, "root"), "root-step", "C", text="")
                _add(harmony, "kind", "none", text=NO_CHORD)
            if self._changes_at[k] > symbol.start:
                _add(harmony, "offset", self._changes_at[k] - symbol.start)
            self._staff_number(harmony, 1)


_Line = tuple[str, int]  # a letter and its octave


def _names(chord: ChordSymbol | None) -> dict[int, Spelling]:
    """The names of a chord's notes by pitch class, without double sharps and flats."""
    notes = chord.notes if chord else ()
    return {name.pitch_class: name for name in notes if abs(name.alter) < 2}


def _chord(harmony: Element, chord: ChordSymbol) -> None:
    root = _add(harmony, "root")
    _add(root, "root-step", chord.root.step)
    if chord.root.alter:
        _add(root, "root-alter", chord.root.alter)
    _add(harmony, "kind", chord.quality.kind, text=chord.suffix)
    if chord.bass_name:
        bass = _add(harmony, "bass")
        _add(bass, "bass-step", chord.bass_name.step)
        if chord.bass_name.alter:
            _add(bass, "bass-alter", chord.bass_name.alter)
    for change in chord.changes:
        degree = _add(harmony, "degree", print_object="no")
        _add(degree, "degree-value", change.number)
        # Sevenths are added from a dominant chord's, which is flat already.
        _add(degree, "degree-alter", change.alter + (change.number == 7))
        _add(degree, "degree-type", "subtract" if change.omitted else "add")


def _value(note: Element, symbol: Symbol, accidental: str | None = None) -> None:
    value = symbol.value
    _add(note, "type", value.type)
    for _ in range(value.dots):
        _add(note, "dot")
    if accidental:
        _add(note, "accidental", accidental)
    if value.triplet:
        modification = _add(note, "time-modification")
        _add(modification, "actual-notes", 3)
        _add(modification, "normal-notes", 2)


def _beams(note: Element, symbol: Symbol) -> None:
    for number, beam in enumerate(symbol.beams, start=1):
        _add(note, "beam", beam, number=number)


def _tuplets(symbols: Sequence[Symbol]) -> list[str | None]:
    """Which symbols a bracket of three starts and stops at."""
    tuplets: list[str | None] = [None] * len(symbols)
    triplet = [k for k, symbol in enumerate(symbols) if symbol.value.triplet]
    for _, inside in groupby(triplet, lambda k: symbols[k].start // QUARTER):
        first, *_, last = inside
        tuplets[first], tuplets[last] = "start", "stop"
    return tuplets


def _notations(note: Element, symbol: Symbol, tuplet: str | None) -> None:
    if not (symbol.tied_from or symbol.tied_to or tuplet):
        return
    notations = _add(note, "notations")
    if symbol.tied_from:
        _add(notations, "tied", type="stop")
    if symbol.tied_to:
        _add(notations, "tied", type="start")
    if tuplet == "start":
        _add(notations, "tuplet", type="start", bracket="no" if symbol.beams else "yes")
    elif tuplet:
        _add(notations, "tuplet", type="stop")


def _add(parent: Element, tag: str, content: object = None, /, **attributes: object) -> Element:
    """Append an element; underscores in names of attributes are hyphens."""
    element = SubElement(parent, tag)
    for name, value in attributes.items():
        element.set(name.replace("_", "-"), str(value))
    if content is not None:
        element.text = str(content)
    return element
