import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.export.scores import in_key, steady

from unbraid.demo import score
from unbraid.errors import InputError
from unbraid.export.chart import chordpro, text_chart
from unbraid.export.chord_symbols import ChordSymbol
from unbraid.export.sheet import Sheet
from unbraid.types import BEATS_PER_BAR, BeatGrid, ChordSegment, Metre

DEMO = Sheet(
    BeatGrid(score.beats_s(), score.PICKUP_BEATS, "4/4", confidence=1.0),
    title="Demo",
    artist="Unbraid",
    key=in_key("D major"),
    chords=score.chord_segments(),
)


def song(
    *labels: tuple[str, float],
    metre: Metre = "4/4",
    first_downbeat: int = 0,
) -> Sheet:
    """Chords, each for so many beats of half a second."""
    chords, beat = [], 0.0
    for label, beats in labels:
        chords.append(ChordSegment(beat / 2, (beat + beats) / 2, label))
        beat += beats
    return Sheet(steady(metre, first_downbeat=first_downbeat), chords=chords)


def grid(sheet: Sheet) -> list[str]:
    """The bars of the chart."""
    return [line for line in text_chart(sheet).splitlines() if "|" in line]


def test_the_demo_song_has_its_chart() -> None:
    assert text_chart(DEMO).splitlines() == [
        "Demo",
        "Unbraid",
        "",
        "Key: D major   Tempo: ♩ = 128   Metre: 4/4",
        "",
        "| D | F#m7 | Bm     | G A      |",
        "| D | F#m7 | Em7 A7 | D        |",
        "| G | D/F# | Em     | Asus4 A7 |",
        "| D | F#m7 | Em7 A7 | D        |",
    ]


def test_the_demo_song_has_its_chordpro_file() -> None:
    head, body = chordpro(DEMO).split("\n\n")
    assert head.splitlines() == [
        "{title: Demo}",
        "{artist: Unbraid}",
        "{key: D}",
        "{tempo: 128}",
        "{time: 4/4}",
    ]
    assert body.splitlines()[:2] == [
        '{start_of_grid shape="4x4"}',
        "| D . . . | F#m7 . . . | Bm . . . | G . A . |",
    ]
    assert body.endswith("{end_of_grid}\n")


def test_a_bar_like_the_one_before_is_a_sign_but_not_at_the_beginning_of_a_line() -> None:
    assert grid(song(("C:maj", 12), ("F:maj", 12))) == ["| C | % | % | F |", "| F | % |"]
    assert "| C . . . | % . . . | % . . . | F . . . |" in chordpro(
        song(("C:maj", 12), ("F:maj", 4))
    )


def test_chords_that_do_not_share_a_bar_evenly_have_slashes() -> None:
    assert grid(song(("C:maj", 3), ("G:7", 1), ("C:maj", 2), ("G:7", 1), ("F:maj", 1))) == [
        "| C / / G7 | C / G7 F |"
    ]


@pytest.mark.parametrize(
    ("metre", "bars"), [("3/4", "| C | F / G | A B C |"), ("6/8", "| C F | F G | A B | C |")]
)
def test_bars_are_as_long_as_their_metre(metre: Metre, bars: str) -> None:
    labels = [("C:maj", 3), ("F:maj", 2), ("G:maj", 1), ("A:maj", 1), ("B:maj", 1), ("C:maj", 1)]
    if metre == "6/8":
        labels = [
            ("C:maj", 1),
            ("F:maj", 2),
            ("G:maj", 1),
            ("A:maj", 1),
            ("B:maj", 1),
            ("C:maj", 2),
        ]
    assert grid(song(*labels, metre=metre)) == [bars]


def test_chords_before_the_first_downbeat_stand_before_the_first_bar() -> None:
    sheet = song(("G:7", 1), *[("C:maj", 4), ("F:maj", 4)] * 3, first_downbeat=1)
    assert grid(sheet) == ["G7 | C | F | C | F |", "   | C | F |"]
    assert "| . . . G7 |\n| C . . . | F . . . |" in chordpro(sheet)


def test_the_first_chord_begins_with_the_first_bar() -> None:
    assert grid(song(("C:maj", 5), ("F:maj", 4), first_downbeat=1)) == ["| C | F |"]


def test_silence_before_and_between_chords_is_said() -> None:
    late = [ChordSegment(2, 4, "C:maj"), ChordSegment(4, 6, "N"), ChordSegment(6, 8, "F:maj")]
    assert grid(Sheet(steady(), chords=late)) == ["| N.C. | C | N.C. | F |"]
    assert grid(Sheet(steady())) == ["| N.C. |"]


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("Bb:maj7", "Bbmaj7"),
        ("C", "C"),
        ("C:maj/3", "C/E"),
        ("A:min/b3", "Am/C"),
        ("B:dim", "Bdim"),
        ("C:aug", "Caug"),
        ("B:hdim7", "Bm7b5"),
        ("C#:dim7", "C#dim7"),
        ("A:minmaj7", "Am(maj7)"),
        ("C:maj6(9)", "C6/9"),
        ("C:maj(9)", "Cadd9"),
        ("E:7(#9)", "E7(#9)"),
        ("G:sus4(b7)", "G7sus4"),
        ("G:9(*3)", "G9(no3)"),
        ("D:5", "D5"),
    ],
)
def test_chords_are_named_as_musicians_do(label: str, name: str) -> None:
    assert str(ChordSymbol.of(label)) == name


@pytest.mark.parametrize("label", ["", "H:maj", "C:foo", "C:maj/x", "Cm7", "C:maj(x)", "C:maj/0"])
def test_what_is_not_a_chord_is_refused(label: str) -> None:
    with pytest.raises(InputError):
        text_chart(song((label, 4)))


@given(
    st.lists(st.tuples(st.sampled_from(["C:maj", "F:min7", "N"]), st.floats(0.1, 6)), max_size=9),
    st.sampled_from(["3/4", "4/4", "6/8"]),
    st.integers(0, 3),
)
def test_every_bar_of_a_grid_has_a_cell_for_each_beat(
    labels: list[tuple[str, float]], metre: Metre, first_downbeat: int
) -> None:
    beats = BEATS_PER_BAR[metre]
    sheet = song(*labels, metre=metre, first_downbeat=first_downbeat % beats)
    rows = [line for line in chordpro(sheet).splitlines() if line.startswith("|")]
    for row in rows:
        bars = row.strip("| ").split(" | ")
        assert len(bars) <= 4
        assert {len(bar.split()) for bar in bars} == {beats}


def test_titles_stay_in_their_line() -> None:
    sheet = Sheet(steady(), title="One\n{two}\x07 🎸", artist="{}")
    assert chordpro(sheet).startswith("{title: One (two) 🎸}\n{artist: ()}\n{tempo")
    assert text_chart(sheet).startswith("One {two} 🎸\n{}\n\nTempo")


def test_without_beats_the_tempo_is_asked_for() -> None:
    with pytest.raises(InputError, match="takes its tempo"):
        text_chart(Sheet(None))
