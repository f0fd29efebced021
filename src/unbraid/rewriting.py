"""The MIDI files of a result written anew, with other notes of some stems."""

from collections.abc import Mapping, Sequence

import mido

from unbraid.export.folder import ResultFolder
from unbraid.export.manifest import MidiRecord
from unbraid.export.midi import MidiTrack, clock_of, stem_tracks, write_midi
from unbraid.export.retiming import retimed_track
from unbraid.export.song import Song
from unbraid.transcribing import midi_tempo
from unbraid.types import BeatGrid, NoteEvent, StemName

Notes = Mapping[StemName, Sequence[NoteEvent]]


def rewrite_midi(
    target: ResultFolder, song: Song, midi: MidiRecord, notes: Notes, raw: Notes | None = None
) -> MidiRecord:
    """Write the MIDI files anew; what is not given sounds when it did, bends and all.

    Args:
        target: the folder of the result.
        song: what is in it, with the beats that the files shall have.
        midi: the files that there are.
        notes: of stems, in the place of those that they have.
        raw: as first heard, likewise.

    Returns:
        The files as they are then.
    """
    given = song.manifest.options.midi_tempo
    tempo, source = midi_tempo(given, song.grid if given is not None else song.beats)
    clock = clock_of(tempo)

    def tracks(files: Mapping[str, str], fresh: Notes) -> dict[str, MidiTrack | mido.MidiTrack]:
        made = stem_tracks({name: fresh.get(name, ()) for name in song.notes})
        new = {track.name: track for track in made if track.name in fresh}
        return {
            name: new.get(name) or retimed_track(target.path / file, clock)
            for name, file in files.items()
            if name != "all"
        }

    def write(name: str, tracks: Sequence[MidiTrack | mido.MidiTrack], *, marked: bool) -> None:
        with target.writing(target.path / name) as unfinished:
            chords = song.chords if marked else ()
            write_midi(unfinished, tracks, tempo, chords, song.tags, song.key)

    parts = tracks(midi.files, notes)
    for name, track in parts.items():
        write(midi.files[name], [track], marked=False)
    write(midi.files["all"], list(parts.values()), marked=True)
    for name, track in tracks(midi.raw, raw or {}).items():
        write(midi.raw[name], [track], marked=False)
    return midi.model_copy(
        update={
            "tempo_bpm": round(tempo.tempo_bpm, 3) if isinstance(tempo, BeatGrid) else tempo,
            "tempo_source": source,
            "notes": midi.notes | {name: len(played) for name, played in notes.items()},
        }
    )
