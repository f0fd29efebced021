"""Short-time Fourier transform and its exact inverse, in float32."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import scipy  # its parts load at first use

from unbraid.types import Samples

Spectrum = npt.NDArray[np.complex64]


@dataclass(frozen=True)
class Stft:
    """A transform with a periodic Hann window.

    Attributes:
        n_fft: samples of a window.
        hop_length: samples between two windows; divides `n_fft`.
        workers: threads.
    """

    n_fft: int
    hop_length: int
    workers: int = 1

    @cached_property
    def window(self) -> Samples:
        """The analysis and synthesis window, float32 [n_fft]."""
        window: Samples = np.hanning(self.n_fft + 1)[:-1].astype(np.float32)
        return window

    def forward(self, samples: Samples) -> Spectrum:
        """Transform, centred and reflected at the ends (the convention of torch.stft).

        Args:
            samples: float32 [..., time], more than n_fft / 2 samples.

        Returns:
            complex64 [..., frame, bin] with time // hop_length + 1 frames, n_fft / 2 + 1 bins.
        """
        pad = [(0, 0)] * (samples.ndim - 1) + [(self.n_fft // 2, self.n_fft // 2)]
        padded = np.pad(samples, pad, mode="reflect")
        windows = np.lib.stride_tricks.sliding_window_view(padded, self.n_fft, axis=-1)
        frames = windows[..., :: self.hop_length, :] * self.window
        spectrum: Spectrum = scipy.fft.rfft(frames, axis=-1, workers=self.workers)
        return spectrum

    def inverse(self, spectrum: Spectrum, length: int) -> Samples:
        """Overlap-add of the windowed frames over the sum of the squared windows.

        Args:
            spectrum: complex64 [..., frame, bin].
            length: samples of the result.

        Returns:
            float32 [..., length].
        """
        frames = scipy.fft.irfft(spectrum, n=self.n_fft, axis=-1, workers=self.workers)
        frames *= self.window
        count, hop = frames.shape[-2], self.hop_length
        overlaps = self.n_fft // hop
        total = np.zeros((*frames.shape[:-2], count + overlaps - 1, hop), np.float32)
        weight = np.zeros((count + overlaps - 1, hop), np.float32)
        for i in range(overlaps):
            part = slice(i * hop, (i + 1) * hop)
            total[..., i : i + count, :] += frames[..., part]
            weight[i : i + count] += self.window[part] ** 2
        total /= np.maximum(weight, 1e-8)
        start = self.n_fft // 2
        return total.reshape(*frames.shape[:-2], -1)[..., start : start + length]
