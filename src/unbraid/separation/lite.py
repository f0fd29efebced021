"""The built-in separator: an ONNX network that masks the STFT of a stereo mixture.

The network sees the magnitudes of left, right, mid and side, divided by the level of the song and
compressed by a power of 0.3, and answers with a mask for each stem and channel; the masks of all
stems sum to one. MODEL_CARD.md says how it was made.
"""

import numpy as np
import numpy.typing as npt
import scipy.fft

from unbraid.inference import open_session
from unbraid.separation.mixture import MixtureStatistics
from unbraid.separation.network import Window
from unbraid.separation.segments import Segment
from unbraid.types import Samples, StemName
from unbraid.weights import ModelEntry, verified

N_FFT = 4096
HOP_LENGTH = 1024
BINS = 1488  # the network's view ends here, at 16.0 kHz
TOP_BINS = 24  # whose mean is the mask of all bins above
SEGMENT = 512 * HOP_LENGTH  # 11.9 s
OVERLAP = 128 * HOP_LENGTH  # 3.0 s; the network looks about 2 s to either side
WINDOW: Samples = np.hanning(N_FFT + 1)[:-1].astype(np.float32)  # periodic

# Parseval: frames of white noise with unit RMS have a mean |S|^2 of sum(window^2) on each bin.
# Music has next to nothing above the view, so the power of N_FFT / 2 bins lies in BINS of them.
LEVEL_PER_RMS = float(np.sqrt(np.sum(WINDOW**2) * (N_FFT / 2) / BINS))
SILENCE_RMS = 1e-8

Spectrum = npt.NDArray[np.complex64]


def stft(samples: Samples, workers: int = 1) -> Spectrum:
    """Centred short-time Fourier transform, reflected at the ends (the convention of torch.stft).

    Args:
        samples: float32 [..., time], more than N_FFT / 2 samples.
        workers: threads.

    Returns:
        complex64 [..., frame, bin] with time // HOP_LENGTH + 1 frames and N_FFT / 2 + 1 bins.
    """
    pad = [(0, 0)] * (samples.ndim - 1) + [(N_FFT // 2, N_FFT // 2)]
    padded = np.pad(samples, pad, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, N_FFT, axis=-1)[..., ::HOP_LENGTH, :]
    spectrum: Spectrum = scipy.fft.rfft(frames * WINDOW, axis=-1, workers=workers)
    return spectrum


def istft(spectrum: Spectrum, length: int, workers: int = 1) -> Samples:
    """Inverse of `stft`: windowed overlap-add over the sum of the squared windows.

    Args:
        spectrum: complex64 [..., frame, bin].
        length: samples of the result.
        workers: threads.

    Returns:
        float32 [..., length].
    """
    frames = scipy.fft.irfft(spectrum, n=N_FFT, axis=-1, workers=workers, overwrite_x=True)
    frames *= WINDOW
    count = frames.shape[-2]
    hops = N_FFT // HOP_LENGTH
    total = np.zeros((*frames.shape[:-2], count + hops - 1, HOP_LENGTH), np.float32)
    weight = np.zeros((count + hops - 1, HOP_LENGTH), np.float32)
    for hop in range(hops):
        part = slice(hop * HOP_LENGTH, (hop + 1) * HOP_LENGTH)
        total[..., hop : hop + count, :] += frames[..., part]
        weight[hop : hop + count] += WINDOW[part] ** 2
    total /= np.maximum(weight, 1e-8)
    start = N_FFT // 2
    return total.reshape(*frames.shape[:-2], -1)[..., start : start + length]


def features(spectrum: Spectrum, level: float) -> Samples:
    """What the network sees.

    Args:
        spectrum: complex64 [2, frame, bin].
        level: root mean square of the song's spectrum.

    Returns:
        float32 [4, frame, BINS]: |L|, |R|, |M|, |S| over the level, to the power 0.3.
    """
    left, right = spectrum[..., :BINS] / np.float32(level)
    four = np.stack([left, right, (left + right) / 2, (left - right) / 2])
    power = four.real**2 + four.imag**2
    seen: Samples = np.power(power + np.float32(1e-7), np.float32(0.15))
    return seen


class LiteNetwork:
    """Runs the built-in network on segments. Satisfies `Network`."""

    segment_samples = SEGMENT
    overlap_samples = OVERLAP

    def __init__(self, entry: ModelEntry, stems: tuple[StemName, ...], threads: int) -> None:
        """Load the network.

        Args:
            entry: the model.
            stems: those wanted, in the model's order.
            threads: threads of the network and of the FFT.
        """
        self.stems = stems
        self._all_stems = entry.stems
        self._threads = threads
        self._session = open_session(verified(entry.path, entry.sha256), threads)

    def window(self, segment: Segment, length: int) -> Window:
        """A segment at the end of the song may be short: it is heard with the samples before it."""
        return Window(max(0, min(segment.start, segment.stop - SEGMENT)), segment.stop)

    def run(self, mixture: Samples, statistics: MixtureStatistics) -> Samples:
        """Separate one segment; stems that are all wanted sum to the mixture.

        Args:
            mixture: float32 [2, time], at least one sample.
            statistics: of the whole song.

        Returns:
            float32 [stem, 2, time].
        """
        length = mixture.shape[1]
        stems = np.zeros((len(self.stems), 2, length), np.float32)
        if statistics.rms < SILENCE_RMS:
            return stems
        padded = np.pad(mixture, ((0, 0), (0, max(0, N_FFT - length))))
        spectrum = stft(padded, self._threads)
        level = LEVEL_PER_RMS * statistics.rms
        (masks,) = self._session.run(["mask"], {"mag": features(spectrum, level)[np.newaxis]})
        whole = self.stems == self._all_stems
        for i, name in enumerate(self.stems[:-1] if whole else self.stems):
            mask = masks[0, self._all_stems.index(name)]
            stems[i] = istft(_masked(spectrum, mask), length, self._threads)
        if whole:  # the masks sum to one, so the last stem is what the others leave
            stems[-1] = mixture - stems[:-1].sum(axis=0)
        return stems


def _masked(spectrum: Spectrum, mask: Samples) -> Spectrum:
    """The spectrum [2, frame, bin] under a mask [2, frame, BINS], carried on above its top bins."""
    masked = np.empty_like(spectrum)
    np.multiply(spectrum[..., :BINS], mask, out=masked[..., :BINS])
    top = mask[..., -TOP_BINS:].mean(axis=-1, keepdims=True)
    np.multiply(spectrum[..., BINS:], top, out=masked[..., BINS:])
    return masked
