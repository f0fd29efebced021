"""The report: a song taken apart on one self-contained page, to be heard, seen and printed.

The page needs no server and no network, and forbids itself any: its content security policy names
the one script and the one style sheet that it has by their hashes.
"""

import base64
import hashlib
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from string import Template
from typing import BinaryIO

from unbraid.audio import AudioWriter, Tags
from unbraid.audio.ffmpeg_writer import mp3_writer
from unbraid.audio.formats import small_mp3
from unbraid.export.folder import writing
from unbraid.export.html import island, tag
from unbraid.export.levels import stretches
from unbraid.export.report_data import Look, data, look_at, picture
from unbraid.export.report_page import footer, header, listen, sections, title
from unbraid.export.song import Song
from unbraid.types import Read

MOST_BYTES = 15_000_000
PARTS = Path(__file__).parents[1] / "data" / "report"
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
        files = [Path(scratch) / f"{k}.mp3" for k in range(len(song.stems))]

        def encode(quality: Quality) -> Iterable[None]:
            return pool.map(partial(_encode, song, quality), files, song.stems.values())

        hoped = fitting(song, most_bytes)[:1]
        sounds = [encode(quality) for quality in hoped]  # while the song is looked at
        mixture = look_at(song, song.mixture)
        looks = list(pool.map(partial(look_at, song), song.stems.values()))
        list(chain.from_iterable(sounds))
        left = most_bytes - len(_page(song, mixture, looks, None))
        quality = None
        for candidate in fitting(song, left):
            if candidate not in hoped:
                list(encode(candidate))
            if sum(_embedded_size(file) for file in files) <= left:
                quality = candidate
                break
        before, after = _page(song, mixture, looks, quality).split(_SOUNDS_HERE)
        page.write(before)
        for file in files if quality else ():
            _embed(file, page)
        page.write(after)


def fitting(song: Song, most_bytes: int) -> list[Quality]:
    """The qualities in which all stems should fit, the best first."""
    duration_s = song.length / song.sample_rate
    return [each for each in QUALITIES if len(song.stems) * each.size(duration_s) <= most_bytes]


_SOUNDS_HERE = b"<!-- sounds -->"


def _page(song: Song, mixture: Look, looks: Sequence[Look], quality: Quality | None) -> bytes:
    style, script = ((PARTS / name).read_text("utf-8") for name in ("style.css", "player.js"))
    policy = (
        f"default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; media-src data:; "
        f"style-src '{_hash(style)}'; script-src '{_hash(script)}'"
    )
    rate = small_mp3(quality.kbit_per_s).sample_rates[0] if quality else None
    top_db = float(mixture.levels_db.max())
    pictures = [picture(look, top_db) for look in (mixture, *looks)]
    page = Template((PARTS / "page.html").read_text("utf-8")).substitute(
        policy=policy,
        title=tag("title", title(song)),
        style=style,
        header=header(song),
        listen=listen(song, with_sound=quality is not None),
        sections=sections(song, pictures),
        footer=footer(song),
        song=island(data(song, mixture, looks, rate)),
        sounds=_SOUNDS_HERE.decode(),
        script=script,
    )
    return page.encode(errors="replace")  # a tag may hold half a sign


def _hash(part: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()}"


def _encode(song: Song, quality: Quality, file: Path, read: Read) -> None:
    encoding = small_mp3(quality.kbit_per_s)
    source = (file, song.sample_rate, quality.channels)
    with mp3_writer(*source, encoding.sample_rates[0], quality.kbit_per_s) or AudioWriter(
        *source, encoding, Tags()
    ) as writer:
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
