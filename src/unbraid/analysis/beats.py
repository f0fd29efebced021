"""The pulse of a song: its global tempo.

Onsets are rises of a logarithmic mel spectrogram. The tempo is the period whose one, two and four
fold the onsets' autocorrelation supports, with a preference for tempi that people tap to: Ellis,
Beat Tracking by Dynamic Programming (2007).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy  # its parts load at first use

from unbraid.types import Samples

FloatArray = npt.NDArray[np.float64]

HOPS_PER_SECOND = 100
MEL_BANDS = 40
MEL_RANGE_HZ = (30.0, 11000.0)
LOG_GAIN = 1000.0  # amplitudes above 1/1000 of full scale count as logarithm, below linearly

TEMPI_BPM: FloatArray = np.geomspace(40.0, 240.0, 400)  # candidates, 0.45 % apart
PREFERRED_BPM = 115.0
PREFERENCE_OCTAVES = 0.9
SHORTEST_S = 4.0
LONG_S = 8.0  # from here on onsets at random hardly ever look steady
LEAST_CONFIDENCE = 0.2


@dataclass(frozen=True)
class Tempo:
    """A steady pulse.

    Attributes:
        bpm: beats per minute; a whole number where it cannot be told from one.
        confidence: how much of the onsets' energy returns with the beat, 0 to 1.
    """

    bpm: float
    confidence: float


class OnsetEnvelope:
    """How much begins at each moment of a recording, gathered block by block.

    Attributes:
        frame_rate: values of the envelope per second.

    Example:
        >>> onsets = OnsetEnvelope(44100)
        >>> onsets.push(np.zeros((2, 44100), np.float32))
        >>> onsets.frame_rate, float(onsets.envelope().max())
        (100.0, 0.0)
    """

    def __init__(self, sample_rate: int) -> None:
        self._hop = max(1, round(sample_rate / HOPS_PER_SECOND))
        self._window = np.hanning(4 * self._hop + 1)[:-1]
        self._mel = _mel_filters(sample_rate, len(self._window))
        self._pending = np.zeros(len(self._window) // 2)  # centres the first window on time 0
        self._last_levels = np.zeros((1, MEL_BANDS))
        self._flux: list[FloatArray] = []
        self.frame_rate = sample_rate / self._hop

    def push(self, block: Samples) -> None:
        """Take the next block of the recording, float32 [channel, time], of any length."""
        self._pending = np.concatenate([self._pending, block.mean(axis=0, dtype=np.float64)])
        if len(self._pending) < len(self._window):
            return
        windows = np.lib.stride_tricks.sliding_window_view(self._pending, len(self._window))
        spectra = np.abs(scipy.fft.rfft(windows[:: self._hop] * self._window))
        levels = np.log1p(LOG_GAIN / self._window.sum() * spectra @ self._mel)
        rises = np.diff(levels, axis=0, prepend=self._last_levels).clip(0)
        self._flux.append(rises.mean(axis=1))
        self._last_levels = levels[-1:]
        self._pending = self._pending[len(levels) * self._hop :]

    def envelope(self) -> FloatArray:
        """Onset strength so far [frame], frame k centred on k / `frame_rate` seconds."""
        return np.concatenate([np.zeros(0), *self._flux])


def estimate_tempo(onsets: OnsetEnvelope) -> Tempo | None:
    """Find the tempo that a recording keeps.

    Args:
        onsets: the onsets of the whole recording.

    Returns:
        The tempo, or None where nothing pulses steadily: silence, noise, rubato, or less than four
        seconds.
    """
    envelope, frame_rate = onsets.envelope(), onsets.frame_rate
    duration_s = len(envelope) / frame_rate
    if duration_s < SHORTEST_S or not np.any(envelope):
        return None
    repetition = _autocorrelation(envelope, frame_rate)
    beat = 60 * frame_rate / TEMPI_BPM
    support = _support(repetition, beat)
    preference = np.exp(-0.5 * (np.log2(TEMPI_BPM / PREFERRED_BPM) / PREFERENCE_OCTAVES) ** 2)
    best = int(np.argmax(support * _accent(repetition, beat, support) * preference))
    confidence = float(min(1.0, support[best]))
    if confidence < LEAST_CONFIDENCE * max(1.0, LONG_S / duration_s):
        return None
    return Tempo(_refined_bpm(repetition, beat[best], frame_rate), confidence)


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


def _autocorrelation(envelope: FloatArray, frame_rate: float) -> FloatArray:
    """Likeness of the onsets to themselves later on [lag], 1 at lag 0, up to 0.6 of the length."""
    smooth = scipy.ndimage.gaussian_filter1d(envelope, 0.01 * frame_rate)
    salient = smooth - scipy.ndimage.uniform_filter1d(smooth, round(frame_rate))
    length = len(salient)
    power = np.abs(scipy.fft.rfft(salient, 2 * length)) ** 2
    products = scipy.fft.irfft(power)[: int(0.6 * length)]
    overlap = 1 - np.arange(len(products)) / length
    return np.asarray(products / (products[0] * overlap))


def _at(repetition: FloatArray, lag: FloatArray) -> FloatArray:
    return np.interp(lag, np.arange(len(repetition)), repetition, right=0.0)


def _support(repetition: FloatArray, beat: FloatArray) -> FloatArray:
    """How well one, two and four beats repeat; a beat that does not itself repeat is none."""
    lags = np.outer((1, 2, 4), beat)
    known = np.maximum(1, np.sum(lags < len(repetition), axis=0))
    multiples = _at(repetition, lags)
    mean = multiples.sum(axis=0) / known
    return np.asarray(np.minimum(mean, 2 * multiples[0]).clip(0))


def _accent(repetition: FloatArray, beat: FloatArray, support: FloatArray) -> FloatArray:
    """1 where beats outdo their halves and thirds, 0.5 where all are alike: a faster pulse."""
    parts = _at(repetition, np.outer((1 / 2, 1 / 3), beat)).max(axis=0).clip(0)
    likeness = np.minimum(1, parts / np.maximum(support, 1e-9))
    return np.asarray(1 - 0.5 * likeness**8)


def _refined_bpm(repetition: FloatArray, beat: float, frame_rate: float) -> float:
    """Measure the beat at ever longer multiples, each telling it twice as exactly as the last."""
    beats, lag = 1, _peak(repetition, beat, reach=max(2, round(0.04 * beat))) or beat
    while (further := _peak(repetition, 2 * lag, reach=2)) is not None:
        beats, lag = 2 * beats, further
    bpm = 60 * frame_rate * beats / lag
    error = 0.5 * bpm / lag  # half a frame
    return float(round(bpm)) if abs(bpm - round(bpm)) < error else bpm


def _peak(repetition: FloatArray, lag: float, reach: int) -> float | None:
    """Place of the peak within `reach` of a lag, by a parabola; None where there is none."""
    first = round(lag) - reach
    near = repetition[first : first + 2 * reach + 1]
    if len(near) < 2 * reach + 1:
        return None
    top = first + int(np.argmax(near))
    if top in (first, first + 2 * reach) or repetition[top] < LEAST_CONFIDENCE / 2:
        return None
    before, at, after = repetition[top - 1 : top + 2]
    return float(top + 0.5 * (before - after) / (before - 2 * at + after))
