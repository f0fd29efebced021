import numpy as np
import pytest

from unbraid.transcription.basic_pitch import (
    FRAMES_PER_SECOND,
    LOWEST_PITCH,
    PITCHES,
    Posteriorgrams,
)
from unbraid.transcription.notes import BEND_RANGE, ENERGY_TOLERANCE, FrameNote, decode
from unbraid.types import TranscriptionOptions

FRAMES = 200
OPTIONS = TranscriptionOptions()


def heard(
    *notes: FrameNote, frames: int = FRAMES, onset: float = 0.9, with_onsets: bool = True
) -> Posteriorgrams:
    """Posteriorgrams as a perfect network would give them for some notes."""
    onsets = np.zeros((frames, PITCHES), np.float32)
    active = np.zeros((frames, PITCHES), np.float32)
    contours = np.zeros((frames, 3 * PITCHES), np.float32)
    for note in notes:
        key = note.pitch - LOWEST_PITCH
        if with_onsets:
            onsets[note.start, key] = onset
        active[note.start : note.end, key] = note.amplitude
        contours[np.arange(note.start, note.end), 3 * key + np.array(note.bends, int)] = 1
    return Posteriorgrams(onsets, active, contours)


def note(start: int, end: int, pitch: int, amplitude: float = 0.75, bend: int = 0) -> FrameNote:
    return FrameNote(start, end, pitch, amplitude, (bend,) * (end - start))


def test_notes_are_found_as_they_are() -> None:
    chord = [note(20, 60, 60), note(20, 80, 64), note(25, 60, 67, bend=2), note(90, 150, 60)]
    assert decode(heard(*chord), OPTIONS) == chord


def test_zeros_give_no_notes() -> None:
    assert decode(heard(), OPTIONS) == []


@pytest.mark.parametrize("frames", [0, 1, 2, 3])
def test_a_few_frames_give_no_notes(frames: int) -> None:
    full = np.ones((frames, PITCHES), np.float32)
    contours = np.ones((frames, 3 * PITCHES), np.float32)
    assert decode(Posteriorgrams(full, full, contours), OPTIONS) == []


def test_notes_without_an_onset_are_found_by_their_energy() -> None:
    (found,) = decode(heard(note(20, 60, 60), with_onsets=False), OPTIONS)
    assert (found.start, found.pitch) == (20, 60)
    assert found.end == pytest.approx(60, abs=1)


def test_short_gaps_do_not_end_a_note() -> None:
    posteriorgrams = heard(note(20, 80, 60, 0.5))
    posteriorgrams.notes[40 : 40 + ENERGY_TOLERANCE - 1] /= (
        2  # its end rises too little for an onset
    )
    (found,) = decode(posteriorgrams, OPTIONS)
    assert (found.start, found.end) == (20, 80)


def test_long_gaps_end_a_note() -> None:
    posteriorgrams = heard(note(20, 80, 60))
    posteriorgrams.notes[40 : 40 + ENERGY_TOLERANCE] = 0
    assert decode(posteriorgrams, OPTIONS)[0].end == 40


def test_energy_beside_a_note_is_part_of_it() -> None:
    leaking = heard(note(20, 60, 60, 0.9), note(20, 60, 61, 0.4), note(20, 60, 59, 0.4))
    leaking.onsets[:, [59 - LOWEST_PITCH, 61 - LOWEST_PITCH]] = 0
    assert [found.pitch for found in decode(leaking, OPTIONS)] == [60]


def test_a_repeated_note_is_found_twice() -> None:
    twice = [note(20, 60, 60), note(60, 100, 60)]
    assert decode(heard(*twice), OPTIONS) == twice


def test_the_onset_threshold_applies() -> None:
    weak_onsets = heard(note(20, 100, 60), note(60, 100, 60), onset=0.4)
    weak_onsets.notes[19] = 0.7  # no rise from which the onsets could be inferred
    weak_onsets.notes[18] = 0.7
    assert len(decode(weak_onsets, TranscriptionOptions(onset_threshold=0.5))) < 2
    assert len(decode(weak_onsets, TranscriptionOptions(onset_threshold=0.3))) == 2


def test_the_frame_threshold_applies() -> None:
    quiet = heard(note(20, 60, 60, 0.25))
    assert decode(quiet, TranscriptionOptions(frame_threshold=0.3)) == []
    assert len(decode(quiet, TranscriptionOptions(frame_threshold=0.2))) == 1


def test_the_minimum_duration_applies() -> None:
    short = heard(note(20, 30, 60))
    assert decode(short, TranscriptionOptions(min_note_duration_s=11 / FRAMES_PER_SECOND)) == []
    assert len(decode(short, TranscriptionOptions(min_note_duration_s=9 / FRAMES_PER_SECOND))) == 1


def test_the_range_of_pitch_applies() -> None:
    low, middle, high = note(20, 60, 40), note(20, 60, 60), note(20, 60, 80)
    options = TranscriptionOptions(min_frequency_hz=100, max_frequency_hz=800)
    assert decode(heard(low, middle, high), options) == [middle]


def test_a_range_beyond_the_piano_keeps_every_key() -> None:
    ends = [note(20, 60, LOWEST_PITCH), note(20, 60, LOWEST_PITCH + PITCHES - 1)]
    options = TranscriptionOptions(min_frequency_hz=10, max_frequency_hz=20_000)
    assert decode(heard(*ends), options) == ends


def test_notes_carry_no_bends_when_asked_not_to() -> None:
    (found,) = decode(heard(note(20, 60, 60, bend=1)), TranscriptionOptions(pitch_bends=False))
    assert found.bends == ()


@pytest.mark.parametrize("pitch", [LOWEST_PITCH, LOWEST_PITCH + 1, 60, LOWEST_PITCH + PITCHES - 1])
def test_bends_are_measured_from_the_pitch_of_the_note(pitch: int) -> None:
    bend = 2 if pitch < 60 else -2
    options = TranscriptionOptions(min_frequency_hz=10, max_frequency_hz=20_000)
    (found,) = decode(heard(note(20, 60, pitch, bend=bend)), options)
    assert found.bends == (bend,) * 40


def test_bends_stay_within_their_range() -> None:
    rng = np.random.default_rng(0)
    noise = Posteriorgrams(
        rng.random((FRAMES, PITCHES), np.float32),
        rng.random((FRAMES, PITCHES), np.float32),
        rng.random((FRAMES, 3 * PITCHES), np.float32),
    )
    bends = [bend for found in decode(noise, OPTIONS) for bend in found.bends]
    assert bends
    assert max(map(abs, bends)) <= BEND_RANGE


def test_posteriorgrams_are_not_changed() -> None:
    posteriorgrams = heard(note(20, 60, 60), note(20, 60, 107))
    before = posteriorgrams.notes.copy(), posteriorgrams.onsets.copy()
    decode(posteriorgrams, OPTIONS)
    np.testing.assert_array_equal(posteriorgrams.notes, before[0])
    np.testing.assert_array_equal(posteriorgrams.onsets, before[1])
