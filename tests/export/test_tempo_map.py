from pathlib import Path

import mido
import numpy as np
import pretty_midi
import pytest

from unbraid.errors import InputError
from unbraid.export.midi import DRUM_KEYS, MidiTrack, drum_track, write_midi
from unbraid.export.tempo_map import TempoMap
from unbraid.types import BeatGrid, DrumStroke, Metre, NoteEvent


def steady(
    tempo_bpm: float, first_s: float, metre: Metre = "4/4", first_downbeat: int = 0
) -> BeatGrid:
    beats_s = first_s + 60 / tempo_bpm * np.arange(400)
    return BeatGrid(tuple(beats_s.tolist()), first_downbeat, metre, confidence=1.0)


def rubato(first_downbeat: int = 2) -> BeatGrid:
    """Beats between 60 and 140 a minute that never keep a tempo."""
    lengths_s = np.random.default_rng(1).uniform(60 / 140, 1, 300)
    return BeatGrid(tuple((0.7 + lengths_s.cumsum()).tolist()), first_downbeat, "4/4", 1.0)


GRIDS = [
    steady(120, 0.0),
    steady(133.37, 0.217),
    steady(90, 0.001),
    steady(171.3, 0.04, first_downbeat=3),
    steady(61, 7.9, "3/4", first_downbeat=1),
    steady(77.7, 0.3, "6/8", first_downbeat=1),
    rubato(),
]


def with_a_note_on_each_beat(path: Path, grid: BeatGrid) -> Path:
    notes = [NoteEvent(beat_s, beat_s + 0.1, 60, 0.5) for beat_s in grid.beats_s]
    write_midi(path, [MidiTrack("beats", notes, program=0, channel=0)], grid)
    return path


@pytest.mark.parametrize("grid", GRIDS)
def test_notes_are_heard_when_they_were_played(tmp_path: Path, grid: BeatGrid) -> None:
    path = with_a_note_on_each_beat(tmp_path / "beats.mid", grid)
    heard_s, now_s = [], 0.0
    for message in mido.MidiFile(path):
        now_s += message.time
        if message.type == "note_on":
            heard_s.append(now_s)
    np.testing.assert_allclose(heard_s, grid.beats_s, rtol=0, atol=0.001)
    (instrument,) = pretty_midi.PrettyMIDI(str(path)).instruments
    starts_s = [note.start for note in instrument.notes]
    np.testing.assert_allclose(starts_s, grid.beats_s, rtol=0, atol=0.001)


@pytest.mark.parametrize("grid", GRIDS)
def test_the_file_opens_on_the_grid(tmp_path: Path, grid: BeatGrid) -> None:
    path = with_a_note_on_each_beat(tmp_path / "beats.mid", grid)
    file = mido.MidiFile(path)
    ticks = np.cumsum([message.time for message in file.tracks[1]])
    beats = ticks[[message.type == "note_on" for message in file.tracks[1]]]
    beat = file.ticks_per_beat * (1.5 if grid.metre == "6/8" else 1)
    np.testing.assert_array_equal(beats, beats[0] + beat * np.arange(len(beats)))

    song = pretty_midi.PrettyMIDI(str(path))
    bars_s = song.get_downbeats()
    assert max(np.abs(bars_s - time_s).min() for time_s in grid.downbeats_s[1:-1]) < 0.0003
    *pick_up, signature = song.time_signature_changes
    assert f"{signature.numerator}/{signature.denominator}" == grid.metre
    assert len(pick_up) <= 1


def test_a_steady_song_has_one_tempo_after_its_pick_up() -> None:
    clock = TempoMap.of_grid(steady(133.37, 0.217))
    assert [60e6 / change.quarter_us for change in clock.tempi[1:]] == pytest.approx([133.37])
    assert clock.metres == ((0, 1, 8), (240, 4, 4))  # half a beat before the first bar
    assert TempoMap.of_grid(steady(120, 0.0)).tempi == ((0, 500_000),)


def test_a_drifting_tempo_is_followed() -> None:
    grid = rubato()
    clock = TempoMap.of_grid(grid)
    first = clock.ticks(grid.beats_s[0])
    found_s = [clock.seconds(first + 480 * 2 * k) for k in range(len(grid.beats_s))]
    assert clock.ticks_per_quarter == 960
    np.testing.assert_allclose(found_s, grid.beats_s, rtol=0, atol=0.0003)


def test_beats_too_far_apart_are_refused() -> None:
    with pytest.raises(InputError, match=r"20 s apart"):
        TempoMap.of_grid(BeatGrid((0.0, 20.0, 40.0), 0, "4/4", 1.0))


def test_strokes_are_keys_of_the_drum_channel(tmp_path: Path) -> None:
    strokes = [DrumStroke(0.5 * k, drum, 0.5) for k, drum in enumerate(DRUM_KEYS)]
    write_midi(tmp_path / "drums.mid", [drum_track(strokes)], 120)
    (kit,) = pretty_midi.PrettyMIDI(str(tmp_path / "drums.mid")).instruments
    assert kit.is_drum
    assert [pretty_midi.note_number_to_drum_name(note.pitch) for note in kit.notes] == [
        "Bass Drum 1",
        "Side Stick",
        "Acoustic Snare",
        "Closed Hi Hat",
        "High Floor Tom",
        "Low Tom",
        "Open Hi Hat",
        "Hi-Mid Tom",
        "Crash Cymbal 1",
        "Ride Cymbal 1",
    ]
