"""Demucs and its hybrid successors as networks of the segment engine.

The networks are those of the `demucs` package (Défossez 2021; Rouard, Massa and Défossez 2023),
loaded from safetensors files as its hub holds them, or from its legacy files. A segment is
normalised by the song's mean and deviation and heard with real samples around it, as
`demucs.apply` does.
"""

import inspect
import json
import pickle
import re
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from unbraid.errors import MissingExtraError, ModelError
from unbraid.separation.diffq import DIFFQ, DiffQuantizer, dequantised
from unbraid.separation.htdemucs import OVERLAP, SILENCE
from unbraid.separation.mixture import MixtureStatistics
from unbraid.separation.network import Window
from unbraid.separation.runtime import Arithmetic, Device, check_segment
from unbraid.separation.segments import Segment
from unbraid.types import Samples, StemName

MALFORMED = (KeyError, TypeError, ValueError, RuntimeError, EOFError)
"""What a file that is no network may raise."""


class DemucsNetwork:
    """Runs one Demucs network on segments. Satisfies `BatchNetwork`."""

    in_flight = 1

    def __init__(
        self,
        module: Any,
        stems: tuple[StemName, ...],
        *,
        segment_s: float | None = None,
        overlap: float | None = None,
        device: Device = "cpu",
        arithmetic: Arithmetic = "float32",
        batch: int = 1,
    ) -> None:
        """Prepare a loaded network.

        Args:
            module: a network of the `demucs` package, in evaluation mode.
            stems: those wanted.
            segment_s: seconds of a segment; None takes what the network was trained on.
            overlap: share of a segment that neighbours share, at most 0.5; None for a quarter.
            device: where it computes.
            arithmetic: of its matrix products; inputs and outputs are float32.
            batch: segments at once.

        Raises:
            InputError: the segment is longer than what the network can hear.
        """
        self.stems = stems
        self.batch = batch
        self._module = _prepared(module, device, arithmetic)
        self._device = device
        self._arithmetic = arithmetic
        self._fixed = has_fixed_window(module)
        trained_s = self._module.segment
        if segment_s is not None and self._fixed:
            check_segment(segment_s, float(trained_s))
        chosen_s = trained_s if segment_s is None else segment_s
        share = OVERLAP if overlap is None else overlap
        self.segment_samples = int(self._module.samplerate * chosen_s)
        self.overlap_samples = self.segment_samples - int((1 - share) * self.segment_samples)

    def window(self, segment: Segment, length: int) -> Window:
        """The segment in the middle of as many samples as the network takes."""
        missing = self._input_length(segment.stop - segment.start) - segment.stop + segment.start
        start = segment.start - missing // 2
        return Window(start, segment.stop + missing - missing // 2)

    def _input_length(self, length: int) -> int:
        if self._fixed:
            return int(self._module.segment * self._module.samplerate)
        if hasattr(self._module, "valid_length"):
            return int(self._module.valid_length(length))
        return length

    def run(self, mixture: Samples, statistics: MixtureStatistics) -> Samples:
        """Separate float32 [2, time] into float32 [stem, 2, time]."""
        stems: Samples = self.run_batch(mixture[np.newaxis], statistics)[0]
        return stems

    def run_batch(self, mixtures: Samples, statistics: MixtureStatistics) -> Samples:
        """Separate float32 [segment, 2, time] into float32 [segment, stem, 2, time]."""
        import torch

        scale = np.float32(statistics.std + SILENCE)
        mean = np.float32(statistics.mean)
        with torch.inference_mode(), _autocast(self._device, self._arithmetic):
            normalised = torch.from_numpy((mixtures - mean) / scale).to(self._device)
            estimates = self._module(normalised)
        wanted = [self._module.sources.index(name) for name in self.stems]
        stems: Samples = estimates[:, wanted].float().cpu().numpy() * scale + mean
        return stems


def _autocast(device: Device, arithmetic: Arithmetic) -> AbstractContextManager[object]:
    """Matrix products and convolutions in short numbers, all else as it is."""
    import torch

    if arithmetic == "float32":
        return nullcontext()
    return torch.autocast(device, getattr(torch, arithmetic), cache_enabled=False)


def _prepared(module: Any, device: Device, arithmetic: Arithmetic) -> Any:
    """A network on its device, the weights of its matrix products in their arithmetic."""
    import torch

    torch.backends.cudnn.allow_tf32 = False  # by which CUDA would round float32 to ten bits
    if arithmetic != "float32":
        nn = torch.nn
        kinds = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.ConvTranspose1d, nn.ConvTranspose2d)
        for layer in module.modules():
            if isinstance(layer, kinds):
                layer.to(getattr(torch, arithmetic))
    return module.to(device)


def has_fixed_window(module: Any) -> bool:
    """Whether a network always hears as much as it was trained on."""
    return hasattr(module, "use_train_segment") and module.use_train_segment


def load_module(weights: Path, threads: int | None = None) -> Any:
    """Load a network of the `demucs` package, in evaluation mode.

    Args:
        weights: a .safetensors file with the class and its arguments in the metadata, or a legacy
            .th file whose checksum was verified.
        threads: threads that torch computes with from now on; None leaves them as they are.

    Raises:
        MissingExtraError: the `demucs` extra is not installed.
        ModelError: the file is not such a network.
    """
    try:
        import demucs.apply  # noqa: F401  all classes of networks
        import torch
        from safetensors import SafetensorError
    except ImportError as error:
        raise MissingExtraError(
            "Demucs models need the extra `demucs`: pip install 'unbraid[demucs]'"
        ) from error
    read = _read_legacy if weights.suffix == ".th" else _read_safetensors
    try:
        kind, args, kwargs, state = read(weights)
        module = kind(*args, **kwargs)
        if "__quantized" in state:
            _set_quantised(module, state)
        else:
            module.load_state_dict(state)
    except pickle.UnpicklingError as error:  # its text is long, and tells to trust the file
        named = re.search(r"GLOBAL (\S+)", str(error))
        why = f"it names {named[1]}" if named else "it cannot be read"
        raise ModelError(f"{weights.name} is not a Demucs network: {why}") from error
    except (*MALFORMED, SafetensorError) as error:
        raise ModelError(f"{weights.name} is not a Demucs network: {error}") from error
    if threads:
        torch.set_num_threads(threads)
    return module.eval().requires_grad_(False)


def _set_quantised(module: Any, state: Mapping[str, Any]) -> None:
    import torch

    parameters = dict(module.named_parameters())
    values = dequantised(state, {name: parameters[name].numel() for name in parameters})
    for name, parameter in parameters.items():
        parameter.data.copy_(torch.from_numpy(values[name]).view_as(parameter))


Package = tuple[Any, list[Any], dict[str, Any], dict[str, Any]]
"""Class, its positional and named arguments, and its state."""


def _read_safetensors(weights: Path) -> Package:
    from safetensors import safe_open

    with safe_open(weights, framework="pt") as file:
        metadata: Mapping[str, str] = file.metadata() or {}
        state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  not a dict
    kind = _known_class(metadata["klass"])
    args, kwargs = (_decoded(json.loads(metadata[name])) for name in ("args", "kwargs"))
    if "structure" in metadata:
        state = _unflattened(json.loads(metadata["structure"]), state)
    return kind, args, _accepted(kind, kwargs), state


def _read_legacy(weights: Path) -> Package:
    import torch

    with torch.serialization.safe_globals([*_classes().values(), *_plain_types()]):
        package = torch.load(weights, "cpu", weights_only=True)
    kind = _known_class(f"{package['klass'].__module__}.{package['klass'].__name__}")
    return kind, package["args"], _accepted(kind, package["kwargs"]), package["state"]


def _plain_types() -> list[Any]:
    """What a legacy file may name besides its network: numbers, and how it was quantised."""
    rebuild_scalar = np.float64().__reduce__()[0]
    return [
        Fraction,
        (DiffQuantizer, DIFFQ),
        *((rebuild_scalar, f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")),
        np.dtype,
        *(type(np.dtype(kind)) for kind in (np.float32, np.float64, np.int64, np.bool_)),
    ]


def _classes() -> dict[str, Any]:
    """The networks that a weights file may name."""
    from demucs.demucs import Demucs
    from demucs.hdemucs import HDemucs
    from demucs.htdemucs import HTDemucs

    return {f"{kind.__module__}.{kind.__name__}": kind for kind in (Demucs, HDemucs, HTDemucs)}


def _known_class(name: str) -> Any:
    known = _classes()
    if name not in known:
        raise ModelError(f"{name} is none of the networks that are known: {', '.join(known)}")
    return known[name]


def _accepted(kind: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Without the arguments of other versions, which only training knew."""
    return {name: kwargs[name] for name in kwargs if name in inspect.signature(kind).parameters}


def _decoded(value: Any) -> Any:
    """JSON with Demucs's notation of fractions."""
    if isinstance(value, list):
        return [_decoded(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("_type") == "fraction":
        return Fraction(value["numerator"], value["denominator"])
    return {name: _decoded(item) for name, item in value.items()}


def _unflattened(node: Any, tensors: Mapping[str, Any]) -> Any:
    """A nested state from Demucs's notation of it in JSON, which names tensors of the file."""
    match node:
        case {"_tensor": name}:
            return tensors[name]
        case {"_dict": items}:
            return {name: _unflattened(item, tensors) for name, item in items}
        case {"_list": items} | {"_tuple": items}:
            return [_unflattened(item, tensors) for item in items]
        case {"_class": name}:
            return {DIFFQ: DiffQuantizer}[name]
    return node
