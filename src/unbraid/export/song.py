"""A result folder read again: what exports are made of."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

import mido
import numpy as np
import soundfile

from unbraid.audio import Tags, read_tags
from unbraid.errors import AudioError, InputError
from unbraid.export.analysis import AnalysisRecord, read_analysis
from unbraid.export.levels import total
from unbraid.export.manifest import Manifest, read_manifest
from unbraid.export.midi import BEND_RANGE, WHEEL_STEPS
from unbraid.types import (
    BeatGrid,
    ChordSegment,
    DrumStroke,
    Key,
    KeySegment,
    NoteEvent,
    Read,
    Samples,
    StemName,
)

DRUMS = "drums"
BEND_STEP_S = 256 / 22_050  # as the transcription has them
_TAGS_OF_INPUT = (
    *("title", "artist", "album", "album_artist", "year", "track", "genre", "comment", "isrc"),
)


@dataclass(frozen=True)
class Song:
    """A song taken apart, with its stems open for reading.

    Attributes:
        folder: of the result.
        manifest: what it holds.
        analysis: what the music is; None if that was not asked for.
        tags: of the song.
        stems: as functions of time, for any number of threads.
        mixture: the sum of the stems and what they leave over; of some stems only, just those.
        length: samples of each.
        sample_rate: samples per second.
        notes: of each pitched stem that was transcribed, as its MIDI file has them.
    """

    folder: Path
    manifest: Manifest
    analysis: AnalysisRecord | None
    tags: Tags
    stems: Mapping[StemName, Read]
    mixture: Read
    length: int
    sample_rate: int
    notes: Mapping[StemName, Sequence[NoteEvent]]

    @property
    def grid(self) -> BeatGrid | None:
        """The beats; those of a tempo that was given, or else the song's own, if it has any."""
        midi = self.manifest.midi
        if midi and midi.tempo_source == "given":
            return BeatGrid.steady(midi.tempo_bpm, self.length / self.sample_rate)
        return self.beats

    @property
    def beats(self) -> BeatGrid | None:
        """The song's own beats."""
        found = self.analysis
        if found is None or found.metre is None:
            return None
        first = found.beats.index(found.downbeats[0]) if found.downbeats else 0
        return BeatGrid(found.beats, first, found.metre, found.tempo.confidence)

    @property
    def chords(self) -> tuple[ChordSegment, ...]:
        """The harmony."""
        found = self.analysis.chords if self.analysis else ()
        return tuple(ChordSegment(each.start, each.end, each.label) for each in found)

    @property
    def key(self) -> Key | None:
        """The key; None in silence, or if it was not asked for."""
        return _key(self.analysis)

    @property
    def strokes(self) -> tuple[DrumStroke, ...]:
        """Those on the drums."""
        found = (self.analysis.drums or ()) if self.analysis else ()
        return tuple(DrumStroke(each.time, each.drum, each.velocity / 127) for each in found)


def _key(analysis: AnalysisRecord | None) -> Key | None:
    found = analysis.key if analysis else None
    if found is None:
        return None
    return Key(
        found.tonic,
        found.mode,
        found.confidence,
        tuple(Key(each.tonic, each.mode, each.confidence) for each in found.alternatives),
        tuple(KeySegment(each.start, each.end, each.tonic, each.mode) for each in found.segments),
    )


@contextmanager
def open_song(folder: Path) -> Iterator[Song]:
    """Open a result folder.

    Raises:
        InputError: there is no finished result.
        AudioError: a file of it is missing or damaged.
    """
    manifest = read_manifest(folder / "manifest.json")
    if manifest is None:
        raise InputError(
            f"{folder.name!r} holds no finished result; make one with `unbraid process`"
        )
    analysis = read_analysis(folder / manifest.analysis) if manifest.analysis else None
    first_stem = next(iter(manifest.stems.values()))
    with ExitStack() as stack:
        files = {
            name: stack.enter_context(_opened(folder / stem.file))
            for name, stem in manifest.stems.items()
        }
        stems = {name: _read_in_turn(file) for name, file in files.items()}
        parts = list(stems.values())
        if manifest.audio.residual:
            left = stack.enter_context(_opened(folder / manifest.audio.residual))
            parts.append(_read_in_turn(left))
        first = next(iter(files.values()))
        yield Song(
            folder=folder,
            manifest=manifest,
            analysis=analysis,
            tags=_tags(read_tags(folder / first_stem.file), manifest, analysis),
            stems=stems,
            mixture=total(parts),
            length=first.frames,
            sample_rate=first.samplerate,
            notes=_notes(folder, manifest),
        )


def _tags(of_stem: Tags, manifest: Manifest, analysis: AnalysisRecord | None) -> Tags:
    """What the files of the result say together: not all formats of stems take all tags."""
    given = {name: getattr(manifest.input, name) for name in _TAGS_OF_INPUT}
    known = {name: value for name, value in given.items() if value is not None}
    if analysis:
        key = _key(analysis)
        known |= {"bpm": analysis.bpm, "key": key.symbol if key else None}
    return replace(of_stem, **known)


def _opened(file: Path) -> soundfile.SoundFile:
    try:
        return soundfile.SoundFile(file)
    except soundfile.LibsndfileError as error:
        raise _damaged(file) from error


def read_part(file: soundfile.SoundFile, start: int, stop: int) -> Samples:
    """Samples [start, stop) of an open file."""
    file.seek(start)
    return np.ascontiguousarray(file.read(stop - start, "float32", always_2d=True).T)


def _read_in_turn(file: soundfile.SoundFile) -> Read:
    """Reads of threads one after the other, for the file has one position for all."""
    lock = Lock()

    def read(start: int, stop: int) -> Samples:
        with lock:
            return read_part(file, start, stop)

    return read


def _notes(folder: Path, manifest: Manifest) -> dict[StemName, list[NoteEvent]]:
    files = manifest.midi.files if manifest.midi else {}
    return {
        name: _notes_of(folder / file) for name, file in files.items() if name not in ("all", DRUMS)
    }


def _notes_of(file: Path) -> list[NoteEvent]:
    """The notes of a file as they were written, bends and all."""
    try:
        midi = mido.MidiFile(file)
    except (OSError, EOFError, ValueError) as error:
        raise _damaged(file) from error
    now_s = 0.0
    sounding: dict[int, tuple[float, int]] = {}
    moved_s, bends = [0.0], [0.0]  # when the wheel was moved, and how many semitones off it is
    notes = []
    for message in midi:
        now_s += message.time
        if message.type == "pitchwheel":
            moved_s.append(now_s)
            bends.append(message.pitch / WHEEL_STEPS * BEND_RANGE)
        elif message.type == "note_on" and message.velocity:
            sounding[message.note] = now_s, message.velocity
        elif message.type in ("note_on", "note_off") and message.note in sounding:
            start_s, velocity = sounding.pop(message.note)
            bent = _sampled(moved_s, bends, start_s, now_s)
            notes.append(NoteEvent(start_s, now_s, message.note, velocity / 127, bent))
    return sorted(notes, key=lambda note: (note.start_s, note.pitch))


def _sampled(
    moved_s: Sequence[float], bends: Sequence[float], start_s: float, end_s: float
) -> tuple[float, ...]:
    """The bends of a note, evenly spaced; none where it is not bent.

    Each is that in the middle of its step: at the ends, the wheel is moved a tick sooner or later.
    """
    count = max(1, round((end_s - start_s) / BEND_STEP_S))
    times_s = start_s + (end_s - start_s) * (np.arange(count) + 0.5) / count
    found = np.array(bends)[np.searchsorted(moved_s, times_s, "right") - 1]
    return tuple(found.tolist()) if found.any() else ()


def _damaged(file: Path) -> AudioError:
    return AudioError(
        f"{file.name!r} of the result is missing or damaged; make it anew with "
        "`unbraid process --overwrite`"
    )
