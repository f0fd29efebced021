"""Audio to posteriorgrams: Basic Pitch's network over overlapping windows of a recording.

R. M. Bittner, J. J. Bosch, D. Rubinstein, G. Meseguer-Brocal and S. Ewert, "A Lightweight
Instrument-Agnostic Model for Polyphonic Note Transcription and Multipitch Estimation", ICASSP 2022.
The network is the one of the basic-pitch 0.4.0 package. It answers a window of 43,844 samples with
172 frames, 256 samples apart; the 15 at either end lack context and are left to its neighbours.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from unbraid.audio.resample import Resampler, resample_blocks
from unbraid.inference import open_session
from unbraid.types import Samples

NETWORK = Path(__file__).parents[1] / "data" / "basic_pitch" / "nmp.onnx"
NETWORK_INPUT = "serving_default_input_2:0"
NETWORK_OUTPUTS = [f"StatefulPartitionedCall:{index}" for index in (2, 1, 0)]

SAMPLE_RATE = 22_050
HOP = 256  # samples between two frames
WINDOW = 2 * SAMPLE_RATE - HOP  # samples
MARGIN_FRAMES = 15  # left out at either end of a window
WINDOW_FRAMES = -(-WINDOW // HOP) - 2 * MARGIN_FRAMES  # 142 frames are kept
WINDOW_STEP = WINDOW - 2 * MARGIN_FRAMES * HOP  # 36,164 samples, 188 less than 142 hops
FRAMES_PER_SECOND = SAMPLE_RATE / HOP

LOWEST_PITCH = 21  # A0, 27.5 Hz
PITCHES = 88  # the keys of a piano
BINS_PER_SEMITONE = 3  # of the contours
IN_TUNE_BIN = 1  # the middle one

SILENCE_PEAK = 1e-4  # -80 dB; below it lies the dither of 16-bit silence

WINDOWS_PER_THREAD = 4  # computed between two answers; keeps the threads busy

Activations: TypeAlias = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Posteriorgrams:
    """What the network hears, each activation from 0 to 1.

    Attributes:
        onsets: float32 [frame, pitch], whether a note begins.
        notes: float32 [frame, pitch], whether a note sounds.
        contours: float32 [frame, 3 × pitch], what sounds a third of a semitone below each pitch, in
            tune with it and a third above.
    """

    onsets: Activations
    notes: Activations
    contours: Activations

    def __len__(self) -> int:
        """Number of frames."""
        return len(self.notes)

    def __getitem__(self, frames: slice) -> "Posteriorgrams":
        return Posteriorgrams(self.onsets[frames], self.notes[frames], self.contours[frames])


def join(parts: Iterable[Posteriorgrams]) -> Posteriorgrams:
    """Put posteriorgrams one after the other."""
    arrays = zip(*((part.onsets, part.notes, part.contours) for part in parts), strict=True)
    return Posteriorgrams(*map(np.concatenate, arrays))


def frame_time_s(frame: int) -> float:
    """The instant a frame is centred on, exact for recordings of any length.

    Windows follow each other 188 samples sooner than their 142 frames would last, so the last frame
    of one lies only 68 samples before the first of the next.

    >>> frame_time_s(142) * SAMPLE_RATE
    36164.0
    """
    window, frame_in_window = divmod(frame, WINDOW_FRAMES)
    return (window * WINDOW_STEP + frame_in_window * HOP) / SAMPLE_RATE


def posteriorgrams(
    blocks: Iterable[Samples], sample_rate: int, *, threads: int
) -> Iterator[Posteriorgrams]:
    """Run the network over a recording.

    Every window is computed by one thread, several windows at a time, so the result does not depend
    on the number of threads. The network evens out the level of each window, and would hear notes
    in dither; windows of silence are therefore not shown to it.

    Args:
        blocks: the recording in order, float32 [channel, time]; channels are averaged.
        sample_rate: samples per second of the blocks.
        threads: windows computed at the same time.

    Yields:
        Posteriorgrams of up to 142 frames, in order; all frames within the recording.
    """
    session = open_session(NETWORK, 1)

    def infer(window: _Window) -> Posteriorgrams:
        if np.abs(window.samples).max() < SILENCE_PEAK:
            return _silence(window.frames)
        outputs = session.run(NETWORK_OUTPUTS, {NETWORK_INPUT: window.samples[None, :, None]})
        kept = slice(MARGIN_FRAMES, MARGIN_FRAMES + window.frames)
        return Posteriorgrams(*(output[0, kept] for output in outputs))

    mono = (block.mean(axis=0, keepdims=True) for block in blocks)
    windows = _windows(resample_blocks(mono, Resampler(sample_rate, SAMPLE_RATE, channels=1)))
    with ThreadPoolExecutor(threads) as pool:
        while batch := list(islice(windows, threads * WINDOWS_PER_THREAD)):
            yield from pool.map(infer, batch)


def _silence(frames: int) -> Posteriorgrams:
    bins = PITCHES, PITCHES, PITCHES * BINS_PER_SEMITONE
    return Posteriorgrams(*(np.zeros((frames, count), np.float32) for count in bins))


@dataclass(frozen=True)
class _Window:
    """What the network sees at once.

    Attributes:
        samples: float32 [time] of `WINDOW` samples.
        frames: how many of the kept frames lie within the recording.
    """

    samples: Samples
    frames: int


def _windows(blocks: Iterable[Samples]) -> Iterator[_Window]:
    """Cut blocks, float32 [1, time], into windows; silence surrounds the recording."""
    context = MARGIN_FRAMES * HOP
    pending = np.zeros(context, np.float32)
    for block in blocks:
        pending = np.concatenate([pending, block[0]])
        while len(pending) >= WINDOW:
            yield _Window(pending[:WINDOW], WINDOW_FRAMES)
            pending = pending[WINDOW_STEP:]
    while (remaining := len(pending) - context) > 0:
        samples = np.pad(pending[:WINDOW], (0, max(0, WINDOW - len(pending))))
        yield _Window(samples, min(WINDOW_FRAMES, -(-remaining // HOP)))
        pending = pending[WINDOW_STEP:]
