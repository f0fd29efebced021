"""Spectra of a song and its stems, as NumPy archives and as pictures.

The fields of the archives are described in docs/exports.md.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from unbraid.analysis import spectra
from unbraid.analysis.spectra import FloatArray
from unbraid.export.folder import writing
from unbraid.export.naming import safe_name
from unbraid.export.picture import Indices, beside, pixels, png
from unbraid.export.song import Song
from unbraid.types import Read

FLOOR_DB = -120.0
PICTURE_COLUMNS = 800
_STEPS_PER_DB = 8  # so that archives compress
_MOST_BYTES = 28_000_000  # of all archives, before they are compressed
_ROWS_PER_BAND = 2

Levels = npt.NDArray[np.float16]


def write_spectra(folder: Path, song: Song) -> tuple[Path, ...]:
    """Write an archive and a picture of the mixture and of each stem.

    The picture of a stem has the mixture on its left. The longer a song, the fewer columns a second
    has: all archives together stay below 20 MB.

    Args:
        folder: where the files go; it is made.
        song: an opened result.

    Returns:
        The files written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    step = frames_per_column(song.length, sources=1 + len(song.stems))
    before: Indices | None = None
    top_db = FLOOR_DB
    written = []
    for name, read in _sources(song):
        levels = levels_db(read, song.length, song.sample_rate, step)
        if before is None:
            top_db = float(levels["mel_db"].max())
        columns = len(levels["mel_db"])
        archive, drawing = folder / f"{name}.npz", folder / f"{name}.png"
        with writing(archive, folder) as file, file.open("wb") as target:
            np.savez_compressed(
                target,
                allow_pickle=False,
                times_s=(np.arange(columns) + 0.5) * (step * spectra.HOP / song.sample_rate),
                fft_hz=np.fft.rfftfreq(spectra.WINDOW, 1 / song.sample_rate),
                mel_hz=spectra.mel_hz(song.sample_rate),
                constant_q_hz=spectra.constant_q_hz(song.sample_rate),
                **levels,
            )
        after = pixels(levels["mel_db"].astype(np.float32), top_db, PICTURE_COLUMNS)
        after = after.repeat(_ROWS_PER_BAND, axis=0)
        with writing(drawing, folder) as file:
            file.write_bytes(png(after if before is None else beside(before, after)))
        before = after if before is None else before
        written += [archive, drawing]
    return tuple(written)


def frames_per_column(length: int, sources: int) -> int:
    """How many frames of the spectra are joined, a power of two: the fewest that fit."""
    bins = spectra.WINDOW // 2 + 1 + spectra.MEL_BANDS + spectra.OCTAVES * 36
    size = (1 + length // spectra.HOP) * bins * sources * np.dtype(np.float16).itemsize
    step = 1
    while size > step * _MOST_BYTES and step < spectra.CHUNK:
        step *= 2
    return step


def levels_db(read: Read, length: int, sample_rate: int, step: int) -> dict[str, Levels]:
    """The spectra of a recording in decibels of a full sine [column, bin], by their names."""
    fft, mel, tones = [], [], []
    for magnitudes in spectra.stft(read, length):
        fft.append(_decibels(magnitudes**2, step))
        mel.append(_decibels(spectra.mel(magnitudes, sample_rate), step))
    tones = [_decibels(found**2, step) for found in spectra.constant_q(read, length, sample_rate)]
    found = {"fft_db": fft, "mel_db": mel, "constant_q_db": tones}
    return {name: np.concatenate(parts) for name, parts in found.items()}


def _decibels(power: FloatArray, step: int) -> Levels:
    """The mean of `step` frames each, in decibels; no softer than the floor."""
    starts = np.arange(0, len(power), step)
    counts = np.diff(starts, append=len(power))[:, np.newaxis]
    mean = np.add.reduceat(power, starts, axis=0) / counts
    levels = 10 * np.log10(np.maximum(mean, 10 ** (FLOOR_DB / 10)))
    return np.asarray(np.rint(levels * _STEPS_PER_DB) / _STEPS_PER_DB, np.float16)


def _sources(song: Song) -> Iterator[tuple[str, Read]]:
    """The mixture first, then the stems, each with a file name of its own."""
    yield "mixture", song.mixture
    taken = {"mixture"}
    for stem, read in song.stems.items():
        name = safe_name(stem)
        while name.casefold() in taken:
            name += "_"
        taken.add(name.casefold())
        yield name, read
