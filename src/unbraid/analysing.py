"""What a song is: its beats, key and chords, its loudness, and when its stems sound."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from unbraid.analysis.activity import Activity, Span
from unbraid.analysis.beats import find_beats
from unbraid.analysis.chords import find_chords, respelled
from unbraid.analysis.hearing import hear
from unbraid.analysis.key import find_key
from unbraid.analysis.sections import Section, find_sections
from unbraid.analysis.tags import AudioTagger, Sound
from unbraid.audio.loudness import LoudnessMeter
from unbraid.export.analysis import (
    AnalysisRecord,
    ChordRecord,
    KeyName,
    KeyRecord,
    KeySpan,
    LoudnessRecord,
    SectionRecord,
    SoundRecord,
    StemAnalysis,
    StrokeRecord,
    TempoPoint,
    TempoRecord,
    dump_analysis,
)
from unbraid.export.growing import GrowingStems
from unbraid.export.levels import stretches
from unbraid.export.manifest import QualityRecord, StemRecord
from unbraid.export.midi import DRUM_KEYS
from unbraid.stages import Job
from unbraid.types import ChordSegment, DrumStroke, Key, Read, Rhythm, Samples, StemName, Tempo

FILE = "analysis.json"
DRUMS = "drums"


@dataclass(frozen=True)
class Analysis:
    """What was found in a song.

    Attributes:
        rhythm: its beats and tempo.
        key: None in silence.
        chords: from the beginning of the song to its end.
        sections: its parts, likewise; none in silence.
        tuning_cents: from 440 Hz.
        loudness_lufs: integrated loudness (BS.1770); None for silence.
        sounding: when each stem sounds.
        sounds: what a network hears; None if none was asked for.
    """

    rhythm: Rhythm
    key: Key | None
    chords: tuple[ChordSegment, ...]
    sections: tuple[Section, ...]
    tuning_cents: float
    loudness_lufs: float | None
    sounding: Mapping[StemName, tuple[Span, ...]]
    sounds: tuple[Sound, ...] | None = None


def analyse_song(job: Job, stems: GrowingStems) -> Analysis:
    """Listen to the song and its stems, and find what is in them."""
    mixture, rate = job.mixture, job.mixture.sample_rate
    reads: dict[StemName, Read] = {name: partial(stems.read, name) for name in stems.names}
    meter, whole = LoudnessMeter(rate, 2), Activity(rate)
    parts = {name: Activity(rate) for name in reads}
    with job.clock.running("analyse", mixture.duration_s) as report:

        def song(start: int, stop: int) -> Samples:
            samples = mixture.read(start, stop)
            meter.push(samples)
            whole.push(samples)
            return samples

        hearing = hear(song, reads, mixture.length, rate, report)
        for start, stop in stretches(mixture.length):
            for name, part in parts.items():
                part.push(reads[name](start, stop))
        rhythm = find_beats(hearing)
        chords = find_chords(hearing, rhythm.grid)
        key = find_key(hearing, chords)
        sections = find_sections(hearing, rhythm.grid)
        sounds = None
        if job.options.tags and job.options.analysis:
            tagger = AudioTagger(job.options.tags, offline=job.store.offline)
            sounds = tagger(
                mixture.read, mixture.length, rate, lambda _: report(mixture.duration_s)
            )
        report(mixture.duration_s)
    return Analysis(
        rhythm=rhythm,
        key=key,
        chords=respelled(chords, key) if key else chords,
        sections=sections,
        tuning_cents=round(100 * hearing.tuning, 1),
        loudness_lufs=meter.integrated_lufs(),
        sounding={name: part.spans(of=whole) for name, part in parts.items()},
        sounds=sounds,
    )


def write_analysis(
    job: Job,
    music: Analysis,
    strokes: Sequence[DrumStroke] | None,
    stems: Mapping[StemName, StemRecord],
    quality: QualityRecord,
) -> str:
    """Write analysis.json.

    Returns:
        Its name, as the manifest has it.
    """
    record = _record(job.mixture.duration_s, music, strokes, stems, quality)
    file = job.folder.path / FILE
    with job.folder.writing(file) as unfinished:
        unfinished.write_text(dump_analysis(record), "utf-8")
    return job.folder.relative(file)


def _record(
    duration_s: float,
    music: Analysis,
    strokes: Sequence[DrumStroke] | None,
    stems: Mapping[StemName, StemRecord],
    quality: QualityRecord,
) -> AnalysisRecord:
    grid, tempo = music.rhythm.grid, music.rhythm.tempo
    sounding = dict(music.sounding)
    if not strokes:
        sounding.pop(DRUMS, None)  # what a separation leaves of others there is not struck
    shares = {
        name: round(sum(end - start for start, end in spans) / duration_s, 3)
        for name, spans in sounding.items()
        if spans
    }
    return AnalysisRecord(
        duration_s=round(duration_s, 3),
        bpm=_plain(tempo.bpm),
        tempo=_tempo(tempo),
        beats=_rounded(grid.beats_s) if grid else (),
        downbeats=_rounded(grid.downbeats_s) if grid else (),
        metre=grid.metre if grid else None,
        key=key_record(music.key) if music.key else None,
        tuning_cents=music.tuning_cents,
        chords=tuple(
            ChordRecord(start=round(each.start_s, 3), end=round(each.end_s, 3), label=each.label)
            for each in music.chords
        ),
        sections=tuple(
            SectionRecord(start=round(each.start_s, 3), end=round(each.end_s, 3), label=each.label)
            for each in music.sections
        ),
        drums=None if strokes is None else tuple(map(_stroke, strokes)),
        loudness=LoudnessRecord(integrated_lufs=music.loudness_lufs),
        stems={
            name: StemAnalysis(
                peak_db=stem.peak_db, rms_db=stem.rms_db, sounding=sounding.get(name, ())
            )
            for name, stem in stems.items()
        },
        quality=quality,
        sounds=_stems_that_sound(shares) if music.sounds is None else _named(music.sounds),
    )


def _stems_that_sound(shares: Mapping[StemName, float]) -> tuple[SoundRecord, ...]:
    most_first = sorted(shares.items(), key=lambda each: -each[1])
    return tuple(SoundRecord(label=name, share=share) for name, share in most_first)


def _named(sounds: Sequence[Sound]) -> tuple[SoundRecord, ...]:
    return tuple(
        SoundRecord(label=each.label, share=each.share, score=each.score) for each in sounds
    )


def _plain(bpm: float | None) -> int | float | None:
    """Whole numbers without a point."""
    return int(bpm) if bpm is not None and bpm.is_integer() else bpm


def _rounded(times_s: Sequence[float]) -> tuple[float, ...]:
    return tuple(round(time_s, 3) for time_s in times_s)


def _tempo(tempo: Tempo) -> TempoRecord:
    return TempoRecord(
        steady=tempo.steady,
        rubato=tempo.rubato,
        confidence=tempo.confidence,
        curve=tuple(TempoPoint(time=round(time_s, 3), bpm=bpm) for time_s, bpm in tempo.curve),
    )


def key_record(key: Key) -> KeyRecord:
    """A key as analysis.json has it."""
    return KeyRecord(
        tonic=key.tonic,
        mode=key.mode,
        confidence=key.confidence,
        camelot=key.camelot,
        relative=key.relative,
        parallel=key.parallel,
        alternatives=tuple(
            KeyName(tonic=each.tonic, mode=each.mode, confidence=each.confidence)
            for each in key.alternatives
        ),
        segments=tuple(
            KeySpan(
                start=round(each.start_s, 3),
                end=round(each.end_s, 3),
                tonic=each.tonic,
                mode=each.mode,
            )
            for each in key.segments
        ),
    )


def _stroke(stroke: DrumStroke) -> StrokeRecord:
    return StrokeRecord(
        time=round(stroke.time_s, 3),
        drum=stroke.drum,
        key=DRUM_KEYS[stroke.drum],
        velocity=max(1, round(127 * stroke.velocity)),
    )
