"""Weights between those of several trainings: what they agree upon generalises best.

python -m train.average OUT.safetensors SHARE:WEIGHTS.safetensors SHARE:WEIGHTS.safetensors ...

Networks that went on from the same weights can be averaged (Wortsman et al., Model soups, 2022),
also with what they began with (Robust fine-tuning of zero-shot models, 2022).
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from train.model import MaskingNetwork
from train.weights import load_weights, read_network, save_weights
from unbraid.errors import UnbraidError


def average(files: Sequence[tuple[float, Path]]) -> MaskingNetwork:
    """The weighted mean of networks of the same sizes.

    Args:
        files: the share of each, and its weights; the shares count against their sum.

    Raises:
        ModelError: a file cannot be read, or holds a network of other sizes.
    """
    whole = sum(share for share, _ in files)
    sizes = read_network(files[0][1]).options
    mean = MaskingNetwork(sizes)
    for weight in mean.parameters():
        weight.data.zero_()
    for share, file in files:
        network = MaskingNetwork(sizes)
        load_weights(network, file)
        for weight, other in zip(mean.parameters(), network.parameters(), strict=True):
            weight.data.add_(other.data, alpha=share / whole)
    return mean


def main() -> None:
    """Average the weights that the command line names."""
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    named = [argument.partition(":") for argument in sys.argv[2:]]
    try:
        files = [(float(share), Path(file)) for share, _, file in named]
        save_weights(average(files), Path(sys.argv[1]))
    except (ValueError, UnbraidError) as error:
        raise SystemExit(f"error: {error}") from error


if __name__ == "__main__":
    main()
