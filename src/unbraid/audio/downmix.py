"""Any number of channels folded to stereo, by ITU-R BS.775-3, annex 4.

Each side is a weighted mean: its weights are scaled to add up to 1, so that what stays within
full scale before does so after. Low-frequency channels are left out, as the recommendation has it.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from unbraid.types import Samples

Speaker = Literal["L", "R", "C", "LFE", "Ls", "Rs", "Lb", "Rb", "Cs"]

_HALF_POWER = 0.5**0.5
_SIDES: dict[Speaker, tuple[float, float]] = {
    "L": (1.0, 0.0),
    "R": (0.0, 1.0),
    "C": (_HALF_POWER, _HALF_POWER),
    "LFE": (0.0, 0.0),
    "Ls": (_HALF_POWER, 0.0),
    "Rs": (0.0, _HALF_POWER),
    "Lb": (_HALF_POWER, 0.0),
    "Rb": (0.0, _HALF_POWER),
    "Cs": (0.5, 0.5),
}


@dataclass(frozen=True)
class _Layout:
    name: str
    speakers: tuple[Speaker, ...]


_LAYOUTS: dict[int, _Layout] = {
    3: _Layout("3.0", ("L", "R", "C")),
    4: _Layout("quadraphonic", ("L", "R", "Lb", "Rb")),
    5: _Layout("5.0", ("L", "R", "C", "Ls", "Rs")),
    6: _Layout("5.1", ("L", "R", "C", "LFE", "Ls", "Rs")),
    7: _Layout("6.1", ("L", "R", "C", "LFE", "Cs", "Ls", "Rs")),
    8: _Layout("7.1", ("L", "R", "C", "LFE", "Lb", "Rb", "Ls", "Rs")),
}
"""Speakers by number of channels, in the order of WAVEFORMATEXTENSIBLE."""


def to_stereo(block: Samples) -> Samples:
    """Fold a block to two channels.

    Args:
        block: float32 [channel, time], channels in WAV's order. One goes to both sides, two stay
            as they are, three to eight are the usual loudspeaker layouts, and more are taken for
            pairs: the first, third, fifth … to the left, the others to the right.

    Returns:
        float32 [2, time].
    """
    channels = block.shape[0]
    if channels == 1:
        return np.repeat(block, 2, axis=0)
    if channels == 2:
        return block
    folded: Samples = _weights(channels) @ block
    return folded


def describe_downmix(channels: int) -> str | None:
    """Say what `to_stereo` does to this many channels; None if nothing."""
    if channels == 1:
        return "mono on both sides"
    if channels == 2:
        return None
    if channels in _LAYOUTS:
        layout = _LAYOUTS[channels]
        return f"{layout.name} ({' '.join(layout.speakers)}) folded to stereo by ITU-R BS.775"
    return f"{channels} channels taken for pairs, their left and right sides averaged"


def _weights(channels: int) -> Samples:
    """Weight of every channel on either side, float32 [2, channel]."""
    if channels in _LAYOUTS:
        speakers = [_SIDES[speaker] for speaker in _LAYOUTS[channels].speakers]
    else:
        speakers = [_SIDES["R" if channel % 2 else "L"] for channel in range(channels)]
    sides = np.array(speakers, np.float32).T
    weights: Samples = sides / sides.sum(axis=1, keepdims=True)
    return weights
