"""Which of the twelve pitch classes sound, from moment to moment.

Semitones stand out from their surroundings in a logarithmic spectrum of constant pitch resolution,
at the tuning that the song keeps: Mauch and Dixon, Approximate Note Transcription for the Improved
Identification of Difficult Chords (2010), without its transcription.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import scipy  # its parts load at first use

from unbraid.analysis.onsets import FloatArray
from unbraid.types import Samples

FRAMES_PER_SECOND = 10
WINDOW_S = 0.37
BINS = 3  # to a semitone
WIDTH = 0.3  # of a bin in semitones, standard deviation
AROUND = 13  # semitones that a tone has to stand out from
LOG_GAIN = 10_000.0
TREBLE, BASS = (48, 84), (28, 64)  # MIDI numbers: C3 to B5, E1 to D#4


class Chromagram:
    """Pitch classes gathered block by block.

    Args:
        sample_rate: samples per second.
        low: lowest MIDI number that counts; from there on, whole octaves do.
        high: the one above the highest.

    Example:
        >>> second = np.arange(44100, dtype=np.float32) / 44100
        >>> chromagram = Chromagram(44100, 48, 84)
        >>> chromagram.push(np.sin(2 * np.pi * 440 * second)[np.newaxis])
        >>> int(chromagram.frames().sum(axis=0).argmax()) / BINS
        9.0
    """

    def __init__(self, sample_rate: int, low: int, high: int) -> None:
        self._hop = round(sample_rate / FRAMES_PER_SECOND)
        self._window = np.hanning(scipy.fft.next_fast_len(round(WINDOW_S * sample_rate)))
        margin = AROUND // 2
        pitches = np.arange(BINS * (low - margin), BINS * (high + margin)) / BINS
        self._inside = slice(BINS * margin, -BINS * margin)
        self._bin_hz = sample_rate / len(self._window)
        hz = self._bin_hz * np.arange(1.0, len(self._window) // 2 + 1)
        hz = hz[hz < 440 * 2 ** ((high + AROUND - 69) / 12)]
        sounding = _pitch(hz)
        kernels = np.exp(-0.5 * ((sounding[:, np.newaxis] - pitches) / WIDTH) ** 2)
        self._kernels = kernels / (kernels.sum(axis=0) + 1e-9)
        self._shift = BINS * (low % 12)
        self._pending = np.zeros(len(self._window) // 2)  # centres the first window on time 0
        self._frames: list[FloatArray] = []
        self._turns = 0j

    def push(self, block: Samples) -> None:
        """Take the next block of the recording, float32 [channel, time], of any length."""
        self._pending = np.concatenate([self._pending, block.mean(axis=0, dtype=np.float64)])
        if len(self._pending) < len(self._window):
            return
        windows = np.lib.stride_tricks.sliding_window_view(self._pending, len(self._window))
        bins = slice(1, 1 + len(self._kernels))
        spectra = np.abs(scipy.fft.rfft(windows[:: self._hop] * self._window)[:, bins])
        spectra *= 2 * LOG_GAIN / self._window.sum()
        levels = np.log1p(spectra @ self._kernels)
        around = scipy.ndimage.uniform_filter1d(levels, BINS * AROUND, axis=1)
        tones = (levels - around).clip(0)[:, self._inside]
        octaves = tones.reshape(len(tones), -1, BINS * 12).sum(axis=1)
        self._frames.append(np.roll(octaves, self._shift, axis=1))
        self._turns += _turns(spectra, self._bin_hz)
        self._pending = self._pending[len(levels) * self._hop :]

    @property
    def turns(self) -> complex:
        """How far the tones so far are from 440 Hz tuning: a semitone is a full turn."""
        return self._turns

    def frames(self) -> FloatArray:
        """Strength of thirds of semitones so far [frame, 36], the first of each at 440 Hz's."""
        return np.concatenate([np.zeros((0, BINS * 12)), *self._frames])


def tuning(chromagrams: Iterable[Chromagram]) -> float:
    """How far a song is from 440 Hz, in semitones from -0.5 to 0.5."""
    return float(np.angle(sum(each.turns for each in chromagrams)) / (2 * np.pi))


def _pitch(hz: FloatArray) -> FloatArray:
    """MIDI number, with fractions."""
    return np.asarray(69 + 12 * np.log2(hz / 440))


def _turns(spectra: FloatArray, bin_hz: float) -> complex:
    """Peaks as turns from the nearest semitone, the louder ones counting more."""
    levels = np.log(spectra + 1e-9)
    before, at, after = levels[:, :-2], levels[:, 1:-1], levels[:, 2:]
    frame, place = np.nonzero((at > before) & (at >= after) & (at > 0))
    before, at, after = before[frame, place], at[frame, place], after[frame, place]
    top = place + 0.5 * (before - after) / (before - 2 * at + after)  # of a parabola
    return complex(at @ np.exp(2j * np.pi * _pitch((top + 2) * bin_hz)))


@dataclass(frozen=True)
class PitchClasses:
    """The twelve pitch classes over time.

    Attributes:
        frames: strength [frame, pitch class], `FRAMES_PER_SECOND`, the first centred on time 0.
    """

    frames: FloatArray

    @classmethod
    def tuned(cls, frames: FloatArray, tuning: float) -> "PitchClasses":
        """Read the pitch classes of a chromagram where the tuning has them."""
        places = BINS * (np.arange(12) + tuning)
        low = np.floor(places).astype(int)
        share = places - low
        size = BINS * 12
        return cls(frames[:, low % size] * (1 - share) + frames[:, (low + 1) % size] * share)

    def between(self, starts_s: FloatArray, stops_s: FloatArray) -> FloatArray:
        """Strengths summed from start to stop, each in seconds [span, pitch class]."""
        return self._until(stops_s) - self._until(starts_s)

    def _until(self, time_s: FloatArray) -> FloatArray:
        """Strengths summed from the beginning on."""
        place = np.clip(time_s * FRAMES_PER_SECOND + 0.5, 0, len(self.frames))
        whole = place.astype(int)
        sums = np.concatenate([np.zeros((1, 12)), np.cumsum(self.frames, axis=0)])
        following = np.concatenate([self.frames, np.zeros((1, 12))])
        part: FloatArray = sums[whole] + (place - whole)[:, np.newaxis] * following[whole]
        return part
