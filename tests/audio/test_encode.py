import resource
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from unbraid.audio import check_writable, load, open_audio, open_writer
from unbraid.errors import InputError, MissingExtraError, ResourceError
from unbraid.types import AudioFormat, BitDepth, Samples

LOSSLESS: list[tuple[AudioFormat, BitDepth]] = [
    ("wav", "16"),
    ("wav", "24"),
    ("wav", "32f"),
    ("flac", "16"),
    ("flac", "24"),
]
LOSSY: list[AudioFormat] = ["mp3", "ogg", "opus"]
ALL = [*LOSSLESS, *((format, "24") for format in LOSSY)]


def write(
    path: Path,
    samples: Samples,
    format: AudioFormat,
    bit_depth: BitDepth = "24",
    sample_rate: int = 44_100,
    length: int | None = None,
) -> Path:
    with open_writer(
        path, sample_rate, samples.shape[0], format, bit_depth, length=length
    ) as writer:
        for start in range(0, samples.shape[1], 7_001):
            writer.write(samples[:, start : start + 7_001])
    return path


@pytest.mark.parametrize(("format", "bit_depth"), LOSSLESS)
def test_every_step_of_the_format_is_kept_exactly(
    format: AudioFormat, bit_depth: BitDepth, tmp_path: Path
) -> None:
    full_scale = 1 << (23 if bit_depth == "32f" else int(bit_depth) - 1)
    steps = np.random.default_rng(0).integers(-full_scale, full_scale, (2, 50_000))
    steps[:, :4] = [-full_scale, full_scale - 1, 0, -1]
    samples = (steps / full_scale).astype(np.float32)
    path = write(tmp_path / "steps", samples, format, bit_depth)
    np.testing.assert_array_equal(load(path).samples, samples)


@given(value=st.floats(-1.0, 1.0, width=32), bit_depth=st.sampled_from(["16", "24"]))
def test_samples_are_rounded_to_the_nearest_step(
    tmp_path_factory: pytest.TempPathFactory, value: float, bit_depth: BitDepth
) -> None:
    step = 0.5 ** (int(bit_depth) - 1)
    path = tmp_path_factory.getbasetemp() / "rounded.wav"
    write(path, np.full((1, 1), value, np.float32), "wav", bit_depth)
    nearest = min(round(value / step) * step, 1.0 - step)
    assert load(path).samples[0, 0] == nearest


@pytest.mark.parametrize("format", LOSSY)
@pytest.mark.parametrize("length", [1, 1_000, 44_100])
def test_lossy_file_decodes_to_the_length_that_went_in(
    format: AudioFormat, length: int, noise: Samples, tmp_path: Path
) -> None:
    path = write(tmp_path / "song", noise[:, :length], format, sample_rate=48_000)
    with open_audio(path) as reader:
        assert sum(block.shape[1] for block in reader.blocks()) == length
        assert reader.warnings == ()


@pytest.mark.parametrize("format", LOSSY)
def test_lossy_file_is_not_shifted(format: AudioFormat, noise: Samples, tmp_path: Path) -> None:
    decoded = load(write(tmp_path / "song", noise, format, sample_rate=48_000)).samples
    middle = slice(10_000, 30_000)
    similarity = np.correlate(decoded[0, 9_000:31_000], noise[0, middle], "valid")
    assert similarity.argmax() - 1_000 == 0


def test_opus_is_resampled_to_the_rate_it_knows(noise: Samples, tmp_path: Path) -> None:
    with open_audio(write(tmp_path / "song", noise, "opus")) as reader:
        assert (reader.sample_rate, reader.codec) == (48_000, "Opus")
        assert sum(block.shape[1] for block in reader.blocks()) == 48_000


@pytest.mark.parametrize(("sample_rate", "written"), [(96_000, 48_000), (9_000, 11_025)])
def test_mp3_is_resampled_to_a_rate_it_knows(
    sample_rate: int, written: int, noise: Samples, tmp_path: Path
) -> None:
    path = write(tmp_path / "song", noise, "mp3", sample_rate=sample_rate)
    assert load(path).sample_rate == written


@pytest.mark.parametrize("format", ["wav", "flac", "ogg", "opus"])
def test_six_channels_keep_their_places(format: AudioFormat, tmp_path: Path) -> None:
    time_s = np.arange(48_000) / 48_000
    levels = np.array([[0.5], [0.25], [0.125], [0.05], [0.4], [0.3]])
    samples = (levels * np.sin(2 * np.pi * 60 * time_s)).astype(np.float32)
    path = write(tmp_path / "surround", samples, format, sample_rate=48_000)
    decoded = load(path).samples[:, 12_000:36_000]
    assert np.sqrt(2 * np.mean(decoded**2, axis=1)) == pytest.approx(levels[:, 0], abs=0.04)


def test_wav_becomes_rf64_where_4_gb_do_not_suffice(noise: Samples, tmp_path: Path) -> None:
    path = write(tmp_path / "long.wav", noise, "wav", "24", length=800_000_000)
    assert path.read_bytes()[:4] == b"RF64"
    assert load(path).length == noise.shape[1]
    assert write(tmp_path / "short.wav", noise, "wav").read_bytes()[:4] == b"RIFF"


@pytest.mark.parametrize(("format", "bit_depth"), LOSSLESS)
def test_same_samples_give_the_same_bytes(
    format: AudioFormat,
    bit_depth: BitDepth,
    noise: Samples,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = write(tmp_path / "first", noise, format, bit_depth).read_bytes()
    assert b"PEAK" not in first[:200]
    assert write(tmp_path / "second", noise, format, bit_depth).read_bytes() == first


@pytest.mark.parametrize(("format", "bit_depth"), [("wav", "16"), ("wav", "24"), ("flac", "24")])
def test_samples_beyond_full_scale_are_refused_not_clipped(
    format: AudioFormat, bit_depth: BitDepth, tmp_path: Path
) -> None:
    with (
        pytest.raises(InputError, match=r"'loud' cannot hold samples that peak at 1\.0001"),
        open_writer(tmp_path / "loud", 44_100, 1, format, bit_depth) as writer,
    ):
        writer.write(np.full((1, 10), 1.0001, np.float32))


def test_float_wav_holds_samples_beyond_full_scale(tmp_path: Path) -> None:
    loud = np.full((1, 10), -7.5, np.float32)
    np.testing.assert_array_equal(load(write(tmp_path / "loud", loud, "wav", "32f")).samples, loud)


@pytest.mark.parametrize(("format", "bit_depth"), ALL)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_samples_that_are_no_numbers_are_refused(
    format: AudioFormat, bit_depth: BitDepth, value: float, tmp_path: Path
) -> None:
    with open_writer(tmp_path / "bad", 48_000, 1, format, bit_depth) as writer:
        writer.write(np.zeros((1, 100), np.float32))
        with pytest.raises(InputError, match="cannot hold samples"):
            writer.write(np.full((1, 10), value, np.float32))


@pytest.mark.parametrize(
    ("format", "bit_depth", "channels", "cause"),
    [
        ("flac", "32f", 2, "choose 16 or 24"),
        ("aac", "16", 2, "choose wav, flac, mp3, ogg or opus"),
        ("mp3", "16", 6, "cannot hold 6 channels"),
        ("flac", "16", 9, "cannot hold 9 channels"),
    ],
)
def test_what_a_format_cannot_hold_is_refused_at_once(
    format: AudioFormat, bit_depth: BitDepth, channels: int, cause: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=cause):
        open_writer(tmp_path / "song", 44_100, channels, format, bit_depth)


@pytest.mark.parametrize(("format", "bit_depth"), ALL)
def test_formats_are_writable_here(format: AudioFormat, bit_depth: BitDepth) -> None:
    check_writable(format, bit_depth)


def test_format_that_libsndfile_lacks_is_found_before_the_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(soundfile._formats, "MP3", 0x7F0000)
    with pytest.raises(MissingExtraError, match="cannot write mp3"):
        check_writable("mp3", "16")


@pytest.fixture
def small_disk() -> Iterator[None]:
    """A disk on which no file can grow beyond 100 kB."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.usefixtures("small_disk")
@pytest.mark.parametrize(("format", "bit_depth"), ALL)
def test_disk_that_fills_up_is_reported(
    format: AudioFormat, bit_depth: BitDepth, noise: Samples, tmp_path: Path
) -> None:
    with (
        pytest.raises(ResourceError, match=r"^'song' cannot be written \(.*\): free some space"),
        open_writer(tmp_path / "song", 44_100, 2, format, bit_depth) as writer,
    ):
        writer.write(np.tile(noise, 10))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /dev/full")
@pytest.mark.parametrize(("format", "bit_depth"), ALL)
def test_disk_that_is_full_at_the_end_is_reported(format: AudioFormat, bit_depth: BitDepth) -> None:
    with (
        pytest.raises(ResourceError, match="No space left on device"),
        open_writer("/dev/full", 44_100, 2, format, bit_depth) as writer,
    ):
        writer.write(np.zeros((2, 10), np.float32))


def test_folder_that_is_missing_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="No such file or directory"):
        open_writer(tmp_path / "missing" / "song.wav", 44_100, 2)


def test_exception_of_the_caller_passes_and_leaves_the_file_released(
    noise: Samples, tmp_path: Path
) -> None:
    def write_until_interrupted() -> None:
        with open_writer(tmp_path / "song.wav", 44_100, 2) as writer:
            writer.write(noise)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_until_interrupted()
    assert list(tmp_path.iterdir()) == [tmp_path / "song.wav"]
