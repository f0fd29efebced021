"""Agreement with the published package, compared on frame indices."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from unbraid.transcription.basic_pitch import (
    FRAMES_PER_SECOND,
    NETWORK,
    PITCHES,
    Posteriorgrams,
    join,
    posteriorgrams,
)
from unbraid.transcription.notes import ENERGY_TOLERANCE, FrameNote, decode
from unbraid.types import TranscriptionOptions

note_creation = pytest.importorskip("basic_pitch.note_creation")
inference = pytest.importorskip("basic_pitch.inference")


def published_decode(heard: Posteriorgrams, options: TranscriptionOptions) -> list[FrameNote]:
    """The notes that the published package finds."""
    notes = note_creation.output_to_notes_polyphonic(
        heard.notes.copy(),
        heard.onsets.copy(),
        onset_thresh=options.onset_threshold,
        frame_thresh=options.frame_threshold,
        min_note_len=int(np.round(options.min_note_duration_s * FRAMES_PER_SECOND)),
        infer_onsets=True,
        max_freq=options.max_frequency_hz,
        min_freq=options.min_frequency_hz,
    )
    bent = note_creation.get_pitch_bends(heard.contours, notes)
    found = [
        FrameNote(int(start), int(end), int(pitch), float(amplitude), tuple(map(int, bends)))
        for start, end, pitch, amplitude, bends in bent
    ]
    return sorted(found, key=lambda note: (note.start, note.pitch))


def published_posteriorgrams(recording: Path) -> Posteriorgrams:
    outputs = inference.run_inference(recording, NETWORK)
    return Posteriorgrams(outputs["onset"], outputs["note"], outputs["contour"])


@st.composite
def random_posteriorgrams(draw: st.DrawFn) -> Posteriorgrams:
    """Activations that hold for some frames and, coarsely rounded, are often equal."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    frames = draw(st.integers(16, 160))
    hold = draw(st.sampled_from([1, 3, 20]))
    steps = draw(st.sampled_from([5, 20, 10_000]))

    def activations(bins: int, hold: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        values = rng.random((frames // hold + 1, bins)) ** 2
        values = np.repeat(values, hold, axis=0)[:frames] + 0.1 * rng.random((frames, bins))
        return (np.round(values * steps) / (1.1 * steps)).astype(np.float32)

    return Posteriorgrams(
        activations(PITCHES, 1), activations(PITCHES, hold), activations(3 * PITCHES, hold)
    )


@st.composite
def random_options(draw: st.DrawFn) -> TranscriptionOptions:
    min_frequency_hz = draw(st.floats(28, 500))
    return TranscriptionOptions(
        onset_threshold=draw(st.floats(0.05, 0.95)),
        frame_threshold=draw(st.floats(0.05, 0.95)),
        min_note_duration_s=draw(st.floats(0, 0.3)),
        min_frequency_hz=min_frequency_hz,
        max_frequency_hz=min_frequency_hz * draw(st.floats(2, 10)),
    )


@settings(max_examples=40, deadline=None)
@given(random_posteriorgrams(), random_options())
def test_decoding_finds_the_notes_of_the_published_decoding(
    heard: Posteriorgrams, options: TranscriptionOptions
) -> None:
    ours, theirs = decode(heard, options), published_decode(heard, options)
    assert [(note.start, note.end, note.pitch, note.bends) for note in ours] == [
        (note.start, note.end, note.pitch, note.bends) for note in theirs
    ]
    np.testing.assert_allclose(
        [note.amplitude for note in ours], [note.amplitude for note in theirs], rtol=1e-5
    )


@pytest.mark.parametrize(
    "options",
    [
        TranscriptionOptions(),
        TranscriptionOptions(
            onset_threshold=0.3,
            frame_threshold=0.2,
            min_note_duration_s=0.06,
            min_frequency_hz=100,
            max_frequency_hz=1000,
        ),
    ],
    ids=["defaults", "other options"],
)
@pytest.mark.parametrize("name", ["lets_go_fishin.ogg", "vibe_ace.ogg"])
@pytest.mark.filterwarnings("ignore:.*slated for removal:DeprecationWarning")  # librosa's decoder
def test_real_recordings_have_the_notes_of_the_published_package(
    recordings: Path, name: str, options: TranscriptionOptions
) -> None:
    published = published_posteriorgrams(recordings / name)
    samples, sample_rate = soundfile.read(recordings / name, dtype="float32", always_2d=True)
    ours = decode(join(posteriorgrams([samples.T], sample_rate, threads=2)), options)
    theirs = published_decode(published, options)

    last_common = len(published) - 1 - ENERGY_TOLERANCE  # the published package drops what follows
    ours = [note for note in ours if note.end < last_common]
    theirs = [note for note in theirs if note.end < last_common]
    assert len(ours) == len(theirs)
    for our, their in zip(in_order_of_pitch(ours), in_order_of_pitch(theirs), strict=True):
        assert our.pitch == their.pitch
        assert abs(our.start - their.start) <= 1
        assert abs(our.end - their.end) <= 1
        first = max(our.start, their.start)
        last = min(our.end, their.end)
        bends = our.bends[first - our.start : last - our.start]
        expected = their.bends[first - their.start : last - their.start]
        np.testing.assert_allclose(bends, expected, atol=1)


def in_order_of_pitch(notes: list[FrameNote]) -> list[FrameNote]:
    """Sorted so that a start one frame off does not exchange two notes."""
    return sorted(notes, key=lambda note: (note.pitch, note.start))
