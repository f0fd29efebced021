"""The demonstration song, taken apart and compared with its truth."""

from dataclasses import dataclass
from pathlib import Path

import mido

from unbraid.audio import Tags, load, open_writer
from unbraid.demo import DemoSong, demo_song
from unbraid.errors import resource_error
from unbraid.export.midi import stem_tracks, write_midi
from unbraid.exporting import export_result
from unbraid.pipeline import Result, process
from unbraid.scoring import NoteScore, note_f1, sdr
from unbraid.types import AudioSignal, NoteEvent, OnProgress, ProcessOptions, StemName

TITLE = "Unbraid demo"


@dataclass(frozen=True)
class Trial:
    """How well the demonstration song was taken apart.

    Attributes:
        result: of the pipeline.
        truth: folder of the true stems and notes.
        sdr_db: signal to distortion ratio of each stem.
        mixture_sdr_db: the same for the song itself in the place of each stem.
        notes: score of the notes of each pitched stem.
    """

    result: Result
    truth: Path
    sdr_db: dict[StemName, float]
    mixture_sdr_db: dict[StemName, float]
    notes: dict[StemName, NoteScore]


def run_trial(
    out: Path,
    *,
    overwrite: bool = False,
    threads: int | None = None,
    on_progress: OnProgress | None = None,
) -> Trial:
    """Write the demonstration song, process it, and compare.

    Args:
        out: folder for the song, its truth and the result.
        overwrite: begin anew instead of going on or skipping.
        threads: threads of the networks; None for the cores this process may use.
        on_progress: called between units of work; may raise `Cancelled` to stop.

    Raises:
        ResourceError: not enough memory or disk, or `out` cannot be written.
    """
    song = demo_song()
    truth = out / "demo-multitrack"
    try:
        truth.mkdir(parents=True, exist_ok=True)
        for name, stem in song.stems.items():
            _write(truth / f"{name}.wav", stem)
        write_midi(truth / "all.mid", stem_tracks(song.notes), song.tempo_bpm)
        _write(out / "demo.wav", song.mixture)
    except OSError as error:
        raise resource_error(error) from error
    result = process(
        out / "demo.wav",
        out,
        ProcessOptions(),
        overwrite=overwrite,
        threads=threads,
        on_progress=on_progress,
    )
    export_result(result.folder, ["report"], overwrite=overwrite)
    return _compare(song, result, truth)


def _write(path: Path, signal: AudioSignal) -> None:
    with open_writer(path, signal.sample_rate, 2, "wav", "24", Tags(title=TITLE)) as writer:
        writer.write(signal.samples)


def _compare(song: DemoSong, result: Result, truth: Path) -> Trial:
    manifest = result.manifest
    estimates = {name: load(result.folder / stem.file) for name, stem in manifest.stems.items()}
    files = manifest.midi.files if manifest.midi else {}
    return Trial(
        result=result,
        truth=truth,
        sdr_db={name: sdr(stem, estimates[name]) for name, stem in song.stems.items()},
        mixture_sdr_db={name: sdr(stem, song.mixture) for name, stem in song.stems.items()},
        notes={
            name: note_f1(notes, _read_notes(result.folder / files[name]))
            for name, notes in song.notes.items()
        },
    )


def _read_notes(file: Path) -> list[NoteEvent]:
    """The notes of a MIDI file as `write_midi` leaves them."""
    notes: list[NoteEvent] = []
    sounding: dict[int, tuple[float, int]] = {}
    now_s = 0.0
    for message in mido.MidiFile(file):
        now_s += message.time
        if message.type == "note_on":
            sounding[message.note] = (now_s, message.velocity)
        elif message.type == "note_off":
            start_s, velocity = sounding.pop(message.note)
            notes.append(NoteEvent(start_s, now_s, message.note, velocity / 127))
    return notes
