"""What a spectrogram tells without training, cell by cell.

Three old ideas. What is steady in time is harmonic, what is steady in frequency is struck
(Fitzgerald, 2010). What comes back is accompaniment (REPET-SIM, Rafii and Pardo, 2012). What is
equal in both channels is in the middle, where voices are mixed. Medians are means of logarithms
here, which ONNX can tell, and which separate no worse.

The network weighs these as cues in each band; and they make masks of their own, a prior that knows
no instrument, and so is not wrong where the network is.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from train.features import FREQUENCIES

CUES = 6
STEADY_FRAMES, STRUCK_BINS = 17, 31  # 0.4 s, 330 Hz
ALIKE_FRAMES = 32  # frames that count as like a frame, itself among them
LATER = 1e3  # distance of frames that are not to be heard
SMALL = 1e-6
LEAST_NEW = 0.02  # share of a cell
POWER = 0.15  # of the features, from the power
SCALE = 0.25  # brings the cues to about a level of one
GREATEST = 3.0
BASS_HZ, LOWEST_VOICE_HZ, HIGHEST_VOICE_HZ = 200, 150, 10_000
LEAST_SHARE = 0.02  # of a mask of the prior


@dataclass(frozen=True)
class Clues:
    """Ratios of powers in nepers, float32 [batch, frame, bin].

    Attributes:
        middle: mid to side.
        apart: the louder channel to the other.
        steady: what is steady in time to what is steady in frequency.
        mean: the mean over all frames to the cell.
        back: the mean over the frames most alike to the cell.
    """

    middle: Tensor
    apart: Tensor
    steady: Tensor
    mean: Tensor
    back: Tensor


def look(features: Tensor, causal: bool = False) -> Clues:
    """Find the clues.

    Args:
        features: float32 [batch, 4, frame, bin], see `unbraid.separation.lite.features`.
        causal: whether those of a frame come from it and the frames before it alone.
    """
    whole = loudness(features)
    return clues(
        features,
        _steady(whole, causal),
        _mean(whole, causal),
        _alike(features, causal) @ whole,
    )


def loudness(features: Tensor) -> Tensor:
    """Of both channels in nepers of power, [batch, frame, bin]."""
    return features[:, :2].log().mean(1) / POWER


def clues(features: Tensor, steady: Tensor, mean: Tensor, back: Tensor) -> Clues:
    """Clues from the loudness of what surrounds each cell.

    Args:
        features: float32 [batch, 4, frame, bin].
        steady: mean over the frames around, [batch, frame, bin].
        mean: over all frames.
        back: over the frames most alike.
    """
    left, right, mid, side = (features.log() / POWER).unbind(1)
    whole = (left + right) / 2
    return Clues(
        middle=mid - side,
        apart=(left - right).abs(),
        steady=steady - _mean_around(whole, (1, STRUCK_BINS)),
        mean=mean - whole,
        back=back - whole,
    )


def cues(clues: Clues) -> Tensor:
    """What the network is told, [batch, 6, frame, bin]; last, what comes back to what is new."""
    new = 1 - clues.back.clamp(max=-LEAST_NEW).exp()
    found = [clues.middle, clues.apart, clues.steady, clues.mean, clues.back]
    stacked = torch.stack([*found, clues.back - new.log()], 1)
    return (SCALE * stacked).clamp(-GREATEST, GREATEST)


def prior(clues: Clues) -> Tensor:
    """Logarithms of masks [batch, stem, frame, bin] that need no training.

    What is new and in the middle sings, what is struck is drums, what is low is bass.
    """
    hz = FREQUENCIES.to(clues.middle.device)
    low = 1 / (1 + (hz / BASS_HZ) ** 8)
    voiced = (1 - 1 / (1 + (hz / LOWEST_VOICE_HZ) ** 8)) / (1 + (hz / HIGHEST_VOICE_HZ) ** 8)
    new = 1 - (clues.back.clamp(max=0) / 2).exp()
    voice = new * torch.sigmoid(clues.middle) * voiced
    drums = torch.sigmoid(-clues.steady)
    rest = (1 - voice) * (1 - drums)
    masks = torch.stack([voice, (1 - voice) * drums, rest * low, rest * (1 - low)], 1)
    return (masks + LEAST_SHARE).log()


def _steady(x: Tensor, causal: bool) -> Tensor:
    """The mean over frames around each, or before it."""
    if not causal:
        return _mean_around(x, (STEADY_FRAMES, 1))
    before = STEADY_FRAMES - 1
    padded = functional.pad(x, (0, 0, before, 0))
    counts = torch.arange(1, x.shape[1] + 1, device=x.device).clamp(max=STEADY_FRAMES)
    sums = functional.avg_pool2d(padded[:, None], (STEADY_FRAMES, 1), stride=1)[:, 0]
    return sums * (STEADY_FRAMES / counts)[:, None]


def _mean(x: Tensor, causal: bool) -> Tensor:
    if not causal:
        return x.mean(1, keepdim=True)
    return x.cumsum(1) / torch.arange(1, x.shape[1] + 1, device=x.device)[:, None]


def _mean_around(x: Tensor, size: tuple[int, int]) -> Tensor:
    padding = (size[0] // 2, size[1] // 2)
    mean: Tensor = functional.avg_pool2d(
        x[:, None], size, stride=1, padding=padding, count_include_pad=False
    )
    return mean[:, 0]


def _alike(features: Tensor, causal: bool) -> Tensor:
    """Weights [batch, frame, frame] of a mean over the frames that most resemble each frame."""
    frames = profiles(features)
    distance = (1 - frames @ frames.transpose(1, 2)).clamp(min=0)
    if causal:
        distance = distance + LATER * torch.ones_like(distance).triu(1)
    return weights(distance)


def profiles(features: Tensor) -> Tensor:
    """Frames as vectors of length one, [batch, frame, 4 x bin]."""
    return functional.normalize(features.transpose(1, 2).flatten(2), dim=-1)


def weights(distance: Tensor) -> Tensor:
    """Of a mean over the frames that are nearest, of distances [batch, frame, other frame]."""
    ranked = functional.pad(distance, (0, ALIKE_FRAMES), value=1.0)  # there may be fewer frames
    reach = ranked.topk(ALIKE_FRAMES, largest=False).values[..., -1:]
    found = (-2 * (distance / (reach + SMALL)) ** 4).exp()
    return found / found.sum(-1, keepdim=True)
