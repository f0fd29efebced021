"""The basic-pitch package, quiet, with our default options."""

import io
import logging
import tempfile
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import soundfile

from unbraid.transcription.basic_pitch import NETWORK
from unbraid.types import AudioSignal, NoteEvent, TranscriptionOptions

logging.getLogger().setLevel(logging.ERROR)  # it complains of the runtimes that are not there


class Transcriber:
    """The package with the network loaded."""

    def __init__(self) -> None:
        from basic_pitch.inference import Model

        self._network = Model(NETWORK)

    def write_midi(self, recording: Path, midi: Path) -> None:
        """Write the notes of a recording as a MIDI file."""
        _, notes, _ = self._predict(recording)
        notes.write(str(midi))

    def notes(self, recording: Path) -> list[NoteEvent]:
        """The notes of a recording."""
        _, _, notes = self._predict(recording)
        return [NoteEvent(*note[:4]) for note in notes]

    def _predict(self, recording: Path) -> Any:
        from basic_pitch.inference import predict

        ours = TranscriptionOptions()
        with redirect_stdout(io.StringIO()):
            return predict(
                recording,
                self._network,
                onset_threshold=ours.onset_threshold,
                frame_threshold=ours.frame_threshold,
                minimum_note_length=1000 * ours.min_note_duration_s,
                minimum_frequency=ours.min_frequency_hz,
                maximum_frequency=ours.max_frequency_hz,
            )


def published_notes(signal: AudioSignal) -> list[NoteEvent]:
    """The notes of a recording in memory."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "recording.wav")
        soundfile.write(file, signal.samples.T, signal.sample_rate, "FLOAT")
        return Transcriber().notes(file)
