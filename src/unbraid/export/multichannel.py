"""All stems in one WAV file, a pair of channels for each, with their names.

The names are in an iXML chunk (iXML 1.61, gallery.co.uk/ixml), which DAWs read, and in words in the
chunk of Broadcast Wave.
"""

import struct
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from unbraid.audio import Tags, open_writer
from unbraid.errors import InputError
from unbraid.export.broadcast import add_broadcast_chunk, append_chunk
from unbraid.export.levels import stretches
from unbraid.export.tagging import complete_tags
from unbraid.export.xml import element, serialised
from unbraid.types import BitDepth, Read, StemName

_CHANNEL_MASK_AT = 20  # in the chunk fmt of WAVE_FORMAT_EXTENSIBLE


def write_multichannel(
    path: Path,
    stems: Mapping[StemName, Read],
    length: int,
    sample_rate: int,
    *,
    bit_depth: BitDepth = "32f",
    tags: Tags | None = None,
    time_reference: int = 0,
) -> None:
    """Write a WAV file whose channels 1 and 2 are the first stem, 3 and 4 the second, and so on.

    Past 4 GB it is RF64, which is WAV with longer numbers.

    Args:
        path: the file to write.
        stems: at least one, in the order of their channels.
        length: samples of each.
        sample_rate: samples per second.
        bit_depth: of the samples; all but 32f hold only what is within full scale.
        tags: of the song.
        time_reference: samples between midnight and the beginning of the file.

    Raises:
        InputError: there are no stems, or the samples do not fit.
        ResourceError: the file cannot be written.
    """
    if not stems:
        raise InputError("a multichannel file needs at least one stem")
    channels = 2 * len(stems)
    with open_writer(path, sample_rate, channels, "wav", bit_depth, tags, length=length) as writer:
        for start, stop in stretches(length):
            writer.write(np.concatenate([read(start, stop) for read in stems.values()]))
    _leave_out_speakers(path)
    pairs = [f"{2 * k + 1}-{2 * k + 2} {name}" for k, name in enumerate(stems)]
    add_broadcast_chunk(path, ", ".join(pairs), time_reference)
    append_chunk(path, b"iXML", _ixml(stems))
    complete_tags(path, "wav", tags or Tags())


def _leave_out_speakers(path: Path) -> None:
    """Name no speakers for the channels: eight are four stems, not a cinema."""
    with path.open("r+b") as file:
        file.seek(12)
        while (header := file.read(8))[:4] != b"fmt ":
            (size,) = struct.unpack("<4xI", header)
            file.seek(size + size % 2, 1)
        (size,) = struct.unpack("<4xI", header)
        if size > _CHANNEL_MASK_AT:
            file.seek(_CHANNEL_MASK_AT, 1)
            file.write(bytes(4))


def _ixml(names: Iterable[StemName]) -> bytes:
    """The names of the channels."""
    channels = [f"{name} {side}" for name in names for side in "LR"]
    tracks = [
        element(
            "TRACK",
            *(
                element(field, text=text)
                for field, text in (
                    ("CHANNEL_INDEX", str(number)),
                    ("INTERLEAVE_INDEX", str(number)),
                    ("NAME", name),
                )
            ),
        )
        for number, name in enumerate(channels, 1)
    ]
    return serialised(
        element(
            "BWFXML",
            element("IXML_VERSION", text="1.61"),
            element("TRACK_LIST", element("TRACK_COUNT", text=str(len(channels))), *tracks),
        )
    )
