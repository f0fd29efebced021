"""Notes beside those of the basic-pitch package, the same network: speed and memory."""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import soundfile

from bench import recordings
from bench.measuring import Run, alternately, in_child, timed
from bench.naive import published_options
from bench.results import Section, Target
from unbraid.export.midi import stem_tracks, write_midi
from unbraid.transcription import transcribe
from unbraid.transcription.basic_pitch import NETWORK

ROUNDS = 5
LEAST_SPEED = 50


def bench() -> Section:
    """Turn each recording into a MIDI file both ways; importing and loading are not counted."""
    rows, targets = [], []
    for name in recordings.SONGS:
        song = recordings.folder() / name
        duration_s = soundfile.info(song).duration
        found = alternately(
            {
                "Unbraid": partial(in_child, _ours, song),
                "basic-pitch": partial(in_child, _theirs, song),
            },
            ROUNDS,
        )
        ours, theirs = found.values()
        speed, ratio = duration_s / ours.seconds, theirs.seconds / ours.seconds
        rows += [
            (
                f"{song.stem}, {who}",
                str(runs),
                f"{duration_s / runs.seconds:.1f}",
                f"{runs.peak_mb:.0f} MB",
            )
            for who, runs in found.items()
        ]
        targets += [
            Target(
                f"{song.stem} at least {LEAST_SPEED}x real time",
                f"{speed:.1f}x",
                speed >= LEAST_SPEED,
            ),
            Target(
                f"{song.stem} at least as fast as basic-pitch",
                f"{ratio:.2f}x as fast",
                ratio >= 1,
            ),
        ]
    return Section(
        title="Transcription",
        text=(
            "A recording to its MIDI file, decoding included: Unbraid beside the basic-pitch "
            "package with the same network and options, libraries imported and networks loaded."
        ),
        header=("", "time", "times real time", "peak memory"),
        rows=rows,
        targets=targets,
    )


def _ours(song: Path) -> Run:
    def work(recording: Path, midi: Path) -> None:
        write_midi(midi, stem_tracks({"notes": transcribe(recording)}), tempo_bpm=120)

    return _warm(work, song)


def _theirs(song: Path) -> Run:
    from basic_pitch.inference import Model, predict

    network = Model(NETWORK)

    def work(recording: Path, midi: Path) -> None:
        predict(recording, network, **published_options())[1].write(str(midi))

    return _warm(work, song)


def _warm(work: Callable[[Path, Path], None], song: Path) -> Run:
    """Time the work on a song, after a short recording has brought everything into memory."""
    with tempfile.TemporaryDirectory() as folder:
        midi = Path(folder, "notes.mid")
        work(song.with_name(recordings.SHORT), midi)
        return timed(lambda: work(song, midi))
