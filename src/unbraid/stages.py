"""The stages of a song's way: separated, transcribed, written."""

import hashlib
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter

from unbraid.analysis.beats import OnsetEnvelope, estimate_tempo
from unbraid.audio import AudioReader, Tags
from unbraid.errors import ResourceError
from unbraid.export.folder import ResultFolder
from unbraid.export.growing import BYTES_PER_SAMPLE, GrowingStems
from unbraid.export.levels import stretches, total
from unbraid.export.manifest import MidiRecord, TempoSource, UnavailableModel
from unbraid.export.midi import MidiTrack, stem_tracks, write_midi
from unbraid.export.naming import stem_file_name
from unbraid.export.stems import WrittenStems, write_stems
from unbraid.separation import LoadedModel, MixtureFile, ModelChoice
from unbraid.separation.quality import Quality, judge, judged_s
from unbraid.transcription import transcribe_blocks
from unbraid.types import (
    NoteEvent,
    OnProgress,
    ProcessOptions,
    Progress,
    Read,
    Samples,
    Stage,
    StemName,
)
from unbraid.weights import ModelStore

REST = "rest"  # the mixture without the wanted stems
UNPITCHED = ("drums", REST)  # not sent through the transcription of pitched notes
PULSE = ("drums", "bass")  # the stems that carry the beat
DEFAULT_TEMPO_BPM = 120.0  # of MIDI files, where a song has no steady pulse

COST: dict[Stage, float] = {
    "separate": 1 / 30,
    "judge": 1 / 25,
    "transcribe": 1 / 120,
    "export": 1 / 600,
}
"""Seconds that a stage takes for a second of audio on two cores, for a guess at what is left."""

NOTES = TypeAdapter(list[NoteEvent])


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
            "free some space or choose another folder with -o"
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


def pitched_stems(names: Iterable[StemName]) -> list[StemName]:
    """Those whose notes are looked for."""
    return [name for name in names if name not in UNPITCHED]


def transcribe_song(job: Job, stems: GrowingStems, threads: int) -> MidiRecord:
    """Write the notes of the pitched stems, a file for each and one with all."""
    duration_s = job.mixture.duration_s
    pitched = pitched_stems(stems.names)
    notes: dict[StemName, list[NoteEvent]] = {}
    with job.clock.running("transcribe", duration_s * len(pitched)) as report:
        for name in pitched:
            before_s = len(notes) * duration_s
            notes[name] = _notes(job, stems, name, threads, _after(before_s, report))
        tempo_bpm, source = midi_tempo(
            job.options.midi_tempo,
            _pulse(job, stems),
            job.mixture.sample_rate,
            lambda: report(duration_s * len(pitched)),
        )
        tracks = stem_tracks(notes)
        files = {track.name: _write_midi(job, track.name, [track], tempo_bpm) for track in tracks}
        files["all"] = _write_midi(job, "all", tracks, tempo_bpm)
    return MidiRecord(
        tempo_bpm=tempo_bpm,
        tempo_source=source,
        files=files,
        notes={name: len(notes[name]) for name in pitched},
    )


def _after(before_s: float, report: Callable[[float], None]) -> Callable[[float], None]:
    """Reports of a part of a stage that begins when `before_s` seconds of it are done."""
    return lambda done_s: report(before_s + done_s)


def _notes(
    job: Job,
    stems: GrowingStems,
    name: StemName,
    threads: int,
    report: Callable[[float], None],
) -> list[NoteEvent]:
    """The notes of a stem, kept so that an interrupted run does not hear it again."""
    options = job.options.transcription
    digest = hashlib.sha256(repr(options).encode()).hexdigest()[:16]
    kept = job.folder.partial / f"{name}.{digest}.json"
    if kept.exists():
        return NOTES.validate_json(kept.read_bytes())
    blocks = _blocks(partial(stems.read, name), stems.written)
    notes = transcribe_blocks(
        blocks, job.mixture.sample_rate, options, threads=threads, on_progress=report
    )
    with job.folder.writing(kept) as file:
        file.write_bytes(NOTES.dump_json(notes))
    return notes


def _write_midi(job: Job, name: str, tracks: list[MidiTrack], tempo_bpm: float) -> str:
    file = job.folder.path / "midi" / f"{name}.mid"
    with job.folder.writing(file) as unfinished:
        write_midi(unfinished, tracks, tempo_bpm)
    return job.folder.relative(file)


def midi_tempo(
    given_bpm: float | None,
    blocks: Iterable[Samples],
    sample_rate: int,
    check_cancel: Callable[[], None],
) -> tuple[float, TempoSource]:
    """Beats per minute for MIDI files: those given, else the music's own, else the usual 120.

    Args:
        given_bpm: what the user asked for; None for the music's own.
        blocks: the music, float32 [channel, time] each.
        sample_rate: samples per second.
        check_cancel: called between blocks; what it raises ends the work.
    """
    if given_bpm is not None:
        return given_bpm, "given"
    envelope = OnsetEnvelope(sample_rate)
    for block in blocks:
        check_cancel()
        envelope.push(block)
    tempo = estimate_tempo(envelope)
    return (round(tempo.bpm, 3), "song") if tempo else (DEFAULT_TEMPO_BPM, "default")


def _pulse(job: Job, stems: GrowingStems) -> Iterator[Samples]:
    """What the beat is found in: drums and bass, or the whole song without them."""
    carriers: list[Read] = [partial(stems.read, name) for name in PULSE if name in stems.names]
    return _blocks(total(carriers) if carriers else job.mixture.read, stems.written)


def _blocks(read: Read, length: int) -> Iterator[Samples]:
    return (read(start, stop) for start, stop in stretches(length))


def export_song(job: Job, stems: GrowingStems) -> WrittenStems:
    """Write the stems in their format."""
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
            tags=job.tags,
            sample_rate=rate,
            complete=job.options.with_rest or job.choice.complete,
            on_progress=lambda samples: report(samples / rate),
        )
