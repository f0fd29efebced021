import pytest
import torch
from torch import Tensor
from train.loss import separation_loss
from train.options import LossOptions

OPTIONS = LossOptions(magnitude=2.0, rms=1.0)


def stems_of(*levels: float) -> Tensor:
    """Stems of constant magnitude, [2, stem, 2, 3, 5], all in phase."""
    phase = torch.polar(torch.ones(2, 1, 2, 3, 5), torch.rand(2, 1, 2, 3, 5))
    return phase * torch.tensor(levels).view(1, -1, 1, 1, 1)


def masks_of(*shares: float) -> Tensor:
    return torch.tensor(shares).view(1, -1, 1, 1, 1).expand(2, -1, 2, 3, 5)


def test_a_perfect_estimate_costs_nothing() -> None:
    stems = stems_of(0.1, 0.2, 0.3, 0.4)
    loss = separation_loss(masks_of(0.1, 0.2, 0.3, 0.4), stems.sum(1), stems, OPTIONS)
    assert loss.total.item() == pytest.approx(0, abs=1e-5)


def test_errors_count_by_their_share_of_the_mixture() -> None:
    stems = stems_of(0.5, 0.5, 0.0, 0.0)
    loss = separation_loss(masks_of(1.0, 0.0, 0.0, 0.0), stems.sum(1), stems, OPTIONS)
    error = (0.5 + 0.5 + 0 + 0) / 4  # in the mean of the stems
    assert loss.magnitude.item() == pytest.approx(error, abs=1e-5)
    assert loss.rms.item() == pytest.approx(error, abs=1e-5)
    assert loss.total.item() == pytest.approx(2 * error + error, abs=1e-5)


def test_few_large_errors_cost_more_rms_than_many_small_ones() -> None:
    stems = stems_of(1.0, 0.0)
    masks = masks_of(1.0, 0.0).clone()
    masks[..., 0] = 0.5  # on one of five bins
    loss = separation_loss(masks, stems.sum(1), stems, OPTIONS)
    assert loss.magnitude.item() == pytest.approx((0.5 / 5 + 0.5 / 5) / 2, abs=1e-5)
    assert loss.rms.item() == pytest.approx((0.25 / 5) ** 0.5, abs=1e-5)


def test_the_level_of_the_song_does_not_matter() -> None:
    stems, masks = stems_of(0.7, 0.2), masks_of(0.4, 0.6)
    loud = separation_loss(masks, 10 * stems.sum(1), 10 * stems, OPTIONS)
    assert loud.total.item() == pytest.approx(
        separation_loss(masks, stems.sum(1), stems, OPTIONS).total.item(), rel=1e-4
    )


@pytest.mark.parametrize("levels", [(0.0, 0.0), (1.0, 0.0)])
def test_silent_stems_and_mixtures_have_finite_gradients(levels: tuple[float, float]) -> None:
    stems = stems_of(*levels)
    masks = masks_of(1.0, 0.0).clone().requires_grad_()
    loss = separation_loss(masks, stems.sum(1), stems, OPTIONS)
    loss.total.backward()
    assert masks.grad is not None
    assert torch.isfinite(masks.grad).all()
    assert loss.total.item() == pytest.approx(0, abs=1e-5)
