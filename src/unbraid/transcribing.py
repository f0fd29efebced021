"""The notes and strokes of a song's stems, written as MIDI files."""

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias, TypeVar

from pydantic import TypeAdapter

from unbraid.audio import Tags
from unbraid.export.folder import ResultFolder
from unbraid.export.growing import GrowingStems
from unbraid.export.levels import stretches
from unbraid.export.manifest import MidiRecord, TempoSource
from unbraid.export.midi import MidiTrack, drum_track, stem_tracks, write_midi
from unbraid.stages import REST, Job, StageClock
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


@dataclass(frozen=True)
class Material:
    """A song to transcribe.

    Attributes:
        stems: as functions of time.
        mixture: the song itself.
        length: samples of each.
        sample_rate: samples per second.
        rms: of the mixture, full scale 1.0.
        tags: of the recording.
        options: how to transcribe it.
        folder: where to write.
        clock: takes the progress.
    """

    stems: Mapping[StemName, Read]
    mixture: Read
    length: int
    sample_rate: int
    rms: float
    tags: Tags
    options: ProcessOptions
    folder: ResultFolder
    clock: StageClock

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.length / self.sample_rate

    def blocks(self, read: Read) -> Iterator[Samples]:
        """A recording as long as the song, piece by piece."""
        return (read(start, stop) for start, stop in stretches(self.length))


def material_of(job: Job, stems: GrowingStems) -> Material:
    """What there is to transcribe once a song is separated."""
    return Material(
        stems={name: partial(stems.read, name) for name in stems.names},
        mixture=job.mixture.read,
        length=stems.written,
        sample_rate=job.mixture.sample_rate,
        rms=job.mixture.statistics.rms,
        tags=job.tags,
        options=job.options,
        folder=job.folder,
        clock=job.clock,
    )


def transcribe_song(
    song: Material, threads: int, known: Sequence[DrumStroke] | None = None
) -> Played:
    """Find the notes and strokes; they are kept, so that a run that goes on does not again.

    Args:
        song: what to listen to.
        threads: of the network.
        known: the strokes, where they were found before.
    """
    names = transcribed_stems(song.stems, song.options)
    if known is not None:
        names = [name for name in names if name != DRUMS]
    if not names:
        return Played({}, known)
    with song.clock.running("transcribe", song.duration_s * len(names)) as report:
        reports = {name: _after(k * song.duration_s, report) for k, name in enumerate(names)}
        hear_drums = reports.pop(DRUMS, None)
        notes = {name: _notes(song, name, threads, each) for name, each in reports.items()}
        return Played(notes, _strokes(song, hear_drums) if hear_drums else known)


def write_song(
    song: Material,
    heard: Played,
    grid: BeatGrid | None,
    chords: Sequence[ChordSegment],
    key: Key | None,
) -> MidiRecord:
    """Write what the stems play, a file for each and one with all, and the notes as first heard.

    Args:
        song: what was listened to.
        heard: what its stems play.
        grid: its beats; None where it has none. A tempo that was asked for goes before them.
        chords: markers of the file with all stems.
        key: of the song; None where it has none.
    """
    given_bpm = song.options.midi_tempo
    if given_bpm is not None:
        grid = BeatGrid.steady(given_bpm, song.duration_s)
    tempo, source = midi_tempo(given_bpm, grid)
    played = edited(song, heard, grid)
    tracks = played.tracks()
    write = partial(_write, song, tempo, key)
    return MidiRecord(
        tempo_bpm=round(tempo.tempo_bpm, 3) if isinstance(tempo, BeatGrid) else tempo,
        tempo_source=source,
        files={
            **{track.name: write(track.name, [track]) for track in tracks},
            "all": write("all", tracks, chords),
        },
        raw={track.name: write(f"raw/{track.name}", [track]) for track in stem_tracks(heard.notes)},
        quantised=song.options.quantise is not None and grid is not None,
        notes={track.name: len(track.notes) for track in tracks},
    )


def midi_warnings(options: ProcessOptions, midi: MidiRecord | None) -> tuple[str, ...]:
    """What the user should know of the MIDI files."""
    if midi and options.quantise and not midi.quantised:
        return (
            "the song's beats are not known, so the MIDI is not quantised; --midi-tempo sets them",
        )
    return ()


def _notes(song: Material, name: StemName, threads: int, report: Report) -> list[NoteEvent]:
    options = song.options.transcription
    digest = hashlib.sha256(repr(options).encode()).hexdigest()[:16]
    blocks, rate = song.blocks(song.stems[name]), song.sample_rate
    hear = partial(transcribe_blocks, blocks, rate, options, threads=threads, on_progress=report)
    return _kept(song.folder, f"{name}.{digest}", NOTES, hear)


def _strokes(song: Material, report: Report) -> list[DrumStroke]:
    rate, half_s = song.sample_rate, song.duration_s / 2
    hear = partial(
        transcribe_drums,
        _reported(song.blocks(song.stems[DRUMS]), 2 * rate, report),
        _reported(song.blocks(song.mixture), 2 * rate, _after(half_s, report)),
        rate,
    )
    return _kept(song.folder, DRUMS, STROKES, hear)


def _kept(folder: ResultFolder, name: str, kind: TypeAdapter[T], hear: Callable[[], T]) -> T:
    """What an interrupted run has heard, or what is heard now."""
    file = folder.partial / f"{name}.json"
    if file.exists():
        return kind.validate_json(file.read_bytes())
    heard = hear()
    with folder.writing(file) as unfinished:
        unfinished.write_bytes(kind.dump_json(heard))
    return heard


def edited(song: Material, heard: Played, grid: BeatGrid | None) -> Played:
    """What the stems play as it is written: cleaned, and on the grid if that was asked for.

    Args:
        song: what was listened to.
        heard: what its stems play.
        grid: where notes are moved to; None where there are no beats.
    """
    cleanup, quantise = song.options.cleanup, song.options.quantise
    song_db = 20 * math.log10(song.rms + 1e-6)
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
    song: Material,
    tempo: float | BeatGrid,
    key: Key | None,
    name: str,
    tracks: list[MidiTrack],
    chords: Sequence[ChordSegment] = (),
) -> str:
    file = song.folder.path / "midi" / f"{name}.mid"
    with song.folder.writing(file) as unfinished:
        write_midi(unfinished, tracks, tempo, chords, song.tags, key)
    return song.folder.relative(file)


def midi_tempo(
    given_bpm: float | None, grid: BeatGrid | None
) -> tuple[float | BeatGrid, TempoSource]:
    """The tempo of MIDI files: that given, else the music's own beats, else the usual 120."""
    if given_bpm is not None:
        return given_bpm, "given"
    return (DEFAULT_TEMPO_BPM, "default") if grid is None else (grid, "song")


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
