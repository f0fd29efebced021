"""Separation of sound as it comes, by the causal sibling of the built-in network.

Nothing later than a frame is heard with it, so a sample is separated as soon as the last window
that holds it is full: 4096 samples, 93 ms. The network carries from call to call what it needs of
the past; MODEL_CARD.md says how it was made and how good it is.
"""

from pathlib import Path

import numpy as np
import scipy  # its parts load at first use

from unbraid.errors import InputError
from unbraid.inference import open_session
from unbraid.separation.lite import LITE, features, masked
from unbraid.separation.stft import Stft
from unbraid.types import Samples, StemName

NETWORK = Path(__file__).parents[1] / "data" / "lite_live.onnx"
STEMS: tuple[StemName, ...] = ("vocals", "drums", "bass", "other")
QUIET_RMS = 1e-4  # -80 dB: the level that what is quieter yet is taken to have


class LiveSeparator:
    """Takes a stream apart into vocals, drums, bass and other, which sum to it; one stream each.

    Attributes:
        stems: what it makes, in that order.
        sample_rate: of the stream and the stems, in Hz.
        latency: samples between what goes in and the same moment in what comes out.

    Example:
        >>> separator = LiveSeparator()
        >>> block = np.zeros((2, 1024), np.float32)
        >>> separator.process(block).shape
        (4, 2, 1024)
    """

    stems = STEMS
    sample_rate = 44_100
    latency = LITE.n_fft

    def __init__(self, threads: int = 1) -> None:
        """Load the network.

        Args:
            threads: that compute; one is several times as fast as needed.
        """
        self._session = open_session(NETWORK, threads)
        self._stft = Stft(LITE.n_fft, LITE.hop_length)
        overlaps = LITE.n_fft // LITE.hop_length
        self._weight = np.sum(self._stft.window.reshape(overlaps, -1) ** 2, axis=0)
        self.reset()
        self.process(np.zeros((2, LITE.hop_length), np.float32))  # the first takes longer
        self.reset()

    def reset(self) -> None:
        """Forget the stream so far; the next block begins a new one."""
        told = self._session.get_inputs()[1:]
        self._states = {each.name: np.zeros(each.shape, np.float32) for each in told}
        self._heard = np.zeros((2, LITE.n_fft - LITE.hop_length), np.float32)
        self._begun = np.zeros((len(STEMS) - 1, 2, LITE.n_fft), np.float32)
        self._power, self._count = 0.0, 0
        # What is ready to go out: at first silence, so that as much comes out as goes in.
        self._ready = np.zeros((len(STEMS), 2, LITE.hop_length), np.float32)

    def process(self, block: Samples) -> Samples:
        """Separate what comes next.

        Args:
            block: float32 [2, time] of any length, full scale 1.0.

        Returns:
            float32 [4, 2, time]: the stems of what came `latency` samples before, which sum to it;
            silence, as long as nothing had come.

        Raises:
            InputError: the block is not stereo, not floating point, or not finite.
        """
        if block.ndim != 2 or block.shape[0] != 2:
            raise InputError(f"a block must be [2, time], not {list(block.shape)}")
        if not np.issubdtype(block.dtype, np.floating):
            raise InputError(f"a block must be floating point, full scale 1.0, not {block.dtype}")
        if not np.isfinite(block).all():
            raise InputError("a block holds numbers that are not finite")
        hop = LITE.hop_length
        self._heard = np.concatenate([self._heard, block.astype(np.float32)], axis=1)
        frames = (self._heard.shape[1] - LITE.n_fft) // hop + 1
        done = [self._ready, *(self._frame(k * hop) for k in range(frames))]
        self._heard = self._heard[:, frames * hop :]
        whole = np.concatenate(done, axis=2)
        self._ready = whole[..., block.shape[1] :]
        return whole[..., : block.shape[1]]

    def _frame(self, start: int) -> Samples:
        """Separate one window of what was heard; the hop that is finished, [4, 2, hop]."""
        window, hop = self._heard[:, start : start + LITE.n_fft], LITE.hop_length
        new = window[:, -hop:]
        self._power += float(np.sum(new * new, dtype=np.float64))
        self._count += new.size
        level = LITE.level_per_rms * max((self._power / self._count) ** 0.5, QUIET_RMS)
        spectrum = scipy.fft.rfft(window * self._stft.window)[:, np.newaxis]
        seen = features(spectrum, LITE.bins, level)
        masks, *states = self._session.run(None, {"mag": seen[np.newaxis], **self._states})
        self._states = dict(zip(self._states, states, strict=True))
        for stem, mask in zip(self._begun, masks[0, :-1], strict=True):  # the last is what is left
            stem += scipy.fft.irfft(masked(spectrum, mask)[:, 0]) * self._stft.window
        finished = self._begun[..., :hop] / self._weight
        self._begun = np.concatenate([self._begun[..., hop:], np.zeros_like(finished)], axis=2)
        rest = window[:, :hop] - finished.sum(axis=0)
        return np.concatenate([finished, rest[np.newaxis]]).astype(np.float32)
