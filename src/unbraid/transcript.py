"""The notes of any recording, without separation, as a MIDI file."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from unbraid.analysis.beats import find_beats
from unbraid.analysis.hearing import hear
from unbraid.audio import open_audio
from unbraid.errors import resource_error
from unbraid.export.folder import writing
from unbraid.export.manifest import TempoSource
from unbraid.export.midi import stem_tracks, write_midi
from unbraid.export.tempo_map import check_tempo
from unbraid.inference import available_cores
from unbraid.transcribing import midi_tempo
from unbraid.transcription import transcribe_blocks
from unbraid.types import (
    BeatGrid,
    NoteEvent,
    OnProgress,
    Progress,
    Samples,
    Stage,
    TranscriptionOptions,
)


@dataclass(frozen=True)
class Transcript:
    """The notes of a recording and where they are written.

    Attributes:
        midi: the file.
        tempo_bpm: of the file.
        tempo_source: the recording itself, the caller, or the usual 120.
        notes: in order of time.
        warnings: what is wrong with the recording.
    """

    midi: Path
    tempo_bpm: float
    tempo_source: TempoSource
    notes: tuple[NoteEvent, ...]
    warnings: tuple[str, ...]


def transcribe_file(
    path: Path,
    midi: Path,
    options: TranscriptionOptions = TranscriptionOptions(),  # noqa: B008  it is frozen
    *,
    tempo_bpm: float | None = None,
    threads: int | None = None,
    on_progress: OnProgress | None = None,
) -> Transcript:
    """Write the notes of a recording as a MIDI file.

    Args:
        path: the recording.
        midi: the file to write; its folder is made if needed.
        options: what counts as a note.
        tempo_bpm: beats per minute of the file; None takes the recording's own.
        threads: threads of the network; None for the cores this process may use.
        on_progress: called between units of work; may raise `Cancelled` to stop.

    Raises:
        InputError: the tempo cannot be stored in a MIDI file.
        AudioError: the recording is missing or unreadable.
        ResourceError: the file cannot be written.
    """
    if tempo_bpm is not None:
        check_tempo(tempo_bpm)

    def report(stage: Stage, done_s: float) -> None:
        if on_progress:
            on_progress(Progress(stage, done_s, None))

    with open_audio(path) as reader:
        tape = _Tape(reader.blocks())
        notes = transcribe_blocks(
            tape.blocks(),
            reader.sample_rate,
            options,
            threads=threads or available_cores(),
            on_progress=partial(report, "transcribe"),
        )
    grid = None
    if tempo_bpm is None:
        with open_audio(path) as again:
            song, rate = _Tape(again.blocks()), again.sample_rate
            hearing = hear(song.read, {}, tape.played, rate, partial(report, "analyse"))
        grid = find_beats(hearing).grid
    tempo, source = midi_tempo(tempo_bpm, grid)
    try:
        midi.parent.mkdir(parents=True, exist_ok=True)
        with writing(midi, midi.parent) as unfinished:
            write_midi(unfinished, stem_tracks({path.stem: notes}), tempo)
    except OSError as error:
        raise resource_error(error) from error
    bpm = round(tempo.tempo_bpm, 3) if isinstance(tempo, BeatGrid) else tempo
    return Transcript(midi, bpm, source, tuple(notes), reader.warnings)


class _Tape:
    """A recording that is played once, from its beginning to its end.

    Attributes:
        played: samples so far.
    """

    def __init__(self, blocks: Iterable[Samples]) -> None:
        self._blocks = iter(blocks)
        self._ahead: Samples | None = None
        self.played = 0

    def blocks(self) -> Iterator[Samples]:
        """What is left, in blocks of any length."""
        for block in self._blocks:
            self.played += block.shape[1]
            yield block

    def read(self, start: int, stop: int) -> Samples:
        """Samples [start, stop); `start` is where the last ones ended."""
        parts = [] if self._ahead is None else [self._ahead]
        while sum(part.shape[1] for part in parts) < stop - start:
            parts.append(next(self._blocks))
        samples = np.concatenate(parts, axis=1)
        self._ahead = samples[:, stop - start :]
        return samples[:, : stop - start]
