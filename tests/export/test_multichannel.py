import struct
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import soundfile
from tests.export.probing import probed, reading

from unbraid.audio import Tags, open_writer
from unbraid.errors import InputError
from unbraid.export.broadcast import add_broadcast_chunk
from unbraid.export.levels import BLOCK
from unbraid.export.multichannel import write_multichannel
from unbraid.types import BitDepth, Samples

RATE = 44_100
NAMES = ["vocals", "drums", "bass", "other", "guitar", "piano"]
NAMES += ["голос", "声 & <弦>", "🎸\x00", "عود", "a/b", "ναι"]


def chunks(path: Path) -> dict[bytes, bytes]:
    """The chunks of a RIFF file, of which every byte belongs to one."""
    data = path.read_bytes()
    assert struct.unpack("<I", data[4:8]) == (len(data) - 8,)
    found, at = {}, 12
    while at < len(data):
        name, size = struct.unpack("<4sI", data[at : at + 8])
        found[name] = data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
    assert at == len(data)
    return found


def stems(count: int, length: int) -> dict[str, Samples]:
    rng = np.random.default_rng(1)
    noise = rng.uniform(-0.9, 0.9, (count, 2, length)).astype(np.float32)
    noise[-1] = 0
    return dict(zip(NAMES, noise, strict=False))


@pytest.mark.parametrize(("count", "bit_depth"), [(12, "32f"), (4, "24"), (1, "16")])
def test_each_stem_is_a_named_pair_of_channels(
    tmp_path: Path, count: int, bit_depth: BitDepth
) -> None:
    parts = stems(count, BLOCK + 1001)
    path = tmp_path / "all.wav"
    write_multichannel(
        path,
        {name: reading(samples) for name, samples in parts.items()},
        BLOCK + 1001,
        RATE,
        bit_depth=bit_depth,
        tags=Tags(title="夜 🎸"),
        time_reference=5_000_000_000,
    )
    samples, rate = soundfile.read(path, dtype="float32")
    assert rate == RATE
    tolerance = 0 if bit_depth == "32f" else 2.0 ** -int(bit_depth)
    np.testing.assert_allclose(samples.T, np.concatenate(list(parts.values())), atol=tolerance)

    (stream,) = probed(path)["streams"]
    assert stream["channels"] == 2 * count
    if count > 1:
        assert "channel_layout" not in stream  # the channels are no loudspeakers
    tags = probed(path)["format"]["tags"]
    assert tags["time_reference"] == "5000000000"
    assert tags["comment"].startswith("1-2 vocals")
    ixml = ElementTree.fromstring(chunks(path)[b"iXML"])
    named = [
        (track.findtext("INTERLEAVE_INDEX"), track.findtext("NAME")) for track in ixml.iter("TRACK")
    ]
    shown = [name.replace("\0", "\N{REPLACEMENT CHARACTER}") for name in parts]
    sides = [f"{name} {side}" for name in shown for side in "LR"]
    assert named == [(str(number), side) for number, side in enumerate(sides, 1)]
    assert ixml.findtext("TRACK_LIST/TRACK_COUNT") == str(2 * count)


def test_a_multichannel_file_needs_stems(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least one stem"):
        write_multichannel(tmp_path / "all.wav", {}, 1, RATE)


@pytest.mark.parametrize("channels", [1, 2])
def test_the_broadcast_chunk_leaves_the_samples_as_they_are(tmp_path: Path, channels: int) -> None:
    samples = np.random.default_rng(1).uniform(-1, 1, (channels, RATE + 1)).astype(np.float32)
    path = tmp_path / "stem.wav"
    with open_writer(path, RATE, channels, tags=Tags(title="Song")) as writer:
        writer.write(samples)
    before = chunks(path)
    add_broadcast_chunk(path, "ж" * 300, time_reference=86_399 * RATE)
    after = chunks(path)
    bext = after.pop(b"bext")
    assert after == before
    assert bext[:256] == b"?" * 256
    assert bext[338:348] == struct.pack("<QH", 86_399 * RATE, 1)
    assert len(bext) == 602
    assert soundfile.info(path).frames == RATE + 1
    assert probed(path)["format"]["tags"]["time_reference"] == str(86_399 * RATE)


def test_long_files_are_labelled_too(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    with open_writer(path, RATE, 2, length=1 << 32) as writer:
        writer.write(np.zeros((2, RATE), np.float32))
    assert path.read_bytes()[:4] == b"RF64"
    add_broadcast_chunk(path, "long", time_reference=7)
    assert struct.unpack("<Q", path.read_bytes()[20:28]) == (path.stat().st_size - 8,)
    assert soundfile.info(path).frames == RATE
    assert probed(path)["format"]["tags"]["time_reference"] == "7"


def test_only_wav_files_become_broadcast_wave(tmp_path: Path) -> None:
    path = tmp_path / "stem.flac"
    with open_writer(path, RATE, 2, "flac") as writer:
        writer.write(np.zeros((2, 10), np.float32))
    with pytest.raises(InputError, match="no WAV file"):
        add_broadcast_chunk(path, "stem")
    with pytest.raises(InputError, match="sample 0 or later"):
        add_broadcast_chunk(path, "stem", time_reference=-1)
