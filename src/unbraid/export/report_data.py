"""What a report shows of a song: waveforms, spectrograms, notes, strokes, beats and chords."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unbraid.analysis import spectra
from unbraid.export.chord_symbols import NO_CHORD, ChordSymbol
from unbraid.export.picture import pixels, png
from unbraid.export.song import DRUMS, Song
from unbraid.export.waveform import PeakMeter, Peaks, columns_of
from unbraid.types import Drum, Read, Samples

PICTURE_COLUMNS = 600
DRUMS_FROM_BELOW: tuple[Drum, ...] = (
    *("kick", "snare", "side stick", "low tom", "mid tom", "high tom"),
    *("closed hi-hat", "open hi-hat", "ride", "crash"),
)


@dataclass(frozen=True)
class Look:
    """What is to be seen of a recording.

    Attributes:
        peaks: of its waveform [column, 2].
        levels_db: of its mel bands [column, band].
    """

    peaks: Peaks
    levels_db: spectra.FloatArray


def look_at(song: Song, read: Read) -> Look:
    """Go through a recording once."""
    frames = 1 + song.length // spectra.HOP
    step = 1
    while frames > step * 2 * PICTURE_COLUMNS and step < spectra.CHUNK:
        step *= 2
    meter = PeakMeter(song.length, columns_of(song.length, song.sample_rate))

    def watched(start: int, stop: int) -> Samples:
        samples = read(start, stop)
        meter.push(start, samples)
        return samples

    power = []
    for magnitudes in spectra.stft(watched, song.length):
        bands = spectra.mel(magnitudes, song.sample_rate)
        power.append(np.maximum.reduceat(bands, np.arange(0, len(bands), step), axis=0))
    levels = 10 * np.log10(np.maximum(np.concatenate(power), 1e-12))
    return Look(meter.peaks, levels.astype(np.float32))


def picture(look: Look, top_db: float) -> str:
    """The spectrogram as a PNG in base64; `top_db` is what is brightest."""
    return _base64(png(pixels(look.levels_db, top_db, PICTURE_COLUMNS)))


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def data(
    song: Song, mixture: Look, looks: Sequence[Look], sound_rate: int | None
) -> dict[str, object]:
    """What the script of the page draws and plays.

    Args:
        song: an opened result.
        mixture: its look.
        looks: those of its stems.
        sound_rate: samples per second of what is heard; None if nothing is.
    """
    duration_s = song.length / song.sample_rate
    grid = song.grid
    inside = [each for each in (grid.beats_s if grid else ()) if 0 <= each <= duration_s]
    downbeats = [each for each in (grid.downbeats_s if grid else ()) if 0 <= each <= duration_s]
    most = max((float(np.abs(look.peaks).max()) for look in looks), default=0.0)
    stems: list[dict[str, object]] = []
    for name, look in zip(song.stems, looks, strict=True):
        stem: dict[str, object] = {"peaks": _drawn(look.peaks, most)}
        if notes := song.notes.get(name):
            stem["notes"] = [
                (round(note.start_s, 3), round(note.end_s, 3), note.pitch, note.velocity)
                for note in notes
            ]
        elif name == DRUMS and song.strokes:
            struck = {stroke.drum for stroke in song.strokes}
            drums = [drum for drum in DRUMS_FROM_BELOW if drum in struck]
            stem["drums"] = drums
            stem["strokes"] = [
                (round(stroke.time_s, 3), drums.index(stroke.drum), round(127 * stroke.velocity))
                for stroke in song.strokes
            ]
        stems.append(stem)
    return {
        "duration": duration_s,
        "rate": sound_rate,
        "beats": [round(each, 3) for each in inside],
        "downbeats": [round(each, 3) for each in downbeats],
        "chords": [
            (round(each.start_s, 3), round(each.end_s, 3), _symbol(each.label))
            for each in song.chords
        ],
        "peaks": _drawn(mixture.peaks, float(np.abs(mixture.peaks).max(initial=0.0))),
        "stems": stems,
    }


def _symbol(label: str) -> str:
    return str(ChordSymbol.of(label) or NO_CHORD)


def _drawn(found: Peaks, most: float) -> str:
    """Peaks as whole numbers from -127 to 127."""
    scaled = 127 / max(most, 1e-5) * found
    return _base64(np.rint(scaled.clip(-127, 127)).astype(np.int8).tobytes())
