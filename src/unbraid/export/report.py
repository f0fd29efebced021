"""The report: a song taken apart on one self-contained page, to be heard, seen and printed.

The page needs no server and no network, and forbids itself any: its content security policy names
the one script and the one style sheet that it has by their hashes.
"""

import base64
import hashlib
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from string import Template
from typing import BinaryIO

import numpy as np

from unbraid.analysis import spectra
from unbraid.audio import AudioWriter, Tags
from unbraid.audio.formats import small_mp3
from unbraid.export.chord_symbols import NO_CHORD, ChordSymbol
from unbraid.export.folder import writing
from unbraid.export.html import island, tag
from unbraid.export.levels import stretches
from unbraid.export.picture import pixels, png
from unbraid.export.report_page import footer, header, listen, sections, title
from unbraid.export.song import DRUMS, Song
from unbraid.export.waveform import Peaks, columns_of, peaks
from unbraid.types import Drum, Read

MOST_BYTES = 15_000_000
PARTS = Path(__file__).parents[1] / "data" / "report"
PICTURE_COLUMNS = 600
DRUMS_FROM_BELOW: tuple[Drum, ...] = (
    *("kick", "snare", "side stick", "low tom", "mid tom", "high tom"),
    *("closed hi-hat", "open hi-hat", "ride", "crash"),
)
_THREADS = 2
_COPIED_BYTES = 3 << 18  # at once; base64 turns three bytes into four signs
_SOUND = '<audio preload="none" src="data:audio/mpeg;base64,'
_SOUND_END = '"></audio>\n'


@dataclass(frozen=True)
class Quality:
    """How the stems sound on the page.

    Attributes:
        kbit_per_s: of all music alike; None for as much as it needs.
        channels: one or two.
    """

    kbit_per_s: int | None
    channels: int

    def size(self, duration_s: float) -> int:
        """Bytes of a stem in base64: the most, or the usual if the music decides."""
        kbit_per_s = self.kbit_per_s or USUAL_KBIT_PER_S
        frames = duration_s * 1000 / 36 + 4  # of 36 ms
        return len(_SOUND) + round(4 / 3 * frames * (kbit_per_s * 36 / 8 + 2)) + 100


USUAL_KBIT_PER_S = 100
QUALITIES = (
    Quality(None, channels=2),
    *(Quality(rate, channels=2) for rate in (96, 80, 64)),
    *(Quality(rate, channels=1) for rate in (48, 40, 32, 24, 16)),
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


def write_report(path: Path, song: Song, *, most_bytes: int = MOST_BYTES) -> None:
    """Write the page of a song.

    Args:
        path: the file to write; its name should end in .html.
        song: an opened result.
        most_bytes: how large the page may be. The sound is as good as fits; a song that is too
            long for any gets a page without, which says so.

    Raises:
        ResourceError: the file cannot be written.
    """
    with (
        ThreadPoolExecutor(_THREADS) as pool,
        tempfile.TemporaryDirectory(dir=path.parent) as scratch,
        writing(path, path.parent) as unfinished,
        unfinished.open("wb") as page,
    ):
        mixture = _look(song, song.mixture)
        looks = list(pool.map(partial(_look, song), song.stems.values()))
        left = most_bytes - len(_page(song, mixture, looks, None).encode())
        files = [Path(scratch) / f"{k}.mp3" for k in range(len(song.stems))]
        quality = None
        for candidate in fitting(song, left):
            list(pool.map(partial(_encode, song, candidate), files, song.stems.values()))
            if sum(_embedded_size(file) for file in files) <= left:
                quality = candidate
                break
        before, after = _page(song, mixture, looks, quality).encode().split(_SOUNDS_HERE)
        page.write(before)
        for file in files if quality else ():
            _embed(file, page)
        page.write(after)


def fitting(song: Song, most_bytes: int) -> list[Quality]:
    """The qualities in which all stems should fit, the best first."""
    duration_s = song.length / song.sample_rate
    return [each for each in QUALITIES if len(song.stems) * each.size(duration_s) <= most_bytes]


_SOUNDS_HERE = b"<!-- sounds -->"


def _page(song: Song, mixture: Look, looks: Sequence[Look], quality: Quality | None) -> str:
    style, script = ((PARTS / name).read_text("utf-8") for name in ("style.css", "player.js"))
    policy = (
        f"default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; media-src data:; "
        f"style-src '{_hash(style)}'; script-src '{_hash(script)}'"
    )
    top_db = float(mixture.levels_db.max())
    pictures = [_picture(look, top_db) for look in (mixture, *looks)]
    return Template((PARTS / "page.html").read_text("utf-8")).substitute(
        policy=policy,
        title=tag("title", title(song)),
        style=style,
        header=header(song),
        listen=listen(song, with_sound=quality is not None),
        sections=sections(song, pictures),
        footer=footer(song),
        song=island(_data(song, mixture, looks, quality)),
        sounds=_SOUNDS_HERE.decode(),
        script=script,
    )


def _hash(part: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()}"


def _look(song: Song, read: Read) -> Look:
    """Go through a recording once for its waveform, once for its spectrogram."""
    frames = 1 + song.length // spectra.HOP
    step = 1
    while frames > step * 2 * PICTURE_COLUMNS and step < spectra.CHUNK:
        step *= 2
    power = [
        np.maximum.reduceat(found, np.arange(0, len(found), step), axis=0)
        for magnitudes in spectra.stft(read, song.length)
        for found in (spectra.mel(magnitudes, song.sample_rate),)
    ]
    levels = 10 * np.log10(np.maximum(np.concatenate(power), 1e-12))
    columns = columns_of(song.length, song.sample_rate)
    return Look(peaks(read, song.length, columns), levels.astype(np.float32))


def _picture(look: Look, top_db: float) -> str:
    return _base64(png(pixels(look.levels_db, top_db, PICTURE_COLUMNS)))


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _data(
    song: Song, mixture: Look, looks: Sequence[Look], quality: Quality | None
) -> dict[str, object]:
    """What the script draws and plays."""
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
        "rate": small_mp3(quality.kbit_per_s).sample_rates[0] if quality else None,
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


def _encode(song: Song, quality: Quality, file: Path, read: Read) -> None:
    encoding = small_mp3(quality.kbit_per_s)
    with AudioWriter(file, song.sample_rate, quality.channels, encoding, Tags()) as writer:
        for start, stop in stretches(song.length):
            samples = read(start, stop)
            writer.write(samples if quality.channels == 2 else samples.mean(axis=0, keepdims=True))


def _embedded_size(file: Path) -> int:
    return len(_SOUND) + len(_SOUND_END) + -(-file.stat().st_size // 3) * 4


def _embed(file: Path, page: BinaryIO) -> None:
    page.write(_SOUND.encode())
    with file.open("rb") as sound:
        while block := sound.read(_COPIED_BYTES):
            page.write(base64.b64encode(block))
    page.write(_SOUND_END.encode())
