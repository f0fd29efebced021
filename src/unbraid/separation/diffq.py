"""Networks stored with few bits for each parameter, as Défossez, Adi and Synnaeve (2022) do.

Small parameters are kept as they are. The values of a large one are put in groups, and those of a
group share a number of bits: with b bits, a value is one of 2^b levels between the least and the
largest value of the parameter.
"""

from collections.abc import Mapping
from fnmatch import fnmatch
from typing import Any

import numpy as np
from numpy.typing import NDArray

DIFFQ = "diffq.diffq.DiffQuantizer"
MIN_SIZE = 0.01  # MB of float32; what is not larger is small
GROUP_SIZE = 1
MIN_BITS = 2

Values = NDArray[np.float32]
Numbers = NDArray[np.int16]


class DiffQuantizer:
    """Stands for the class by which a network says that it was quantised."""


def dequantised(state: Mapping[str, Any], sizes: Mapping[str, int]) -> dict[str, Values]:
    """The parameters of a network, each as one row.

    Args:
        state: `quantized`, and `float16` or `others`: its large and its small parameters, in the
            order that it has them; `meta` says how they were quantised.
        sizes: numbers of values of its parameters, by name and in that order.

    Raises:
        KeyError, TypeError, ValueError: the state is not that of such a network.
    """
    meta = state["meta"]
    options = meta["init_kwargs"]
    if meta["klass"] is not DiffQuantizer:
        raise ValueError("it is quantised in a way that is not known")
    spared = options.get("exclude", ())
    limit = options.get("min_size", MIN_SIZE) * 2**20 // 4
    large = [name for name in sizes if sizes[name] > limit and not _matches(name, spared)]
    small = [name for name in sizes if name not in large]
    kept = state["float16" if options.get("float16") else "others"]
    parameters = {
        name: np.asarray(values, np.float32).ravel()
        for name, values in zip(small, kept, strict=True)
    }
    for name, (levels, (low, high), bits) in zip(large, state["quantized"], strict=True):
        if meta.get("packed"):
            levels, bits = _unpacked(levels, bits, sizes[name], options)
        step = 1 / (2 ** np.asarray(bits, np.float32).reshape(-1, 1) - 1)
        values = np.asarray(levels, np.float32) * step * (high - low) + low
        parameters[name] = values.ravel()
    return parameters


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch(each, p) for p in patterns for each in (name, name.rpartition(".")[2]))


def _unpacked(
    packed: list[Any], packed_bits: Any, size: int, options: Mapping[str, Any]
) -> tuple[Numbers, Numbers]:
    """Levels [group, value] from those of each number of bits, and the bits of each group."""
    group_size = options.get("group_size", GROUP_SIZE)
    bits = _numbers(packed_bits)[: size // group_size] + np.int16(options.get("min_bits", MIN_BITS))
    if bits.max() > len(packed):
        raise ValueError(f"there are no levels of {bits.max()} bits")
    levels = np.zeros((len(bits), group_size), np.int16)
    for count, some in enumerate(packed, 1):
        groups = bits == count
        if some is not None:
            length = np.count_nonzero(groups) * group_size
            levels[groups] = _numbers(some)[:length].reshape(-1, group_size)
    return levels, bits


def _numbers(packed: Any) -> Numbers:
    """Numbers from words [line, bit, column] or [bit, column], which hold a bit of many numbers."""
    words = np.asarray(packed)
    words = words[None] if words.ndim == 2 else words
    lines, width, columns = words.shape
    places = 8 * words.itemsize
    numbers = np.zeros((lines, places, columns), np.int16)
    for bit in range(width):
        octets = np.ascontiguousarray(words[:, bit]).view(np.uint8)
        ones = np.unpackbits(octets, axis=-1, bitorder="little").reshape(lines, columns, places)
        numbers |= ones.swapaxes(1, 2).astype(np.int16) << bit
    return numbers.ravel()
