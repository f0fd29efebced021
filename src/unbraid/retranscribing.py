"""A result transcribed again with other options, from its stems as they are written."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from unbraid.analysis.beats import find_beats
from unbraid.analysis.chords import find_chords
from unbraid.analysis.hearing import hear
from unbraid.analysis.key import find_key
from unbraid.errors import InputError, ResourceError, resource_error
from unbraid.export.folder import ResultFolder
from unbraid.export.levels import measure
from unbraid.export.manifest import Manifest
from unbraid.export.song import Song, open_song
from unbraid.export.tempo_map import check_tempo
from unbraid.exporting import note, remake_exports
from unbraid.inference import available_cores
from unbraid.rewriting import rewrite_midi
from unbraid.stages import StageClock
from unbraid.transcribing import (
    DRUMS,
    Material,
    edited,
    midi_warnings,
    transcribe_song,
    transcribed_stems,
    write_song,
)
from unbraid.types import BeatGrid, ChordSegment, Key, OnProgress, ProcessOptions, StemName


def transcribe_result(
    folder: Path | str,
    options: ProcessOptions,
    *,
    stems: Collection[StemName] | None = None,
    threads: int | None = None,
    on_progress: OnProgress | None = None,
) -> Manifest:
    """Write the MIDI files of a result anew, and its exports that have notes in them.

    Beats, chords and drum strokes stay as they were found.

    Args:
        folder: of the result.
        options: of these, what the MIDI depends on: transcription, cleanup, quantise, midi_tempo.
        stems: those that are transcribed; None for all. Of some, the others keep their notes, the
            files their tempo, and the manifest its options.
        threads: threads of the network; None for the cores this process may use.
        on_progress: called between units of work; may raise `Cancelled` to stop.

    Returns:
        The manifest as it is then.

    Raises:
        InputError: there is no finished result, or none of its stems has notes, or a wanted one.
        AudioError: a file of the result is missing or damaged.
        ResourceError: the folder is being worked on, or cannot be written.
    """
    if options.midi_tempo is not None:
        check_tempo(options.midi_tempo)
    target = ResultFolder(Path(folder))
    try:
        with open_song(target.path) as song, target.held() as ours:
            if not ours:
                raise ResourceError(f"{target.path.name!r} is being worked on; try again later")
            threads = threads or available_cores()
            _transcribe(target, song, options, stems, threads, on_progress)
    except OSError as error:
        raise resource_error(error) from error
    return remake_exports(target.path, on_progress)


def _transcribe(
    target: ResultFolder,
    song: Song,
    options: ProcessOptions,
    stems: Collection[StemName] | None,
    threads: int,
    on_progress: OnProgress | None,
) -> None:
    before = song.manifest
    wanted = replace(
        before.options,
        midi=True,
        transcription=options.transcription,
        cleanup=options.cleanup,
        quantise=options.quantise,
        midi_tempo=options.midi_tempo,
    )
    known = song.strokes if song.analysis and song.analysis.drums is not None else None
    names = [
        name for name in transcribed_stems(song.stems, wanted) if known is None or name != DRUMS
    ]
    if not names:
        raise InputError("none of the stems has notes to look for")
    if stems is not None:
        pitched = set(song.notes)
        if unknown := set(stems) - pitched:
            there = ", ".join(sorted(pitched)) or "none; transcribe all first"
            raise InputError(f"{min(unknown)!r} has no notes here; there are {there}")
        names = [name for name in names if name in stems]
    clock, duration_s = StageClock(on_progress), song.length / song.sample_rate
    clock.expect(
        {"transcribe": duration_s * len(names), "analyse": duration_s * (song.analysis is None)}
    )
    material = Material(
        stems=song.stems if stems is None else {name: song.stems[name] for name in names},
        mixture=song.mixture,
        length=song.length,
        sample_rate=song.sample_rate,
        rms=measure(song.mixture, song.length).rms,
        tags=song.tags,
        options=wanted,
        folder=target,
        clock=clock,
    )
    if stems is not None and before.midi:
        heard = transcribe_song(material, threads, ())
        notes = edited(material, heard, song.grid).notes
        midi = rewrite_midi(target, song, before.midi, notes, heard.notes)
        kept = tuple(name for name in midi.corrected if name not in notes)
        midi = midi.model_copy(update={"corrected": kept})
        note(target, before.model_copy(update={"midi": midi}))
        return
    grid, chords, key = song.beats, song.chords, song.key
    if song.analysis is None:
        grid, chords, key = _harmony(material)
    midi = write_song(material, transcribe_song(material, threads, known), grid, chords, key)
    old = midi_warnings(before.options, before.midi)
    note(
        target,
        before.model_copy(
            update={
                "options": wanted,
                "midi": midi,
                "warnings": (
                    *(each for each in before.warnings if each not in old),
                    *midi_warnings(wanted, midi),
                ),
                "seconds": before.seconds | clock.seconds,
            }
        ),
    )


def _harmony(
    song: Material,
) -> tuple[BeatGrid | None, tuple[ChordSegment, ...], Key | None]:
    """The beats, chords and key of a song whose analysis was not asked for."""
    with song.clock.running("analyse", song.duration_s) as report:
        hearing = hear(song.mixture, song.stems, song.length, song.sample_rate, report)
        grid = find_beats(hearing).grid
        chords = find_chords(hearing, grid)
        return grid, chords, find_key(hearing, chords)
