from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from unbraid.audio import Tags, load, open_writer, read_tags
from unbraid.types import AudioFormat

FORMATS: tuple[AudioFormat, ...] = ("wav", "flac", "mp3", "ogg", "opus")
TAGS = Tags(
    title="Gößner – 夢",
    artist="Ænima",
    album="Δέλτα",
    year="1973",
    track=7,
    genre="Μουσική",
    comment="コメント",
)
SILENCE = np.zeros((2, 4_410), np.float32)


@pytest.mark.parametrize("format", FORMATS)
def test_texts_of_any_script_are_read_as_they_were_written(
    format: AudioFormat, tmp_path: Path
) -> None:
    path = tmp_path / f"song.{format}"
    with open_writer(path, 44_100, 2, format, tags=TAGS) as writer:
        writer.write(SILENCE)
    assert read_tags(path) == TAGS


@pytest.mark.parametrize("format", FORMATS)
def test_strange_texts_leave_a_file_that_decodes(format: AudioFormat, tmp_path: Path) -> None:
    path = tmp_path / f"song.{format}"
    tags = Tags(title="x" * 200_000, artist="a\0b\nc\udcff", album="")
    with open_writer(path, 48_000, 2, format, tags=tags) as writer:
        writer.write(SILENCE)
    assert load(path).length == SILENCE.shape[1]
    title = read_tags(path).title
    assert title
    assert set(title) == {"x"}


def test_cover_is_read(tmp_path: Path, ffmpeg: Callable[..., None]) -> None:
    song, covered = tmp_path / "song.flac", tmp_path / "covered.flac"
    with open_writer(song, 44_100, 2, "flac") as writer:
        writer.write(SILENCE)
    picture = ("-f", "lavfi", "-i", "color=red:size=16x16", "-frames:v", "1", "-c:v", "mjpeg")
    ffmpeg(
        "-i", song, *picture, "-map", "0", "-map", "1", "-disposition:v", "attached_pic", covered
    )
    tags = read_tags(covered)
    assert tags.cover_mime == "image/jpeg"
    assert tags.cover is not None
    assert tags.cover[:2] == b"\xff\xd8"


@pytest.mark.parametrize(
    "content", [b"", b"ID3\4\0\0\x7f\x7f\x7f\x7fTIT2", b"no music at all" * 99]
)
def test_file_without_readable_tags_has_none(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "broken.mp3"
    path.write_bytes(content)
    assert read_tags(path) == Tags()


def test_missing_file_has_no_tags(tmp_path: Path) -> None:
    assert read_tags(tmp_path / "missing.mp3") == Tags()
