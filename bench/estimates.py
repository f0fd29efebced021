"""Stems that are wrong in known ways: true ones damaged, and mixtures separated by simple means.

`FITTED` are those that the score's constants come from, `JUDGED` those that it is judged on.
"""

from collections.abc import Callable, Mapping
from functools import cache

import numpy as np
import scipy.signal
from scipy.ndimage import median_filter, uniform_filter1d
from train.synthesis.media import through_mp3

from unbraid.demo.room import RATE, reverberate
from unbraid.separation import Separator
from unbraid.separation.stft import Spectrum, Stft
from unbraid.types import AudioSignal, Samples

Estimate = Callable[[Samples, np.random.Generator], Samples]
"""Makes estimates of true stems, both float32 [stem, 2, time]: vocals, drums, bass, other."""

STFT = Stft(4096, 1024)
FINE = Stft(1024, 256)
COARSE = Stft(16384, 4096)
SMALL = 1e-12


def lite(samples: Samples) -> Samples:
    """The stems of `lite`, float32 [stem, 2, time]."""
    stems = _separator().separate(AudioSignal(samples, RATE))
    return np.stack([stem.samples for stem in stems.values()])


@cache
def _separator() -> Separator:
    return Separator("lite", device="cpu", threads=1)


def masked(mixture: Samples, masks: Samples, stft: Stft = STFT) -> Samples:
    """A mixture [2, time] under masks [stem, 2, frame, bin]."""
    spectrum = stft.forward(mixture)
    return np.stack([stft.inverse(spectrum * mask, mixture.shape[1]) for mask in masks])


def _powers(stems: Samples, stft: Stft = STFT) -> Samples:
    powers: Samples = (np.abs(stft.forward(stems)) ** 2 + SMALL).astype(np.float32)
    return powers


def _shares(powers: Samples) -> Samples:
    shares: Samples = powers / powers.sum(axis=0)
    return shares


def _lite(stems: Samples, rng: np.random.Generator) -> Samples:
    return lite(stems.sum(axis=0))


def _lite_masks(stems: Samples, power: float) -> Samples:
    """The masks that `lite` used, nearly, under a power."""
    return _shares(_powers(lite(stems.sum(axis=0))) ** (power / 2))


def _lite_power(power: float) -> Estimate:
    return lambda stems, rng: masked(stems.sum(axis=0), _lite_masks(stems, power))


def _lite_holes(stems: Samples, rng: np.random.Generator) -> Samples:
    """`lite` with a part of its cells zeroed."""
    masks = _lite_masks(stems, 1.0)
    return masked(stems.sum(axis=0), masks * (rng.random(masks.shape) > rng.uniform(0.05, 0.5)))


def _ideal_ratio(stems: Samples, rng: np.random.Generator) -> Samples:
    return masked(stems.sum(axis=0), _shares(_powers(stems)))


def _ideal_binary(stems: Samples, rng: np.random.Generator) -> Samples:
    powers = _powers(stems)
    return masked(stems.sum(axis=0), (powers == powers.max(axis=0)).astype(np.float32))


def _noisy_ratio(noise_db: float) -> Estimate:
    """The ideal ratio mask with powers that are wrong, from cell to cell and band to band."""

    def estimate(stems: Samples, rng: np.random.Generator) -> Samples:
        powers = _powers(stems)
        coarse = rng.standard_normal((4, 1, -(-powers.shape[2] // 8), -(-powers.shape[3] // 16)))
        error_db = np.repeat(np.repeat(coarse, 8, axis=2), 16, axis=3)
        error_db = error_db[:, :, : powers.shape[2], : powers.shape[3]]
        error_db = error_db + rng.standard_normal(powers.shape)
        return masked(
            stems.sum(axis=0),
            _shares((powers * 10 ** (noise_db * error_db / 10)).astype(np.float32)),
        )

    return estimate


def _flattened(stems: Samples, rng: np.random.Generator) -> Samples:
    """The ideal ratio mask, too soft: a weak separator that is never sure."""
    return masked(stems.sum(axis=0), _shares(_powers(stems) ** rng.uniform(0.15, 0.5)))


def _harmonic_percussive(stems: Samples, rng: np.random.Generator) -> Samples:
    """Median filters for drums (Fitzgerald, 2010), a crossover for bass, the centre for voice."""
    mixture = stems.sum(axis=0)
    spectrum = STFT.forward(mixture)
    magnitude = np.abs(spectrum).mean(axis=0)
    held = median_filter(magnitude, (17, 1)) ** 2 + SMALL
    struck = median_filter(magnitude, (1, 31)) ** 2 + SMALL
    drums = struck / (held + struck)
    low = 1 / (1 + (np.fft.rfftfreq(STFT.n_fft, 1 / RATE) / 180) ** 8)
    centre = _centre(spectrum)
    rest = (1 - drums) * (1 - low)
    masks = np.stack([rest * centre, drums, (1 - drums) * low, rest * (1 - centre)])
    return masked(mixture, np.repeat(masks[:, np.newaxis], 2, axis=1).astype(np.float32))


def _centre(spectrum: Spectrum) -> Samples:
    left, right = spectrum
    mid, side = np.abs(left + right) ** 2, np.abs(left - right) ** 2
    centre: Samples = mid / (mid + 4 * side + SMALL)
    return centre


def _centre_extraction(stems: Samples, rng: np.random.Generator) -> Samples:
    """Mid is the voice, side the rest; drums and bass are what a crossover makes of the mid."""
    mixture = stems.sum(axis=0)
    spectrum = STFT.forward(mixture)
    centre = _centre(spectrum)
    hz = np.fft.rfftfreq(STFT.n_fft, 1 / RATE)
    low, high = 1 / (1 + (hz / 150) ** 6), 1 / (1 + (6000 / (hz + 1)) ** 6)
    voice = centre * (1 - low) * (1 - high)
    masks = np.stack([voice, centre * high, centre * low, 1 - voice - centre * high - centre * low])
    return masked(mixture, np.repeat(masks[:, np.newaxis], 2, axis=1).astype(np.float32))


def repeating_share(magnitude: Samples) -> Samples:
    """Share of each cell [frame, bin] that comes back (REPET-SIM, Rafii and Pardo, 2012)."""
    unit = magnitude / (np.linalg.norm(magnitude, axis=1, keepdims=True) + SMALL)
    nearest = np.argsort(unit @ unit.T, axis=1)[:, -15:]
    background = np.minimum(np.median(magnitude[nearest], axis=1), magnitude)
    share: Samples = background / (magnitude + SMALL)
    return share


def _repeating(stems: Samples, rng: np.random.Generator) -> Samples:
    """What repeats is accompaniment, split by its bands."""
    mixture = stems.sum(axis=0)
    repeats = repeating_share(np.abs(STFT.forward(mixture)).mean(axis=0))
    hz = np.fft.rfftfreq(STFT.n_fft, 1 / RATE)
    low, high = 1 / (1 + (hz / 150) ** 6), 1 / (1 + (5000 / (hz + 1)) ** 6)
    masks = np.stack([1 - repeats, repeats * high, repeats * low, repeats * (1 - high) * (1 - low)])
    return masked(mixture, np.repeat(masks[:, np.newaxis], 2, axis=1).astype(np.float32))


def _level(rng: np.random.Generator, least_db: float, most_db: float, shape: int = 4) -> Samples:
    """An amplitude for each stem, of a level between two bounds."""
    db = rng.uniform(least_db, most_db, (shape, 1, 1))
    amplitudes: Samples = (10 ** (db / 20)).astype(np.float32)
    return amplitudes


def _bleeding(stems: Samples, rng: np.random.Generator) -> Samples:
    """Each stem holds some of each other one, which lacks it."""
    bleed = 10 ** (rng.uniform(-35, -4, (4, 4)) / 20)
    np.fill_diagonal(bleed, 0)
    mix = bleed / np.maximum(1, bleed.sum(axis=0))
    np.fill_diagonal(mix, 1 - mix.sum(axis=0))
    bled: Samples = np.einsum("ij,jct->ict", mix, stems).astype(np.float32)
    return bled


def _bleeding_copies(stems: Samples, rng: np.random.Generator) -> Samples:
    """Each stem holds some of all others, which keep it."""
    others = stems.sum(axis=0) - stems
    bled: Samples = stems + _level(rng, -35, -3) * others
    return bled


def _bleeding_bands(stems: Samples, rng: np.random.Generator) -> Samples:
    """Each stem holds a band of all others."""
    others = stems.sum(axis=0) - stems
    bled = stems.copy()
    for k, other in enumerate(others):
        low_hz = float(np.exp(rng.uniform(np.log(60), np.log(4000))))
        band = (low_hz, low_hz * float(rng.uniform(2, 6)))
        sections = scipy.signal.butter(2, band, "bandpass", fs=RATE, output="sos")
        bled[k] += float(_level(rng, -20, 0, 1)[0, 0, 0]) * scipy.signal.sosfilt(sections, other)
    return bled


def _wrong_levels(stems: Samples, rng: np.random.Generator) -> Samples:
    return stems * 10 ** (
        rng.choice((-1, 1), (4, 1, 1)) * rng.uniform(0.2, 9, (4, 1, 1)) / 20
    ).astype(np.float32)


def _spectral_holes(stems: Samples, rng: np.random.Generator) -> Samples:
    """Weak cells lost, as a lossy codec loses them."""
    damaged = []
    for stem in stems:
        spectrum = FINE.forward(stem)
        power = np.abs(spectrum) ** 2
        around = uniform_filter1d(uniform_filter1d(power, 9, axis=-1), 5, axis=-2)
        kept = power > around * 10 ** (rng.uniform(-15, 3) / 10)
        damaged.append(FINE.inverse(spectrum * kept, stem.shape[1]))
    return np.stack(damaged)


def _musical_noise(stems: Samples, rng: np.random.Generator) -> Samples:
    """Lone cells of the mixture left in each stem, as spectral subtraction leaves them."""
    mixture = stems.sum(axis=0)
    spectrum = STFT.forward(mixture)
    damaged = []
    for stem in stems:
        cells = rng.random(spectrum.shape[1:]) < 10 ** rng.uniform(-3, -0.7)
        damaged.append(stem + STFT.inverse(spectrum * cells, stem.shape[1]) - _kept(stem, cells))
    return np.stack(damaged)


def _kept(stem: Samples, cells: np.ndarray) -> Samples:
    return STFT.inverse(STFT.forward(stem) * cells, stem.shape[1])


def _low_passed(stems: Samples, rng: np.random.Generator) -> Samples:
    """Treble lost, each stem beyond a corner of its own; another stem takes it."""
    spectra = STFT.forward(stems)
    hz = np.fft.rfftfreq(STFT.n_fft, 1 / RATE)
    damaged = stems.copy()
    for k, spectrum in enumerate(spectra):
        power = (np.abs(spectrum) ** 2).sum(axis=(0, 1))
        kept = float(rng.uniform(0.5, 0.995))  # part of its energy
        corner_hz = hz[int(np.searchsorted(np.cumsum(power), kept * power.sum()))] + 20
        lost = STFT.inverse(spectrum / (1 + (corner_hz / (hz + 1)) ** 12), stems.shape[-1])
        damaged[k] -= lost
        damaged[(k + int(rng.integers(1, 4))) % 4] += lost
    return damaged


def _smeared(stems: Samples, rng: np.random.Generator) -> Samples:
    """Coarse quantising of long windows: noise spreads before each attack."""
    damaged = []
    for stem in stems:
        spectrum = COARSE.forward(stem)
        noise = rng.standard_normal(spectrum.shape) + 1j * rng.standard_normal(spectrum.shape)
        level = 10 ** (rng.uniform(-25, 3) / 20)
        noisy = spectrum + level * np.abs(spectrum) * noise.astype(np.complex64)
        damaged.append(COARSE.inverse(noisy, stem.shape[1]))
    return np.stack(damaged)


def _reverberant(stems: Samples, rng: np.random.Generator) -> Samples:
    damaged = [
        reverberate(
            stem.astype(np.float64), float(rng.uniform(0.05, 1.2)), float(rng.uniform(0.3, 2)), rng
        )
        for stem in stems
    ]
    return np.stack(damaged).astype(np.float32)


def _noisy(stems: Samples, rng: np.random.Generator) -> Samples:
    """Noise as loud as the song, from -40 dB on, between two stems: what one has, one lacks."""
    noise = rng.standard_normal(stems.shape)
    noise *= np.sqrt(np.mean(stems.sum(axis=0) ** 2)) * _level(rng, -40, -6)
    return (stems + noise - np.roll(noise, 1, axis=0)).astype(np.float32)


def _swapped(stems: Samples, rng: np.random.Generator) -> Samples:
    """Stretches of two stems change places."""
    swapped = stems.copy()
    for _ in range(int(rng.integers(1, 7))):
        length = int(rng.uniform(0.2, 1.5) * RATE)
        start = int(rng.integers(stems.shape[-1] - length))
        pair, span = rng.choice(4, 2, replace=False), slice(start, start + length)
        swapped[pair, :, span] = swapped[pair[::-1], :, span]
    return swapped


def _exchanged_bands(stems: Samples, rng: np.random.Generator) -> Samples:
    """A band of one stem changes places with that of another."""
    exchanged = stems.copy()
    for _ in range(int(rng.integers(1, 4))):
        low_hz = float(np.exp(rng.uniform(np.log(60), np.log(4000))))
        band = (low_hz, low_hz * float(rng.uniform(1.5, 4)))
        sections = scipy.signal.butter(2, band, "bandpass", fs=RATE, output="sos")
        one, other = rng.choice(4, 2, replace=False)
        moved = scipy.signal.sosfiltfilt(sections, stems[one] - stems[other]).astype(np.float32)
        exchanged[one] -= moved
        exchanged[other] += moved
    return exchanged


def _late(stems: Samples, rng: np.random.Generator) -> Samples:
    """Stems that are up to a millisecond late."""
    return np.stack([np.roll(stem, int(rng.integers(0, 45)), axis=-1) for stem in stems])


def _clipped(stems: Samples, rng: np.random.Generator) -> Samples:
    """Stems driven too hard into a limiter."""
    peaks = np.abs(stems).max(axis=(1, 2), keepdims=True)
    limits = peaks * rng.uniform(0.05, 0.7, peaks.shape)
    return np.clip(stems, -limits, limits).astype(np.float32)


def _gated(stems: Samples, rng: np.random.Generator) -> Samples:
    """Stems closed where they are soft; another one has what is cut."""
    level = uniform_filter1d(np.abs(stems).mean(axis=1, keepdims=True), RATE // 10, axis=-1)
    thresholds = np.quantile(level, rng.uniform(0.1, 0.8), axis=-1, keepdims=True)
    cut = stems * (level < thresholds)
    return (stems - cut + np.roll(cut, 1, axis=0)).astype(np.float32)


def _lossy(stems: Samples, rng: np.random.Generator) -> Samples:
    """Stems that went through MP3."""
    return np.stack([through_mp3(stem, float(rng.uniform(0.7, 1))) for stem in stems])


def _true(stems: Samples, rng: np.random.Generator) -> Samples:
    return stems


FITTED: Mapping[str, Estimate] = {
    "true": _true,
    "lite": _lite,
    "lite, softened": _lite_power(0.5),
    "lite, holes": _lite_holes,
    "ideal ratio mask": _ideal_ratio,
    "ratio mask, 6 dB wrong": _noisy_ratio(6),
    "ratio mask, 15 dB wrong": _noisy_ratio(15),
    "harmonic-percussive": _harmonic_percussive,
    "repetition": _repeating,
    "bleed": _bleeding,
    "bleeding copies": _bleeding_copies,
    "wrong levels": _wrong_levels,
    "spectral holes": _spectral_holes,
    "noise": _noisy,
    "swapped stretches": _swapped,
}
JUDGED: Mapping[str, Estimate] = {
    "lite, sharpened": _lite_power(2.5),
    "ideal binary mask": _ideal_binary,
    "ratio mask, 10 dB wrong": _noisy_ratio(10),
    "ratio mask, too soft": _flattened,
    "centre extraction": _centre_extraction,
    "bleeding bands": _bleeding_bands,
    "musical noise": _musical_noise,
    "low-pass": _low_passed,
    "smeared attacks": _smeared,
    "reverb": _reverberant,
    "exchanged bands": _exchanged_bands,
    "late": _late,
    "clipped": _clipped,
    "gated": _gated,
    "MP3": _lossy,
}
