import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from unbraid.audio import load, open_audio, open_writer
from unbraid.audio import process as bounds
from unbraid.audio.process import BoundedProcess
from unbraid.errors import AudioError
from unbraid.types import Samples


@pytest.fixture
def encoded(noise: Samples, tmp_path: Path, ffmpeg: Callable[..., None]) -> Callable[..., Path]:
    """Four seconds of noise, made into a file of the name given by ffmpeg."""
    source = tmp_path / "source.wav"
    with open_writer(source, 44_100, 2) as writer:
        writer.write(np.tile(noise, 4))

    def encode(name: str, *arguments: str) -> Path:
        ffmpeg("-i", source, *arguments, f"file:{tmp_path / name}")
        return tmp_path / name

    return encode


@pytest.mark.parametrize(
    ("name", "arguments", "container", "codec", "length"),
    [
        ("song.m4a", (), "MP4", "AAC", 176_400),
        ("song.m4a", ("-c:a", "alac"), "MP4", "ALAC", 176_400),
        ("song.mov", (), "MP4", "AAC", 176_400),
        ("song.wv", (), "WavPack", "WavPack", 176_400),
        ("song.webm", (), "Matroska or WebM", "Opus", 192_000),
        ("song.mka", ("-c:a", "flac"), "Matroska or WebM", "FLAC", 176_400),
        ("song.aac", (), "ADTS", "AAC", 176_400),
        ("song.wma", (), "Windows Media", "Windows Media Audio 2", 176_400),
        ("song.ts", (), "MPEG transport stream", "MP2", 176_400),
        ("song.flv", (), "Flash Video", "MP3", 176_400),
        ("song.avi", (), "AVI", "MP3", 176_400),
    ],
)
def test_other_containers_decode(
    encoded: Callable[..., Path],
    name: str,
    arguments: tuple[str, ...],
    container: str,
    codec: str,
    length: int,
) -> None:
    with open_audio(encoded(name, *arguments)) as reader:
        assert (reader.container, reader.decoder) == (container, "ffmpeg")
        assert reader.codec.startswith(codec)
        assert reader.channels == 2
        decoded = sum(block.shape[1] for block in reader.blocks())
    assert reader.warnings == ()
    assert decoded == pytest.approx(length, abs=4_096)


@pytest.mark.parametrize("block_samples", [1_000, 44_100, 10_000_000])
def test_m4a_decodes_to_the_length_that_was_encoded(
    encoded: Callable[..., Path], block_samples: int
) -> None:
    with open_audio(encoded("song.m4a")) as reader:
        assert reader.promised_length == 176_400
        blocks = list(reader.blocks(block_samples))
    assert sum(block.shape[1] for block in blocks) == 176_400
    assert {block.dtype for block in blocks} == {np.dtype(np.float32)}


def test_m4a_is_not_shifted(encoded: Callable[..., Path], noise: Samples) -> None:
    decoded = load(encoded("song.m4a", "-b:a", "256k")).samples
    similarity = np.correlate(decoded[0, 9_000:31_000], noise[0, 10_000:30_000], "valid")
    assert similarity.argmax() == 1_000


def test_lossless_codec_is_decoded_exactly(encoded: Callable[..., Path]) -> None:
    alac = load(encoded("song.m4a", "-c:a", "alac", "-sample_fmt", "s16p")).samples
    flac = load(encoded("song.flac", "-sample_fmt", "s16")).samples
    np.testing.assert_array_equal(alac, flac)


def test_sound_of_a_video_is_decoded(
    encoded: Callable[..., Path], tmp_path: Path, ffmpeg: Callable[..., None]
) -> None:
    video, sound = tmp_path / "video.mp4", encoded("song.m4a")
    picture = ("-f", "lavfi", "-i", "testsrc=d=4:size=64x64")
    ffmpeg(*picture, "-i", sound, "-c:a", "copy", video)
    np.testing.assert_array_equal(load(video).samples, load(sound).samples)


def test_video_without_sound_is_refused(tmp_path: Path, ffmpeg: Callable[..., None]) -> None:
    ffmpeg("-f", "lavfi", "-i", "testsrc=d=1:size=64x64", tmp_path / "silent.mp4")
    with pytest.raises(AudioError, match="this MP4 file holds no sound"):
        open_audio(tmp_path / "silent.mp4")


@pytest.mark.parametrize(
    "name",
    ["concat:a|b.m4a", "-version.m4a", "http:x.m4a", "Übung 夢.m4a", "100%d.m4a", "a\nb.m4a"],
)
def test_file_names_are_not_read_as_something_else(
    encoded: Callable[..., Path], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = encoded("song.m4a").rename(encoded("song.m4a").with_name(name))
    monkeypatch.chdir(path.parent)
    assert load(path.name).length == 176_400


def test_cut_m4a_decodes_as_far_as_it_goes_with_a_warning(encoded: Callable[..., Path]) -> None:
    path = encoded("song.m4a", "-movflags", "+faststart")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with open_audio(path) as reader:
        decoded = sum(block.shape[1] for block in reader.blocks())
    assert 60_000 < decoded < 110_000
    assert "the header promises 176,400 samples" in reader.warnings[-1]


def test_m4a_whose_index_is_cut_off_is_refused_in_one_line(encoded: Callable[..., Path]) -> None:
    path = encoded("song.m4a")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(AudioError) as caught:
        open_audio(path)
    assert str(path.parent) not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_leaving_early_ends_the_process(encoded: Callable[..., Path]) -> None:
    path = encoded("song.m4a")
    for _ in range(3):
        with open_audio(path) as reader:
            next(reader.blocks(100))
    children = subprocess.run(
        ["pgrep", "-f", str(path)], capture_output=True, text=True, check=False
    )
    assert children.stdout == ""


def test_program_that_gives_nothing_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "STALL_S", 0.3)
    process = BoundedProcess([sys.executable, "-c", "import time; time.sleep(60)"])
    started = time.monotonic()
    assert process.read(10) == b""
    assert process.finish() == "nothing came for 0 s"
    assert time.monotonic() - started < 10


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds a program's memory")
def test_program_that_takes_too_much_memory_fails() -> None:
    process = BoundedProcess([sys.executable, "-c", "import time; time.sleep(0.5); bytes(3 << 30)"])
    assert process.read(10) == b""
    assert process.finish() == "MemoryError"


def test_program_that_complains_without_end_does_not_block() -> None:
    script = "import sys; sys.stderr.write(100_000 * 'no\\n'); print('ok')"
    process = BoundedProcess([sys.executable, "-c", script])
    assert process.read(10) == b"ok\n"
    assert process.finish() == "no"
