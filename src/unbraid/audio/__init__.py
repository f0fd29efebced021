"""Audio files: decoding, resampling, folding to stereo, encoding, tags.

Loudness is in `unbraid.audio.loudness`; few need it, and it takes long to import.
"""

from unbraid.audio.decode import AudioReader, load, open_audio
from unbraid.audio.downmix import describe_downmix, to_stereo
from unbraid.audio.encode import AudioWriter, open_writer
from unbraid.audio.formats import check_writable
from unbraid.audio.resample import Resampler, resample_blocks, resampled_length
from unbraid.audio.tags import Tags, read_tags

__all__ = [
    "AudioReader",
    "AudioWriter",
    "Resampler",
    "Tags",
    "check_writable",
    "describe_downmix",
    "load",
    "open_audio",
    "open_writer",
    "read_tags",
    "resample_blocks",
    "resampled_length",
    "to_stereo",
]
