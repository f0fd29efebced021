"""Open-Unmix as a network of the segment engine.

A network per target makes a mask from the magnitudes of the mixture, through a bidirectional LSTM;
a multichannel Wiener filter makes the masked spectra consistent (Stöter, Uhlich, Liutkus and
Mitsufuji 2019). The weights are the files of the `openunmix` package, which is not needed.
"""

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from unbraid.errors import InputError, MissingExtraError, ModelError
from unbraid.separation.mixture import MixtureStatistics
from unbraid.separation.network import Window
from unbraid.separation.segments import Segment
from unbraid.separation.stft import Spectrum, Stft
from unbraid.separation.wiener import wiener
from unbraid.types import Samples, StemName

if TYPE_CHECKING:
    import torch

RATE = 44_100
N_FFT = 4096
HOP_LENGTH = 1024
BINS = N_FFT // 2 + 1
LSTM_LAYERS = 3
RESIDUAL: StemName = "residual"

# The filter takes a source's place from 300 frames at a time. Segments begin where such a window
# does and are heard with one more on either side, so that all windows are those of the whole song.
# The LSTM, trained on 6 s, then hears enough too: with weights of such a memory (Tallec and
# Ollivier's chrono initialisation) the stems are 51 to 54 dB above what segments change in them.
WIENER_FRAMES = 300
WIENER_SAMPLES = WIENER_FRAMES * HOP_LENGTH  # 7.0 s
OVERLAP = 32 * HOP_LENGTH  # 0.7 s
SEGMENT_S = 28.0


def set_threads(threads: int) -> None:
    """Let torch compute with so many threads from now on."""
    import torch

    torch.set_num_threads(threads)


class OpenUnmixNetwork:
    """Runs the networks of several targets on segments. Satisfies `Network`."""

    in_flight = 1

    def __init__(
        self,
        targets: Mapping[StemName, Path],
        stems: tuple[StemName, ...],
        *,
        segment_s: float | None = None,
        overlap: float | None = None,
        niter: int = 1,
        residual: bool = False,
        threads: int = 1,
        device: str = "cpu",
    ) -> None:
        """Load the networks.

        The filter shares the mixture out among all targets, so all take part in it, whatever stems
        are wanted; a wanted stem is the same with the others and without. Where it does not run,
        only the networks of the wanted stems are loaded.

        Args:
            targets: state-dict file of each network.
            stems: those wanted, of the targets and, if there is one, `residual`.
            segment_s: seconds of a segment, rounded to windows of the filter; None for 28.
            overlap: share of a segment that neighbours share, at most 0.5; None for 0.7 s.
            niter: iterations of the Wiener filter; 0 multiplies the mixture by the masks.
            residual: whether what the targets leave of the mixture is a further source. It should
                be where the targets are not all there is in a song.
            threads: threads of the networks, for all of the process, and of the transform.
            device: where the networks run, as torch names it.

        Raises:
            InputError: a stem has no network, or the filter has a single source.
            MissingExtraError: torch is not installed.
            ModelError: a file is missing or is not a network of Open-Unmix.
        """
        sources = (*targets, RESIDUAL) if residual else tuple(targets)
        if unknown := [stem for stem in stems if stem not in sources]:
            raise InputError(f"no stem {', '.join(unknown)}; there are: {', '.join(sources)}")
        if niter and len(sources) == 1:
            raise InputError(
                f"the Wiener filter has nothing to tell {sources[0]} from; "
                "ask for the residual, or for no iterations"
            )
        self.stems = stems
        self._sources = sources if niter or RESIDUAL in stems else stems
        self._niter = niter
        self._stft = Stft(N_FFT, HOP_LENGTH, workers=threads)
        self._networks = [
            load_target(targets[name], device) for name in self._sources if name != RESIDUAL
        ]
        set_threads(threads)
        windows = max(1, round((segment_s or SEGMENT_S) * RATE / WIENER_SAMPLES))
        stride = windows * WIENER_SAMPLES
        self.overlap_samples = OVERLAP
        if overlap is not None:
            self.overlap_samples = int(stride * overlap / (1 - overlap))
        self.segment_samples = stride + self.overlap_samples

    def window(self, segment: Segment, length: int) -> Window:
        """The segment with a window of the filter on either side, as far as the song goes."""
        return Window(
            max(0, segment.start - WIENER_SAMPLES), min(segment.stop + WIENER_SAMPLES, length)
        )

    def run(self, mixture: Samples, statistics: MixtureStatistics) -> Samples:
        """Separate float32 [2, time], at least one sample, into float32 [stem, 2, time]."""
        import torch

        length = mixture.shape[1]
        padded = np.pad(mixture, ((0, 0), (0, max(0, N_FFT // 2 + 1 - length))))
        spectrum = self._stft.forward(padded)
        with torch.inference_mode():
            stems = self._separate(spectrum)
        return np.stack([self._stft.inverse(stem, length) for stem in stems])

    def _separate(self, spectrum: Spectrum) -> Spectrum:
        """Spectra [stem, 2, frame, bin] of a mixture [2, frame, bin]."""
        magnitudes = np.abs(spectrum)
        codes = [network.encode(magnitudes) for network in self._networks]
        wanted = [self._sources.index(stem) for stem in self.stems]
        stems = np.empty((len(wanted), *spectrum.shape), np.complex64)
        for start in range(0, spectrum.shape[1], WIENER_FRAMES):
            part = slice(start, start + WIENER_FRAMES)
            heard = spectrum[:, part]
            masks = [
                network.mask(code[part])
                for network, code in zip(self._networks, codes, strict=True)
            ]
            estimates = [mask * heard for mask in masks]
            if RESIDUAL in self._sources:
                estimates.append(heard - sum(estimates))
            stems[:, :, part] = wiener(heard, np.stack(estimates), self._niter)[wanted]
        return stems


class TargetNetwork:
    """The network of one target, between the magnitudes of the mixture and a mask.

    All in it but the LSTM is affine once it is trained, so shifts, scales and batch normalisations
    are folded into its three linear layers.
    """

    def __init__(self, state: Mapping[str, "torch.Tensor"], device: str) -> None:
        """Set the network up from its published state.

        Raises:
            KeyError: a parameter is missing.
            RuntimeError: a parameter has another shape.
            ValueError: the network is for other windows.
        """
        import torch

        if len(state["output_mean"]) != BINS:
            raise ValueError(f"it has {len(state['output_mean'])} bins, expected {BINS}")
        hidden = len(state["fc1.weight"])
        recurrent = {
            name.removeprefix("lstm."): value
            for name, value in state.items()
            if name.startswith("lstm.")
        }
        torch.backends.cudnn.allow_tf32 = False  # by which CUDA would round float32 to ten bits
        lstm = torch.nn.LSTM(hidden, hidden // 2, LSTM_LAYERS, bidirectional=True)
        lstm.load_state_dict(recurrent)
        self._device = device
        self._lstm = lstm.to(device)
        self._bins = len(state["input_mean"])
        exact = {name: value.double() for name, value in state.items()}
        self._encode, self._compress, self._decode = (
            linear.to(device) for linear in _folded(exact)
        )

    def encode(self, magnitudes: Samples) -> "torch.Tensor":
        """What the frames [2, frame, bin] mean, each in the light of all: [frame, code]."""
        import torch

        seen = np.concatenate(list(magnitudes[..., : self._bins]), axis=-1)
        inner = self._encode(torch.from_numpy(seen).to(self._device)).tanh()
        return torch.cat([inner, self._lstm(inner)[0]], dim=-1)

    def mask(self, code: "torch.Tensor") -> Samples:
        """The mask [2, frame, bin] of frames [frame, code]; it has no upper bound."""
        inner = self._compress(code).relu()
        mask: Samples = self._decode(inner).relu().cpu().numpy()
        return mask.reshape(-1, 2, BINS).swapaxes(0, 1)


def load_target(weights: Path, device: str = "cpu") -> TargetNetwork:
    """Load the network of one target.

    Args:
        weights: a state-dict file of Open-Unmix, stereo, for windows of 4096 samples.
        device: where it runs, as torch names it.

    Raises:
        MissingExtraError: torch is not installed.
        ModelError: the file is missing or is not such a network.
    """
    try:
        import torch
    except ImportError as error:
        raise MissingExtraError(
            "Open-Unmix models need torch: pip install 'unbraid[demucs]'"
        ) from error
    try:
        return TargetNetwork(torch.load(weights, "cpu", weights_only=True), device)
    except OSError as error:
        raise ModelError(f"the weights {weights.name} cannot be read ({error.strerror})") from error
    except (
        LookupError,
        TypeError,
        ValueError,
        RuntimeError,
        EOFError,
        pickle.PickleError,
    ) as error:
        raise ModelError(f"{weights.name} is not a network of Open-Unmix: {error}") from error


def _folded(state: Mapping[str, "torch.Tensor"]) -> list["torch.nn.Linear"]:
    """The linear layers with all that is affine around them; features run [channel, bin]."""
    (gain1, shift1), (gain2, shift2), (gain3, shift3) = (
        _normalisation(state, name) for name in ("bn1", "bn2", "bn3")
    )
    in_mean, in_scale = state["input_mean"].repeat(2), state["input_scale"].repeat(2)
    out_mean, out_scale = state["output_mean"].repeat(2), state["output_scale"].repeat(2)
    first = gain1 * state["fc1.weight"] * in_scale
    return [
        _linear(first, first @ in_mean + shift1[:, 0]),
        _linear(gain2 * state["fc2.weight"], shift2[:, 0]),
        _linear(
            out_scale[:, None] * gain3 * state["fc3.weight"],
            out_scale * shift3[:, 0] + out_mean,
        ),
    ]


def _normalisation(
    state: Mapping[str, "torch.Tensor"], name: str
) -> tuple["torch.Tensor", "torch.Tensor"]:
    """Gain and shift of a batch normalisation, as columns."""
    mean, variance = state[f"{name}.running_mean"], state[f"{name}.running_var"]
    gain = state[f"{name}.weight"] / (variance + 1e-5).sqrt()
    return gain[:, None], (state[f"{name}.bias"] - gain * mean)[:, None]


def _linear(weight: "torch.Tensor", bias: "torch.Tensor") -> "torch.nn.Linear":
    import torch

    linear = torch.nn.Linear(weight.shape[1], weight.shape[0])
    linear.load_state_dict({"weight": weight, "bias": bias})
    return linear
