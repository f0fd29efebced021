"""Small seeded networks of the published architectures, saved as the hub holds them."""

import json
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import torch
from demucs.demucs import Demucs
from demucs.hdemucs import HDemucs
from demucs.htdemucs import HTDemucs
from safetensors.torch import save_file

from unbraid.separation.diffq import DiffQuantizer

SOURCES = ("drums", "bass", "other", "vocals")
SEGMENT = Fraction(1, 2)  # seconds
PUBLISHED_NAMES = {
    b"numpy._core.": b"numpy.core.",
    b"unbraid.separation.diffq\n": b"diffq.diffq\n",
}


def seeded(
    kind: str, seed: int = 0, sources: tuple[str, ...] = SOURCES, norm_starts: int = 4
) -> Any:
    """A network of half a second in evaluation mode: htdemucs, hdemucs or demucs."""
    torch.manual_seed(seed)
    names = list(sources)
    if kind == "htdemucs":
        module: Any = HTDemucs(
            names,
            channels=8,
            nfft=1024,
            depth=3,
            dconv_mode=3,
            dconv_init=0.05,  # so that tests hear the residual branches
            bottom_channels=24,
            t_layers=1,
            t_heads=2,
            norm_starts=norm_starts,
            segment=SEGMENT,
        )
    elif kind == "hdemucs":
        module = HDemucs(names, channels=4, nfft=1024, depth=5, segment=SEGMENT)
    else:
        module = Demucs(names, channels=4, depth=4, segment=SEGMENT)
    return module.eval()


def save_safetensors(module: Any, file: Path, state: dict[str, Any] | None = None) -> Path:
    """Save a network with its class and arguments, and its own state or another."""
    args, kwargs = module._init_args_kwargs
    kind = type(module)
    metadata = {
        "klass": f"{kind.__module__}.{kind.__name__}",
        "args": json.dumps(_encoded(args)),
        "kwargs": json.dumps(_encoded(kwargs)),
    }
    tensors = {name: tensor.contiguous() for name, tensor in module.state_dict().items()}
    if state:
        tensors = {}
        metadata["structure"] = json.dumps(_flattened(state, tensors))
    save_file(tensors, file, metadata)
    return file


def save_legacy(module: Any, file: Path, state: dict[str, Any] | None = None) -> Path:
    """Save a network as demucs published them at first, with what only training knew."""
    args, kwargs = module._init_args_kwargs
    half = {name: tensor.half() for name, tensor in module.state_dict().items()}
    package = {
        "klass": type(module),
        "args": args,
        "kwargs": {**kwargs, "of_another_version": Fraction(1, 2)},
        "state": state or half,
        "training_args": {"epochs": 3, "best": np.float64(1.5)},
    }
    content = BytesIO()
    torch.save(package, content)
    with ZipFile(content) as written, ZipFile(file, "w") as published:
        for name in written.namelist():
            text = written.read(name)
            for now, then in PUBLISHED_NAMES.items() if name.endswith("data.pkl") else ():
                text = text.replace(now, then)
            published.writestr(name, text)
    return file


def quantised(module: Any, group_size: int = 8, min_size: float = 0.001) -> dict[str, Any]:
    """The state of a network in diffq's layout, of 2 to 14 bits; the network takes its values."""
    rng = np.random.default_rng(0)
    state: dict[str, Any] = {"__quantized": True, "quantized": [], "others": [], "float16": []}
    for parameter in module.parameters():
        values = parameter.data.numpy()
        if values.size <= min_size * 2**20 // 4:
            state["others"].append(parameter.data)
            continue
        bits = rng.integers(2, 15, values.size // group_size)
        low, high = float(values.min()), float(values.max())
        steps = 2 ** bits[:, None] - 1
        levels = np.rint((values.reshape(-1, group_size) - low) / (high - low) * steps).astype(int)
        restored = levels / steps * (high - low) + low
        parameter.data.copy_(torch.from_numpy(restored.reshape(values.shape)))
        packed = [
            _packed(levels[bits == count], count) if (bits == count).any() else None
            for count in range(1, 15)
        ]
        state["quantized"].append((packed, (low, high), _packed(bits - 2, 4)))
    state["meta"] = {
        "init_kwargs": {"group_size": group_size, "min_size": min_size},
        "klass": DiffQuantizer,
        "packed": True,
    }
    return state


def _packed(numbers: Any, width: int) -> torch.Tensor:
    """Words [line, bit, column]: each holds that bit of 64 numbers, 32 numbers apart."""
    padded = np.pad(numbers.ravel(), (0, -numbers.size % 2048)).reshape(-1, 64, 32)
    places = np.arange(64, dtype=np.uint64)[:, None]
    words = [(((padded >> bit) & 1).astype(np.uint64) << places).sum(1) for bit in range(width)]
    return torch.from_numpy(np.stack(words, axis=1).view(np.int64))


def _flattened(value: Any, tensors: dict[str, torch.Tensor]) -> Any:
    """Demucs's notation of a nested state in JSON; collects its tensors."""
    if isinstance(value, torch.Tensor):
        tensors[str(len(tensors))] = value
        return {"_tensor": str(len(tensors) - 1)}
    if isinstance(value, dict):
        return {"_dict": [[name, _flattened(item, tensors)] for name, item in value.items()]}
    if isinstance(value, (list, tuple)):
        kind = "_list" if isinstance(value, list) else "_tuple"
        return {kind: [_flattened(item, tensors) for item in value]}
    return {"_class": "diffq.diffq.DiffQuantizer"} if value is DiffQuantizer else value


def _encoded(value: Any) -> Any:
    if isinstance(value, Fraction):
        parts = {"numerator": value.numerator, "denominator": value.denominator}
        return {"_type": "fraction", **parts}
    if isinstance(value, dict):
        return {name: _encoded(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_encoded(item) for item in value]
    return value
