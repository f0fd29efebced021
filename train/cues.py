"""What a spectrogram tells without training, cell by cell: what the network weighs in each band.

Three old ideas. What is steady in time is harmonic, what is steady in frequency is struck
(Fitzgerald, 2010). What comes back is accompaniment (REPET-SIM, Rafii and Pardo, 2012). What is
equal in both channels is in the middle, where voices are mixed. Medians are means of logarithms
here, which ONNX can tell, and which separate no worse.
"""

import torch
from torch import Tensor
from torch.nn import functional

CUES = 6
STEADY_FRAMES, STRUCK_BINS = 17, 31  # 0.4 s, 330 Hz
ALIKE_FRAMES = 32  # frames that count as like a frame, itself among them
SMALL = 1e-6
LEAST_NEW = 0.02  # share of a cell
POWER = 0.15  # of the features, from the power
SCALE = 0.25  # brings the cues to about a level of one
GREATEST = 3.0


def cues(features: Tensor) -> Tensor:
    """Ratios of powers in nepers, scaled.

    Args:
        features: float32 [batch, 4, frame, bin], see `unbraid.separation.lite.features`.

    Returns:
        float32 [batch, 6, frame, bin]: mid to side; the louder channel to the other; steady in time
        to steady in frequency; the mean over all frames to the cell; what comes back to the cell,
        and to the rest of the cell.
    """
    left, right, mid, side = (features.log() / POWER).unbind(1)
    whole = (left + right) / 2
    steady = _mean_around(whole, (STEADY_FRAMES, 1))
    struck = _mean_around(whole, (1, STRUCK_BINS))
    back = _alike(features) @ whole - whole
    new = 1 - back.clamp(max=-LEAST_NEW).exp()
    found = [
        mid - side,
        (left - right).abs(),
        steady - struck,
        whole.mean(1, keepdim=True) - whole,
        back,
        back - new.log(),
    ]
    return (SCALE * torch.stack(found, 1)).clamp(-GREATEST, GREATEST)


def _mean_around(x: Tensor, size: tuple[int, int]) -> Tensor:
    padding = (size[0] // 2, size[1] // 2)
    mean: Tensor = functional.avg_pool2d(
        x[:, None], size, stride=1, padding=padding, count_include_pad=False
    )
    return mean[:, 0]


def _alike(features: Tensor) -> Tensor:
    """Weights [batch, frame, frame] of a mean over the frames that most resemble each frame."""
    frames = functional.normalize(features.transpose(1, 2).flatten(2), dim=-1)
    likeness = frames @ frames.transpose(1, 2)
    ranked = functional.pad(likeness, (0, ALIKE_FRAMES), value=-1.0)  # there may be fewer frames
    least = ranked.topk(ALIKE_FRAMES).values[..., -1:]
    weights = ((likeness - least).clamp(min=0) + SMALL).sqrt()  # no frame enters with a jump
    return weights / weights.sum(-1, keepdim=True)
