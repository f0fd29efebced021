"""How close stems and notes come to the truth."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import soundfile

from bench import naive, recordings
from bench.published import Transcriber
from bench.results import Section, Target
from unbraid.audio import load
from unbraid.demo import demo_song
from unbraid.scoring import note_f1, sdr
from unbraid.separation import separate
from unbraid.transcription import transcribe
from unbraid.types import AudioSignal, NoteEvent, StemName

MOST_LOSS_DB = 0.05


def stems_bench() -> Section:
    """Score the stems of the demonstration song, and of real excerpts where there are some."""
    song = demo_song()
    rows = _scores("demo song", song.mixture, song.stems)
    for number, (excerpt, stems) in enumerate(recordings.excerpts().items(), start=1):
        truth = {name: load(stem) for name, stem in stems.items()}
        rows += _scores(f"excerpt {number}", load(excerpt), truth)
    loss_db = max(at_once - in_segments for _, _, at_once, in_segments in rows)
    return Section(
        title="Stems",
        text=(
            "Signal-to-distortion ratio of `lite`, higher is better: the mixture itself in the "
            "place of each stem, the network called once for the whole song (bench/naive.py), and "
            "Unbraid's segments. The demo song is synthesised: it shows that separation works and "
            "is never quoted as quality. The excerpts, where UNBRAID_EVAL_AUDIO names a folder of "
            "some, are commercial recordings; their references were themselves separated, by "
            "larger models."
        ),
        header=("", "mixture", "at once", "in segments"),
        rows=[(label, *(f"{score:.2f} dB" for score in scores)) for label, *scores in rows],
        targets=[
            Target(
                f"segments lose at most {MOST_LOSS_DB} dB",
                f"{loss_db:.3f} dB at most",
                loss_db <= MOST_LOSS_DB,
            )
        ],
    )


def _scores(
    label: str, mixture: AudioSignal, truth: Mapping[StemName, AudioSignal]
) -> list[tuple[str, float, float, float]]:
    """Of each stem: SDR of the mixture, of the network called once, and of ours."""
    at_once = dict(zip(naive.STEMS, naive.separate(mixture.samples), strict=True))
    in_segments = separate(mixture)
    return [
        (
            f"{label}, {name}",
            sdr(stem, mixture),
            sdr(stem, AudioSignal(at_once[name], mixture.sample_rate)),
            sdr(stem, in_segments[name]),
        )
        for name, stem in truth.items()
    ]


def notes_bench() -> Section:
    """Score the notes found in the true stems of the demonstration song."""
    song = demo_song()
    rows = []
    for name, truth in song.notes.items():
        ours = note_f1(truth, transcribe(song.stems[name])).f1
        theirs = note_f1(truth, _published_notes(song.stems[name])).f1
        rows.append((name, ours, theirs))
    ours, theirs = (float(np.mean([row[k] for row in rows])) for k in (1, 2))
    return Section(
        title="Notes",
        text=(
            "F1 of pitch and onset (50 ms) in the true stems of the demo song, which is "
            "synthesised, against its score: Unbraid beside the basic-pitch package with the same "
            "network and options."
        ),
        header=("", "Unbraid", "basic-pitch"),
        rows=[(name, *(f"{score:.3f}" for score in scores)) for name, *scores in rows],
        targets=[
            Target("notes as good as the package's", f"{ours:.3f} to {theirs:.3f}", ours >= theirs)
        ],
    )


def _published_notes(stem: AudioSignal) -> list[NoteEvent]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "stem.wav")
        soundfile.write(file, stem.samples.T, stem.sample_rate, "FLOAT")
        return Transcriber().notes(file)
