"""How far masked mixtures are from the true stems."""

from dataclasses import dataclass

from torch import Tensor

from train.features import power
from train.options import LossOptions

SILENCE = 1e-6  # magnitude, against a mixture at a level of one


@dataclass(frozen=True)
class Loss:
    """Means over a batch.

    Attributes:
        total: what is minimised.
        magnitude: mean error, relative to the mixture.
        rms: root mean square error, relative to the mixture.
    """

    total: Tensor
    magnitude: Tensor
    rms: Tensor


def separation_loss(masks: Tensor, mixture: Tensor, stems: Tensor, options: LossOptions) -> Loss:
    """Compare masked mixtures with true stems.

    With the error E = M X - S of a stem S under its mask M of the mixture X, and means over
    channels, frames and bins,

        magnitude = mean |E| / mean |X|,    rms = sqrt(mean |E|^2 / mean |X|^2),

    both averaged over stems and batch; the loss is their weighted sum. Errors are measured by the
    mixture and not by the stem, so a silent stem asks for silence on the scale of all others.

    Args:
        masks: float32 [batch, stem, 2, frame, bin].
        mixture: complex64 [batch, 2, frame, bin], at a level of one or silent.
        stems: complex64 [batch, stem, 2, frame, bin].
        options: weights of the two parts.
    """
    real = masks * mixture.real.contiguous()[:, None] - stems.real
    imaginary = masks * mixture.imag.contiguous()[:, None] - stems.imag
    error_power, mixture_power = real.square() + imaginary.square(), power(mixture)
    magnitude = _mean_root(error_power) / (_mean_root(mixture_power) + SILENCE)
    ratio = error_power.mean((2, 3, 4)) / (mixture_power.mean((1, 2, 3))[:, None] + SILENCE**2)
    rms = (ratio + SILENCE**2).sqrt()
    total = options.magnitude * magnitude.mean() + options.rms * rms.mean()
    return Loss(total, magnitude.mean(), rms.mean())


def _mean_root(squares: Tensor) -> Tensor:
    """Mean of the roots over channels, frames and bins, [batch, stem or one]; smooth at zero."""
    roots = (squares + SILENCE**2).sqrt() - SILENCE
    return roots.mean((-3, -2, -1)).reshape(len(squares), -1)
