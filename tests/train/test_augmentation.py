from dataclasses import replace
from typing import Any

import pytest
import torch
from tests.train.tiny import OFF
from torch import Tensor
from train.augmentation import Augmentation
from train.features import FREQUENCIES
from train.options import AugmentationOptions

SEED = torch.Generator().manual_seed(1)
SAMPLES = torch.randn(8, 4, 2, 50, generator=SEED)
SPECTRA = torch.randn(8, 4, 2, 6, len(FREQUENCIES), dtype=torch.complex64, generator=SEED)


def augmentation(**options: Any) -> Augmentation:
    """With nothing switched on but what is named."""
    return Augmentation(replace(OFF, **options), FREQUENCIES, torch.Generator().manual_seed(0))


def test_what_is_switched_off_changes_nothing() -> None:
    torch.testing.assert_close(augmentation().samples(SAMPLES), SAMPLES)
    torch.testing.assert_close(augmentation().spectra(SPECTRA), SPECTRA)


def test_the_same_seed_varies_alike() -> None:
    def varied(seed: int) -> tuple[Tensor, Tensor]:
        generator = torch.Generator().manual_seed(seed)
        vary = Augmentation(AugmentationOptions(), FREQUENCIES, generator)
        return vary.samples(SAMPLES), vary.spectra(SPECTRA)

    torch.testing.assert_close(varied(3), varied(3), rtol=0, atol=0)
    assert not any(map(torch.equal, varied(3), varied(4)))


def test_swapped_stems_have_left_for_right() -> None:
    torch.testing.assert_close(augmentation(swap=1).samples(SAMPLES), SAMPLES.flip(2))


def test_width_leaves_the_middle_and_scales_the_sides() -> None:
    widened = augmentation(width=1).samples(SAMPLES)
    torch.testing.assert_close(widened.sum(2), SAMPLES.sum(2), rtol=1e-4, atol=1e-5)
    sides, before = (each[:, :, 0] - each[:, :, 1] for each in (widened, SAMPLES))
    widths = (sides * before).sum(-1) / before.square().sum(-1)
    torch.testing.assert_close(sides, widths[..., None] * before, rtol=1e-4, atol=1e-5)
    assert 0 <= widths.min() < widths.max() <= 1.6


def test_gain_is_one_number_for_each_stem() -> None:
    gains = augmentation(gain_db=4).samples(SAMPLES) / SAMPLES
    torch.testing.assert_close(gains, gains[..., :1, :1].expand_as(gains))
    assert 2 < (20 * gains[..., 0, 0].log10()).std() < 6


def test_polarity_turns_the_sign() -> None:
    torch.testing.assert_close(augmentation(polarity=1).samples(SAMPLES), -SAMPLES)


def test_dropped_stems_are_silent_and_the_others_as_they_were() -> None:
    left = augmentation(drop=(1, 0, 0, 1)).samples(SAMPLES)
    assert not left[:, [0, 3]].any()
    torch.testing.assert_close(left[:, 1:3], SAMPLES[:, 1:3])


def test_solo_leaves_one_stem_even_where_it_would_be_dropped() -> None:
    alone = augmentation(solo=1, drop=(1, 1, 1, 1)).samples(SAMPLES)
    assert (alone != 0).any(3).any(2).sum(1).tolist() == [1] * len(SAMPLES)


def test_an_equaliser_curve_is_smooth_and_each_stem_has_its_own() -> None:
    equalised = augmentation(equaliser=1, equaliser_db=3).spectra(SPECTRA)
    curves = 20 * (equalised / SPECTRA).abs().log10()
    torch.testing.assert_close(curves, curves[:, :, :1, :1].expand_as(curves), rtol=0, atol=1e-3)
    assert curves[:, :, 0, 0].diff(dim=-1).abs().max() < 1  # dB from bin to bin
    assert curves[:, :, 0, 0].std(dim=1).mean() > 1


@pytest.mark.parametrize("effect", ["master_equaliser", "compression", "band_limit"])
def test_effects_on_the_mixture_are_one_gain_on_all_stems(effect: str) -> None:
    stems = SPECTRA * torch.linspace(0.2, 2.0, 6)[:, None]
    varied = augmentation(**{effect: 1.0}).spectra(stems)
    gain = varied[:, 0, 0] / stems[:, 0, 0]
    torch.testing.assert_close(varied, stems * gain[:, None, None], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(varied.sum(1), stems.sum(1) * gain[:, None], rtol=1e-4, atol=1e-4)
    assert (gain.abs() - 1).abs().amax((1, 2)).min() > 1e-3


def test_compression_brings_loud_and_quiet_frames_together() -> None:
    frames = torch.cat([SPECTRA] * 4, 3)
    frames[:, :, :, 12:] *= 10  # 20 dB
    levels = augmentation(compression=1).spectra(frames).sum(1).abs().square().mean((1, 3))
    steps_db = 10 * (levels[:, -6:].mean(1) / levels[:, :6].mean(1)).log10()
    assert 9 < steps_db.min() < steps_db.max() < 20.1


def test_a_band_limit_takes_the_high_frequencies_alone() -> None:
    gain_db = 20 * (augmentation(band_limit=1).spectra(SPECTRA) / SPECTRA).abs().log10()
    low, high = gain_db[..., FREQUENCIES < 5_000], gain_db[..., FREQUENCIES > 15_000]
    assert low.abs().max() < 1e-4
    assert -41 < high.min() < high.max() < -9
