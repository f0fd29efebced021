import json
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
from tests.export.probing import probed, reading

from unbraid.audio import Tags, read_tags
from unbraid.demo import DemoSong
from unbraid.errors import InputError, MissingExtraError, ResourceError
from unbraid.export.ni_stems import add_user_data, write_ni_stems
from unbraid.export.picture import png
from unbraid.types import Samples

RATE = 44_100
ORDER = ["drums", "bass", "other", "vocals"]


def boxes(data: bytes) -> dict[bytes, bytes]:
    """The boxes of some bytes of an MP4 file, of which every byte belongs to one."""
    found = {}
    while data:
        size, name = struct.unpack(">I4s", data[:8])
        found[name], data = data[8:size], data[size:]
    return found


def stem_box(path: Path) -> bytes:
    return boxes(boxes(boxes(path.read_bytes())[b"moov"])[b"udta"])[b"stem"]


def decoded(path: Path, stream: int) -> Samples:
    """A stream as any player hears it, float32 [2, time]."""
    program = shutil.which("ffmpeg")
    assert program
    sink = ["-map", f"0:a:{stream}", "-f", "f32le", "pipe:"]
    command = [program, "-v", "error", "-i", str(path), *sink]
    answer = subprocess.run(command, check=True, capture_output=True)
    samples: Samples = np.frombuffer(answer.stdout, np.float32).reshape(-1, 2).T
    return samples


def noise(seed: int, length: int = RATE) -> Samples:
    steps = np.random.default_rng(seed).uniform(-0.2, 0.2, (2, length))
    samples: Samples = steps.cumsum(axis=1).astype(np.float32)
    samples /= np.abs(samples).max()
    return samples


def check_streams(path: Path, expected: list[Samples], length: int) -> None:
    """Five streams, the first of them enabled, that sound as expected and when expected."""
    streams = [each for each in probed(path)["streams"] if each["codec_type"] == "audio"]
    assert [stream["codec_name"] for stream in streams] == ["aac"] * 5
    assert [stream["disposition"]["default"] for stream in streams] == [1, 0, 0, 0, 0]
    for stream, samples in enumerate(expected):
        assert float(streams[stream]["duration"]) == pytest.approx(length / RATE, abs=0.001)
        heard = decoded(path, stream)[:, :length]
        assert heard.shape == samples.shape
        if samples.any():
            # Noise and songs alike: a delay of a few samples would show.
            assert np.corrcoef(heard.ravel(), samples.ravel())[0, 1] > 0.95
        else:
            assert np.abs(heard).max() < 1e-4


def test_the_demo_song_becomes_a_stems_file(tmp_path: Path, demo: DemoSong) -> None:
    path = tmp_path / "夜 🎸.stem.m4a"
    tags = Tags(
        title="夜 🎸",
        artist="-y",
        album="x=y;z",
        album_artist="V. A.",
        year="1973",
        track=7,
        genre="Rock",
        bpm=128,
        key="D",
        comment="a\nb",
        isrc="GBAYE7300007",
        cover=png(np.zeros((300, 300), np.uint8)),
        cover_mime="image/png",
    )
    stems = {name: reading(stem.samples) for name, stem in demo.stems.items()}
    length = 8 * RATE + 123
    write_ni_stems(path, stems, reading(demo.mixture.samples), length, RATE, tags)

    parts = [demo.stems[name] for name in ORDER]
    check_streams(path, [part.samples[:, :length] for part in [demo.mixture, *parts]], length)
    *streams, cover = probed(path)["streams"]
    names = [stream["tags"]["handler_name"] for stream in streams]
    assert names == ["Mix", "Drums", "Bass", "Other", "Vocals"]
    assert (cover["disposition"]["attached_pic"], cover["width"]) == (1, 300)
    manifest = json.loads(stem_box(path))
    assert manifest["version"] == 1
    assert [stem["name"].lower() for stem in manifest["stems"]] == ORDER
    assert all(len(stem["color"]) == 7 for stem in manifest["stems"])
    assert not any(effect["enabled"] for effect in manifest["mastering_dsp"].values())
    assert read_tags(path) == tags


def test_other_stems_are_folded_into_other_and_missing_ones_are_silent(tmp_path: Path) -> None:
    stems = {name: noise(seed) for seed, name in enumerate(["bass", "guitar", "piano", "عود"])}
    mixture = np.sum(list(stems.values()), axis=0)
    path = tmp_path / "short.stem.m4a"
    reads = {name: reading(samples) for name, samples in stems.items()}
    write_ni_stems(path, reads, reading(mixture), RATE, RATE)
    silence = np.zeros((2, RATE), np.float32)
    other = stems["guitar"] + stems["piano"] + stems["عود"]
    check_streams(path, [mixture, silence, stems["bass"], other, silence], RATE)


@pytest.mark.parametrize("flags", [[], ["-movflags", "+faststart"]])
def test_user_data_leaves_the_sound_where_it_is(tmp_path: Path, flags: list[str]) -> None:
    program = shutil.which("ffmpeg")
    if not program:
        pytest.skip("ffmpeg is not installed")
    path = tmp_path / "song.m4a"
    sound = ["-f", "lavfi", "-i", "sine=duration=1", "-fflags", "+bitexact", "-map_metadata", "-1"]
    subprocess.run([program, "-v", "error", *sound, *flags, str(path)], check=True)
    before = decoded(path, 0)
    add_user_data(path, b"abcd", b"first")
    add_user_data(path, b"stem", b"second")
    np.testing.assert_array_equal(decoded(path, 0), before)
    moov = boxes(path.read_bytes())[b"moov"]
    assert [name for name in boxes(moov) if name == b"udta"] == [b"udta"]
    user_data = boxes(boxes(moov)[b"udta"])
    assert (user_data[b"abcd"], user_data[b"stem"]) == (b"first", b"second")


def test_only_mp4_files_take_user_data(tmp_path: Path) -> None:
    path = tmp_path / "song.wav"
    path.write_bytes(b"RIFF" + bytes(100))
    with pytest.raises(InputError, match="no MP4 file"):
        add_user_data(path, b"stem", b"")


def test_a_stems_file_needs_stems(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least one stem"):
        write_ni_stems(tmp_path / "song.stem.m4a", {}, reading(noise(1)), RATE, RATE)


def test_without_ffmpeg_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    song = reading(noise(1))
    with pytest.raises(MissingExtraError, match="apt install ffmpeg"):
        write_ni_stems(tmp_path / "song.stem.m4a", {"bass": song}, song, RATE, RATE)


def test_a_file_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    if not shutil.which("ffmpeg"):
        pytest.skip("ffmpeg is not installed")
    song = reading(noise(1, 20 * RATE))
    with pytest.raises(ResourceError, match=r"could not write 'song.stem.m4a' .*No such file"):
        write_ni_stems(tmp_path / "absent" / "song.stem.m4a", {"bass": song}, song, 20 * RATE, RATE)
