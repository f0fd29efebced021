"""A trained network as the ONNX file that the engine runs.

python -m train.export WEIGHTS.safetensors lite.onnx
"""

import copy
import hashlib
import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from train.model import BINS, HEARD, MaskingNetwork
from train.weights import read_network
from unbraid.errors import UnbraidError

OPSET = 17
LARGE = 512  # numbers, from which on a tensor is stored as float16
EXAMPLE_FRAMES = 64


class _Masks(nn.Module):
    def __init__(self, network: MaskingNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, features: Tensor) -> Tensor:
        return self.network.masks(features)


def export(network: MaskingNetwork, file: Path) -> None:
    """Write a network that makes `mask` of `mag`, for any number of frames.

    Its large tensors are stored as float16, and it computes in float32.

    Args:
        network: stays as it is.
        file: .onnx.
    """
    write(
        _Masks(copy.deepcopy(network).cpu()).eval(),
        {"mag": torch.zeros(1, HEARD, EXAMPLE_FRAMES, BINS)},
        ["mask"],
        file,
    )


def write(
    module: nn.Module, inputs: Mapping[str, Tensor], outputs: Sequence[str], file: Path
) -> None:
    """Write a module that computes `mask` of `mag`, among others.

    Args:
        module: to be called with the inputs.
        inputs: examples by their names; only the frames of `mag` may be more or fewer later.
        outputs: names of what it returns.
        file: .onnx.
    """
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the tracer's, about sizes that are fixed here
        torch.onnx.export(
            module,
            tuple(inputs.values()),
            str(file),
            dynamo=False,
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes={"mag": {2: "frame"}, "mask": {3: "frame"}},
            opset_version=OPSET,
        )
    model = onnx.load(file)
    _store_as_float16(model.graph)
    onnx.save(model, file)


def _store_as_float16(graph: onnx.GraphProto) -> None:
    casts = []
    for tensor in graph.initializer:
        if tensor.data_type == TensorProto.FLOAT and np.prod(tensor.dims) >= LARGE:
            name, stored = tensor.name, f"{tensor.name}_float16"
            values = numpy_helper.to_array(tensor).astype(np.float16)
            tensor.CopyFrom(numpy_helper.from_array(values, stored))
            casts.append(helper.make_node("Cast", [stored], [name], to=TensorProto.FLOAT))
    computed = list(graph.node)
    del graph.node[:]
    graph.node.extend(casts + computed)


def main() -> None:
    """Export the weights that the command line names."""
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    weights, file = map(Path, sys.argv[1:])
    try:
        export(read_network(weights), file)
    except UnbraidError as error:
        raise SystemExit(f"error: {error}") from error
    content = file.read_bytes()
    print(f"{file}: {len(content):,} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    main()
