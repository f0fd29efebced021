"""`unbraid transcribe`."""

from pathlib import Path

from unbraid import terminal
from unbraid.batch import distinct_names
from unbraid.cli.options import (
    FrameThreshold,
    Json,
    MaxFrequency,
    MidiTempo,
    MinFrequency,
    MinNote,
    OnsetThreshold,
    Out,
    PitchBends,
    Quiet,
    Songs,
    Threads,
    read_tempo,
)
from unbraid.cli.running import Output, find, run, usage
from unbraid.types import OnProgress, TranscriptionOptions

NOTES = TranscriptionOptions()


def transcribe(
    recordings: Songs,
    out: Out = Path("out"),
    midi_tempo: MidiTempo = "auto",
    onset_threshold: OnsetThreshold = NOTES.onset_threshold,
    frame_threshold: FrameThreshold = NOTES.frame_threshold,
    min_note: MinNote = NOTES.min_note_duration_s,
    min_frequency: MinFrequency = NOTES.min_frequency_hz,
    max_frequency: MaxFrequency = NOTES.max_frequency_hz,
    pitch_bends: PitchBends = NOTES.pitch_bends,
    threads: Threads = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write the notes of a stem, or of any recording, as DIR/<name>.mid."""
    from unbraid.transcript import Transcript, transcribe_file

    with usage():
        options = TranscriptionOptions(
            onset_threshold, frame_threshold, min_note, min_frequency, max_frequency, pitch_bends
        )
    tempo_bpm = read_tempo(midi_tempo)

    songs = find(recordings)
    names = distinct_names(songs)

    def work(path: Path, report: OnProgress) -> Transcript:
        midi = out / f"{names[path]}.mid"
        return transcribe_file(
            path, midi, options, tempo_bpm=tempo_bpm, threads=threads, on_progress=report
        )

    run(songs, work, terminal.show_transcript, 1, Output(as_json, quiet))
