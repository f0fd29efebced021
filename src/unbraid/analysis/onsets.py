"""How much begins at each moment of a recording.

Onsets are rises of a logarithmic mel spectrogram: Bello et al., A Tutorial on Onset Detection in
Music Signals (2005).
"""

import numpy as np
import numpy.typing as npt
import scipy  # its parts load at first use

from unbraid.types import Samples

FloatArray = npt.NDArray[np.float64]

HOPS_PER_SECOND = 100
MEL_BANDS = 40
MEL_RANGE_HZ = (30.0, 11000.0)
LOG_GAIN = 1000.0  # amplitudes above 1/1000 of full scale count as logarithm, below linearly
BANDS = (slice(0, 3), slice(3, 24), slice(30, None))
"""Mel bands of kicks, of snares, of cymbals: below 0.25 kHz, up to 3 kHz, above 5 kHz."""
SHARP_S = 0.015
AROUND_S = 1.0
FLAT = 0.3  # what hardly rises above its mean, as noise does, is not made larger than it is


class OnsetEnvelope:
    """How much begins at each moment, gathered block by block.

    Attributes:
        frame_rate: values per second; value k stands for k / `frame_rate` seconds.

    Example:
        >>> onsets = OnsetEnvelope(44100)
        >>> onsets.push(np.zeros((2, 44100), np.float32))
        >>> onsets.frame_rate, float(onsets.envelope().max())
        (100.0, 0.0)
    """

    def __init__(self, sample_rate: int) -> None:
        self._hop = max(1, round(sample_rate / HOPS_PER_SECOND))
        self._window = np.hanning(4 * self._hop + 1)[:-1].astype(np.float32)
        self._mel = _mel_filters(sample_rate, len(self._window)).astype(np.float32)
        # Half a window of silence centres the first one on time 0.
        self._pending = np.zeros(len(self._window) // 2, np.float32)
        self._last_levels = np.zeros((1, MEL_BANDS), np.float32)
        self._found: list[FloatArray] = []
        self.frame_rate = sample_rate / self._hop

    def push(self, block: Samples) -> None:
        """Take the next block of the recording, float32 [channel, time], of any length."""
        self._pending = np.concatenate([self._pending, block.mean(axis=0)])
        if len(self._pending) < len(self._window):
            return
        windows = np.lib.stride_tricks.sliding_window_view(self._pending, len(self._window))
        spectra = np.abs(scipy.fft.rfft(windows[:: self._hop] * self._window))
        levels = np.log1p(LOG_GAIN / self._window.sum() * spectra @ self._mel)
        rises = np.diff(levels, axis=0, prepend=self._last_levels).clip(0)
        rising = [rises[:, band].mean(axis=1) for band in (slice(None), *BANDS)]
        self._found.append(np.stack([levels.mean(axis=1), *rising]))
        self._last_levels = levels[-1:]
        self._pending = self._pending[len(levels) * self._hop :]

    def level(self) -> FloatArray:
        """Loudness so far, logarithmic and 0 in silence [frame]."""
        return np.asarray(self._all()[0])

    def envelope(self) -> FloatArray:
        """Onset strength so far [frame]."""
        return np.asarray(self._all()[1])

    def bands(self) -> FloatArray:
        """Onset strength so far in each of `BANDS` [band, frame]."""
        return self._all()[2:]

    def _all(self) -> FloatArray:
        return np.concatenate([np.zeros((2 + len(BANDS), 0)), *self._found], axis=1)


def salient(envelope: FloatArray, frame_rate: float) -> FloatArray:
    """Onset strength above its surroundings, of RMS 1 [frame]; zeros where nothing begins."""
    if not envelope.size:
        return envelope
    smooth = scipy.ndimage.gaussian_filter1d(envelope, SHARP_S * frame_rate)
    peaks = (smooth - scipy.ndimage.uniform_filter1d(smooth, round(AROUND_S * frame_rate))).clip(0)
    rms = float(np.sqrt(np.mean(peaks**2)))
    return np.asarray(peaks / max(rms, FLAT * float(smooth.mean()), 1e-9))


def _mel_filters(sample_rate: int, window_length: int) -> FloatArray:
    """Triangles evenly spaced in mel (O'Shaughnessy, 1987), [bin, band]."""
    low, high = (
        2595 * np.log10(1 + hz / 700)
        for hz in (MEL_RANGE_HZ[0], min(MEL_RANGE_HZ[1], sample_rate / 2))
    )
    corners = 700 * (10 ** (np.linspace(low, high, MEL_BANDS + 2) / 2595) - 1)
    left, centre, right = corners[:-2], corners[1:-1], corners[2:]
    hz = np.fft.rfftfreq(window_length, 1 / sample_rate)[:, np.newaxis]
    return np.minimum((hz - left) / (centre - left), (right - hz) / (right - centre)).clip(0)
