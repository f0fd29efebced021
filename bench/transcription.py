"""Notes beside those of the basic-pitch package, the same network: speed and memory."""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import soundfile

from bench import recordings
from bench.measuring import Run, alternately, in_child, timed
from bench.published import Transcriber
from bench.results import TIMINGS, Section, Target, timings
from unbraid.export.midi import stem_tracks, write_midi
from unbraid.transcription import transcribe

ROUNDS = 5
LEAST_SPEED = 50


def bench() -> Section:
    """Turn each recording into a MIDI file both ways; importing and loading are not counted."""
    rows, targets = [], []
    for name in recordings.SONGS:
        song = recordings.folder() / name
        duration_s = soundfile.info(song).duration
        contenders = {f"{song.stem}, Unbraid": _ours, f"{song.stem}, basic-pitch": _theirs}
        found = alternately(
            {who: partial(in_child, work, song) for who, work in contenders.items()}, ROUNDS
        )
        ours, theirs = found.values()
        ratio = theirs.seconds / ours.seconds
        rows += timings(found, duration_s)
        targets += [
            Target.speed(song.stem, LEAST_SPEED, duration_s / ours.seconds),
            Target(f"{song.stem} at least as fast as basic-pitch", f"{ratio:.2f}x", ratio >= 1),
        ]
    return Section(
        title="Transcription",
        text=(
            "A recording to its MIDI file, decoding included: Unbraid beside the basic-pitch "
            "package with the same network and options, libraries imported and networks loaded."
        ),
        header=TIMINGS,
        rows=rows,
        targets=targets,
    )


def _ours(song: Path) -> Run:
    def work(recording: Path, midi: Path) -> None:
        write_midi(midi, stem_tracks({"notes": transcribe(recording)}), tempo=120)

    return _warm(work, song)


def _theirs(song: Path) -> Run:
    return _warm(Transcriber().write_midi, song)


def _warm(work: Callable[[Path, Path], None], song: Path) -> Run:
    """Time the work on a song, after a short recording has brought everything into memory."""
    with tempfile.TemporaryDirectory() as folder:
        midi = Path(folder, "notes.mid")
        work(song.with_name(recordings.SHORT), midi)
        return timed(lambda: work(song, midi))
