"""How good stems are, estimated without the true ones.

Two signs of faults are measured in excerpts of the song and added up to a guess at the
signal-to-distortion ratio; bench/quality_score.py fits their weights on synthesised songs whose
true stems are known, and shows how far the guess can be trusted.

- Coherence with the rest of the song, which is the mixture without the stem. True stems have little
  to do with each other; what bleeds, in either direction, is in phase with its source, and so is
  what an uncertain mask hands out to both (Bendat and Piersol, Random Data, 1986).
- Purity: what the built-in network, given nothing but the stem, takes for other stems. It finds
  whole phrases in the wrong place, of which the first sign knows nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from unbraid.separation.excerpts import Loudness
from unbraid.separation.mixture import MixtureArray
from unbraid.separation.separator import Separator
from unbraid.separation.stft import Spectrum, Stft
from unbraid.types import AudioSignal, Read, Samples, StemName, Stems

SILENT_PEAK = 0.001  # a stem that never passes -60 dBFS is called silent
WARN_BELOW = 0.5

EXCERPTS = 3
EXCERPT_S = 2
JUDGE = "lite"
RATE = 44_100  # of the built-in network
STFT = Stft(4096, 1024)
PATCH = 8  # frames and bins over which coherence is taken: 0.19 s by 86 Hz
LITTLE = 1e-8  # of the energy, -80 dB

COHERENCE_DB = (-5.0, 20.0)  # chance coherence hides finer faults than that
PURITY_DB = (0.0, 10.0)  # the network makes faults of its own
WEIGHTS = (0.692, 0.604)
OFFSET_DB = -4.36
HALF_DB = 3.0  # where the score is one half: faults are plainly heard
SLOPE_DB = 4.0


@dataclass(frozen=True)
class Signs:
    """What is measured of a stem; more is better.

    Attributes:
        coherence_db: its energy over what it shares coherently with the rest of the song.
        purity_db: what the network leaves of it over what it takes for other stems.
    """

    coherence_db: float
    purity_db: float

    @property
    def bounded(self) -> tuple[float, float]:
        """The two where they mean something."""
        return (
            float(np.clip(self.coherence_db, *COHERENCE_DB)),
            float(np.clip(self.purity_db, *PURITY_DB)),
        )

    @property
    def sdr_db(self) -> float:
        """The guess at the signal-to-distortion ratio."""
        return OFFSET_DB + float(np.dot(WEIGHTS, self.bounded))


@dataclass(frozen=True)
class Quality:
    """Scores from 0 to 1, None for silence.

    Attributes:
        whole: mean over the stems.
        stems: of each.
    """

    whole: float | None
    stems: dict[StemName, float | None]

    @property
    def warnings(self) -> tuple[str, ...]:
        """A line for each stem that is not good."""
        return tuple(
            f"{name} may hold other parts (quality {score:.2f})"
            for name, score in self.stems.items()
            if score is not None and score < WARN_BELOW
        )


def score(sdr_db: float) -> float:
    """A signal-to-distortion ratio on the scale from 0 to 1, where 0.5 is 3 dB."""
    return float(1 / (1 + np.exp((HALF_DB - sdr_db) / SLOPE_DB)))


def judged_s(duration_s: float, stems: int) -> float:
    """Seconds of audio that `judge` goes through for a song of so many stems."""
    return min(duration_s, EXCERPTS * EXCERPT_S) * stems


def judge(
    mixture: Read,
    stems: Mapping[StemName, Read],
    length: int,
    sample_rate: int,
    threads: int | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> Quality:
    """Score the stems of a song, in the memory of an excerpt.

    Args:
        mixture: the song.
        stems: those to score; they need not be all.
        length: samples of the song.
        sample_rate: samples per second.
        threads: threads of the network; None for the cores this process may use.
        on_progress: gets the seconds of audio done.

    Returns:
        The same for the same samples and threads.
    """
    signs = measure(mixture, stems, length, sample_rate, threads, on_progress)
    scores = {name: round(score(each.sdr_db), 3) if each else None for name, each in signs.items()}
    heard = [each for each in scores.values() if each is not None]
    return Quality(round(float(np.mean(heard)), 3) if heard else None, scores)


def measure(
    mixture: Read,
    stems: Mapping[StemName, Read],
    length: int,
    sample_rate: int,
    threads: int | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> dict[StemName, Signs | None]:
    """What `judge` judges by, None for silent stems; see there for the arguments."""
    loudness = Loudness.of(stems.values(), length, sample_rate)
    signs: dict[StemName, Signs | None] = dict.fromkeys(stems)
    names = [name for name, peak in zip(stems, loudness.peaks, strict=True) if peak >= SILENT_PEAK]
    if not names:
        return signs
    network = Separator(JUDGE, device="cpu", threads=threads)
    own = _own(tuple(stems), network.stems)
    tallies = {name: _Tally() for name in names}
    done_s = 0.0
    for start, stop in loudness.excerpts(EXCERPTS, EXCERPT_S):
        song = _excerpt(mixture, start, stop, sample_rate)
        spectrum = STFT.forward(song)
        for name, tally in tallies.items():
            stem = _excerpt(stems[name], start, stop, sample_rate)
            tally.compare(STFT.forward(stem), spectrum)
            tally.hear(network.separate(AudioSignal(stem, RATE)), own[name])
            done_s += (stop - start) / sample_rate
            if on_progress:
                on_progress(done_s)
    return signs | {name: tally.signs() for name, tally in tallies.items()}


def _excerpt(read: Read, start: int, stop: int, sample_rate: int) -> Samples:
    """A stretch at the rate of the network, at least a second long."""
    samples = MixtureArray(AudioSignal(read(start, stop), sample_rate), RATE).samples
    return np.pad(samples, ((0, 0), (0, max(0, RATE - samples.shape[1]))))


def _own(names: Sequence[StemName], known: Sequence[StemName]) -> dict[StemName, set[StemName]]:
    """Which of the network's stems belong to each stem.

    A stem that the network does not know has those that no other stem claims by name, or else the
    one called `other`.
    """
    free = set(known) - set(names) or {"other"}
    return {name: {name} if name in known else free for name in names}


class _Tally:
    """What was measured of a stem so far, in energies."""

    def __init__(self) -> None:
        self._whole = self._shared = self._kept = self._foreign = 0.0

    def compare(self, stem: Spectrum, song: Spectrum) -> None:
        """Look for what a stem shares with the rest of the song, both [2, frame, bin]."""
        rest = song - stem
        powers, others = _patches(_power(stem)), _patches(_power(rest))
        product = _patches((stem * rest.conj()).real)
        self._whole += float(powers.sum(dtype=np.float64))
        self._shared += _shared(powers, others, product)

    def hear(self, found: Stems, own: set[StemName]) -> None:
        """Take note of what the network found in a stem."""
        energies = {
            name: float(np.vdot(part.samples, part.samples)) for name, part in found.items()
        }
        self._kept += sum(energy for name, energy in energies.items() if name in own)
        self._foreign += sum(energy for name, energy in energies.items() if name not in own)

    def signs(self) -> Signs:
        """What all excerpts say."""
        return Signs(_ratio_db(self._whole, self._shared), _ratio_db(self._kept, self._foreign))


def _power(spectrum: Spectrum) -> Samples:
    power: Samples = spectrum.real**2 + spectrum.imag**2
    return power


def _patches(cells: Samples) -> Samples:
    """Sums over patches of frames and bins and over both channels, from [2, frame, bin]."""
    rows, columns = (np.arange(0, size, PATCH) for size in cells.shape[1:])
    both = np.add.reduceat(cells.sum(axis=0), rows, axis=0)
    return np.add.reduceat(both, columns, axis=1)


def _shared(stem: Samples, rest: Samples, product: Samples) -> float:
    """Energy that is likely wrong, from powers and cross-power of patches.

    Of two coherent signals, the weaker is likely a leak of the stronger, and its energy, by linear
    regression, is product^2 / stronger.
    """
    return float((product**2 / np.maximum(np.maximum(stem, rest), 1e-30)).sum(dtype=np.float64))


def _ratio_db(good: float, bad: float) -> float:
    little = LITTLE * (good + bad) + 1e-30
    return float(10 * np.log10((good + little) / (bad + little)))
