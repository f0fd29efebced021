import torch
from train.cues import GREATEST, cues, look, prior
from train.features import FREQUENCIES

MIDDLE_TO_SIDE, BALANCE, STEADY, MEAN, BACK, OLD_TO_NEW = range(6)
BINS = 200


def told(power: torch.Tensor) -> torch.Tensor:
    """Cues of powers of left, right, mid and side, [4, frame, bin]."""
    return cues(look((power[None] + 1e-7) ** 0.15))[0]


def noise(frames: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(frames, BINS, generator=generator) + 0.5


def test_what_is_steady_is_told_from_what_is_struck() -> None:
    power = torch.full((4, 60, BINS), 1e-3)
    power[:, :, 70] = power[:, 30] = 1.0
    steady = told(power)[STEADY]
    assert steady[10, 70] > 0.5
    assert steady[30, 150] < -0.5


def test_the_middle_is_told_from_the_sides() -> None:
    power = noise(40).repeat(4, 1, 1)
    power[3] *= 1e-3  # side
    power[1, :, 100:] *= 1e-3  # right
    found = told(power)
    assert (found[MIDDLE_TO_SIDE] > 1).all()
    assert (found[BALANCE, :, :100] == 0).all()
    assert (found[BALANCE, :, 100:] > 1).all()


def test_what_comes_back_is_told_from_what_is_new() -> None:
    loop = noise(8)
    power = loop.repeat(40, 1).repeat(4, 1, 1)
    power[:, 100:104, 50:60] = 50.0
    found = told(power)
    assert found[BACK, 100:104, 50:60].max() < found[BACK, 200:].min() - 0.2
    assert found[OLD_TO_NEW, 100:104, 50:60].max() < found[OLD_TO_NEW, 200:].min()


def test_few_frames_and_silence_are_no_special_cases() -> None:
    for frames in (1, 5):
        found = told(torch.zeros(4, frames, BINS))
        assert torch.isfinite(found).all()
        assert found.abs().max() <= GREATEST


def test_the_prior_separates_without_training() -> None:
    bins = len(FREQUENCIES)
    power = torch.full((4, 300, bins), 1e-4)
    power[:, :, 10] = 1.0  # 108 Hz, held
    power[:, :, 200] = 1.0  # 2.2 kHz, held
    power[:, ::40] = 1.0  # strokes
    power[:3, 105:115, 90] = 20.0  # 1 kHz, once, in the middle
    masks = prior(look((power[None] + 1e-7) ** 0.15))[0].exp()
    assert masks.sum(0).sub(1).abs().max() < 0.1
    places = {0: (110, 90), 1: (160, 500), 2: (150, 10), 3: (150, 200)}
    for stem, (frame, bin_) in places.items():
        assert masks[:, frame, bin_].argmax() == stem
