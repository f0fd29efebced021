"""Small seeded networks of the published architectures, saved as the hub holds them."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import torch
from demucs.demucs import Demucs
from demucs.hdemucs import HDemucs
from demucs.htdemucs import HTDemucs
from safetensors.torch import save_file

SOURCES = ("drums", "bass", "other", "vocals")
SEGMENT = Fraction(1, 2)  # seconds


def seeded(kind: str, seed: int = 0, sources: tuple[str, ...] = SOURCES) -> Any:
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
            segment=SEGMENT,
        )
    elif kind == "hdemucs":
        module = HDemucs(names, channels=4, nfft=1024, depth=5, segment=SEGMENT)
    else:
        module = Demucs(names, channels=4, depth=4, segment=SEGMENT)
    return module.eval()


def save_safetensors(module: Any, file: Path) -> Path:
    """Save a network with its class and arguments, as demucs reads them."""
    args, kwargs = module._init_args_kwargs
    kind = type(module)
    metadata = {
        "klass": f"{kind.__module__}.{kind.__name__}",
        "args": json.dumps(_encoded(args)),
        "kwargs": json.dumps(_encoded(kwargs)),
    }
    state = {name: tensor.contiguous() for name, tensor in module.state_dict().items()}
    save_file(state, file, metadata)
    return file


def _encoded(value: Any) -> Any:
    if isinstance(value, Fraction):
        parts = {"numerator": value.numerator, "denominator": value.denominator}
        return {"_type": "fraction", **parts}
    if isinstance(value, dict):
        return {name: _encoded(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_encoded(item) for item in value]
    return value
