"""The notes and strokes of a song's stems, written as MIDI files."""

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias, TypeVar

from pydantic import TypeAdapter

from unbraid.export.growing import GrowingStems
from unbraid.export.levels import stretches
from unbraid.export.manifest import MidiRecord, TempoSource
from unbraid.export.midi import MidiTrack, drum_track, stem_tracks, write_midi
from unbraid.stages import REST, Job
from unbraid.transcription import transcribe_blocks
from unbraid.transcription.cleanup import clean_notes
from unbraid.transcription.drums import transcribe_drums
from unbraid.transcription.quantise import quantise_notes, quantise_strokes
from unbraid.types import (
    BeatGrid,
    ChordSegment,
    DrumStroke,
    Key,
    NoteEvent,
    ProcessOptions,
    Read,
    Samples,
    StemName,
)

DRUMS = "drums"
DEFAULT_TEMPO_BPM = 120.0  # of MIDI files, where a song has no steady pulse

T = TypeVar("T")
Report: TypeAlias = Callable[[float], None]
"""Called with the seconds of audio finished; what it raises ends the work."""

NOTES = TypeAdapter(list[NoteEvent])
STROKES = TypeAdapter(list[DrumStroke])


def transcribed_stems(names: Iterable[StemName], options: ProcessOptions) -> list[StemName]:
    """Those in which notes or strokes are looked for, the drums last."""
    if options.midi:
        return sorted((name for name in names if name != REST), key=lambda name: name == DRUMS)
    return [name for name in names if name == DRUMS] if options.analysis else []


@dataclass(frozen=True)
class Played:
    """What the stems play.

    Attributes:
        notes: of each pitched stem.
        strokes: of the drums; None without such a stem.
    """

    notes: Mapping[StemName, Sequence[NoteEvent]]
    strokes: Sequence[DrumStroke] | None

    def tracks(self) -> list[MidiTrack]:
        """A track for each stem, the drums last."""
        drums = [] if self.strokes is None else [drum_track(self.strokes)]
        return [*stem_tracks(self.notes), *drums]


def transcribe_song(job: Job, stems: GrowingStems, threads: int) -> Played:
    """Find the notes and strokes; they are kept, so that a run that goes on does not again."""
    names = transcribed_stems(stems.names, job.options)
    if not names:
        return Played({}, None)
    duration_s = job.mixture.duration_s
    with job.clock.running("transcribe", duration_s * len(names)) as report:
        reports = {name: _after(k * duration_s, report) for k, name in enumerate(names)}
        hear_drums = reports.pop(DRUMS, None)
        notes = {name: _notes(job, stems, name, threads, each) for name, each in reports.items()}
        return Played(notes, _strokes(job, stems, hear_drums) if hear_drums else None)


def write_song(
    job: Job,
    heard: Played,
    grid: BeatGrid | None,
    chords: Sequence[ChordSegment],
    key: Key | None,
) -> MidiRecord:
    """Write what the stems play, a file for each and one with all, and the notes as first heard.

    Args:
        job: the song.
        heard: what its stems play.
        grid: its beats; None where it has none. A tempo that was asked for goes before them.
        chords: markers of the file with all stems.
        key: of the song; None where it has none.
    """
    given_bpm = job.options.midi_tempo
    if given_bpm is not None:
        grid = BeatGrid.steady(given_bpm, job.mixture.duration_s)
    tempo, source = midi_tempo(given_bpm, grid)
    song_db = 20 * math.log10(job.mixture.statistics.rms + 1e-6)
    played = _edited(heard, job.options, song_db, grid)
    tracks = played.tracks()
    write = partial(_write, job, tempo, key)
    return MidiRecord(
        tempo_bpm=round(tempo.tempo_bpm, 3) if isinstance(tempo, BeatGrid) else tempo,
        tempo_source=source,
        files={
            **{track.name: write(track.name, [track]) for track in tracks},
            "all": write("all", tracks, chords),
        },
        raw={track.name: write(f"raw/{track.name}", [track]) for track in stem_tracks(heard.notes)},
        quantised=job.options.quantise is not None and grid is not None,
        notes={track.name: len(track.notes) for track in tracks},
    )


def _notes(
    job: Job, stems: GrowingStems, name: StemName, threads: int, report: Report
) -> list[NoteEvent]:
    options = job.options.transcription
    digest = hashlib.sha256(repr(options).encode()).hexdigest()[:16]
    blocks, rate = _blocks(stems, partial(stems.read, name)), job.mixture.sample_rate
    hear = partial(transcribe_blocks, blocks, rate, options, threads=threads, on_progress=report)
    return _kept(job, f"{name}.{digest}", NOTES, hear)


def _strokes(job: Job, stems: GrowingStems, report: Report) -> list[DrumStroke]:
    rate, half_s = job.mixture.sample_rate, job.mixture.duration_s / 2
    reads: tuple[Read, Read] = (partial(stems.read, DRUMS), job.mixture.read)
    drums, song = (_blocks(stems, read) for read in reads)
    hear = partial(
        transcribe_drums,
        _reported(drums, 2 * rate, report),
        _reported(song, 2 * rate, _after(half_s, report)),
        rate,
    )
    return _kept(job, DRUMS, STROKES, hear)


def _kept(job: Job, name: str, kind: TypeAdapter[T], hear: Callable[[], T]) -> T:
    """What an interrupted run has heard, or what is heard now."""
    file = job.folder.partial / f"{name}.json"
    if file.exists():
        return kind.validate_json(file.read_bytes())
    heard = hear()
    with job.folder.writing(file) as unfinished:
        unfinished.write_bytes(kind.dump_json(heard))
    return heard


def _edited(
    heard: Played, options: ProcessOptions, song_db: float, grid: BeatGrid | None
) -> Played:
    """What the stems play as it is written: cleaned, and on the grid if that was asked for."""
    cleanup, quantise = options.cleanup, options.quantise
    notes = {
        name: clean_notes(each, cleanup, monophonic=name in cleanup.monophonic, song_db=song_db)
        for name, each in heard.notes.items()
    }
    if quantise is None or grid is None:
        return Played(notes, heard.strokes)
    return Played(
        {name: quantise_notes(each, grid, quantise) for name, each in notes.items()},
        heard.strokes and quantise_strokes(heard.strokes, grid, quantise),
    )


def _write(
    job: Job,
    tempo: float | BeatGrid,
    key: Key | None,
    name: str,
    tracks: list[MidiTrack],
    chords: Sequence[ChordSegment] = (),
) -> str:
    file = job.folder.path / "midi" / f"{name}.mid"
    with job.folder.writing(file) as unfinished:
        write_midi(unfinished, tracks, tempo, chords, job.tags, key)
    return job.folder.relative(file)


def midi_tempo(
    given_bpm: float | None, grid: BeatGrid | None
) -> tuple[float | BeatGrid, TempoSource]:
    """The tempo of MIDI files: that given, else the music's own beats, else the usual 120."""
    if given_bpm is not None:
        return given_bpm, "given"
    return (DEFAULT_TEMPO_BPM, "default") if grid is None else (grid, "song")


def _blocks(stems: GrowingStems, read: Read) -> Iterator[Samples]:
    return (read(start, stop) for start, stop in stretches(stems.written))


def _after(before_s: float, report: Report) -> Report:
    """Reports of a part of a stage that begins when `before_s` seconds of it are done."""
    return lambda done_s: report(before_s + done_s)


def _reported(blocks: Iterable[Samples], sample_rate: int, report: Report) -> Iterator[Samples]:
    """Blocks, of which the seconds done are reported."""
    done = 0
    for block in blocks:
        yield block
        done += block.shape[1]
        report(done / sample_rate)
