import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from unbraid.analysis.onsets import OnsetEnvelope
from unbraid.types import Samples

RATE = 22050


def clicks(at_s: list[float], duration_s: float, sample_rate: int = RATE) -> Samples:
    samples = np.zeros((1, round(duration_s * sample_rate)), np.float32)
    for start in at_s:
        samples[0, round(start * sample_rate)] = 0.5
    return samples


@pytest.mark.parametrize("sample_rate", [8000, 22050, 44100, 48000])
def test_an_onset_stands_where_the_sound_begins(sample_rate: int) -> None:
    onsets = OnsetEnvelope(sample_rate)
    onsets.push(clicks([1.5], 3.0, sample_rate))
    peak_s = np.argmax(onsets.envelope()) / onsets.frame_rate
    assert peak_s == pytest.approx(1.5, abs=0.02)


def test_bands_tell_low_from_high() -> None:
    time_s = np.arange(RATE) / RATE
    for band, hertz in enumerate((80, 1000, 9000)):
        onsets = OnsetEnvelope(RATE)
        tone = 0.3 * np.sin(2 * np.pi * hertz * time_s) * (time_s > 0.5)
        onsets.push(tone.astype(np.float32)[np.newaxis] * np.hanning(RATE).astype(np.float32))
        assert onsets.bands().sum(axis=1).argmax() == band


def test_nothing_pushed_is_an_empty_envelope() -> None:
    onsets = OnsetEnvelope(RATE)
    assert len(onsets.envelope()) == len(onsets.level()) == 0
    assert onsets.bands().shape == (3, 0)


@given(st.lists(st.integers(0, 3000), max_size=12))
@settings(max_examples=25, deadline=None)
def test_the_envelope_does_not_depend_on_the_blocks(lengths: list[int]) -> None:
    track = clicks([0.1, 0.4, 0.7], 1.0)
    whole, parts = OnsetEnvelope(RATE), OnsetEnvelope(RATE)
    whole.push(track)
    for block in np.split(track, np.minimum(np.cumsum(lengths), track.shape[1]), axis=1):
        parts.push(block)
    np.testing.assert_allclose(parts.envelope(), whole.envelope(), atol=1e-5)
