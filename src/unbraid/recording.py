"""A recording described: format, length, loudness, tags."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from unbraid.audio import Tags, describe_downmix, open_audio, read_tags
from unbraid.audio.loudness import LoudnessMeter
from unbraid.export.levels import decibels
from unbraid.types import OnProgress, Progress


@dataclass(frozen=True)
class Description:
    """What a recording is, as far as it decodes.

    Attributes:
        file: its path.
        container: the kind of file.
        codec: how its samples are stored.
        decoder: the program that read it.
        sample_rate: samples per second.
        channels: number of channels.
        length: samples per channel that decode.
        duration_s: the same in seconds.
        peak_db: highest sample in dBFS; None for silence.
        loudness_lufs: integrated loudness (BS.1770); None for silence.
        downmix: how it becomes stereo; None if it is.
        title: of its tags, as are artist and album.
        artist: see title.
        album: see title.
        cover: whether the tags hold a picture.
        warnings: what is wrong with the file.
    """

    file: str
    container: str
    codec: str
    decoder: str
    sample_rate: int
    channels: int
    length: int
    duration_s: float
    peak_db: float | None
    loudness_lufs: float | None
    downmix: str | None
    title: str | None
    artist: str | None
    album: str | None
    cover: bool
    warnings: tuple[str, ...]


def describe(path: Path, on_progress: OnProgress | None = None) -> Description:
    """Decode a recording to its end and describe it.

    Args:
        path: the recording.
        on_progress: called between blocks; may raise `Cancelled` to stop.

    Raises:
        AudioError: the recording is missing or unreadable.
    """
    length, peak = 0, 0.0
    with open_audio(path) as reader:
        meter = LoudnessMeter(reader.sample_rate, reader.channels)
        for block in reader.blocks():
            meter.push(block)
            length += block.shape[1]
            peak = max(peak, float(np.abs(block).max(initial=0.0)))
            if on_progress:
                on_progress(Progress("decode", length / reader.sample_rate, None))
    tags: Tags = read_tags(path)
    return Description(
        file=str(path),
        container=reader.container,
        codec=reader.codec,
        decoder=reader.decoder,
        sample_rate=reader.sample_rate,
        channels=reader.channels,
        length=length,
        duration_s=round(length / reader.sample_rate, 6),
        peak_db=decibels(peak),
        loudness_lufs=meter.integrated_lufs(),
        downmix=describe_downmix(reader.channels),
        title=tags.title,
        artist=tags.artist,
        album=tags.album,
        cover=tags.cover is not None,
        warnings=reader.warnings,
    )
