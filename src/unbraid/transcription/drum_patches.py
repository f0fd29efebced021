"""Where something begins in a drum stem, and how that looks: levels in bands, around moments."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import scipy  # its parts load at first use

from unbraid.audio.resample import Resampler, resample_blocks
from unbraid.types import Samples

Levels: TypeAlias = npt.NDArray[np.float16]
"""Decades of power [frame, band], 0 for a sine of full scale in one band."""

SAMPLE_RATE = 44_100
HOP = 441
WINDOW = 2048
FRAMES_PER_SECOND = SAMPLE_RATE // HOP
COARSE_BANDS, COARSE_RANGE_HZ = 24, (40.0, 16_000.0)  # as wide in pitch; the lowest begins lower
FINE_BANDS, FINE_RANGE_HZ = 12, (5_000.0, 20_000.0)  # as wide in hertz, to tell cymbals apart
BANDS = COARSE_BANDS + FINE_BANDS
SILENCE = -9.0  # decades; nothing begins in a stem that stays below
RANGE_DECADES = 6.0  # what is softer than the loudest by more counts as silence

LEAST_RISE = 0.05  # decades, mean over the coarse bands
RISE_DELAY = 1.2  # frames from where the levels rise to where the stroke begins
DRUM_LAGS = (-8, -5, -3, -2, -1, 0, 1, 2, 3, 4, 6, 9, 13, 18, 26, 38)  # frames of a patch
SONG_LAGS = (-3, -2, -1, 0, 1, 2, 4, 8)
STEM_FEATURES = len(DRUM_LAGS) * BANDS  # the first ones of a patch
ATTACK_LAGS = (0, 1, 2)
USUAL_PERCENTILES = (50, 95)  # of a stem's levels where something begins


def band_levels(blocks: Iterable[Samples], sample_rate: int) -> Levels:
    """Measure a recording.

    Args:
        blocks: the recording in order, float32 [channel, time] each, of any size.
        sample_rate: samples per second of the blocks.

    Returns:
        float16 [frame, band], frame k centred on k / 100 seconds: 17 MB for an hour.
    """
    mono = (block.mean(axis=0, keepdims=True) for block in blocks)
    window = np.hanning(WINDOW + 1)[:-1].astype(np.float32)
    window *= 2 / window.sum()
    filters = _filters()
    pending = np.zeros(WINDOW // 2, np.float32)  # centres the first window on time 0
    parts = [np.zeros((0, BANDS), np.float16)]
    for block in resample_blocks(mono, Resampler(sample_rate, SAMPLE_RATE, channels=1)):
        pending = np.concatenate([pending, block[0]])
        if len(pending) >= WINDOW:
            windows = np.lib.stride_tricks.sliding_window_view(pending, WINDOW)[::HOP]
            power = np.abs(scipy.fft.rfft(windows * window)) ** 2 @ filters
            parts.append(np.log10(power + 1e-12).astype(np.float16))
            pending = pending[HOP * len(windows) :]
    return np.concatenate(parts)


def _filters() -> npt.NDArray[np.float32]:
    """Which bin belongs to which band [bin, band]."""
    bins_hz = np.fft.rfftfreq(WINDOW, 1 / SAMPLE_RATE)
    coarse = np.searchsorted(np.geomspace(*COARSE_RANGE_HZ, COARSE_BANDS + 1)[1:], bins_hz)
    coarse[0] = -1  # in none
    fine = np.searchsorted(np.linspace(*FINE_RANGE_HZ, FINE_BANDS + 1), bins_hz, "right") - 1
    filters = [
        band[:, np.newaxis] == np.arange(count)
        for band, count in ((coarse, COARSE_BANDS), (fine, FINE_BANDS))
    ]
    return np.concatenate(filters, axis=1, dtype=np.float32)


class Moments:
    """All that might be strokes in a drum stem, and much else: where its levels rise fastest.

    The onsets are those of J. P. Bello et al., "A Tutorial on Onset Detection in Music Signals",
    IEEE Transactions on Speech and Audio Processing 13 (2005), on logarithmic levels.

    Attributes:
        frames: int [moment], those of the fastest rise.
    """

    def __init__(self, drums: Levels, song: Levels) -> None:
        """Find the moments.

        Args:
            drums: the stem.
            song: the mixture that it comes from, as long.
        """
        self._drums, self._song = drums, song
        self._loudest = float(drums.max(initial=SILENCE))
        floored = np.maximum(drums[:, :COARSE_BANDS], np.float16(self._loudest - RANGE_DECADES))
        rise = np.zeros(max(3, len(drums)))
        rise[1 : len(drums) - 1] = (floored[2:] - floored[:-2]).clip(0).mean(1, dtype=np.float64)
        before, here, after = rise[:-2], rise[1:-1], rise[2:]
        self.frames = np.flatnonzero((here >= before) & (here > after) & (here > LEAST_RISE)) + 1
        self._rise = rise

    def __len__(self) -> int:
        """How many there are."""
        return len(self.frames)

    @property
    def times_s(self) -> npt.NDArray[np.float64]:
        """When strokes at the moments begin [moment], between frames by a parabola."""
        before, here, after = (self._rise[self.frames + lag] for lag in (-1, 0, 1))
        offset = (before - after) / (2 * (before - 2 * here + after) - 1e-9)
        return np.asarray((self.frames + offset.clip(-0.5, 0.5) + RISE_DELAY) / FRAMES_PER_SECOND)

    def patches(self, part: slice) -> npt.NDArray[np.float32]:
        """What a network is shown of some moments: the stem, the song, what is usual in the stem.

        Args:
            part: which moments.

        Returns:
            float32 [moment, feature].
        """
        frames = self.frames[part]
        shown = (
            self._around(self._drums, frames, DRUM_LAGS),
            self._around(self._song, frames, SONG_LAGS),
            np.repeat(self._usual, len(frames), axis=0),
        )
        return np.concatenate(shown, axis=1)

    def attack(self) -> npt.NDArray[np.float32]:
        """How loud the stem is as each moment begins [moment, band], in decades of power."""
        around = self._around(self._drums, self.frames, ATTACK_LAGS)
        return np.asarray(around.reshape(len(self), len(ATTACK_LAGS), BANDS).max(axis=1))

    @cached_property
    def _usual(self) -> npt.NDArray[np.float32]:
        stem = self._relative(self._drums[self.frames])
        usual = np.percentile(stem, USUAL_PERCENTILES, axis=0)
        return np.asarray(usual.reshape(1, -1), np.float32)

    def _around(
        self, levels: Levels, frames: npt.NDArray[np.intp], lags: Sequence[int]
    ) -> npt.NDArray[np.float32]:
        places = (frames[:, np.newaxis] + np.array(lags)).clip(0, len(levels) - 1)
        return self._relative(levels[places]).reshape(len(frames), -1)

    def _relative(self, levels: Levels) -> npt.NDArray[np.float32]:
        """Levels against the loudest of the stem."""
        below = levels.astype(np.float32) - np.float32(self._loudest)
        return np.asarray(below.clip(-RANGE_DECADES) + RANGE_DECADES / 2)
