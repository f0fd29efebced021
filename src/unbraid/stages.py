"""The stages of a song's way: separated, transcribed, written."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from unbraid.audio import AudioReader, Tags
from unbraid.errors import ResourceError
from unbraid.export.folder import ResultFolder
from unbraid.export.growing import BYTES_PER_SAMPLE, GrowingStems
from unbraid.export.manifest import UnavailableModel
from unbraid.export.naming import stem_file_name
from unbraid.export.stems import WrittenStems, write_stems
from unbraid.separation import LoadedModel, MixtureFile, ModelChoice
from unbraid.separation.quality import Quality, judge, judged_s
from unbraid.types import (
    OnProgress,
    ProcessOptions,
    Progress,
    Read,
    Stage,
    StemName,
)
from unbraid.weights import ModelStore

REST = "rest"  # the mixture without the wanted stems

COST: dict[Stage, float] = {
    "separate": 1 / 30,
    "judge": 1 / 25,
    "analyse": 1 / 50,
    "transcribe": 1 / 120,
    "export": 1 / 600,
}
"""Seconds that a stage takes for a second of audio on two cores, for a guess at what is left."""


class StageClock:
    """Reports the progress of each stage and takes its time."""

    def __init__(self, on_progress: OnProgress | None) -> None:
        self.seconds: dict[str, float] = {}
        self._on_progress = on_progress
        self._expected: dict[Stage, float] = {}

    def expect(self, audio_s: dict[Stage, float]) -> None:
        """Say how many seconds of audio each of the stages to come will go through."""
        costs = {stage: seconds * COST[stage] for stage, seconds in audio_s.items()}
        whole = sum(costs.values())
        self._expected = {stage: cost / whole for stage, cost in costs.items()} if whole else {}

    def report_pull(self, fraction: float | None) -> None:
        """Report that a model is being pulled."""
        if self._on_progress:
            self._on_progress(Progress("pull", 0.0, None, fraction))

    @contextmanager
    def running(self, stage: Stage, total_s: float | None) -> Iterator[Callable[[float], None]]:
        """Time a stage of `total_s` seconds of audio; gives where to report the seconds done."""
        began = time.perf_counter()
        before = sum(share for earlier, share in self._expected.items() if earlier in self.seconds)

        def report(done_s: float) -> None:
            if self._on_progress:
                fraction = None
                if total_s and stage in self._expected:
                    fraction = min(1.0, before + self._expected[stage] * (done_s / total_s))
                self._on_progress(Progress(stage, done_s, total_s, fraction))

        report(0.0)
        yield report
        self.seconds[stage] = round(time.perf_counter() - began, 3)


@dataclass(frozen=True)
class Job:
    """A decoded recording, what to make of it, and where."""

    path: Path
    options: ProcessOptions
    choice: ModelChoice
    fallback_from: UnavailableModel | None
    reader: AudioReader
    tags: Tags
    mixture: MixtureFile
    folder: ResultFolder
    clock: StageClock
    store: ModelStore


def separate_song(job: Job, separator: LoadedModel) -> GrowingStems:
    """Separate the song into files of raw samples, going on with those that are there."""
    mixture, rate = job.mixture, job.mixture.sample_rate
    with_rest = job.options.with_rest
    names = (*separator.stems, REST) if with_rest else separator.stems
    stems = GrowingStems(job.folder.partial, names)
    _check_disk(job.folder.path, len(names), mixture.length, stems.written)
    with job.clock.running("separate", mixture.duration_s) as report:
        report(stems.written / rate)
        for samples in separator.stretches(mixture, stems.written):
            if with_rest:
                whole = mixture.read(stems.written, stems.written + samples.shape[-1])
                samples = np.concatenate([samples, [whole - samples.sum(axis=0)]])
            stems.append(samples)
            report(stems.written / rate)
    return stems


def _check_disk(folder: Path, stems: int, length: int, written: int) -> None:
    """Refuse work for which there is no room: all stems raw, and once more as files."""
    needed = stems * BYTES_PER_SAMPLE * (2 * length - written)
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise ResourceError(
            f"the result needs {needed / 1e6:.0f} MB of disk, {free / 1e6:.0f} MB are free; "
            "free some space or choose another folder"
        )


def judge_song(job: Job, stems: GrowingStems, threads: int) -> Quality:
    """Score the stems without the true ones."""
    mixture = job.mixture
    reads: dict[StemName, Read] = {name: partial(stems.read, name) for name in stems.names}
    duration_s = judged_s(mixture.duration_s, len(reads))
    with job.clock.running("judge", duration_s) as report:
        return judge(
            mixture.read, reads, mixture.length, mixture.sample_rate, threads, on_progress=report
        )


def export_song(job: Job, stems: GrowingStems, tags: Tags) -> WrittenStems:
    """Write the stems in their format, with the tags of the song."""
    rate = job.mixture.sample_rate
    with job.clock.running("export", job.mixture.duration_s * len(stems.names)) as report:
        return write_stems(
            job.folder,
            stems,
            job.mixture.read,
            job.options,
            file_name=partial(
                stem_file_name,
                job.options.name,
                track=job.path.stem,
                model=job.choice.name,
                tags=job.tags,
            ),
            tags=tags,
            sample_rate=rate,
            complete=job.options.with_rest or job.choice.complete,
            on_progress=lambda samples: report(samples / rate),
        )
