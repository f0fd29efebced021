import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from unbraid.audio import load, open_audio, open_writer, resampled_length
from unbraid.errors import AudioError, MissingExtraError
from unbraid.types import AudioFormat, Samples

FORMATS: tuple[AudioFormat, ...] = ("wav", "flac", "mp3", "ogg", "opus")


def write(path: Path, samples: Samples, format: AudioFormat = "wav") -> Path:
    with open_writer(path, 48_000, samples.shape[0], format) as writer:
        writer.write(samples)
    return path


def cut(path: Path, share: float) -> Path:
    """The beginning of a file."""
    shortened = path.with_name(f"cut-{path.name}")
    shortened.write_bytes(path.read_bytes()[: round(path.stat().st_size * share)])
    return shortened


def decoded_length(path: Path) -> int:
    with open_audio(path) as reader:
        return sum(block.shape[1] for block in reader.blocks())


@pytest.mark.parametrize(
    ("format", "container", "codec"),
    [
        ("wav", "WAV", "Signed 24 bit PCM"),
        ("flac", "FLAC", "Signed 24 bit PCM"),
        ("mp3", "MPEG audio", "MPEG Layer III"),
        ("ogg", "Ogg", "Vorbis"),
        ("opus", "Ogg", "Opus"),
    ],
)
def test_recording_says_what_it_is(
    format: AudioFormat, container: str, codec: str, noise: Samples, tmp_path: Path
) -> None:
    with open_audio(write(tmp_path / "song", noise, format)) as reader:
        assert (reader.container, reader.codec, reader.decoder) == (container, codec, "libsndfile")
        assert (reader.sample_rate, reader.channels) == (48_000, 2)
        assert reader.promised_length == noise.shape[1]


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("block_samples", [1_000, 4_096, 10_000_000])
def test_blocks_of_any_size_give_the_same_samples(
    format: AudioFormat, block_samples: int, noise: Samples, tmp_path: Path
) -> None:
    path = write(tmp_path / "song", noise, format)
    with open_audio(path) as reader:
        blocks = list(reader.blocks(block_samples))
    assert max(block.shape[1] for block in blocks) <= block_samples
    assert {block.dtype for block in blocks} == {np.dtype(np.float32)}
    np.testing.assert_array_equal(np.concatenate(blocks, axis=1), load(path).samples)


@pytest.mark.parametrize(
    ("subtype", "bits"), [("PCM_U8", 8), ("PCM_16", 16), ("PCM_24", 24), ("PCM_32", 32)]
)
def test_whole_numbers_of_any_width_become_samples(
    subtype: str, bits: int, noise: Samples, tmp_path: Path
) -> None:
    soundfile.write(tmp_path / "song.wav", noise.T, 44_100, subtype)
    np.testing.assert_allclose(load(tmp_path / "song.wav").samples, noise, atol=2.0 ** (1 - bits))


@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_float_samples_beyond_full_scale_stay(subtype: str, tmp_path: Path) -> None:
    loud = np.array([[3.5, -2.25]], np.float32)
    soundfile.write(tmp_path / "song.wav", loud.T, 44_100, subtype)
    np.testing.assert_array_equal(load(tmp_path / "song.wav").samples, loud)


@given(
    channels=st.integers(1, 8),
    sample_rate=st.sampled_from([8_000, 22_050, 44_100, 96_000, 192_000]),
    length=st.integers(1, 5_000),
)
def test_any_shape_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, channels: int, sample_rate: int, length: int
) -> None:
    samples = np.random.default_rng(0).uniform(-1, 1, (channels, length)).astype(np.float32)
    path = tmp_path_factory.getbasetemp() / "shape.wav"
    with open_writer(path, sample_rate, channels, "wav", "32f") as writer:
        writer.write(samples)
    signal = load(path)
    assert signal.sample_rate == sample_rate
    np.testing.assert_array_equal(signal.samples, samples)


def test_silence_is_a_recording(tmp_path: Path) -> None:
    assert not load(write(tmp_path / "silence.wav", np.zeros((2, 100), np.float32))).samples.any()


@pytest.mark.parametrize("format", FORMATS)
def test_loading_resamples_to_the_rate_asked_for(
    format: AudioFormat, noise: Samples, tmp_path: Path
) -> None:
    signal = load(write(tmp_path / "song", noise, format), sample_rate=44_100)
    assert signal.sample_rate == 44_100
    assert signal.length == resampled_length(noise.shape[1], 48_000, 44_100)


@pytest.mark.parametrize(
    "name",
    ["Übung – 夢.wav", "ü" * 120 + ".wav", "two\nlines.wav", "-x.wav", "no extension", "a.mp3"],
)
def test_file_names_do_not_matter(name: str, noise: Samples, tmp_path: Path) -> None:
    assert decoded_length(write(tmp_path / name, noise)) == noise.shape[1]


def test_file_name_that_is_no_text_does_not_matter(noise: Samples, tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe.flac"))
    assert decoded_length(write(path, noise, "flac")) == noise.shape[1]


@pytest.mark.parametrize("format", ["wav", "flac", "mp3"])
def test_cut_recording_decodes_as_far_as_it_goes_with_a_warning(
    format: AudioFormat, noise: Samples, tmp_path: Path
) -> None:
    with open_audio(cut(write(tmp_path / "song", noise, format), 0.6)) as reader:
        length = sum(block.shape[1] for block in reader.blocks())
    assert 0.45 * noise.shape[1] < length < 0.7 * noise.shape[1]
    assert reader.warnings[-1] == (
        f"the header promises {reader.promised_length:,} samples, {length:,} could be decoded"
    )
    assert reader.promised_length == pytest.approx(noise.shape[1], rel=0.01)


@pytest.mark.parametrize("format", ["ogg", "opus"])
@pytest.mark.parametrize("share", [0.6, 0.6001, 0.99])
def test_cut_ogg_decodes_as_far_as_it_goes_with_a_warning(
    format: AudioFormat, share: float, noise: Samples, tmp_path: Path
) -> None:
    song = np.tile(noise, 8)
    with open_audio(cut(write(tmp_path / "song", song, format), share)) as reader:
        length = sum(block.shape[1] for block in reader.blocks())
    assert (share - 0.2) * song.shape[1] < length < (share + 0.1) * song.shape[1]
    assert "probably cut short" in reader.warnings[0]


@pytest.mark.parametrize("format", ["ogg", "opus"])
def test_whole_ogg_gives_no_warning(format: AudioFormat, noise: Samples, tmp_path: Path) -> None:
    with open_audio(write(tmp_path / "song", noise, format)) as reader:
        assert sum(block.shape[1] for block in reader.blocks()) > 0
    assert reader.warnings == ()


@pytest.mark.parametrize("container", ["AIFF", "AU", "W64", "RF64"])
def test_other_containers_warn_of_what_they_lack(
    container: str, noise: Samples, tmp_path: Path
) -> None:
    soundfile.write(tmp_path / "song", noise.T, 44_100, "PCM_16", format=container)
    with open_audio(cut(tmp_path / "song", 0.5)) as reader:
        assert sum(block.shape[1] for block in reader.blocks()) < noise.shape[1]
    assert "the header promises" in reader.warnings[0]


def test_wav_of_a_pipe_that_states_no_length_decodes_without_warning(
    noise: Samples, tmp_path: Path
) -> None:
    path = write(tmp_path / "song.wav", noise)
    data = path.read_bytes()
    at = data.index(b"data") + 4
    path.write_bytes(data[:4] + b"\xff" * 4 + data[8:at] + b"\xff" * 4 + data[at + 4 :])
    with open_audio(path) as reader:
        assert sum(block.shape[1] for block in reader.blocks()) == noise.shape[1]
    assert reader.warnings == ()


def test_bytes_after_the_last_flac_frame_lose_nothing(noise: Samples, tmp_path: Path) -> None:
    path = write(tmp_path / "song.flac", noise, "flac")
    path.write_bytes(path.read_bytes() + b"TAG" + bytes(range(125)))
    assert decoded_length(path) == noise.shape[1]


BAD_FILES = {
    "empty": (b"", "'song.wav' is empty"),
    "text": (b"This is no music.\n" * 100, "'song.wav' is not a recording of a known kind"),
    "zeros": (bytes(10_000), "'song.wav' is not a recording of a known kind"),
    "play list": (b"#EXTM3U\nfile:///etc/passwd\n", "'song.wav' is not a recording"),
    "magic only": (b"RIFF\0\0\0\0WAVE", "'song.wav' begins like WAV but cannot be decoded"),
    "Ogg of nothing": (b"OggS" + bytes(500), "'song.wav' begins like Ogg but cannot be decoded"),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_what_is_no_recording_is_refused(kind: str, tmp_path: Path) -> None:
    content, message = BAD_FILES[kind]
    path = tmp_path / "song.wav"
    path.write_bytes(content)
    with pytest.raises(AudioError) as caught:
        open_audio(path)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
    assert ": " in str(caught.value)


@pytest.mark.parametrize("seed", range(200))
def test_random_bytes_are_refused(seed: int, tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    path.write_bytes(np.random.default_rng(seed).bytes(20_000))
    with pytest.raises(AudioError, match="is not a recording of a known kind"):
        open_audio(path)


def test_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.wav").mkdir()
    with pytest.raises(AudioError, match=r"^'folder.wav' is a folder"):
        open_audio(tmp_path / "folder.wav")


def test_pipe_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(AudioError, match="is not a regular file"):
        open_audio(tmp_path / "pipe.wav")


@pytest.mark.parametrize("name", ["missing.wav", "x" * 300, "nul\0.wav"])
def test_file_that_cannot_be_there_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="cannot be read"):
        open_audio(tmp_path / name)


def test_file_without_permission_is_refused(noise: Samples, tmp_path: Path) -> None:
    path = write(tmp_path / "song.wav", noise)
    path.chmod(0)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65_534)
    try:
        with pytest.raises(AudioError, match=r"cannot be read \(Permission denied\): check"):
            open_audio(path)
    finally:
        os.seteuid(user)


@pytest.mark.parametrize("format", ["wav", "flac", "ogg"])
def test_recording_of_no_samples_is_refused(format: AudioFormat, tmp_path: Path) -> None:
    path = write(tmp_path / "song", np.zeros((2, 0), np.float32), format)
    with pytest.raises(AudioError, match="'song'"):
        load(path)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_are_refused(value: float, tmp_path: Path) -> None:
    samples = np.zeros((100_000, 1), np.float32)
    samples[70_000] = value
    soundfile.write(tmp_path / "song.wav", samples, 44_100, "FLOAT")
    with pytest.raises(AudioError, match=r"'song.wav' holds samples that are no finite numbers"):
        load(tmp_path / "song.wav")


def test_header_with_a_mad_sample_rate_is_refused(noise: Samples, tmp_path: Path) -> None:
    path = write(tmp_path / "song.wav", noise)
    data = path.read_bytes()
    at = data.index(b"fmt ") + 12
    path.write_bytes(data[:at] + (2_000_000_000).to_bytes(4, "little") + data[at + 4 :])
    with pytest.raises(AudioError, match="claims 2 channels at 2000000000 Hz"):
        open_audio(path)


def test_error_names_neither_folder_nor_stack(tmp_path: Path) -> None:
    with pytest.raises(AudioError) as caught:
        open_audio(tmp_path / "missing.wav")
    assert str(tmp_path) not in str(caught.value)


def test_real_recordings_decode_whole(recordings: Path) -> None:
    for path in sorted(recordings.glob("*.ogg")):
        with open_audio(path) as reader:
            length = sum(block.shape[1] for block in reader.blocks())
            assert length == reader.promised_length
            assert reader.warnings == ()


def test_recording_that_needs_ffmpeg_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "song.m4a"
    path.write_bytes(b"\0\0\0\x20ftypM4A " + bytes(100))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingExtraError, match="apt install ffmpeg"):
        open_audio(path)


def test_codec_that_only_ffmpeg_knows_is_decoded_by_it(
    noise: Samples, tmp_path: Path, ffmpeg: Callable[..., None]
) -> None:
    ffmpeg("-i", write(tmp_path / "song.wav", noise), "-c:a", "g722", tmp_path / "g722.wav")
    with open_audio(tmp_path / "g722.wav") as reader:
        assert (reader.container, reader.decoder) == ("WAV", "ffmpeg")
        assert sum(block.shape[1] for block in reader.blocks()) > 0
