"""A result handed over to other programs, in the formats that were asked for."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from unbraid.analysis.chords import NO_CHORD
from unbraid.audio.tags import details_of
from unbraid.errors import InputError, ResourceError, UnbraidError, resource_error
from unbraid.export.chart import chordpro, text_chart
from unbraid.export.click import write_click
from unbraid.export.dawproject import write_dawproject
from unbraid.export.folder import ResultFolder
from unbraid.export.manifest import Manifest
from unbraid.export.midi import drum_track, stem_tracks
from unbraid.export.multichannel import write_multichannel
from unbraid.export.musicxml import full_score, lead_sheet
from unbraid.export.naming import safe_name
from unbraid.export.ni_stems import write_ni_stems
from unbraid.export.report import write_report
from unbraid.export.sheet import Sheet
from unbraid.export.song import Song, open_song
from unbraid.export.spectra import write_spectra
from unbraid.inference import available_cores
from unbraid.types import OnProgress, Progress

ExportName = Literal[
    "report", "musicxml", "chords", "dawproject", "stem", "multichannel", "click", "spectra"
]
OF_THE_MUSIC: tuple[ExportName, ...] = ("report", "musicxml", "chords", "dawproject", "click")
EXPORT_NAMES: tuple[ExportName, ...] = get_args(ExportName)

Writer: TypeAlias = Callable[[Song, Path], object]
Maker: TypeAlias = Callable[[ResultFolder, Song], Iterable[Path]]
"""Makes the files of an export and gives their paths."""


@dataclass(frozen=True)
class Problem:
    """Why an export could not be made.

    Attributes:
        kind: name of the error's class.
        message: what is lacking, and what to do.
    """

    kind: str
    message: str


@dataclass(frozen=True)
class Exported:
    """What was made of a result.

    Attributes:
        folder: of the result.
        files: of each export, relative to the folder.
        problems: of the exports that could not be made.
    """

    folder: Path
    files: Mapping[ExportName, tuple[str, ...]]
    problems: Mapping[ExportName, Problem]


def check_exports(names: Iterable[str]) -> tuple[ExportName, ...]:
    """The exports of these names.

    Raises:
        InputError: one of them is no export.
    """
    known = {str(name): name for name in EXPORT_NAMES}
    names = tuple(names)
    for name in names:
        if name not in known:
            raise InputError(f"{name!r} is no export; there are {', '.join(EXPORT_NAMES)}")
    return tuple(known[name] for name in names)


def export_result(
    folder: Path | str,
    names: Iterable[str],
    *,
    overwrite: bool = False,
    on_progress: OnProgress | None = None,
) -> Exported:
    """Make exports of a result folder, which its manifest then names.

    Those that are there are not made again. One that cannot be made does not keep the others.

    Args:
        folder: of the result.
        names: of the exports.
        overwrite: make those that are there again.
        on_progress: called between exports; may raise `Cancelled` to stop.

    Raises:
        InputError: there is no finished result, or no such export.
        AudioError: a file of the result is missing or damaged.
        ResourceError: the folder is being worked on, or cannot be written.
    """
    target, wanted = ResultFolder(Path(folder)), check_exports(names)
    with open_song(target.path) as song, target.held() as ours:
        if not ours:
            raise ResourceError(f"{target.path.name!r} is being worked on; try again later")
        made = dict(song.manifest.exports)
        if overwrite:
            made = {name: files for name, files in made.items() if name not in wanted}
        missing = [name for name in wanted if not _is_there(target, made.get(name))]
        problems: dict[ExportName, Problem] = {}
        with ThreadPoolExecutor(available_cores()) as pool:
            making = {name: pool.submit(_make, target, name) for name in missing}
            try:
                for done, (name, future) in enumerate(making.items()):
                    if on_progress:
                        on_progress(Progress("export", 0.0, None, done / len(making)))
                    try:
                        made[name] = future.result()
                    except ResourceError:
                        raise
                    except UnbraidError as error:
                        problems[name] = Problem(type(error).__name__, str(error))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        note(target, song.manifest.model_copy(update={"exports": made}))
    files = {name: made[name] for name in wanted if name not in problems}
    return Exported(target.path, files, problems)


def remake_exports(folder: Path, on_progress: OnProgress | None = None) -> Manifest:
    """Make those exports of a result anew that have its notes, beats or chords in them.

    Args:
        folder: of the result, as are the errors.
        on_progress: see `export_result`.

    Returns:
        The manifest as it is then.
    """
    with open_song(folder) as song:
        stale = [name for name in song.manifest.exports if name in OF_THE_MUSIC]
    if stale:
        export_result(folder, stale, overwrite=True, on_progress=on_progress)
    with open_song(folder) as song:
        return song.manifest


def _make(folder: ResultFolder, name: ExportName) -> tuple[str, ...]:
    """Make the files of an export, from a result opened for it alone, for many read at once."""
    try:
        with open_song(folder.path) as song:
            return tuple(folder.relative(path) for path in EXPORTS[name](folder, song))
    except OSError as error:
        raise resource_error(error) from error


def _is_there(folder: ResultFolder, files: tuple[str, ...] | None) -> bool:
    return bool(files) and all((folder.path / file).is_file() for file in files or ())


def _files(writers: Mapping[str, Writer]) -> Maker:
    """An export of one file for each name, in which the song's may be part."""

    def make(folder: ResultFolder, song: Song) -> Iterator[Path]:
        track = safe_name(Path(song.manifest.input.file).stem)
        for name, write in writers.items():
            file = folder.path / name.format(track=track)
            with folder.writing(file) as unfinished:
                write(song, unfinished)
            yield file

    return make


def note(folder: ResultFolder, manifest: Manifest) -> None:
    """Write the manifest of a result."""
    with folder.writing(folder.manifest) as unfinished:
        unfinished.write_text(manifest.model_dump_json(indent=2) + "\n", "utf-8")


def _sheet(song: Song) -> Sheet:
    return Sheet(
        grid=song.grid,
        title=song.tags.title or Path(song.manifest.input.file).stem,
        artist=song.tags.artist or "",
        details={name: text for name, text in details_of(song.tags).items() if name != "artist"},
        key=song.key,
        chords=song.chords,
        notes=song.notes,
        strokes=song.strokes,
    )


def _notation(write: Callable[[Sheet], str]) -> Writer:
    def written(song: Song, path: Path) -> None:
        if not any(song.notes.values()) and not song.strokes:
            raise InputError("no notes were found; `unbraid process` looks for them")
        path.write_text(write(_sheet(song)), "utf-8")

    return written


def _chart(write: Callable[[Sheet], str]) -> Writer:
    def written(song: Song, path: Path) -> None:
        if all(chord.label == NO_CHORD for chord in song.chords):
            raise InputError("no chords were found; `unbraid process` looks for them")
        path.write_text(write(_sheet(song)), "utf-8")

    return written


def _dawproject(song: Song, path: Path) -> None:
    drums = [drum_track(song.strokes)] if song.strokes else []
    write_dawproject(
        path,
        song.stems,
        song.length,
        song.sample_rate,
        notes=[*stem_tracks(song.notes), *drums],
        grid=song.grid,
        chords=song.chords,
        tags=song.tags,
    )


def _ni_stems(song: Song, path: Path) -> None:
    write_ni_stems(path, song.stems, song.mixture, song.length, song.sample_rate, song.tags)


def _multichannel(song: Song, path: Path) -> None:
    write_multichannel(path, song.stems, song.length, song.sample_rate, tags=song.tags)


def _click(song: Song, path: Path) -> None:
    write_click(path, song.grid, song.length, song.sample_rate)


def _click_with_count_in(song: Song, path: Path) -> None:
    write_click(path, song.grid, song.length, song.sample_rate, count_in=True)


EXPORTS: Mapping[ExportName, Maker] = {
    "report": _files({"report.html": lambda song, path: write_report(path, song)}),
    "musicxml": _files(
        {
            "notation/{track}.musicxml": _notation(full_score),
            "notation/{track} lead sheet.musicxml": _notation(lead_sheet),
        }
    ),
    "chords": _files(
        {
            "notation/{track} chords.txt": _chart(text_chart),
            "notation/{track} chords.cho": _chart(chordpro),
        }
    ),
    "dawproject": _files({"extra/{track}.dawproject": _dawproject}),
    "stem": _files({"extra/{track}.stem.m4a": _ni_stems}),
    "multichannel": _files({"extra/{track} stems.wav": _multichannel}),
    "click": _files(
        {
            "extra/{track} click.wav": _click,
            "extra/{track} click with count-in.wav": _click_with_count_in,
        }
    ),
    "spectra": lambda folder, song: write_spectra(folder.path / "spectra", song),
}
