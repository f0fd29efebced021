from pathlib import Path

import mido
import numpy as np
import pretty_midi
import pytest

from unbraid.errors import AudioError
from unbraid.export.midi import stem_tracks, write_midi
from unbraid.export.retiming import quantise_file
from unbraid.types import BeatGrid, NoteEvent, QuantiseOptions

BEATS_S = 0.37 + (60 / np.linspace(90, 120, 40)).cumsum()
GRID = BeatGrid(tuple(BEATS_S.tolist()), 2, "3/4", confidence=1.0)


@pytest.fixture
def played(tmp_path: Path) -> Path:
    """Notes on every half beat of a drifting tempo, played by a human."""
    late_s = np.random.default_rng(0).uniform(-0.03, 0.03, 60).tolist()
    notes = [
        NoteEvent(GRID.seconds(k / 2) + late, GRID.seconds(k / 2) + 0.2, 60 + k % 12, 0.5)
        for k, late in enumerate(late_s)
    ]
    write_midi(tmp_path / "played.mid", stem_tracks({"bass": notes}), GRID)
    return tmp_path / "played.mid"


def starts_s(path: Path) -> list[float]:
    (instrument,) = pretty_midi.PrettyMIDI(str(path)).instruments
    return [note.start for note in instrument.notes]


def meta(path: Path) -> list[mido.Message]:
    return list(mido.MidiFile(path).tracks[0])


def test_notes_land_on_the_beats_that_the_file_names(played: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "out.mid"
    done = quantise_file(played, out, QuantiseOptions("1/8"))
    expected_s = [GRID.seconds(k / 2) for k in range(60)]
    np.testing.assert_allclose(starts_s(out), expected_s, rtol=0, atol=0.001)
    assert done.notes == 60
    assert 0.005 < done.mean_shift_s < 0.025
    assert meta(out) == meta(played)
    step = mido.MidiFile(out).ticks_per_beat / 2
    ticks = np.cumsum([message.time for message in mido.MidiFile(out).tracks[1]])
    on = [message.type == "note_on" for message in mido.MidiFile(out).tracks[1]]
    assert not np.any((ticks[on] - ticks[on][0]) % step)


def test_no_strength_changes_nothing(played: Path, tmp_path: Path) -> None:
    quantise_file(played, tmp_path / "out.mid", QuantiseOptions(strength=0))
    assert starts_s(tmp_path / "out.mid") == starts_s(played)


def test_another_tempo_takes_the_place_of_the_files_own(played: Path, tmp_path: Path) -> None:
    quantise_file(played, tmp_path / "out.mid", QuantiseOptions("1/16"), tempo_bpm=100)
    moved = np.array(starts_s(tmp_path / "out.mid"))
    np.testing.assert_allclose(moved / 0.15, np.round(moved / 0.15), atol=0.01)
    np.testing.assert_allclose(moved, starts_s(played), rtol=0, atol=0.076)
    assert [m.tempo for m in meta(tmp_path / "out.mid") if m.type == "set_tempo"] == [600_000]


def test_bends_go_with_their_notes_and_all_else_stays(tmp_path: Path) -> None:
    bent = NoteEvent(0.52, 1.02, 60, 0.5, bends=(0.0, 1.0))
    write_midi(tmp_path / "in.mid", stem_tracks({"bass": [bent]}), 120)
    file = mido.MidiFile(tmp_path / "in.mid")
    file.tracks[1].insert(-1, mido.Message("control_change", channel=0, control=64, time=24))
    file.save(tmp_path / "in.mid")
    quantise_file(tmp_path / "in.mid", tmp_path / "out.mid", QuantiseOptions("1/4"))
    (instrument,) = pretty_midi.PrettyMIDI(str(tmp_path / "out.mid")).instruments
    assert [bend.time for bend in instrument.pitch_bends] == pytest.approx([0.75, 1.0], abs=0.001)
    assert instrument.control_changes[-1].time == pytest.approx(1.045, abs=0.001)


def test_notes_that_meet_on_a_key_become_one(tmp_path: Path) -> None:
    notes = [NoteEvent(0.48, 0.6, 60, 0.5), NoteEvent(0.62, 0.7, 60, 0.9)]
    write_midi(tmp_path / "in.mid", stem_tracks({"bass": notes}), 120)
    quantise_file(tmp_path / "in.mid", tmp_path / "out.mid", QuantiseOptions("1/4"))
    assert starts_s(tmp_path / "out.mid") == [0.5]


def test_what_is_no_midi_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="does not exist"):
        quantise_file(tmp_path / "none.mid", tmp_path / "out.mid")
    (tmp_path / "bad.mid").write_bytes(b"MThd nonsense that ends soon")
    with pytest.raises(AudioError, match="not a readable MIDI file"):
        quantise_file(tmp_path / "bad.mid", tmp_path / "out.mid")
    assert not (tmp_path / "out.mid").exists()
