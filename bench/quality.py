"""How close stems and notes come to the truth."""

import hashlib
import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from bench import naive, recordings, training_free
from bench.published import published_notes
from bench.results import Section, Target
from unbraid.audio import load
from unbraid.demo import demo_song
from unbraid.demo.room import RATE
from unbraid.scoring import note_f1, sdr
from unbraid.separation import LiveSeparator, MixtureArray, separate
from unbraid.transcription import transcribe
from unbraid.types import AudioSignal, Samples, StemName

MOST_LOSS_DB = 0.05
LEAST_MEAN_DB, LEAST_VOICE_DB, MOST_FALSE_VOICE_DB, MOST_LEFT_DB = 4.0, 2.5, -18.0, -100.0

LIVE, LIVE_BLOCK, MOST_LIVE_LOSS_DB = "`lite-live`", 1024, 1.0

FIRST_NETWORK = Path("../shared/lite/lite.onnx")
FIRST_SHA256 = "73eba6ef35de96bbbc0210db8510c35bcc3c1da2db59488b5e0513003a584bc9"


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


def lite_bench() -> Section:
    """Score the built-in network beside the first of its kind, and beside no network at all."""
    contenders = _contenders()
    sdrs_db, sum_error_db = _excerpt_scores(contenders)
    false_db = {
        f"voices in {recording}": [
            _level_db(separate_by(mixture)[0], mixture) for separate_by in contenders.values()
        ]
        for recording in recordings.INSTRUMENTAL
        for mixture in [_stereo(recordings.folder() / recording)]
    }
    loudest_db = max(levels[-1] for levels in false_db.values())
    targets = [
        Target(
            f"false voices at most {MOST_FALSE_VOICE_DB:g} dB",
            f"{loudest_db:.1f}",
            loudest_db <= MOST_FALSE_VOICE_DB,
        )
    ]
    if sdrs_db:
        targets += _excerpt_targets(sdrs_db, sum_error_db)
        means_db = sdrs_db["mean"] = [float(mean) for mean in np.mean([*sdrs_db.values()], axis=0)]
        behind_db = means_db[-1] - means_db[list(contenders).index(LIVE)]
        targets.append(
            Target(
                f"{LIVE} at most {MOST_LIVE_LOSS_DB:g} dB behind",
                f"{behind_db:.2f} dB",
                behind_db <= MOST_LIVE_LOSS_DB,
            )
        )
    return Section(
        title="Built-in separator",
        text=(
            "Signal-to-distortion ratio of whole excerpts, higher is better: separation without "
            "training (bench/training_free.py), the first network of its kind, and those that are "
            "built in now, `lite-live` in a stream. The excerpts, where UNBRAID_EVAL_AUDIO names a "
            "folder of some, are commercial recordings, their references were themselves "
            "separated, by larger models. Below, the level of the vocals stem against the mixture "
            "in recordings that hold no voice, lower is better."
        ),
        header=("", *contenders),
        rows=[
            (label, *(f"{value:.2f} dB" for value in values))
            for label, values in {**sdrs_db, **false_db}.items()
        ],
        targets=targets,
    )


def _contenders() -> dict[str, Callable[[AudioSignal], Samples]]:
    """What separates into vocals, drums, bass, other, float32 [stem, 2, time]; ours comes last."""

    def ours(mixture: AudioSignal) -> Samples:
        stems = separate(mixture)
        return np.stack([stems[name].samples for name in naive.STEMS])

    def live(mixture: AudioSignal) -> Samples:
        separator = LiveSeparator()
        stream = np.pad(mixture.samples, ((0, 0), (0, separator.latency)))
        blocks = np.array_split(stream, stream.shape[1] // LIVE_BLOCK, axis=1)
        stems = np.concatenate([separator.process(block) for block in blocks], axis=2)
        return stems[..., separator.latency :]

    contenders: dict[str, Callable[[AudioSignal], Samples]] = {
        "without training": lambda mixture: training_free.separate(mixture.samples)
    }
    first = Path(os.environ.get("UNBRAID_FIRST_NETWORK") or FIRST_NETWORK)
    if first.is_file() and hashlib.sha256(first.read_bytes()).hexdigest() == FIRST_SHA256:
        contenders["first network"] = lambda mixture: naive.separate(mixture.samples, first)
    return {**contenders, LIVE: live, "`lite`": ours}


def _excerpt_scores(
    contenders: Mapping[str, Callable[[AudioSignal], Samples]],
) -> tuple[dict[str, list[float]], float]:
    """SDR of each stem by each contender, and the greatest level of what our stems leave over."""
    scores, left_db = {}, -math.inf
    for number, (excerpt, stems) in enumerate(recordings.excerpts().items(), start=1):
        mixture = _stereo(excerpt)
        estimates = [separate_by(mixture) for separate_by in contenders.values()]
        left_db = max(left_db, _level_db(mixture.samples - estimates[-1].sum(axis=0), mixture))
        for name, file in stems.items():
            truth, k = _stereo(file), naive.STEMS.index(name)
            scores[f"excerpt {number}, {name}"] = [
                sdr(truth, AudioSignal(each[k], RATE)) for each in estimates
            ]
    return scores, left_db


def _excerpt_targets(sdrs_db: Mapping[str, list[float]], left_db: float) -> list[Target]:
    mean_db = float(np.mean([values[-1] for values in sdrs_db.values()]))
    voices_db = [values[-1] for label, values in sdrs_db.items() if "vocals" in label]
    behind_db = max(values[0] - values[-1] for values in sdrs_db.values())
    targets = [
        Target(f"mean at least {LEAST_MEAN_DB} dB", f"{mean_db:.2f}", mean_db >= LEAST_MEAN_DB),
        Target("no stem behind separation without training", f"{behind_db:.2f} dB", behind_db <= 0),
        Target(
            f"stems sum to the mixture within {MOST_LEFT_DB:g} dB",
            f"{left_db:.0f}",
            left_db <= MOST_LEFT_DB,
        ),
    ]
    if voices_db:
        voice_db = min(voices_db)
        targets.append(
            Target(
                f"voices at least {LEAST_VOICE_DB} dB",
                f"{voice_db:.2f}",
                voice_db >= LEAST_VOICE_DB,
            )
        )
    return targets


def _stereo(recording: Path) -> AudioSignal:
    """A recording as the networks hear it."""
    return AudioSignal(MixtureArray(load(recording), RATE).samples, RATE)


def _level_db(samples: Samples, mixture: AudioSignal) -> float:
    """Of samples against a mixture."""
    powers = [float(np.square(each, dtype=np.float64).sum()) for each in (samples, mixture.samples)]
    return 10 * math.log10(powers[0] / powers[1] + 1e-20)


def notes_bench() -> Section:
    """Score the notes found in the true stems of the demonstration song."""
    song = demo_song()
    rows = []
    for name, truth in song.notes.items():
        ours = note_f1(truth, transcribe(song.stems[name])).f1
        theirs = note_f1(truth, published_notes(song.stems[name])).f1
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
