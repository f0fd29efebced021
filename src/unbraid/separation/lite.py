"""Networks that mask the STFT of a stereo mixture: the built-in one, and others of its kind.

The network sees the magnitudes of left, right, mid and side, divided by the level of the song and
compressed by a power of 0.3, and answers with a mask for each stem and channel. The masks of the
built-in network sum to one; MODEL_CARD.md says how it was made.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from unbraid.inference import open_session
from unbraid.separation.mixture import MixtureStatistics
from unbraid.separation.network import Window
from unbraid.separation.segments import Segment
from unbraid.separation.stft import Spectrum, Stft
from unbraid.types import Samples, StemName

TOP_BINS = 24  # whose mean is the mask of all bins above the network's view
SILENCE_RMS = 1e-8


@dataclass(frozen=True)
class MaskTraits:
    """What a masking network hears.

    Attributes:
        n_fft: samples of a window.
        hop_length: samples between two windows.
        bins: of the spectrum that the network sees, from 0 Hz on.
        segment_samples: samples of a segment.
        overlap_samples: samples that neighbouring segments share.
        sums_to_one: whether the masks of all stems do.
    """

    n_fft: int
    hop_length: int
    bins: int
    segment_samples: int
    overlap_samples: int
    sums_to_one: bool

    @property
    def level_per_rms(self) -> float:
        """Level of the spectrum that is seen, of a song with an RMS of one.

        By Parseval, frames of white noise with unit RMS have a mean |S|^2 of sum(window^2) on each
        bin. Music has next to nothing above the view, so the power of n_fft / 2 bins lies in it.
        """
        window = Stft(self.n_fft, self.hop_length).window
        return float(np.sqrt(np.sum(window**2) * (self.n_fft / 2) / self.bins))


LITE = MaskTraits(
    n_fft=4096,
    hop_length=1024,
    bins=1488,  # up to 16.0 kHz
    segment_samples=512 * 1024,  # 11.9 s
    overlap_samples=64 * 1024,  # 1.5 s; more gains nothing (python -m bench lengths)
    sums_to_one=True,
)


def features(spectrum: Spectrum, bins: int, level: float) -> Samples:
    """What the network sees.

    Args:
        spectrum: complex64 [2, frame, bin].
        bins: that the network sees.
        level: root mean square of the song's spectrum.

    Returns:
        float32 [4, frame, bins]: |L|, |R|, |M|, |S| over the level, to the power 0.3.
    """
    left, right = spectrum[..., :bins] / np.float32(level)
    four = np.stack([left, right, (left + right) / 2, (left - right) / 2])
    power = four.real**2 + four.imag**2
    seen: Samples = np.power(power + np.float32(1e-7), np.float32(0.15))
    return seen


class MaskNetwork:
    """Runs a masking network on segments. Satisfies `Network`."""

    in_flight = 1

    def __init__(
        self,
        file: Path,
        all_stems: tuple[StemName, ...],
        stems: tuple[StemName, ...],
        threads: int,
        traits: MaskTraits = LITE,
    ) -> None:
        """Load the network.

        Args:
            file: the ONNX network.
            all_stems: stems in the order of its output.
            stems: those wanted, in the same order.
            threads: threads of the network and of the FFT.
            traits: what the network hears.
        """
        self.stems = stems
        self.segment_samples = traits.segment_samples
        self.overlap_samples = traits.overlap_samples
        self._all_stems = all_stems
        self._traits = traits
        self._stft = Stft(traits.n_fft, traits.hop_length, workers=threads)
        self._session = open_session(file, threads)

    def window(self, segment: Segment, length: int) -> Window:
        """A segment at the end of the song may be short: it is heard with the samples before it."""
        return Window(max(0, min(segment.start, segment.stop - self.segment_samples)), segment.stop)

    def run(self, mixture: Samples, statistics: MixtureStatistics) -> Samples:
        """Separate one segment; stems that are all wanted sum to the mixture if their masks do.

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
        traits = self._traits
        padded = np.pad(mixture, ((0, 0), (0, max(0, traits.n_fft - length))))
        spectrum = self._stft.forward(padded)
        seen = features(spectrum, traits.bins, traits.level_per_rms * statistics.rms)
        (masks,) = self._session.run(["mask"], {"mag": seen[np.newaxis]})
        whole = traits.sums_to_one and self.stems == self._all_stems
        for i, name in enumerate(self.stems[:-1] if whole else self.stems):
            mask = masks[0, self._all_stems.index(name)]
            stems[i] = self._stft.inverse(masked(spectrum, mask), length)
        if whole:  # the masks sum to one, so the last stem is what the others leave
            stems[-1] = mixture - stems[:-1].sum(axis=0)
        return stems


def masked(spectrum: Spectrum, mask: Samples) -> Spectrum:
    """A spectrum [2, frame, bin] under a mask of its lower bins, which goes on above them."""
    bins = mask.shape[-1]
    found = np.empty_like(spectrum)
    np.multiply(spectrum[..., :bins], mask, out=found[..., :bins])
    top = mask[..., -TOP_BINS:].mean(axis=-1, keepdims=True)
    np.multiply(spectrum[..., bins:], top, out=found[..., bins:])
    return found
