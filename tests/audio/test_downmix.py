import numpy as np
import pytest

from unbraid.audio import describe_downmix, to_stereo
from unbraid.types import Samples


def impulse(channels: int, channel: int) -> Samples:
    """One sample, full scale in one channel."""
    return np.eye(channels, dtype=np.float32)[:, channel : channel + 1]


def test_mono_goes_to_both_sides() -> None:
    mono = np.array([[0.25, -0.5]], np.float32)
    np.testing.assert_array_equal(to_stereo(mono), [[0.25, -0.5], [0.25, -0.5]])


def test_stereo_stays_as_it_is(noise: Samples) -> None:
    assert to_stereo(noise) is noise
    assert describe_downmix(2) is None


@pytest.mark.parametrize("channels", range(1, 17))
def test_full_scale_stays_within_full_scale(channels: int) -> None:
    loud = np.random.default_rng(0).choice([-1.0, 1.0], (channels, 1_000)).astype(np.float32)
    folded = to_stereo(loud)
    assert folded.shape == (2, 1_000)
    assert folded.dtype == np.float32
    assert np.abs(folded).max() <= 1.0


@pytest.mark.parametrize("channels", [3, 5, 6, 7, 8])
def test_centre_is_3_db_below_the_sides_and_in_the_middle(channels: int) -> None:
    left, centre = to_stereo(impulse(channels, 0)), to_stereo(impulse(channels, 2))
    assert left[1, 0] == 0
    assert centre[0, 0] == centre[1, 0]
    assert centre[0, 0] == pytest.approx(left[0, 0] * 0.5**0.5)


@pytest.mark.parametrize("channels", [6, 7, 8])
def test_low_frequency_channel_is_left_out(channels: int) -> None:
    assert not to_stereo(impulse(channels, 3)).any()


def test_surround_channels_stay_on_their_side() -> None:
    assert to_stereo(impulse(6, 4))[1, 0] == 0 < to_stereo(impulse(6, 4))[0, 0]
    assert to_stereo(impulse(6, 5))[0, 0] == 0 < to_stereo(impulse(6, 5))[1, 0]


def test_many_channels_are_taken_for_pairs() -> None:
    pairs = np.tile(np.array([[0.5], [-0.25]], np.float32), (6, 10))
    np.testing.assert_allclose(to_stereo(pairs), np.tile([[0.5], [-0.25]], (1, 10)), rtol=1e-6)


@pytest.mark.parametrize("channels", [1, 3, 6, 12])
def test_folding_is_described(channels: int) -> None:
    assert describe_downmix(channels)
