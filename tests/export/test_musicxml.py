from fractions import Fraction
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import mir_eval
import music21
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.export.scores import engraved, in_key, notes, read, soundings, steady, symbols

from unbraid.demo import DemoSong, score
from unbraid.errors import InputError
from unbraid.export.chord_symbols import QUALITIES, ChordSymbol
from unbraid.export.musicxml import full_score, lead_sheet
from unbraid.export.sheet import Sheet
from unbraid.types import (
    BEATS_PER_BAR,
    QUARTERS_PER_BEAT,
    BeatGrid,
    ChordSegment,
    Drum,
    DrumStroke,
    Key,
    KeySegment,
    Metre,
    NoteEvent,
)

DEMO_DRUMS: dict[str, Drum] = {
    "kick": "kick",
    "snare": "snare",
    "tom": "low tom",
    "hat": "closed hi-hat",
    "ride": "ride",
    "crash": "crash",
}


@pytest.fixture(scope="module")
def demo_sheet(demo: DemoSong) -> Sheet:
    return Sheet(
        BeatGrid(demo.beats_s, demo.beats_s.index(demo.downbeats_s[0]), "4/4", confidence=1.0),
        title="Demo",
        artist="Unbraid",
        details={"album": "Demo <&>", "isrc": "GBAYE7300007"},
        key=in_key(demo.key),
        chords=demo.chords,
        notes=demo.notes,
        strokes=[
            DrumStroke(score.seconds(event.beat), DEMO_DRUMS[event.what], event.level)
            for event in score.drums()
        ],
    )


def written(events: tuple[score.Event, ...]) -> list[tuple[float, float, int]]:
    """Where the notes of the demo song begin and end, in quarters from the first downbeat."""
    return sorted(
        (event.beat - score.PICKUP_BEATS, event.beat + event.beats - score.PICKUP_BEATS, pitch)
        for event in events
        for pitch in score.pitches(event.what)
    )


def test_the_demo_song_comes_back_as_a_lead_sheet(demo_sheet: Sheet, demo: DemoSong) -> None:
    sheet = read(lead_sheet(demo_sheet))
    assert sheet.metadata.title == "Demo"
    assert sheet.metadata.composer == "Unbraid"
    assert str(sheet.metadata.getCustom("album")[0]) == "Demo <&>"
    (part,) = sheet.parts
    measures = part.getElementsByClass("Measure")
    assert [measure.number for measure in measures] == list(range(17))
    (key,) = part.flatten().getElementsByClass(music21.key.Key)
    (tempo,) = part.flatten().getElementsByClass(music21.tempo.MetronomeMark)
    assert (key.name, tempo.number, measures[0].timeSignature.ratioString) == (
        "D major",
        128,
        "4/4",
    )
    figures = {"F#:min7": "F#m7", "B:min": "Bm", "D:maj/3": "D/F#", "E:min": "Em", "E:min7": "Em7"}
    figures |= {"D:maj": "D", "G:maj": "G", "A:maj": "A", "A:7": "A7", "A:sus4": "Asus"}
    assert symbols(part) == [
        (1 + round(chord.start_s * 128 / 60) - 2, figures[chord.label]) for chord in demo.chords
    ]


@pytest.mark.parametrize("stem", ["vocals", "bass", "other"])
def test_the_notes_of_the_demo_song_come_back(demo_sheet: Sheet, stem: str) -> None:
    truth = {"vocals": score.melody, "bass": score.bass, "other": score.comping}[stem]
    parts = {part.partName.lower(): part for part in read(full_score(demo_sheet)).parts}
    assert list(parts) == ["vocals", "other", "bass", "drums"]
    heard = soundings(parts[stem])
    expected = written(truth())
    for note, (start, end, pitch) in zip(heard, expected, strict=True):
        assert (float(note.quarter), note.pitch) == (start, pitch)
        assert abs(note.quarter + note.quarters - end) <= 0.25  # such rests are not written
    assert parts[stem].getElementsByClass("Measure")[0].quarterLength == 2


def test_the_drums_are_heard_as_they_are_struck(demo_sheet: Sheet) -> None:
    root = ElementTree.fromstring(full_score(demo_sheet))
    keys = {
        element.get("id"): int(element.findtext("midi-unpitched", "0")) - 1
        for element in root.iter("midi-instrument")
    }
    (part,) = [part for part in root.iter("part") if part.find(".//unpitched") is not None]
    struck = [keys[element.get("id")] for element in part.iter("instrument")]
    general_midi = {"kick": 36, "snare": 38, "tom": 43, "hat": 42, "ride": 51, "crash": 49}
    assert sorted(struck) == sorted(general_midi[event.what] for event in score.drums())
    heads = {
        (note.findtext("unpitched/display-step"), note.findtext("notehead"))
        for note in part.iter("note")
    }
    assert {("F", None), ("C", None), ("A", None), ("G", "x"), ("A", "x")} < heads


@pytest.mark.parametrize("write", [lead_sheet, full_score])
def test_key_signatures_change_with_the_key_at_the_bar(
    write: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    segments = (  # bars last 2 s
        KeySegment(0.0, 4.0, "C", "major"),
        KeySegment(4.0, 7.8, "A", "minor"),  # the same signature
        KeySegment(7.8, 16.2, "Ab", "major"),
        KeySegment(16.2, 20.0, "E", "minor"),
    )
    key = Key("Ab", "major", 0.9, segments=segments)
    pitches = [60 + 2 * (k % 2) + 8 * (16 <= k < 32) for k in range(40)]  # A♭ and B♭ in A♭ major
    tune = notes(*((k / 2, k / 2 + 0.5, pitch) for k, pitch in enumerate(pitches)))
    sheet = Sheet(
        steady(beats=41),
        key=key,
        notes={"vocals": tune, "piano": tune},
        strokes=[DrumStroke(0.0, "kick", 1.0)],
    )
    document = write(sheet)
    for part in read(document).parts:
        found = [
            (measure.number, signature.sharps)
            for measure in part.getElementsByClass("Measure")
            for signature in measure.getElementsByClass(music21.key.KeySignature)
        ]
        pitched = part.partName != "Drums"
        assert found == ([(1, 0), (5, -4), (9, 1)] if pitched else [(1, 0)])
        if pitched:
            assert [note.pitch for note in soundings(part)] == pitches
            names = {note.pitch.name for note in part.flatten().notes}
            assert names == {"C", "D", "A-", "B-"}
    assert "<accidental>" not in document
    engraved(document)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("write", [lead_sheet, full_score])
def test_verovio_draws_the_demo_song(
    demo_sheet: Sheet, write: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    page = engraved(write(demo_sheet))
    assert "m7<" in page
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("quality", QUALITIES)
@pytest.mark.parametrize("root", ["C", "F#", "Eb"])
def test_chord_symbols_mean_what_the_labels_say(quality: str, root: str) -> None:
    label = f"{root}:{quality}"
    symbol = ChordSymbol.of(label)
    assert symbol
    sheet = Sheet(steady(), chords=[ChordSegment(0, 2, label)])
    (chord,) = read(lead_sheet(sheet)).flatten().getElementsByClass(music21.harmony.ChordSymbol)
    heard = {pitch.pitchClass for pitch in chord.pitches}
    assert heard == {name.pitch_class for name in symbol.notes}
    if quality not in ("maj11", "min11", "maj13", "min13"):  # which it does not know
        number, bitmap, _ = mir_eval.chord.encode(label)
        assert heard >= {(number + k) % 12 for k in range(12) if bitmap[k]}
    assert chord.root().name == root.replace("b", "-")


@pytest.mark.parametrize(
    ("label", "bass"), [("C:maj/3", "E"), ("C:min/b3", "E-"), ("D:7/b7", "C"), ("F#:maj/5", "C#")]
)
def test_inversions_name_their_bass(label: str, bass: str) -> None:
    sheet = Sheet(steady(), chords=[ChordSegment(0, 2, label)])
    (chord,) = read(lead_sheet(sheet)).flatten().getElementsByClass(music21.harmony.ChordSymbol)
    assert chord.bass().name == bass


def test_where_no_chord_is_played_it_says_so() -> None:
    chords = [ChordSegment(0, 2, "C:maj"), ChordSegment(2, 4, "N"), ChordSegment(4, 8, "G:maj")]
    (part,) = read(lead_sheet(Sheet(steady(), chords=chords))).parts
    assert symbols(part) == [(0, "C"), (4, "N.C."), (8, "G")]


def test_chords_that_change_under_a_note_stand_where_they_change() -> None:
    chords = [ChordSegment(0, 1, "C:maj"), ChordSegment(1, 2, "G:maj")]
    sheet = Sheet(steady(), chords=chords, notes={"vocals": notes((0, 2, 67))})
    (part,) = read(lead_sheet(sheet)).parts
    assert symbols(part) == [(0, "C"), (2, "G")]


def names(sheet: Sheet) -> list[str]:
    part = read(full_score(sheet)).parts[0]
    return [note.nameWithOctave for note in part.flatten().getElementsByClass(music21.note.Note)]


@pytest.mark.parametrize(
    ("key", "spelled"),
    [
        (
            in_key("C major"),
            ["C4", "C#4", "D4", "E-4", "E4", "F4", "F#4", "G4", "G#4", "A4", "B-4"],
        ),
        (
            in_key("A minor"),
            ["C4", "C#4", "D4", "E-4", "E4", "F4", "F#4", "G4", "G#4", "A4", "B-4"],
        ),
        (
            in_key("Db major"),
            ["C4", "D-4", "D4", "E-4", "F-4", "F4", "G-4", "G4", "A-4", "A4", "B-4"],
        ),
        (
            in_key("C# minor"),
            ["B#3", "C#4", "D4", "D#4", "E4", "E#4", "F#4", "G4", "G#4", "A4", "A#4"],
        ),
    ],
)
def test_notes_are_spelled_as_their_key_has_them(key: Key, spelled: list[str]) -> None:
    scale = notes(*((k / 2, k / 2 + 0.5, 60 + k) for k in range(11)))
    heard = names(Sheet(steady(), key=key, notes={"vocals": scale}))
    assert [music21.pitch.Pitch(name).midi for name in heard] == list(range(60, 71))
    assert heard == spelled


def test_notes_are_spelled_as_their_chord_has_them() -> None:
    chords = [ChordSegment(0, 1, "F:min"), ChordSegment(1, 2, "E:maj")]
    melody = notes((0, 0.5, 68), (1, 1.5, 68))
    sheet = Sheet(steady(), key=in_key("C major"), chords=chords, notes={"vocals": melody})
    assert names(sheet) == ["A-4", "G#4"]


def test_a_note_that_is_held_keeps_its_name_when_the_chord_changes() -> None:
    chords = [ChordSegment(0, 1, "F:min"), ChordSegment(1, 2, "E:maj")]
    melody = notes((0.75, 1.75, 68), (1.75, 2, 68))
    sheet = Sheet(steady(), key=in_key("C major"), chords=chords, notes={"vocals": melody})
    assert names(sheet) == ["A-4", "A-4", "G#4"]


def test_accidentals_are_written_once_a_bar() -> None:
    melody = notes(
        *((k / 2, k / 2 + 0.5, pitch) for k, pitch in enumerate([61, 61, 60, 61, 61, 62]))
    )
    root = ElementTree.fromstring(lead_sheet(Sheet(steady(), notes={"vocals": melody})))
    signs = [
        note.findtext("accidental") for note in root.iter("note") if note.find("pitch") is not None
    ]
    assert signs == ["sharp", None, "natural", "sharp", "sharp", None]


@pytest.mark.parametrize(
    ("stem", "pitches", "clefs"),
    [
        ("vocals", [67, 72], ["TrebleClef"]),
        ("vocals", [48, 55], ["Treble8vbClef"]),
        ("bass", [28, 40], ["Bass8vbClef"]),
        ("guitar", [52, 64], ["Treble8vbClef"]),
        ("piano", [40, 72], ["TrebleClef", "BassClef"]),
        ("other", [72, 76], ["TrebleClef"]),
        ("other", [40, 50], ["BassClef"]),
    ],
)
def test_clefs_fit_what_is_played(stem: str, pitches: list[int], clefs: list[str]) -> None:
    played = notes(*((k, k + 1, pitch) for k, pitch in enumerate(pitches * 2)))
    parts = read(full_score(Sheet(steady(), notes={stem: played}))).parts
    found = [
        type(part.flatten().getElementsByClass(music21.clef.Clef)[0]).__name__ for part in parts
    ]
    assert found == clefs
    assert sorted(note.pitch for part in parts for note in soundings(part)) == sorted(pitches * 2)


def test_triplets_and_sixteenths_are_told_apart() -> None:
    starts = [0, 1 / 3, 2 / 3, 1, 1.25, 1.5, 1.75, 2, 2 + 2 / 3, 3, 3.75]
    melody = notes(*((at / 2 + 0.004, at / 2 + 0.1, 67) for at in starts))
    xml = lead_sheet(Sheet(steady(), notes={"vocals": melody}))
    heard = [note.quarter for note in soundings(read(xml).parts[0])]
    assert heard == [Fraction(at).limit_denominator(12) for at in starts]
    tuplets = [element.get("type") for element in ElementTree.fromstring(xml).iter("tuplet")]
    assert tuplets == ["start", "stop"] * 2


def test_swung_eighths_are_written_even_and_called_swing() -> None:
    melody = notes(*((k / 2 + off, k / 2 + 0.3, 67) for k in range(16) for off in (0, 1 / 3)))
    xml = lead_sheet(Sheet(steady(), notes={"vocals": melody}))
    part = read(xml).parts[0]
    assert [note.quarter for note in soundings(part)] == [Fraction(k, 2) for k in range(32)]
    assert "Swing" in [text.content for text in part.flatten().getElementsByClass("TextExpression")]


def test_three_eighths_are_a_beat_of_six_eight() -> None:
    grid = steady("6/8", tempo_bpm=80)
    melody = notes(*((k / 4, k / 4 + 0.25, 60 + k) for k in range(12)))
    part = read(lead_sheet(Sheet(grid, notes={"vocals": melody}))).parts[0]
    assert [note.quarter for note in soundings(part)] == [Fraction(k, 2) for k in range(12)]
    (tempo,) = part.flatten().getElementsByClass(music21.tempo.MetronomeMark)
    assert (tempo.referent.quarterLength, tempo.number) == (1.5, 80)
    beams = [note.beams.getTypes() for note in part.flatten().notes]
    assert beams == [["start"], ["continue"], ["stop"]] * 4


@pytest.mark.parametrize(
    ("metre", "start", "end", "values"),
    [
        ("4/4", 0, 4, ["whole"]),
        ("4/4", 0.5, 1.5, ["quarter"]),
        ("4/4", 0.5, 2.5, ["quarter", "eighth"]),
        ("4/4", 1, 3, ["half"]),
        ("4/4", 1, 4, ["quarter", "half"]),
        ("4/4", 3, 5.5, ["quarter", "quarter"]),
        ("4/4", 0.25, 1.5, ["eighth", "eighth"]),
        ("3/4", 0, 3, ["half"]),
        ("3/4", 0.5, 3, ["quarter", "quarter"]),
        ("6/8", 0, 3, ["half"]),
        ("6/8", 0.5, 2.5, ["quarter", "quarter"]),
    ],
)
def test_long_notes_show_the_beats(
    metre: Metre, start: float, end: float, values: list[str]
) -> None:
    grid = steady(metre, tempo_bpm=60 / QUARTERS_PER_BEAT[metre])  # a quarter lasts a second
    xml = lead_sheet(Sheet(grid, notes={"vocals": notes((start, end - 0.05, 67))}))
    drawn = [
        n.findtext("type")
        for n in ElementTree.fromstring(xml).iter("note")
        if n.find("pitch") is not None
    ]
    assert drawn == values


def test_a_pickup_is_a_bar_numbered_0() -> None:
    melody = notes((0.5, 1, 67), (1, 2, 72))
    grid = steady(first_downbeat=2)
    part = read(lead_sheet(Sheet(grid, notes={"vocals": melody}))).parts[0]
    pickup, bar = part.getElementsByClass("Measure")[:2]
    assert (pickup.number, pickup.quarterLength, bar.number, bar.quarterLength) == (0, 1, 1, 4)
    assert [note.quarter for note in soundings(part)] == [-1, 0]


@pytest.mark.parametrize("write", [lead_sheet, full_score])
@pytest.mark.parametrize("stems", [{}, {"vocals": []}, {"vocals": [], "bass": [], "piano": []}])
def test_nothing_played_is_a_bar_of_rest(write: Any, stems: dict[str, list[NoteEvent]]) -> None:
    for part in read(write(Sheet(steady(), notes=stems))).parts:
        assert [measure.quarterLength for measure in part.getElementsByClass("Measure")] == [4]
        assert [rest.fullMeasure for rest in part.flatten().notesAndRests] == [True]


def test_a_song_of_a_second_is_a_bar() -> None:
    grid = BeatGrid((0.0, 0.5), 0, "4/4", confidence=0.1)
    (part,) = read(full_score(Sheet(grid, notes={"other": notes((0.1, 0.9, 60))}))).parts
    assert len(part.getElementsByClass("Measure")) == 1


def test_many_stems_have_a_part_each_and_leave_the_drums_their_channel() -> None:
    stems = {f"stem {k}": notes((0, 1, 60 + k)) for k in range(20)}
    root = ElementTree.fromstring(full_score(Sheet(steady(), notes=stems)))
    assert len(root.findall("part")) == 20
    assert "10" not in [element.text for element in root.iter("midi-channel")]


@pytest.mark.parametrize("title", ["Tom & <Jerry> \"]]>'", "Ein Lied 🎸 声", "bell\x07\x00\ud800"])
def test_any_title_can_be_written(title: str) -> None:
    sheet = Sheet(steady(), title=title, artist=title)
    heard = read(full_score(sheet)).metadata.title
    assert heard == title.replace("\x07\x00\ud800", 3 * "\N{REPLACEMENT CHARACTER}")


def test_without_beats_the_tempo_is_asked_for() -> None:
    with pytest.raises(InputError, match="takes its tempo"):
        full_score(Sheet(None))


def test_of_notes_sung_at_once_the_lead_sheet_has_the_longest() -> None:
    melody = notes((0, 1, 67), (0.01, 0.3, 72), (1.0, 1.5, 65), (1.01, 1.2, 79))
    heard = soundings(read(lead_sheet(Sheet(steady(), notes={"vocals": melody}))).parts[0])
    assert [note.pitch for note in heard] == [67, 65]


played = st.builds(
    lambda start, length, pitch: NoteEvent(start, start + length, pitch, 0.5),
    st.floats(0, 8),
    st.floats(0.001, 4),
    st.integers(28, 96),
)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(played, max_size=30),
    st.sampled_from(["3/4", "4/4", "6/8"]),
    st.lists(st.floats(0.3, 1.2), min_size=1, max_size=12),
    st.integers(0, 3),
    st.sampled_from(["vocals", "bass", "piano"]),
)
def test_every_bar_is_full_and_every_note_near_where_it_was(
    events: list[NoteEvent], metre: Metre, beats: list[float], first_downbeat: int, stem: str
) -> None:
    times_s = tuple(sum(beats[:k]) for k in range(len(beats) + 1))
    grid = BeatGrid(times_s, first_downbeat % BEATS_PER_BAR[metre], metre, confidence=1.0)
    sheet = Sheet(grid, notes={stem: events})
    quarters = QUARTERS_PER_BEAT[metre]
    starts = [quarters * sheet.beat(event.start_s) for event in events]
    for part in read(full_score(sheet)).parts:
        measures = part.getElementsByClass("Measure")
        for measure in measures:
            filled = sum(Fraction(each.quarterLength) for each in measure.flatten().notesAndRests)
            assert filled == measure.barDuration.quarterLength or measure.number == 0
            assert filled % Fraction(quarters) == 0
        heard = soundings(part)
        for note in heard:
            assert note.quarters > 0
            assert min(abs(float(note.quarter) - start) for start in starts) <= 1 / 4
        for before, after in pairwise(heard):
            same = before.quarter == after.quarter
            assert before.quarter + before.quarters <= after.quarter or same
