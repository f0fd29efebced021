import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile

from unbraid import export_result, process
from unbraid.correcting import Correction, correct_result
from unbraid.demo import DemoSong
from unbraid.errors import InputError
from unbraid.export.song import Song, open_song
from unbraid.types import ChordSegment, NoteEvent

RATE = 44_100


@pytest.fixture(scope="module")
def made(demo: DemoSong, tmp_path_factory: pytest.TempPathFactory) -> Path:
    song = tmp_path_factory.mktemp("song") / "song.wav"
    soundfile.write(song, demo.mixture.samples[:, : 15 * RATE].T, RATE)
    folder = process(song, song.parent / "out").folder
    export_result(folder, ["chords", "musicxml"])
    return folder


@pytest.fixture
def result(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "result"))


@pytest.fixture
def before(made: Path) -> Iterator[Song]:
    with open_song(made) as song:
        yield song


def corrected(result: Path, correction: Correction) -> Song:
    correct_result(result, correction)
    with open_song(result) as song:
        return song


def timed(file: Path) -> list[tuple[float, str, bytes]]:
    """The messages of instruments and when they are sent."""
    now_s, found = 0.0, []
    for message in mido.MidiFile(file):
        now_s += message.time
        if not message.is_meta:
            found.append((now_s, message.type, bytes(message.bytes())))
    return found


def assert_same_music(one: Path, other: Path) -> None:
    new, old = timed(one), timed(other)
    assert sorted(each[2] for each in new) == sorted(each[2] for each in old)
    np.testing.assert_allclose(
        sorted(each[0] for each in new), sorted(each[0] for each in old), atol=0.002
    )


@pytest.mark.parametrize(("tempo", "factor"), [("double", 2.0), ("half", 0.5)])
def test_the_tempo_is_counted_otherwise_and_all_sounds_when_it_did(
    result: Path, made: Path, before: Song, tempo: str, factor: float
) -> None:
    after = corrected(result, Correction(tempo=tempo))  # type: ignore[arg-type]
    assert before.analysis
    assert after.analysis
    assert before.analysis.bpm
    assert after.analysis.bpm == pytest.approx(factor * before.analysis.bpm)
    assert after.analysis.downbeats[0] == before.analysis.downbeats[0]
    assert len(after.analysis.beats) == pytest.approx(factor * len(before.analysis.beats), abs=1)
    assert after.manifest.midi
    assert before.manifest.midi
    ratio = after.manifest.midi.tempo_bpm / before.manifest.midi.tempo_bpm
    assert ratio == pytest.approx(factor, rel=0.01)
    for name in ("midi/all.mid", "midi/bass.mid", "midi/raw/bass.mid"):
        assert_same_music(result / name, made / name)
    assert (result / "notation/song.musicxml").read_bytes() != (
        made / "notation/song.musicxml"
    ).read_bytes()


def test_twice_as_fast_and_half_as_fast_is_as_before(result: Path, before: Song) -> None:
    corrected(result, Correction(tempo="double"))
    after = corrected(result, Correction(tempo="half"))
    assert after.analysis
    assert before.analysis
    assert (after.analysis.beats, after.analysis.downbeats) == (
        before.analysis.beats,
        before.analysis.downbeats,
    )


def test_bars_begin_later(result: Path, before: Song) -> None:
    after = corrected(result, Correction(downbeat=1))
    assert before.beats
    assert after.beats
    assert after.beats.beats_s == before.beats.beats_s
    bar = before.beats.beats_per_bar
    assert after.beats.first_downbeat == (before.beats.first_downbeat + 1) % bar


def test_a_key_spells_the_chords(result: Path) -> None:
    after = corrected(result, Correction(tonic="G#", mode="major"))
    assert after.key
    assert (after.key.name, after.key.confidence) == ("Ab major", 1.0)
    assert len(after.key.segments) == 1
    assert not [chord.label for chord in after.chords if "#" in chord.label]
    signatures = {
        each.key
        for each in mido.MidiFile(result / "midi/all.mid")
        if each.is_meta and each.type == "key_signature"
    }
    assert signatures == {"Ab"}


def test_chords_go_into_the_chart(result: Path) -> None:
    chords = (ChordSegment(0.0, 2.0, "F#:min7"), ChordSegment(3.0, 5.0, "B:9"))
    after = corrected(result, Correction(chords=chords))
    labels = [chord.label for chord in after.chords]
    assert labels == ["F#:min7", "N", "B:9", "N"]
    assert after.chords[-1].end_s == pytest.approx(15.0)
    assert "F#m7" in (result / "notation/song chords.txt").read_text("utf-8")


def test_notes_of_a_stem_are_replaced_and_no_others(result: Path, made: Path) -> None:
    notes = (NoteEvent(1.0, 1.5, 40, 0.5), NoteEvent(2.0, 2.5, 43, 0.9))
    after = corrected(result, Correction(notes={"bass": notes}))
    played = [(note.pitch, note.velocity) for note in after.notes["bass"]]
    assert played == [(40, 64), (43, 114)]
    assert [note.start_s for note in after.notes["bass"]] == pytest.approx([1.0, 2.0], abs=0.002)
    assert after.manifest.midi
    assert after.manifest.midi.notes["bass"] == 2
    assert after.manifest.midi.corrected == ("bass",)
    assert_same_music(result / "midi/vocals.mid", made / "midi/vocals.mid")
    both = [each for each in timed(result / "midi/all.mid") if each[2][0] == 0x91]
    bass = [each for each in timed(result / "midi/bass.mid") if each[2][0] == 0x91]
    assert [each[1:] for each in both] == [each[1:] for each in bass]


def test_notes_that_stay_keep_their_bends(result: Path, made: Path, before: Song) -> None:
    bent = [note for note in before.notes["vocals"] if note.bends]
    same = tuple(replace(note, start_s=round(note.start_s, 3), bends=()) for note in bent)
    moved = replace(bent[0], pitch=bent[0].pitch + 12, bends=())
    after = corrected(result, Correction(notes={"vocals": same, "bass": (moved,)}))
    assert len(bent) > 5
    for kept, was in zip(after.notes["vocals"], bent, strict=True):
        np.testing.assert_allclose(kept.bends, was.bends, atol=0.05)
    assert not after.notes["bass"][0].bends


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"tonic": "H"}, "no tonic"),
        ({"chords": (ChordSegment(0, 1, "H:maj"),)}, "H"),
        ({"chords": (ChordSegment(1, 1, "C"),)}, "end after"),
        ({"chords": (ChordSegment(0, 2, "C"), ChordSegment(1, 3, "G"))}, "one after another"),
        ({"notes": {"bass": (NoteEvent(0, 1, 128, 1.0),)}}, "0 to 127"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong: dict[str, object], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        Correction(**wrong)  # type: ignore[arg-type]


def test_notes_of_a_stem_that_is_not_there_change_nothing(result: Path, made: Path) -> None:
    wrong = Correction(tempo="half", notes={"theremin": ()})
    with pytest.raises(InputError, match="'theremin' has no notes here"):
        correct_result(result, wrong)
    assert (result / "analysis.json").read_bytes() == (made / "analysis.json").read_bytes()
