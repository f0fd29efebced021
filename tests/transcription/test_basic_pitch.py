import hashlib
from itertools import pairwise

import numpy as np
import pytest

from unbraid.transcription import basic_pitch
from unbraid.transcription.basic_pitch import SAMPLE_RATE, frame_time_s, join, posteriorgrams
from unbraid.types import Samples


def noise(length: int, channels: int = 1) -> Samples:
    return np.random.default_rng(0).normal(0, 0.1, (channels, length)).astype(np.float32)


def test_the_network_is_the_published_one() -> None:
    digest = hashlib.sha256(basic_pitch.NETWORK.read_bytes()).hexdigest()
    assert digest == "2c3c1d144bfa61ad236e92e169c13535c880469a12a047d4e73451f2c059a0ec"


def test_frames_follow_each_other_by_a_hop_or_a_seam() -> None:
    times = np.array([frame_time_s(frame) for frame in range(500)]) * SAMPLE_RATE
    steps = np.rint(np.diff(times)).astype(int)
    seams = np.arange(1, 500) % 142 == 0
    assert set(steps[~seams]) == {256}
    assert set(steps[seams]) == {68}


@pytest.mark.parametrize(
    "length", [1, 255, 256, 257, 36_163, 36_164, 36_165, 40_004, 40_005, 80_000]
)
def test_the_frames_are_those_within_the_recording(length: int) -> None:
    frames = sum(len(part) for part in posteriorgrams([noise(length)], SAMPLE_RATE, threads=1))
    assert frame_time_s(frames - 1) * SAMPLE_RATE < length - 1e-6
    assert frame_time_s(frames) * SAMPLE_RATE > length - 1e-6 - 188  # windows overlap by 188


def test_blocks_and_threads_do_not_change_the_result() -> None:
    samples = noise(200_000, channels=2)
    whole = join(posteriorgrams([samples], 44_100, threads=1))
    blocks = [samples[:, start:end] for start, end in pairwise([0, 1, 1, 700, 90_000, 200_000])]
    parts = join(posteriorgrams(blocks, 44_100, threads=3))
    for name in ("onsets", "notes", "contours"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(parts, name))


def test_channels_are_averaged() -> None:
    samples = noise(50_000)
    mono = join(posteriorgrams([samples], SAMPLE_RATE, threads=1))
    stereo = join(
        posteriorgrams([np.concatenate([2 * samples, 0 * samples])], SAMPLE_RATE, threads=1)
    )
    np.testing.assert_allclose(mono.notes, stereo.notes, atol=1e-5)


def test_an_empty_recording_has_no_frames() -> None:
    assert list(posteriorgrams([], SAMPLE_RATE, threads=1)) == []
    assert list(posteriorgrams([noise(0)], 48_000, threads=1)) == []


def test_dithered_silence_is_silence() -> None:
    rng = np.random.default_rng(0)
    dither = np.round(rng.random((1, 100_000)) - rng.random((1, 100_000))) / 2**15
    heard = join(posteriorgrams([dither.astype(np.float32)], SAMPLE_RATE, threads=1))
    assert heard.notes.max() == heard.onsets.max() == 0
