"""Posteriorgrams to notes: onsets are picked, and each note is followed until its energy fades.

The decoding of Bittner et al., "A Lightweight Instrument-Agnostic Model for Polyphonic Note
Transcription and Multipitch Estimation", ICASSP 2022, as the basic-pitch 0.4.0 package does it: the
same options give the same notes. What is left when all onsets are followed goes through the
"melodia trick": notes are grown in both directions from the strongest remaining activations.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from unbraid.transcription.basic_pitch import (
    BINS_PER_SEMITONE,
    FRAMES_PER_SECOND,
    LOWEST_PITCH,
    PITCHES,
    Activations,
    Posteriorgrams,
)
from unbraid.types import TranscriptionOptions

ENERGY_TOLERANCE = 11  # frames below the threshold that end a note
BEND_RANGE = 25  # contour bins either side of a note's pitch
BEND_WEIGHTS = np.exp(-(np.arange(-BEND_RANGE, BEND_RANGE + 1) ** 2) / (2 * 5**2))  # σ is 5 bins

_Matrix: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True)
class FrameNote:
    """A note in the units of the posteriorgrams.

    Attributes:
        start: first frame.
        end: frame after the last.
        pitch: MIDI note number.
        amplitude: mean note activation.
        bends: contour bins of each frame, counted from the lowest of the pitch, so that 1 is in
            tune; empty for none.
    """

    start: int
    end: int
    pitch: int
    amplitude: float
    bends: tuple[int, ...] = ()


@dataclass(frozen=True)
class OnsetScale:
    """Puts rises of the note activations on the scale of the onset activations.

    Attributes:
        onset: largest onset activation.
        rise: largest rise of a note activation.
    """

    onset: float = 0.0
    rise: float = 0.0

    def merged(self, other: "OnsetScale") -> "OnsetScale":
        """The scale of two stretches of a recording together."""
        return OnsetScale(max(self.onset, other.onset), max(self.rise, other.rise))


class _Span(NamedTuple):
    key: int  # pitch above the lowest
    start: int
    end: int


def onset_scale(posteriorgrams: Posteriorgrams, options: TranscriptionOptions) -> OnsetScale:
    """Measure the scale of a stretch of posteriorgrams, within the options' range of pitch."""
    onsets = _in_range(posteriorgrams.onsets, options)
    rises = _rises(_in_range(posteriorgrams.notes, options))
    return OnsetScale(float(onsets.max(initial=0)), float(rises.max(initial=0)))


def decode(
    posteriorgrams: Posteriorgrams,
    options: TranscriptionOptions,
    scale: OnsetScale | None = None,
) -> list[FrameNote]:
    """Find the notes in posteriorgrams.

    As in the published decoding, a note has to last longer than the rounded `min_note_duration_s`,
    and `max_frequency_hz` leaves out the semitone it names.

    Args:
        posteriorgrams: of a recording, or of a stretch of it.
        options: what counts as a note.
        scale: of the recording; None measures it on these posteriorgrams.

    Returns:
        Notes sorted by start, then pitch.
    """
    notes = _in_range(posteriorgrams.notes, options)
    onsets = _in_range(posteriorgrams.onsets, options)
    onsets = _with_inferred(onsets, notes, scale or onset_scale(posteriorgrams, options))
    energy = notes.T.copy()
    spans = [*_spans_from_onsets(energy, onsets, options), *_spans_from_energy(energy, options)]
    return [
        FrameNote(
            span.start,
            span.end,
            span.key + LOWEST_PITCH,
            float(notes[span.start : span.end, span.key].mean()),
            _bends(posteriorgrams.contours, span) if options.pitch_bends else (),
        )
        for span in sorted(spans, key=lambda span: (span.start, span.key))
    ]


def _in_range(activations: Activations, options: TranscriptionOptions) -> _Matrix:
    """Activations [frame, pitch] with zeros outside the options' range of pitch."""
    lowest, highest = (
        min(PITCHES, max(0, round(12 * np.log2(frequency / 440) + 69 - LOWEST_PITCH)))
        for frequency in (options.min_frequency_hz, options.max_frequency_hz)
    )
    limited = np.zeros(activations.shape)
    limited[:, lowest:highest] = activations[:, lowest:highest]
    return limited


def _rises(notes: _Matrix) -> _Matrix:
    """How far each activation [frame, pitch] rises above both of its two predecessors."""
    rises = np.zeros_like(notes)
    highest_before = np.maximum(notes[1:-1], notes[:-2])
    rises[2:] = np.maximum(0, notes[2:] - highest_before)
    return rises


def _with_inferred(onsets: _Matrix, notes: _Matrix, scale: OnsetScale) -> _Matrix:
    """Onset activations [frame, pitch], raised where a note sets in without one."""
    if scale.rise == 0:
        return onsets
    return np.maximum(onsets, scale.onset * _rises(notes) / scale.rise)


def _spans_from_onsets(
    energy: _Matrix, onsets: _Matrix, options: TranscriptionOptions
) -> Iterator[_Span]:
    """Follow notes from the peaks of the onsets [frame, pitch], the last first.

    What a note covers, and the semitones beside it, is taken out of the energy [pitch, frame].
    """
    before, here, after = onsets[:-2], onsets[1:-1], onsets[2:]
    peaks = (here > before) & (here > after) & (here >= options.onset_threshold)
    last_frame = energy.shape[1] - 1
    for onset, key in np.argwhere(peaks)[::-1].tolist():
        start = onset + 1
        walked, quiet = _walk(energy[key, start + 1 : last_frame], options.frame_threshold)
        end = start + 1 + walked - quiet
        if end - start > _min_frames(options):
            energy[max(0, key - 1) : key + 2, start:end] = 0
            yield _Span(key, start, end)


def _spans_from_energy(energy: _Matrix, options: TranscriptionOptions) -> Iterator[_Span]:
    """Grow notes both ways from what is left of the energy [pitch, frame], the strongest first.

    What is walked over is taken out, whether it becomes a note or not.
    """
    last_frame = energy.shape[1] - 1
    frames, keys = np.nonzero(options.frame_threshold < energy.T)
    strongest_first = np.argsort(-energy[keys, frames], kind="stable")
    for middle, key in zip(
        frames[strongest_first].tolist(), keys[strongest_first].tolist(), strict=True
    ):
        if energy[key, middle] == 0:
            continue
        ahead, quiet_ahead = _walk(energy[key, middle + 1 : last_frame], options.frame_threshold)
        back, quiet_back = _walk(energy[key, 1:middle][::-1], options.frame_threshold)
        energy[key, middle] = 0
        energy[max(0, key - 1) : key + 2, middle - back : middle] = 0
        energy[max(0, key - 1) : key + 2, middle + 1 : middle + 1 + ahead] = 0
        span = _Span(key, middle - back + quiet_back, middle + ahead - quiet_ahead)
        if span.end - span.start > _min_frames(options):
            yield span


def _walk(energy: Iterable[float], threshold: float) -> tuple[int, int]:
    """Walk until the energy has stayed below the threshold for `ENERGY_TOLERANCE` frames.

    Returns:
        Frames walked, and how many of them at the end are below the threshold.
    """
    walked = quiet = 0
    for value in energy:
        walked += 1
        quiet = quiet + 1 if value < threshold else 0
        if quiet == ENERGY_TOLERANCE:
            break
    return walked, quiet


def _min_frames(options: TranscriptionOptions) -> int:
    return round(options.min_note_duration_s * FRAMES_PER_SECOND)


def _bends(contours: Activations, span: _Span) -> tuple[int, ...]:
    """The strongest contour near a note's pitch, frame by frame; nearer ones weigh more."""
    centre = span.key * BINS_PER_SEMITONE
    low, high = max(0, centre - BEND_RANGE), min(contours.shape[1], centre + BEND_RANGE + 1)
    weights = BEND_WEIGHTS[low - centre + BEND_RANGE : high - centre + BEND_RANGE]
    strongest = np.argmax(contours[span.start : span.end, low:high] * weights, axis=1)
    return tuple((strongest + low - centre).tolist())
