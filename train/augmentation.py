"""Variations of excerpts: what the same songs would sound like, played and mixed otherwise.

Effects on the mixture are the same gain on all of its stems, so the stems still sum to it.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from train.features import power
from train.options import AugmentationOptions

EQUALISER_BANDS = 6
MOST_WIDTH = 1.6
MOST_COMPRESSION = 0.5  # dB taken per dB of level
COMPRESSOR_FRAMES = 5  # 0.12 s
COMPRESSOR_GAINS = (0.2, 4.0)
BAND_LIMIT_HZ = (5_000.0, 15_000.0)
BAND_LIMIT_DB = (10.0, 40.0)


@dataclass(frozen=True)
class Augmentation:
    """Varies a batch at random: first its samples, then their spectra.

    Attributes:
        options: what is varied, and how often.
        frequencies: of the bins in Hz, float32 [bin].
        generator: of the random numbers, on the CPU: the same on any device.
    """

    options: AugmentationOptions
    frequencies: Tensor
    generator: torch.Generator

    def samples(self, stems: Tensor) -> Tensor:
        """Vary the channels, the level and the sign of each stem; leave some out.

        Args:
            stems: float32 [batch, stem, 2, time].
        """
        options, shape = self.options, stems.shape[:2]
        wide = torch.where(self._chosen(shape, options.width), MOST_WIDTH * self._uniform(shape), 1)
        own, other = (1 + wide) / 2, (1 - wide) / 2
        swapped = self._chosen(shape, options.swap)
        own, other = torch.where(swapped, other, own), torch.where(swapped, own, other)
        sign = torch.where(self._chosen(shape, options.polarity), -1, 1)
        gain = _from_db(options.gain_db * self._normal(shape)) * sign * self._kept(shape)
        channels = torch.stack([own, other, other, own], -1).unflatten(-1, (2, 2))
        varied: Tensor = (gain[..., None, None] * channels).to(stems.device) @ stems
        return varied

    def spectra(self, stems: Tensor) -> Tensor:
        """Equalise each stem; equalise, dull and compress the mixture.

        Args:
            stems: complex64 [batch, stem, 2, frame, bin].
        """
        options, shape = self.options, stems.shape[:2]
        whole = torch.Size([shape[0], 1])
        gain = self._equaliser(shape, options.equaliser, options.equaliser_db)
        gain = gain * self._equaliser(whole, options.master_equaliser, options.master_equaliser_db)
        gain = gain * self._band_limit(whole)
        stems = stems * gain[:, :, None, None].to(stems.device)
        gain = self._compressor(power(stems.sum(1)).mean((1, 3)))
        return stems * gain[:, None, None, :, None]

    def level(self, excerpts: int) -> Tensor:
        """Gains of whole mixtures, float32 [batch]."""
        return _from_db(self.options.level_db * self._normal(torch.Size([excerpts])))

    def _kept(self, shape: torch.Size) -> Tensor:
        """Which stems sound, bool [batch, stem]."""
        kept = self._uniform(shape) >= torch.tensor(self.options.drop)
        only = torch.randint(shape[1], (shape[0], 1), generator=self.generator)
        solo = self._chosen(torch.Size([shape[0], 1]), self.options.solo)
        return torch.where(solo, torch.arange(shape[1]) == only, kept)

    def _equaliser(self, shape: torch.Size, chance: float, deviation_db: float) -> Tensor:
        """Smooth random gains, or one, [*shape, bin]."""
        points = self._normal(torch.Size([*shape, EQUALISER_BANDS]))
        gains = _from_db(deviation_db * (points @ self._equaliser_bands()))
        return torch.where(self._chosen(shape, chance)[..., None], gains, 1)

    def _equaliser_bands(self) -> Tensor:
        """Raised cosines, float32 [band, bin], that sum to one on each bin.

        They are evenly spaced over the logarithm of the frequency, less so below 400 Hz.
        """
        octaves = torch.log2(self.frequencies + 400)
        place = (octaves - octaves[0]) / (octaves[-1] - octaves[0]) * (EQUALISER_BANDS - 1)
        distance = (place - torch.arange(EQUALISER_BANDS)[:, None]).abs().clamp(max=1)
        return 0.5 + 0.5 * torch.cos(math.pi * distance)

    def _band_limit(self, shape: torch.Size) -> Tensor:
        """Gains that take the bins above a frequency, or one, [*shape, bin]."""
        (low, high), (least, most) = BAND_LIMIT_HZ, BAND_LIMIT_DB
        limit = low + (high - low) * self._uniform(shape)
        gain = _from_db(-least - (most - least) * self._uniform(shape))
        dull = self._chosen(shape, self.options.band_limit)[..., None]
        return torch.where(dull & (self.frequencies > limit[..., None]), gain[..., None], 1)

    def _compressor(self, mixture_power: Tensor) -> Tensor:
        """Gains that bring loud and quiet frames closer together, or one, [batch, frame]."""
        level = functional.avg_pool1d(
            mixture_power,
            COMPRESSOR_FRAMES,
            stride=1,
            padding=COMPRESSOR_FRAMES // 2,
            count_include_pad=False,
        )
        relative = level / level.mean(1, keepdim=True).clamp(min=1e-12) + 1e-6
        shape = torch.Size([len(level), 1])
        exponent = -MOST_COMPRESSION / 2 * self._uniform(shape)
        exponent = torch.where(self._chosen(shape, self.options.compression), exponent, 0)
        return (relative ** exponent.to(level.device)).clamp(*COMPRESSOR_GAINS)

    def _chosen(self, shape: torch.Size, chance: float) -> Tensor:
        return self._uniform(shape) < chance

    def _uniform(self, shape: torch.Size) -> Tensor:
        return torch.rand(shape, generator=self.generator)

    def _normal(self, shape: torch.Size) -> Tensor:
        return torch.randn(shape, generator=self.generator)


def _from_db(decibels: Tensor) -> Tensor:
    return 10 ** (decibels / 20)
