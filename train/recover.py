"""The weights that an exported network was made of, to go on from.

    python -m train.recover lite.onnx lite.safetensors

Exporting folds some weights into others' names and transposes them. Which is which shows in a
network of the same sizes whose weights are all different: it is exported too. Exporters differ in
the order of the weights, but not of those of one shape.
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import torch
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # types apart
from onnx import numpy_helper

from train.export import export
from train.model import MaskingNetwork
from train.options import NetworkOptions
from train.weights import FIRST, save_weights
from unbraid.errors import ModelError, UnbraidError
from unbraid.types import Samples


def recover(file: Path, options: NetworkOptions | None = None) -> MaskingNetwork:
    """The network that was exported to a file; large weights are those of float16.

    Args:
        file: .onnx.
        options: its sizes; None for those that are usual, or those of the first network.

    Raises:
        ModelError: it cannot be read, or is not a network of these sizes.
    """
    for sizes in (options,) if options else (NetworkOptions(), FIRST):
        if network := _recovered(file, sizes):
            return network
    raise ModelError(f"{file} is not a network of these sizes")


def _recovered(file: Path, options: NetworkOptions) -> MaskingNetwork | None:
    """The network, if it has these sizes."""
    network = MaskingNetwork(options)
    weights = network.state_dict()
    for i, weight in enumerate(weights.values()):
        weight.copy_(torch.randn(weight.shape, generator=torch.Generator().manual_seed(i)))
    with tempfile.TemporaryDirectory() as folder:
        twin = Path(folder, "twin.onnx")
        export(network, twin)
        stored, known = (sorted(_tensors(each), key=_shape) for each in (file, twin))
    if list(map(_shape, stored)) != list(map(_shape, known)):
        return None
    found = {_key(mark): tensor for mark, tensor in zip(known, stored, strict=True)}
    for weight in weights.values():
        straight, turned = weight.numpy(), weight.numpy().T
        if (tensor := found.get(_key(straight))) is None:
            tensor = found[_key(turned)].T
        weight.copy_(torch.from_numpy(tensor.reshape(weight.shape).astype(np.float32)))
    return network


def _tensors(file: Path) -> Iterator[Samples]:
    try:
        graph = onnx.load(file).graph
    except (OSError, DecodeError) as error:
        raise ModelError(f"{file} cannot be read: {error}") from error
    for tensor in graph.initializer:
        if tensor.data_type in (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16):
            yield numpy_helper.to_array(tensor)


def _shape(values: Samples) -> tuple[int, ...]:
    """That counts: exporters differ in the axes of one."""
    return values.squeeze().shape


def _key(values: Samples) -> bytes:
    """The same for the same numbers in the same order, whatever the shape."""
    return values.astype(np.float16).tobytes()


def main() -> None:
    """Recover the weights of the file that the command line names."""
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    exported, weights = map(Path, sys.argv[1:])
    try:
        save_weights(recover(exported), weights)
    except UnbraidError as error:
        raise SystemExit(f"error: {error}") from error


if __name__ == "__main__":
    main()
