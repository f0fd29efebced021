from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

from unbraid.errors import Cancelled
from unbraid.transcription import transcribe, transcribe_blocks
from unbraid.transcription.basic_pitch import (
    FRAMES_PER_SECOND,
    LOWEST_PITCH,
    PITCHES,
    Posteriorgrams,
    join,
    posteriorgrams,
)
from unbraid.transcription.notes import FrameNote, decode
from unbraid.transcription.streaming import decode_stream
from unbraid.types import AudioSignal, Samples, TranscriptionOptions

RATE = 22_050


def tone(pitch: float, duration_s: float, sample_rate: int = RATE) -> Samples:
    """A fading tone of three harmonics, float32 [1, time]."""
    time_s = np.arange(round(duration_s * sample_rate)) / sample_rate
    frequency = 440 * 2 ** ((pitch - 69) / 12)
    harmonic = np.arange(1, 4)[:, np.newaxis]
    waves = np.sin(2 * np.pi * frequency * harmonic * time_s) / harmonic
    edges = np.minimum(1, np.minimum(time_s, duration_s - time_s) / 0.02)
    samples = 0.2 * np.exp(-3 * time_s) * edges * waves.sum(axis=0, keepdims=True)
    return np.asarray(samples, np.float32)


def silence(duration_s: float, channels: int = 1) -> Samples:
    return np.zeros((channels, round(duration_s * RATE)), np.float32)


@pytest.mark.parametrize(
    "samples", [silence(5), silence(5, channels=2), silence(0), np.ones((1, 1), np.float32)]
)
def test_silence_and_nothing_give_no_notes(samples: Samples) -> None:
    assert transcribe_blocks([samples], RATE, threads=1) == []
    assert transcribe_blocks([], RATE, threads=1) == []


@pytest.mark.parametrize("sample_rate", [22_050, 44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_tone_is_one_note(sample_rate: int, channels: int) -> None:
    samples = np.pad(tone(69, 0.6, sample_rate), ((0, 0), (sample_rate, sample_rate)))
    signal = AudioSignal(np.repeat(samples, channels, axis=0), sample_rate)
    (note,) = transcribe(signal, threads=1)
    assert note.pitch == 69
    assert note.start_s == pytest.approx(1, abs=0.05)
    assert note.end_s == pytest.approx(1.6, abs=0.05)


@pytest.mark.parametrize("deviation", [-1 / 3, 0, 1 / 3])
@pytest.mark.parametrize("pitch", [45, 57, 69, 76])
def test_bends_tell_how_far_a_tone_is_out_of_tune(pitch: int, deviation: float) -> None:
    samples = np.pad(tone(pitch + deviation, 0.6), ((0, 0), (RATE, RATE)))
    (note,) = transcribe_blocks([samples], RATE, threads=1)
    assert note.pitch == pitch
    assert np.median(note.bends) == pytest.approx(deviation)


def test_notes_hold_their_times_over_ten_minutes() -> None:
    pitches = (67, 69)
    period_s, duration_s = 0.9371, 600
    onsets_s = np.arange(0.5, duration_s - 1, period_s)

    def blocks() -> Iterator[Samples]:
        tones = {pitch: tone(pitch, 0.6) for pitch in pitches}
        edges = np.rint([0, *onsets_s, duration_s] * np.array(RATE)).astype(int)
        yield np.zeros((1, edges[1]), np.float32)
        for index, (start, end) in enumerate(pairwise(edges[1:].tolist())):
            sound = tones[pitches[index % len(pitches)]]
            yield np.pad(sound, ((0, 0), (0, end - start - sound.shape[1])))

    notes = transcribe_blocks(blocks(), RATE, threads=2)
    assert [note.pitch for note in notes] == [pitches[i % 2] for i in range(len(onsets_s))]
    np.testing.assert_allclose([note.start_s for note in notes], onsets_s, atol=0.01)


def test_progress_reaches_the_end() -> None:
    seen: list[float] = []
    transcribe_blocks([silence(2)] * 10, RATE, threads=1, on_progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(20, abs=0.02)


def test_cancelling_ends_the_work() -> None:
    def cancel(seconds: float) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        transcribe_blocks([silence(2)] * 10, RATE, threads=2, on_progress=cancel)


@pytest.mark.parametrize("name", ["lets_go_fishin.ogg", "vibe_ace.ogg"])
def test_decoding_in_pieces_finds_the_notes_of_the_whole(recordings: Path, name: str) -> None:
    samples, sample_rate = soundfile.read(recordings / name, dtype="float32", always_2d=True)
    parts = list(posteriorgrams([samples.T], sample_rate, threads=2))
    options = TranscriptionOptions()
    whole = decode(join(parts), options)
    pieces = list(
        decode_stream(parts, options, round(20 * FRAMES_PER_SECOND), round(5 * FRAMES_PER_SECOND))
    )
    assert len(pieces) == len(whole)
    for ours, expected in zip(in_order(pieces), in_order(whole), strict=True):
        assert ours.pitch == expected.pitch
        assert abs(ours.start - expected.start) <= 1
        assert abs(ours.end - expected.end) <= 1


def test_a_note_longer_than_many_pieces_stays_whole() -> None:
    frames, key = 3000, 60 - LOWEST_PITCH
    drone = Posteriorgrams(
        np.zeros((frames, PITCHES), np.float32),
        np.zeros((frames, PITCHES), np.float32),
        np.zeros((frames, 3 * PITCHES), np.float32),
    )
    drone.notes[10:2900, key] = 0.75
    drone.contours[:2000, 3 * key + 1] = 1
    drone.contours[2000:, 3 * key - 1] = 1
    options = TranscriptionOptions()
    parts = [drone[start : start + 142] for start in range(0, frames, 142)]
    (whole,) = decode(drone, options)
    assert list(decode_stream(parts, options, piece_frames=300, context_frames=100)) == [whole]
    assert whole.end - whole.start == len(whole.bends)


def in_order(notes: list[FrameNote]) -> list[FrameNote]:
    """Sorted so that a start one frame off does not exchange two notes."""
    return sorted(notes, key=lambda note: (note.pitch, note.start))
