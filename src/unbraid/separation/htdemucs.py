"""HTDemucs without torch: its core as an ONNX network, its transforms around it in numpy.

The core is what lies between the spectrogram and its inverse (Rouard, Massa and Défossez, "Hybrid
Transformers for Music Source Separation", 2023). `unbraid.separation.exporting` makes it once from
the published weights.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import numpy as np

from unbraid.separation.core import Arithmetic, Provider, open_core
from unbraid.separation.mixture import MixtureStatistics
from unbraid.separation.network import Window
from unbraid.separation.runtime import check_segment
from unbraid.separation.segments import Segment
from unbraid.separation.stft import Spectrum, Stft
from unbraid.types import Samples, StemName

OVERLAP = 0.25  # of a segment
SILENCE = 1e-8  # added to the deviation, as demucs does
TRAITS = "traits.json"


@dataclass(frozen=True)
class CoreTraits:
    """What the engine must know of an exported core; kept beside it.

    Attributes:
        sources: stems in the order of the output.
        segment_samples: length of the input.
        n_fft: of the transform; the hop is a quarter of it.
    """

    sources: tuple[StemName, ...]
    segment_samples: int
    n_fft: int

    def write(self, core: Path) -> None:
        """Keep them for `read`."""
        core.with_name(TRAITS).write_text(json.dumps(asdict(self)), "utf-8")

    @classmethod
    def read(cls, core: Path) -> Self:
        """Those of a core."""
        return cls(**json.loads(core.with_name(TRAITS).read_bytes()))


class HTDemucsNetwork:
    """Runs an exported HTDemucs on segments. Satisfies `Network`."""

    in_flight = 2  # the transforms of one segment are computed beside the network's work on another

    def __init__(
        self,
        core: Path,
        stems: tuple[StemName, ...],
        threads: int,
        provider: Provider,
        arithmetic: Arithmetic = "float32",
        overlap: float = OVERLAP,
        segment_s: float | None = None,
        sample_rate: int = 44_100,
    ) -> None:
        """Load an exported core.

        Args:
            core: the ONNX file.
            stems: those wanted.
            threads: threads of the network and of the transforms.
            provider: what computes the network.
            arithmetic: of the network's matrix products.
            overlap: share of a segment that neighbours share, at most 0.5.
            segment_s: seconds of a segment; None takes all that the network hears at once.
            sample_rate: samples per second.

        Raises:
            InputError: the segment is longer than what the network hears.
        """
        self.stems = stems
        self._core = open_core(core, threads, provider, arithmetic)
        traits = CoreTraits.read(core)
        self._wanted = [traits.sources.index(name) for name in stems]
        self._heard = self.segment_samples = traits.segment_samples
        if segment_s is not None:
            check_segment(segment_s, self._heard / sample_rate)
            self.segment_samples = int(segment_s * sample_rate)
        self.overlap_samples = self.segment_samples - int((1 - overlap) * self.segment_samples)
        self._stft = Stft(traits.n_fft, traits.n_fft // 4, workers=threads)

    def window(self, segment: Segment, length: int) -> Window:
        """The segment in the middle of as many samples as the network takes."""
        missing = self._heard - (segment.stop - segment.start)
        start = segment.start - missing // 2
        return Window(start, start + self._heard)

    def run(self, mixture: Samples, statistics: MixtureStatistics) -> Samples:
        """Separate a window, float32 [2, time], into float32 [stem, 2, time]."""
        scale = np.float32(statistics.std + SILENCE)
        mean = np.float32(statistics.mean)
        normalised = (mixture - mean) / scale
        spectra, waves = self._core.run([self._forward(normalised), normalised[np.newaxis]])
        stems = np.empty((len(self.stems), *mixture.shape), np.float32)
        for stem, index in zip(stems, self._wanted, strict=True):
            np.add(self._inverse(spectra[0, index]), waves[0, index], out=stem)
        stems *= scale
        stems += mean
        return stems

    def _padding(self) -> tuple[int, int]:
        """Samples before and after a segment that make its frames whole."""
        hop = self._stft.hop_length
        return 3 * (hop // 2), 3 * (hop // 2) - self._heard % -hop

    def _forward(self, samples: Samples) -> Samples:
        """The spectrum of samples as HTDemucs pads them, float32 [1, 2, frame, bin, re/im]."""
        padded = np.pad(samples, ((0, 0), self._padding()), mode="reflect")
        spectrum = self._stft.forward(padded)
        return spectrum.view(np.float32).reshape(1, *spectrum.shape, 2)

    def _inverse(self, spectrum: Samples) -> Samples:
        """A stem of its spectrum, float32 [2, frame, bin, re/im] -> [2, time]."""
        before, after = self._padding()
        complexes: Spectrum = spectrum.view(np.complex64)[..., 0]
        padded = self._stft.inverse(complexes, before + self._heard + after)
        return padded[..., before : before + self._heard]
