"""The notes of any recording, without separation, as a MIDI file."""

from dataclasses import dataclass
from pathlib import Path

from unbraid.audio import open_audio
from unbraid.errors import resource_error
from unbraid.export.folder import writing
from unbraid.export.manifest import TempoSource
from unbraid.export.midi import stem_tracks, write_midi
from unbraid.export.tempo_map import check_tempo
from unbraid.inference import available_cores
from unbraid.transcribing import midi_tempo
from unbraid.transcription import transcribe_blocks
from unbraid.types import NoteEvent, OnProgress, Progress, TranscriptionOptions


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

    reached_s = 0.0

    def report(done_s: float) -> None:
        nonlocal reached_s
        reached_s = done_s
        if on_progress:
            on_progress(Progress("transcribe", done_s, None))

    with open_audio(path) as reader:
        notes = transcribe_blocks(
            reader.blocks(),
            reader.sample_rate,
            options,
            threads=threads or available_cores(),
            on_progress=report,
        )
    with open_audio(path) as again:
        tempo, source = midi_tempo(
            tempo_bpm, again.blocks(), again.sample_rate, lambda: report(reached_s)
        )
    try:
        midi.parent.mkdir(parents=True, exist_ok=True)
        with writing(midi, midi.parent) as unfinished:
            write_midi(unfinished, stem_tracks({path.stem: notes}), tempo)
    except OSError as error:
        raise resource_error(error) from error
    return Transcript(midi, tempo, source, tuple(notes), reader.warnings)
