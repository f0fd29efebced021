"""MP3 files whose headers say nothing, too little or too much."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from unbraid.audio import load, open_audio, open_writer
from unbraid.types import Samples


@pytest.fixture
def song(noise: Samples, tmp_path: Path) -> Path:
    """Four seconds: two loud ones, then two of silence, so that the bit rate varies."""
    path = tmp_path / "song.mp3"
    with open_writer(path, 44_100, 2, "mp3") as writer:
        writer.write(np.concatenate([noise, noise, 0 * noise, 0 * noise], axis=1))
    return path


def without_index(path: Path) -> Path:
    """The same frames without the first, which holds the index."""
    data = path.read_bytes()
    bare = path.with_name("bare.mp3")
    bare.write_bytes(data[data.index(b"\xff\xfb", 4) :])
    return bare


def with_frames(path: Path, change: int) -> Path:
    """The same file with an index that counts `change` frames more or less."""
    data = bytearray(path.read_bytes())
    at = data.index(b"Xing") + 8
    data[at : at + 4] = (int.from_bytes(data[at : at + 4]) + change).to_bytes(4)
    changed = path.with_name("changed.mp3")
    changed.write_bytes(data)
    return changed


def test_delay_and_padding_of_the_encoder_are_taken_off(song: Path, noise: Samples) -> None:
    samples = load(song).samples
    assert samples.shape[1] == 4 * 44_100
    assert np.corrcoef(samples[0, :44_100], noise[0])[0, 1] > 0.9


def test_loud_beginning_makes_nothing_be_lost_without_an_index(song: Path) -> None:
    with open_audio(without_index(song)) as reader:
        assert reader.promised_length is None
        length = sum(block.shape[1] for block in reader.blocks())
    assert 4 * 44_100 <= length < 4 * 44_100 + 3 * 1152
    assert reader.warnings == ()


def test_quiet_beginning_makes_nothing_be_invented_without_an_index(
    noise: Samples, tmp_path: Path
) -> None:
    path = tmp_path / "song.mp3"
    with open_writer(path, 44_100, 2, "mp3") as writer:
        writer.write(np.concatenate([0 * noise, 0 * noise, noise], axis=1))
    length = load(without_index(path)).length
    assert 3 * 44_100 <= length < 3 * 44_100 + 3 * 1152


def test_index_that_counts_too_few_frames_loses_nothing(song: Path) -> None:
    np.testing.assert_array_equal(load(with_frames(song, -100)).samples, load(song).samples)


def test_index_that_counts_too_many_frames_gives_a_warning(song: Path) -> None:
    with open_audio(with_frames(song, 1_000)) as reader:
        length = sum(block.shape[1] for block in reader.blocks())
    assert 4 * 44_100 <= length < 4 * 44_100 + 2 * 1152
    assert "the header promises" in reader.warnings[0]


def test_joined_files_decode_to_the_end_of_the_last(song: Path, tmp_path: Path) -> None:
    joined = tmp_path / "joined.mp3"
    joined.write_bytes(song.read_bytes() * 2)
    assert load(joined).length >= 8 * 44_100


@pytest.mark.parametrize(
    "before",
    [
        b"ID3\4\0\0\0\0\x0f\x76" + bytes(2_038),
        b"ID3\3\0\0\0\0\0\x0a" + bytes(10) + b"ID3\4\0\0\0\0\0\x05" + bytes(5),
        b"\xff\xfb\x90 the tail of a frame",
    ],
)
def test_what_stands_before_the_first_frame_is_skipped(before: bytes, song: Path) -> None:
    expected = load(song).samples
    song.write_bytes(before + song.read_bytes())
    np.testing.assert_array_equal(load(song).samples, expected)


def test_tag_at_the_end_is_no_music(song: Path) -> None:
    expected = load(song).samples
    song.write_bytes(song.read_bytes() + b"TAG" + bytes(125))
    np.testing.assert_array_equal(load(song).samples, expected)


def test_damaged_frame_costs_little_more_than_itself(song: Path) -> None:
    data = bytearray(song.read_bytes())
    data[5_000:5_400] = bytes(400)
    song.write_bytes(data)
    assert load(song).length > 3.8 * 44_100


@pytest.mark.parametrize(
    ("codec", "sample_rate", "channels"),
    [("mp2", 48_000, 2), ("mp2", 24_000, 1), ("libmp3lame", 22_050, 1), ("libmp3lame", 8_000, 2)],
)
def test_other_layers_rates_and_channels_decode(
    codec: str, sample_rate: int, channels: int, song: Path, ffmpeg: Callable[..., None]
) -> None:
    other = song.with_name("other.mp3")
    shape = ("-ar", str(sample_rate), "-ac", str(channels))
    ffmpeg("-i", song, "-c:a", codec, *shape, "-f", "mp2" if codec == "mp2" else "mp3", other)
    signal = load(other)
    assert (signal.sample_rate, signal.channels) == (sample_rate, channels)
    assert signal.duration_s == pytest.approx(4.0, abs=0.1)
