"""Spectrograms as small PNG pictures.

The colours rise evenly in lightness, in OKLab (Ottosson, 2020), from near black over green to
yellow: equal steps of level look alike, also in grey. PNG is ISO/IEC 15948.
"""

import struct
import zlib
from functools import cache

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.uint8]

RANGE_DB = 80.0  # below the top; what is softer is black
_LIGHTNESS = (0.18, 0.97)
_HUES = (200.0, 118.0)  # degrees, of the darkest and of the lightest
_CHROMA = 0.24  # where the screen has it
_LMS = np.array(
    [
        [1, 0.3963377774, 0.2158037573],
        [1, -0.1055613458, -0.0638541728],
        [1, -0.0894841775, -1.2914855480],
    ]
)
_RGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)


@cache
def palette() -> Indices:
    """256 colours, red, green and blue [256, 3]."""
    lightness = np.linspace(*_LIGHTNESS, 256)
    hue = np.radians(np.linspace(*_HUES, 256))
    chroma = np.zeros(256)
    for step in _CHROMA / 2 ** np.arange(1, 9):  # the strongest that the screen has
        rgb = _linear_rgb(lightness, chroma + step, hue)
        chroma += step * np.all((rgb >= 0) & (rgb <= 1), axis=1)
    chroma = np.minimum(chroma, np.convolve(np.pad(chroma, 16, "edge"), np.ones(33) / 33, "valid"))
    rgb = _linear_rgb(lightness, chroma, hue).clip(0, 1)
    encoded = np.where(rgb <= 0.0031308, 12.92 * rgb, 1.055 * rgb ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(255 * encoded), np.uint8)


def _linear_rgb(
    lightness: npt.NDArray[np.float64],
    chroma: npt.NDArray[np.float64],
    hue: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    lab = np.stack([lightness, chroma * np.cos(hue), chroma * np.sin(hue)], axis=1)
    return np.asarray((lab @ _LMS.T) ** 3 @ _RGB.T)


def pixels(levels_db: npt.NDArray[np.float32], top_db: float, columns: int) -> Indices:
    """A spectrogram as colours, low tones at the bottom.

    Args:
        levels_db: [frame, band].
        top_db: what is brightest.
        columns: the widest that it may be; frames beyond are joined, the loudest shown.

    Returns:
        Places in the palette [row, column].
    """
    wide = min(columns, len(levels_db))
    starts = np.arange(wide) * len(levels_db) // wide
    shown = np.maximum.reduceat(levels_db, starts, axis=0)
    scaled = 255 * (1 + (shown - top_db) / RANGE_DB)
    return np.ascontiguousarray(scaled.clip(0, 255).astype(np.uint8).T[::-1])


def beside(left: Indices, right: Indices, gap: int = 8) -> Indices:
    """Two pictures of one height, a bright gap between them."""
    return np.hstack([left, np.full((len(left), gap), 255, np.uint8), right])


def png(picture: Indices) -> bytes:
    """A picture as a file's bytes.

    Args:
        picture: places in the palette [row, column].
    """
    rows, columns = picture.shape
    lines = np.hstack([np.zeros((rows, 1), np.uint8), picture])  # 0: as they are
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", struct.pack(">IIBBBBB", columns, rows, 8, 3, 0, 0, 0)),
            _chunk(b"PLTE", palette().tobytes()),
            _chunk(b"IDAT", zlib.compress(lines.tobytes(), 9)),
            _chunk(b"IEND", b""),
        ]
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
