from pathlib import Path

import mido
import numpy as np
import pretty_midi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unbraid.audio import Tags
from unbraid.demo import DemoSong
from unbraid.errors import InputError
from unbraid.export.midi import MidiTrack, stem_tracks, write_midi
from unbraid.types import BeatGrid, ChordSegment, Key, KeySegment, NoteEvent

TEMPI_BPM = [4, 20, 61.7, 90, 120, 133.37, 300, 1000]
TUNE = [
    NoteEvent(0.1, 0.5, 60, 0.8),
    NoteEvent(0.5, 1.0, 64, 0.6),
    NoteEvent(0.7, 1.3, 67, 0.4),
    NoteEvent(599.9, 600.0, 72, 1.0),
]


def written(path: Path, *notes: NoteEvent, tempo_bpm: float = 120) -> Path:
    write_midi(path, stem_tracks({"bass": notes}), tempo_bpm)
    return path


def played(path: Path) -> list[tuple[float, mido.Message]]:
    """The messages of the file's last track with their times in seconds."""
    file = mido.MidiFile(path, clip=False)
    (tempo,) = [message.tempo for message in file.tracks[0] if message.type == "set_tempo"]
    ticks, messages = 0, []
    for message in file.tracks[-1]:
        ticks += message.time
        messages.append((mido.tick2second(ticks, file.ticks_per_beat, tempo), message))
    return messages


def wheel(path: Path) -> list[tuple[float, int]]:
    """When the wheel goes where, in seconds and steps."""
    return [(time_s, sent.pitch) for time_s, sent in played(path) if sent.type == "pitchwheel"]


def sounding(path: Path) -> list[tuple[float, float, int, int]]:
    """Start, end, pitch and velocity of the notes that a reader hears."""
    (instrument,) = pretty_midi.PrettyMIDI(str(path)).instruments
    notes = [(note.start, note.end, note.pitch, note.velocity) for note in instrument.notes]
    return sorted(notes)


@pytest.mark.parametrize("tempo_bpm", TEMPI_BPM)
def test_notes_keep_their_times_at_every_tempo(tmp_path: Path, tempo_bpm: float) -> None:
    heard = sounding(written(tmp_path / "bass.mid", *TUNE, tempo_bpm=tempo_bpm))
    expected = [(note.start_s, note.end_s, note.pitch, note.velocity) for note in TUNE]
    np.testing.assert_allclose(heard, expected, rtol=0, atol=0.001)


def test_an_hour_can_be_read_back(tmp_path: Path) -> None:
    late = NoteEvent(3600, 3601, 60, 0.5)
    ((start_s, *_),) = sounding(written(tmp_path / "bass.mid", late, tempo_bpm=240))
    assert start_s == pytest.approx(3600, abs=0.001)


def test_the_tempo_is_the_one_asked_for(tmp_path: Path) -> None:
    path = written(tmp_path / "bass.mid", *TUNE, tempo_bpm=133.37)
    _, (tempo_bpm,) = pretty_midi.PrettyMIDI(str(path)).get_tempo_changes()
    assert tempo_bpm == pytest.approx(133.37, rel=1e-5)
    assert not [m for t in mido.MidiFile(path).tracks for m in t if m.type == "time_signature"]


@pytest.mark.parametrize("tempo_bpm", [0, 3, -120, 1001, float("nan"), float("inf")])
def test_impossible_tempi_are_refused(tmp_path: Path, tempo_bpm: float) -> None:
    with pytest.raises(InputError, match="tempo"):
        written(tmp_path / "bass.mid", *TUNE, tempo_bpm=tempo_bpm)
    assert not list(tmp_path.iterdir())


def test_the_song_is_named(tmp_path: Path) -> None:
    tags = Tags(title="夜 🎸", artist="V. A.", track=7, isrc="GBAYE7300007", bpm=120, key="D")
    write_midi(tmp_path / "all.mid", stem_tracks({"bass": TUNE}), 120, tags=tags)
    file = mido.MidiFile(tmp_path / "all.mid", charset="utf-8")
    assert [track.name for track in file.tracks] == ["夜 🎸", "bass"]
    texts = [message.text for message in file.tracks[0] if message.type == "text"]
    assert texts == ["artist: V. A.", "track: 7", "isrc: GBAYE7300007"]


def test_no_notes_make_a_valid_file(tmp_path: Path) -> None:
    path = written(tmp_path / "bass.mid")
    assert pretty_midi.PrettyMIDI(str(path)).get_end_time() == 0
    assert not [message for _, message in played(path) if message.type == "note_on"]


def test_each_stem_has_its_track_program_and_channel(tmp_path: Path) -> None:
    stems = ["vocals", "bass", "other", "guitar", "piano", *(f"stem {i}" for i in range(10))]
    write_midi(tmp_path / "all.mid", stem_tracks(dict.fromkeys(stems, TUNE)), 120)
    tempo_track, *tracks = mido.MidiFile(tmp_path / "all.mid").tracks
    assert [message.type for message in tempo_track] == ["set_tempo", "end_of_track"]
    assert [track.name for track in tracks] == stems
    channels = [{message.channel for message in track if not message.is_meta} for track in tracks]
    assert sorted(channel for (channel,) in channels) == [i for i in range(16) if i != 9]

    instruments = pretty_midi.PrettyMIDI(str(tmp_path / "all.mid")).instruments
    assert [instrument.name for instrument in instruments] == stems
    assert not any(instrument.is_drum for instrument in instruments)
    programs = [pretty_midi.program_to_instrument_name(i.program) for i in instruments]
    assert programs[:2] == ["Voice Oohs", "Electric Bass (finger)"]
    assert programs[3:5] == ["Electric Guitar (clean)", "Acoustic Grand Piano"]


def test_more_stems_than_channels_leave_the_drums_alone() -> None:
    tracks = stem_tracks({f"stem {index}": [] for index in range(40)})
    assert {track.channel for track in tracks} == {i for i in range(16) if i != 9}


@pytest.mark.parametrize("name", ["Gesang", "голос", "声", "🎸", ""])
def test_any_name_can_be_written(tmp_path: Path, name: str) -> None:
    write_midi(tmp_path / "any.mid", [MidiTrack(name, TUNE, program=0, channel=0)], 120)
    assert mido.MidiFile(tmp_path / "any.mid", charset="utf-8").tracks[1].name == name
    pretty_midi.PrettyMIDI(str(tmp_path / "any.mid"))


def test_the_same_notes_make_the_same_file_whatever_their_order(tmp_path: Path) -> None:
    one = written(tmp_path / "one.mid", *TUNE)
    other = written(tmp_path / "other.mid", *reversed(TUNE))
    assert one.read_bytes() == other.read_bytes()


def test_a_note_struck_again_is_released_first(tmp_path: Path) -> None:
    notes = [NoteEvent(0, 1, 60, 0.5), NoteEvent(0.5, 1.5, 60, 0.7), NoteEvent(1.5, 2, 60, 0.5)]
    path = written(tmp_path / "bass.mid", *notes)
    expected = [(0, 0.5, 60, 64), (0.5, 1.5, 60, 89), (1.5, 2, 60, 64)]
    np.testing.assert_allclose(sounding(path), expected)
    keys = [message.type for _, message in played(path) if message.type.startswith("note")]
    assert keys == ["note_on", "note_off"] * 3


@given(
    st.lists(
        st.builds(
            lambda start, length, pitch: NoteEvent(start, start + length, pitch, 0.5, (0.5, -0.5)),
            st.floats(0, 3),
            st.floats(0, 2),
            st.integers(59, 61),
        ),
        max_size=12,
    )
)
def test_keys_alternate_and_the_wheel_ends_centred(
    tmp_path_factory: pytest.TempPathFactory, notes: list[NoteEvent]
) -> None:
    path = written(tmp_path_factory.mktemp("midi") / "bass.mid", *notes)
    down: set[int] = set()
    bend = 0
    for _, message in played(path):
        if message.type == "note_on":
            assert message.note not in down
            down.add(message.note)
        elif message.type == "note_off":
            down.remove(message.note)
        elif message.type == "pitchwheel":
            bend = message.pitch
    assert not down
    assert bend == 0


def test_bends_follow_their_note_and_return_to_the_centre(tmp_path: Path) -> None:
    bent = NoteEvent(1, 2, 60, 0.5, bends=(0, 1, 1, -0.5))
    plain = NoteEvent(2, 3, 62, 0.5)
    path = written(tmp_path / "bass.mid", bent, plain)
    times_s, positions = zip(*wheel(path), strict=True)
    assert positions == (4096, -2048, 0)
    np.testing.assert_allclose(times_s, [1.25, 1.75, 2], atol=0.001)
    order = [
        message.type
        for time_s, message in played(path)
        if message.type in ("pitchwheel", "note_on", "note_off") and time_s == pytest.approx(2)
    ]
    assert order == ["note_off", "pitchwheel", "note_on"]


def test_a_bend_at_the_onset_comes_before_the_note(tmp_path: Path) -> None:
    path = written(tmp_path / "bass.mid", NoteEvent(0, 1, 60, 0.5, bends=(1,)))
    types = [message.type for _, message in played(path)]
    assert types.index("pitchwheel") < types.index("note_on")


def test_bends_beyond_the_range_stop_at_its_ends(tmp_path: Path) -> None:
    path = written(tmp_path / "bass.mid", NoteEvent(0, 1, 60, 0.5, bends=(5, -5)))
    assert [position for _, position in wheel(path)] == [8191, -8192, 0]


def test_the_range_of_bends_is_two_semitones(tmp_path: Path) -> None:
    controls = [
        (message.control, message.value)
        for _, message in played(written(tmp_path / "bass.mid"))
        if message.type == "control_change"
    ]
    assert controls[:4] == [(101, 0), (100, 0), (6, 2), (38, 0)]


def test_overlapping_notes_are_not_bent(tmp_path: Path) -> None:
    bends = (0.5, 1.0)
    long = NoteEvent(0, 3, 60, 0.5, bends)
    within = NoteEvent(1, 2, 64, 0.5, bends)
    after = NoteEvent(2.5, 3.5, 67, 0.5, bends)
    alone = NoteEvent(4, 5, 60, 0.5, bends)
    path = written(tmp_path / "bass.mid", long, within, after, alone)
    assert {time_s >= 4 for time_s, _ in wheel(path)} == {True}


def test_chords_are_markers_in_the_first_track(tmp_path: Path, demo: DemoSong) -> None:
    grid = BeatGrid(demo.beats_s, 2, "4/4", confidence=1.0)
    chords = [*demo.chords, ChordSegment(40.0, 41.0, "N")]
    path = tmp_path / "all.mid"
    key = Key("D", "major", 1.0, segments=(KeySegment(0, 15, "D", "major"),))
    write_midi(path, stem_tracks(demo.notes), grid, chords, key=key)
    file = mido.MidiFile(path, charset="utf-8")
    ticks = np.cumsum([message.time for message in file.tracks[0]])
    heard = pretty_midi.PrettyMIDI(str(path))
    markers = [
        (heard.tick_to_time(int(tick)), message.text)
        for tick, message in zip(ticks, file.tracks[0], strict=True)
        if message.type == "marker"
    ]
    texts = [text for _, text in markers]
    assert texts[:5] == ["D", "F#m7", "Bm", "G", "A"]
    assert (texts[11], texts[-1]) == ("D/F#", "N.C.")
    starts_s = [chord.start_s for chord in chords]
    np.testing.assert_allclose([time_s for time_s, _ in markers], starts_s, rtol=0, atol=0.001)
    assert [message.key for message in file.tracks[0] if message.type == "key_signature"] == ["D"]
    assert [len(instrument.notes) for instrument in heard.instruments] == [
        len(notes) for notes in demo.notes.values()
    ]
