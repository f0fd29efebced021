"""What recordings went through: tape, telephones, MP3."""

from io import BytesIO

import numpy as np
import soundfile

from train.synthesis.filters import high_pass, low_pass
from unbraid.demo.room import RATE, Array
from unbraid.types import Samples


def wow(stems: Array, depth: float, rate_hz: float) -> Array:
    """Tape whose speed sways by `depth`; all stems [stem, 2, time] sway together."""
    time = np.arange(stems.shape[-1])
    sway = depth * RATE / (2 * np.pi * rate_hz) * np.sin(2 * np.pi * rate_hz * time / RATE)
    read = (time + sway).clip(0, len(time) - 1)
    return np.apply_along_axis(lambda channel: np.interp(read, time, channel), -1, stems)


def telephone(stems: Array) -> Array:
    """The band that a small loudspeaker or a telephone leaves."""
    for _ in range(2):
        stems = low_pass(high_pass(stems, 300), 3400)
    return stems


def through_mp3(stem: Samples, compression: float) -> Samples:
    """A stem coded as MP3 and decoded.

    Args:
        stem: float32 [2, time].
        compression: 0 for the highest bit rate, 1 for the lowest.

    Returns:
        float32 [2, time], neither late nor early.
    """
    coded = BytesIO()
    soundfile.write(
        coded,
        stem.T,
        RATE,
        format="MP3",
        subtype="MPEG_LAYER_III",
        compression_level=compression,
        bitrate_mode="CONSTANT",
    )
    coded.seek(0)
    decoded: Samples = soundfile.read(coded, dtype="float32")[0].T
    return np.pad(decoded, ((0, 0), (0, stem.shape[1])))[:, : stem.shape[1]]
