"""The naive way to take a song apart: all of it in memory, one library after the other.

The same networks as ours. Separation is one call over the whole song; notes are those of the
basic-pitch package.

    python -m bench.naive SONG OUT
"""

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime
import soundfile

import unbraid
from bench.published import Transcriber
from unbraid.types import Samples

N_FFT, HOP, BINS, TOP_BINS = 4096, 1024, 1488, 24
WINDOW = np.hanning(N_FFT + 1)[:-1].astype(np.float32)
NETWORK = Path(unbraid.__file__).parent / "data" / "lite.onnx"
STEMS = ("vocals", "drums", "bass", "other")

Spectrum = npt.NDArray[np.complex64]


def stft(samples: Samples) -> Spectrum:
    """Float32 [channel, time] to complex64 [channel, frame, bin], centred."""
    padded = np.pad(samples, ((0, 0), (N_FFT // 2, N_FFT // 2)), mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, N_FFT, axis=1)[:, ::HOP]
    return np.fft.rfft(frames * WINDOW).astype(np.complex64)


def istft(spectrum: Spectrum, length: int) -> Samples:
    """Inverse of `stft`: complex64 [..., frame, bin] to float32 [..., length]."""
    frames: Samples = np.fft.irfft(spectrum, n=N_FFT).astype(np.float32) * WINDOW
    count = frames.shape[-2]
    total: Samples = np.zeros((*frames.shape[:-2], N_FFT + HOP * (count - 1)), np.float32)
    weight = np.zeros(total.shape[-1], np.float32)
    for k in range(count):
        total[..., k * HOP : k * HOP + N_FFT] += frames[..., k, :]
        weight[k * HOP : k * HOP + N_FFT] += WINDOW**2
    total /= np.maximum(weight, 1e-8)
    return total[..., N_FFT // 2 : N_FFT // 2 + length]


def features(spectrum: Spectrum) -> Samples:
    """What the network sees of the whole song: float32 [1, 4, frame, bin]."""
    left, right = spectrum[..., :BINS]
    level = np.sqrt(np.mean(np.abs(spectrum[..., :BINS]) ** 2)) + 1e-12
    four = np.stack([left, right, (left + right) / 2, (left - right) / 2]) / level
    seen: Samples = ((np.abs(four) ** 2 + 1e-7) ** 0.15).astype(np.float32)
    return seen[np.newaxis]


def separate(mixture: Samples, network: Path = NETWORK) -> Samples:
    """Separate float32 [2, time] at 44.1 kHz into float32 [stem, 2, time]."""
    session = onnxruntime.InferenceSession(str(network))
    spectrum = stft(mixture)
    masks: Samples = session.run(["mask"], {"mag": features(spectrum)})[0][0]
    top = np.repeat(masks[..., -TOP_BINS:].mean(-1, keepdims=True), N_FFT // 2 + 1 - BINS, -1)
    return istft(np.concatenate([masks, top], axis=-1) * spectrum, mixture.shape[1])


def take_apart(song: Path, out: Path) -> None:
    """Write the stems of a song, and the notes of those that have a pitch."""
    transcriber = Transcriber()
    samples, rate = soundfile.read(song, dtype="float32", always_2d=True)
    for name, stem in zip(STEMS, separate(samples.T), strict=True):
        soundfile.write(out / f"{name}.wav", stem.T, rate, "PCM_24")
        if name != "drums":
            transcriber.write_midi(out / f"{name}.wav", out / f"{name}.mid")


if __name__ == "__main__":
    take_apart(Path(sys.argv[1]), Path(sys.argv[2]))
