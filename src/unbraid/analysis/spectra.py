"""What sounds at which pitch, from moment to moment: FFT, mel bands, constant Q.

A sine of amplitude 1 has magnitude 1 in all of them. Mel bands are those of Slaney's Auditory
Toolbox (1998), as librosa has them; the constant-Q transform is that of Brown (1991), its octaves
computed at lower and lower rates as Schörkhuber and Klapuri (2010) do.
"""

import functools
from collections.abc import Iterator
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import scipy  # its parts load at first use
import soxr

from unbraid.types import Read, Samples

FloatArray: TypeAlias = npt.NDArray[np.float32]
BinsPerOctave = Literal[12, 24, 36]

HOP = 1024  # samples between frames; frame k is centred on sample 1024 k
WINDOW = 2048
MEL_BANDS = 128
OCTAVES = 7
LOWEST_HZ = 440 * 2 ** ((24 - 69) / 12)  # C1
CHUNK = 256  # frames at once
_PASS = 0.9  # part below Nyquist that halving a rate leaves as it was


def stft(read: Read, length: int) -> Iterator[FloatArray]:
    """Magnitudes of the short-time Fourier transform, Hann windows of 2048 samples.

    Args:
        read: the recording, both channels of which are averaged.
        length: in samples.

    Yields:
        Magnitudes [frame, 1025] from 0 Hz to half the sample rate, block by block; 1 +
        length // 1024 frames in all.
    """
    for first, count in _chunks(length):
        yield windowed(_mono(read, first * HOP - WINDOW // 2, (count - 1) * HOP + WINDOW, length))


def windowed(samples: Samples) -> FloatArray:
    """Magnitudes of a stretch [time] in the windows that fit into it [frame, 1025]."""
    window = scipy.signal.get_window("hann", WINDOW).astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]
    return np.abs(scipy.fft.rfft(frames * (2 / window.sum() * window))).astype(np.float32)


def mel(magnitudes: FloatArray, sample_rate: int, highest_hz: float | None = None) -> FloatArray:
    """Power in 128 bands evenly spaced in mel.

    Args:
        magnitudes: of `stft` [frame, 1025].
        sample_rate: samples per second.
        highest_hz: where the bands end, instead of half the sample rate.

    Returns:
        Power [frame, 128].
    """
    return magnitudes**2 @ _mel_filters(sample_rate, highest_hz or sample_rate / 2)


def mel_hz(sample_rate: int) -> FloatArray:
    """Centres of the mel bands in Hz [128]."""
    return _mel_corners(sample_rate / 2)[1:-1].astype(np.float32)


def constant_q_hz(sample_rate: int, bins_per_octave: BinsPerOctave = 36) -> FloatArray:
    """Frequencies of the constant-Q bins in Hz: seven octaves from C1, or those there are."""
    bins = OCTAVES * bins_per_octave
    hz = LOWEST_HZ * 2 ** (np.arange(bins) / bins_per_octave)
    octaves = int(np.sum(hz[bins_per_octave - 1 :: bins_per_octave] < _PASS * sample_rate / 2))
    return hz[: octaves * bins_per_octave].astype(np.float32)


def constant_q(
    read: Read, length: int, sample_rate: int, bins_per_octave: BinsPerOctave = 36
) -> Iterator[FloatArray]:
    """Magnitudes of tones at `constant_q_hz`, each in a Hann window of as many periods.

    Args:
        read: the recording, both channels of which are averaged.
        length: in samples.
        sample_rate: samples per second.
        bins_per_octave: how finely an octave is divided.

    Yields:
        Magnitudes [frame, bin], block by block; the frames are those of `stft`.
    """
    hz = constant_q_hz(sample_rate, bins_per_octave).astype(np.float64)
    octaves = hz.reshape(-1, bins_per_octave)
    ratio = 2 ** (1 / bins_per_octave)
    quality = (ratio**2 + 1) / (ratio**2 - 1)
    halvings = [_halvings(octave[-1], sample_rate) for octave in octaves]
    kernels = [
        _kernels(octave, sample_rate / 2**k, quality)
        for octave, k in zip(octaves, halvings, strict=True)
    ]
    reach = [len(kernel) // 2 << k for kernel, k in zip(kernels, halvings, strict=True)]
    margin = (max(reach, default=0) // HOP + 8) * HOP  # the filters that halve rates need some too
    for first, count in _chunks(length):
        around = _mono(read, first * HOP - margin, (count - 1) * HOP + 2 * margin, length)
        found = np.zeros((count, len(hz)), np.float32)
        for octave in reversed(range(len(octaves))):
            k = halvings[octave]
            lower = around if k == 0 else soxr.resample(around, 2**k, 1, quality="HQ")
            start = (margin >> k) - len(kernels[octave]) // 2
            frames = np.lib.stride_tricks.sliding_window_view(lower, len(kernels[octave]))
            frames = frames[start :: HOP >> k][:count]
            bins = slice(octave * bins_per_octave, (octave + 1) * bins_per_octave)
            found[:, bins] = np.abs(frames @ kernels[octave])
        yield found


def _chunks(length: int) -> Iterator[tuple[int, int]]:
    """First frame and number of frames to compute at once."""
    frames = 1 + length // HOP
    for first in range(0, frames, CHUNK):
        yield first, min(CHUNK, frames - first)


def _mono(read: Read, start: int, count: int, length: int) -> Samples:
    """`count` samples from `start` on, float32 [time]; silence where there are none."""
    inside = max(start, 0), min(start + count, length)
    samples = np.zeros(count, np.float32)
    if inside[0] < inside[1]:
        samples[inside[0] - start : inside[1] - start] = read(*inside).mean(axis=0)
    return samples


def _mel_corners(highest: float) -> npt.NDArray[np.float64]:
    """Where bands begin, culminate and end, in Hz: linear below 1 kHz, logarithmic above."""
    linear, log = 3 / 200, 27 / np.log(6.4)
    top = linear * min(highest, 1000) + log * np.log(max(highest, 1000) / 1000)
    mels = np.linspace(0, top, MEL_BANDS + 2)
    return np.where(mels < 15, mels / linear, 1000 * np.exp((mels - 15) / log))


@functools.lru_cache(maxsize=8)
def _mel_filters(sample_rate: int, highest_hz: float) -> FloatArray:
    """Triangles of equal area [bin, band]."""
    corners = _mel_corners(highest_hz)
    left, centre, right = corners[:-2], corners[1:-1], corners[2:]
    hz = np.fft.rfftfreq(WINDOW, 1 / sample_rate)[:, np.newaxis]
    sides = np.minimum((hz - left) / (centre - left), (right - hz) / (right - centre))
    return np.asarray(2 / (right - left) * sides.clip(0), np.float32)


def _halvings(highest_hz: float, sample_rate: int) -> int:
    """How often a rate can be halved without loss to an octave, as long as frames stay whole."""
    nyquist_hz = _PASS * sample_rate / 2
    return max(0, min(int(np.log2(nyquist_hz / (1.05 * highest_hz))), HOP.bit_length() - 1))


def _kernels(
    hz: npt.NDArray[np.float64], sample_rate: float, quality: float
) -> npt.NDArray[np.complex64]:
    """Windowed tones [time, bin], centred on the sample after the first half."""
    half = int(np.ceil(quality * sample_rate / hz[0] / 2))
    time = np.arange(-half, half + 1)[:, np.newaxis]
    lengths = quality * sample_rate / hz
    windows = np.where(
        np.abs(time) < lengths / 2, 0.5 + 0.5 * np.cos(2 * np.pi * time / lengths), 0
    )
    tones = windows * np.exp(-2j * np.pi * hz / sample_rate * time)
    return np.asarray(2 / windows.sum(axis=0) * tones, np.complex64)
