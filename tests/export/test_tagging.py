import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.export.probing import probed

from unbraid.audio import Tags, load, open_writer, read_tags
from unbraid.export.picture import png
from unbraid.export.tagging import complete_tags
from unbraid.types import AudioFormat

RATE = 44_100
FORMATS: tuple[AudioFormat, ...] = ("wav", "flac", "mp3", "ogg", "opus")
COVER = png(np.random.default_rng(0).integers(0, 256, (400, 400), np.uint8))  # too large for a line
TAGS = Tags(
    title="Gö=ß;n#e\\r – 夢\nx",
    artist="-y",
    album="Δέλτα",
    album_artist="V. A.",
    year="1973-03-01",
    track=7,
    genre="Rock",
    bpm=93.25,
    key="F#m",
    comment="ends with a \\",
    isrc="GBAYE7300007",
    cover=COVER,
    cover_mime="image/png",
)


def stem(folder: Path, format: AudioFormat, tags: Tags) -> Path:
    path = folder / f"夜 🎸.{format}"
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, (2, RATE // 3)).astype(np.float32)
    with open_writer(path, RATE, 2, format, tags=tags) as writer:
        writer.write(noise)
    return path


@pytest.mark.parametrize("format", FORMATS)
def test_all_tags_and_the_cover_are_added_and_no_sample_changes(
    format: AudioFormat, tmp_path: Path
) -> None:
    if not shutil.which("ffmpeg"):
        pytest.skip("ffmpeg is not installed")
    path = stem(tmp_path, format, TAGS)
    before = load(path).samples
    assert complete_tags(path, format, TAGS) is None
    np.testing.assert_array_equal(load(path).samples, before)
    assert read_tags(path) == TAGS
    assert list(tmp_path.iterdir()) == [path]
    found = probed(path)
    sound, picture = found["streams"]
    assert (picture["disposition"]["attached_pic"], picture["width"]) == (1, 400)
    texts = found["format"].get("tags", {}) | sound.get("tags", {})
    assert (texts["artist"], texts["title"]) == (TAGS.artist, TAGS.title)
    if format != "wav":  # ffprobe shows the other texts of a WAV file, not those of its ID3 tag
        assert {"93.25", "F#m", "GBAYE7300007", "V. A."} <= set(texts.values())


@pytest.mark.parametrize("format", FORMATS)
def test_without_ffmpeg_what_is_missing_is_named(
    format: AudioFormat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = stem(tmp_path, format, TAGS)
    written = path.read_bytes()
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    lacking = complete_tags(path, format, TAGS)
    if format in ("wav", "mp3"):
        assert lacking is None
        assert read_tags(path) == TAGS
    else:
        assert lacking is not None
        assert lacking.startswith("the files lack BPM, key, ISRC, album artist, cover: ")
        assert "install FFmpeg" in lacking
        assert path.read_bytes() == written
        assert complete_tags(path, format, Tags(title="t", comment="c")) is None


def test_a_cover_that_is_no_picture_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    if not shutil.which("ffmpeg"):
        pytest.skip("ffmpeg is not installed")
    broken = replace(TAGS, cover=b"\xff\xd8\xff" + bytes(100), cover_mime="image/jpeg")
    path = stem(tmp_path, "flac", broken)
    written = path.read_bytes()
    lacking = complete_tags(path, "flac", broken)
    assert lacking is not None
    assert "cover" in lacking
    assert path.read_bytes() == written
    assert list(tmp_path.iterdir()) == [path]
