"""The engine's transform and features in torch."""

import torch
from torch import Tensor

from unbraid.separation.lite import LITE

SAMPLE_RATE = 44_100
FREQUENCIES = torch.arange(LITE.bins) * (SAMPLE_RATE / LITE.n_fft)  # of the bins, in Hz
SILENCE = 1e-5  # level below which nothing is made louder


def spectrum(samples: Tensor) -> Tensor:
    """Transform as `unbraid.separation.stft.Stft` does, of the bins that the network sees.

    Args:
        samples: float32 [..., time].

    Returns:
        complex64 [..., frame, bin].
    """
    window = torch.hann_window(LITE.n_fft, device=samples.device)
    found = torch.stft(
        samples.flatten(0, -2), LITE.n_fft, LITE.hop_length, window=window, return_complex=True
    )
    seen = found.transpose(1, 2)[..., : LITE.bins]
    return seen.reshape(*samples.shape[:-1], -1, LITE.bins)


def power(spectrum: Tensor) -> Tensor:
    """|z|^2, in a third of the time that the square of the absolute value takes."""
    return spectrum.real.square() + spectrum.imag.square()


def levelled(stems: Tensor) -> Tensor:
    """Stems at the gain that brings their sum to a level of one.

    The engine divides by the level of the song; here the excerpt is the song.

    Args:
        stems: complex64 [batch, stem, 2, frame, bin].
    """
    level = power(stems.sum(1)).mean((1, 2, 3)).sqrt().clamp(min=SILENCE)
    return stems / level.view(-1, 1, 1, 1, 1)


def features(mixture: Tensor) -> Tensor:
    """What the network sees, as `unbraid.separation.lite.features` has it.

    Args:
        mixture: complex64 [batch, 2, frame, bin], at a level of one.

    Returns:
        float32 [batch, 4, frame, bin]: |L|, |R|, |M|, |S| to the power 0.3.
    """
    left, right = mixture.unbind(1)
    four = torch.stack([left, right, (left + right) / 2, (left - right) / 2], 1)
    return (power(four) + 1e-7) ** 0.15
