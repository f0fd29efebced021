"""Transcribes a recording of any length in bounded memory.

Recordings up to three minutes are decoded as a whole. Longer ones are decoded in pieces of two
minutes, each with half a minute of context on either side; a piece keeps the notes that begin in
it. How far a note reaches back or forward through the decoding depends on what surrounds it, but
only across notes that touch, so that the context settles it.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from unbraid.audio import load
from unbraid.inference import available_cores
from unbraid.transcription.basic_pitch import (
    BINS_PER_SEMITONE,
    FRAMES_PER_SECOND,
    IN_TUNE_BIN,
    Posteriorgrams,
    frame_time_s,
    join,
    posteriorgrams,
)
from unbraid.transcription.notes import (
    BEND_RANGE,
    ENERGY_TOLERANCE,
    FrameNote,
    OnsetScale,
    decode,
    onset_scale,
)
from unbraid.types import AudioSignal, NoteEvent, Samples, TranscriptionOptions

PIECE_FRAMES = round(120 * FRAMES_PER_SECOND)
CONTEXT_FRAMES = round(30 * FRAMES_PER_SECOND)
LEVEL_STEP_S = 0.01

BEND_SEMITONES = {
    bend: (bend - IN_TUNE_BIN) / BINS_PER_SEMITONE for bend in range(-BEND_RANGE, BEND_RANGE + 1)
}
DEFAULTS = TranscriptionOptions()


def transcribe_blocks(
    blocks: Iterable[Samples],
    sample_rate: int,
    options: TranscriptionOptions = DEFAULTS,
    *,
    threads: int,
    on_progress: Callable[[float], None] | None = None,
) -> list[NoteEvent]:
    """Find the notes of a recording that arrives in blocks.

    Args:
        blocks: the recording in order, float32 [channel, time] each, of any size.
        sample_rate: samples per second of the blocks.
        options: what counts as a note.
        threads: threads of the network; the notes do not depend on their number.
        on_progress: called with the seconds of audio finished; what it raises ends the work.

    Returns:
        Notes sorted by start, then pitch.

    Raises:
        ModelError: the network is missing or damaged.
    """
    levels = _Levels(sample_rate)
    parts = posteriorgrams(levels.measured(blocks), sample_rate, threads=threads)
    if on_progress is not None:
        parts = _reported(parts, on_progress)
    notes = sorted(decode_stream(parts, options), key=lambda note: (note.start, note.pitch))
    return [_event(note, levels) for note in notes]


def transcribe(
    recording: AudioSignal | Path | str,
    options: TranscriptionOptions = DEFAULTS,
    threads: int | None = None,
) -> list[NoteEvent]:
    """Find the notes of a stem, or of any recording.

    Args:
        recording: a signal of any rate and number of channels, or the path of a file.
        options: what counts as a note.
        threads: threads of the network; None for the cores this process may use.

    Returns:
        Notes sorted by start, then pitch.

    Raises:
        AudioError: the file is missing or unreadable.
    """
    signal = recording if isinstance(recording, AudioSignal) else load(recording)
    cores = threads or available_cores()
    return transcribe_blocks([signal.samples], signal.sample_rate, options, threads=cores)


def decode_stream(
    parts: Iterable[Posteriorgrams],
    options: TranscriptionOptions,
    piece_frames: int = PIECE_FRAMES,
    context_frames: int = CONTEXT_FRAMES,
) -> Iterator[FrameNote]:
    """Find the notes in posteriorgrams that arrive in parts.

    The published decoding puts inferred onsets on a scale that depends on the whole recording; here
    the scale is that of the recording so far. A note that outlasts its piece and the context is
    found again in the next piece, and lengthened.

    Args:
        parts: posteriorgrams in order, of any length.
        options: what counts as a note.
        piece_frames: frames whose notes are settled at a time.
        context_frames: frames before and after a piece that are decoded with it.

    Yields:
        Notes, nearly in order.
    """
    scale = OnsetScale()
    settled = 0
    held: list[FrameNote] = []
    for piece in _pieces(parts, piece_frames, context_frames):
        scale = scale.merged(onset_scale(piece.posteriorgrams, options))
        notes = [
            replace(note, start=note.start + piece.start, end=note.end + piece.start)
            for note in decode(piece.posteriorgrams, options, scale)
        ]
        found_again = [note for note in notes if note.start < settled]
        own = [note for note in notes if settled <= note.start < piece.settled]
        held = [_lengthened(note, found_again) for note in held] + own
        yield from (note for note in held if not piece.cuts(note))
        held = [note for note in held if piece.cuts(note)]
        settled = piece.settled
    yield from held


@dataclass(frozen=True)
class _Piece:
    """A piece of a recording with its context.

    Attributes:
        posteriorgrams: of the piece and its context.
        start: frame of the recording at which they begin.
        settled: frame of the recording before which notes that begin are settled.
    """

    posteriorgrams: Posteriorgrams
    start: int
    settled: int

    def cuts(self, note: FrameNote) -> bool:
        """Whether a note may go on after the end of this piece's context."""
        return note.end + ENERGY_TOLERANCE + 1 >= self.start + len(self.posteriorgrams)


def _pieces(
    parts: Iterable[Posteriorgrams], piece_frames: int, context_frames: int
) -> Iterator[_Piece]:
    pending: list[Posteriorgrams] = []
    start = frames = 0
    for part in parts:
        pending.append(part)
        frames += len(part)
        if frames >= piece_frames + 2 * context_frames:
            pending = [join(pending)]
            yield _Piece(pending[0], start, start + frames - context_frames)
            start += frames - 2 * context_frames
            frames = 2 * context_frames
            pending = [join([pending[0][-frames:]])]
    if pending:
        yield _Piece(join(pending), start, start + frames)


def _lengthened(note: FrameNote, found_again: Iterable[FrameNote]) -> FrameNote:
    """A note that a piece cut, with its continuation if that is among those the next found."""
    for other in found_again:
        if other.pitch == note.pitch and other.end > note.end:
            added = other.end - note.end
            length = other.end - note.start
            return FrameNote(
                note.start,
                other.end,
                note.pitch,
                (note.amplitude * (length - added) + other.amplitude * added) / length,
                note.bends + other.bends[len(other.bends) - added :] if note.bends else (),
            )
    return note


def _reported(
    parts: Iterable[Posteriorgrams], on_progress: Callable[[float], None]
) -> Iterator[Posteriorgrams]:
    frames = 0
    for part in parts:
        yield part
        frames += len(part)
        on_progress(frame_time_s(frames - 1))


class _Levels:
    """How loud a recording is from moment to moment."""

    def __init__(self, sample_rate: int) -> None:
        self._step = max(1, round(LEVEL_STEP_S * sample_rate))
        self._steps_per_second = sample_rate / self._step
        self._powers: list[npt.NDArray[np.float32]] = []

    def measured(self, blocks: Iterable[Samples]) -> Iterator[Samples]:
        """Pass blocks on, measured."""
        pending = np.zeros(0, np.float32)
        for block in blocks:
            pending = np.concatenate([pending, np.square(block).mean(axis=0)])
            whole = len(pending) // self._step * self._step
            self._powers.append(pending[:whole].reshape(-1, self._step).mean(axis=1))
            pending = pending[whole:]
            yield block

    @cached_property
    def _power(self) -> npt.NDArray[np.float32]:
        return np.concatenate([np.zeros(0, np.float32), *self._powers])

    def level_db(self, start_s: float, end_s: float) -> float:
        """RMS level of a stretch in dBFS, -120 at least."""
        start = int(start_s * self._steps_per_second)
        stop = max(start + 1, int(end_s * self._steps_per_second))
        power = self._power[start:stop]
        return 10 * math.log10(float(power.mean()) + 1e-12) if len(power) else -120.0


def _event(note: FrameNote, levels: _Levels) -> NoteEvent:
    """A note in seconds and semitones.

    The published package takes a pitch's lowest bin for the one in tune; all its bends are a third
    of a semitone sharp.
    """
    start_s, end_s = frame_time_s(note.start), frame_time_s(note.end)
    bends = tuple(BEND_SEMITONES[bend] for bend in note.bends)
    level_db = levels.level_db(start_s, end_s)
    return NoteEvent(start_s, end_s, note.pitch, note.amplitude, bends, level_db)
