"""The causal network as it is run while the sound comes, frame after frame.

    python -m train.live begin BEFORE.safetensors live.safetensors
    python -m train.live export live.safetensors lite_live.onnx

`begin` makes weights to train a causal network from, of those of one that hears later frames.
`export` writes a network that gives back, with each mask, all that it must be told with the next
frames: what its convolutions and cues still need of the frames before.
"""

import copy
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from train.cues import LATER, STEADY_FRAMES, Clues, clues, loudness, profiles, weights
from train.export import write
from train.model import (
    BAND_COUNT,
    BINS,
    FAR_KERNEL,
    HEARD,
    KERNEL,
    GlobalBlock,
    LocalBlock,
    MaskingNetwork,
    gelu,
)
from train.weights import read_network, save_weights
from unbraid.errors import ModelError, UnbraidError

MEMORY_FRAMES = 256  # in which what comes back is looked for: 6 s, as in training


class LiveNetwork(nn.Module):
    """Masks of the next frames, and what must be known after them.

    Attributes:
        states: shapes of what it is told with the frames; all zeros before the first.
    """

    def __init__(self, network: MaskingNetwork) -> None:
        super().__init__()
        self.network = copy.deepcopy(network).cpu().eval()
        channels, bottleneck = network.options.channels, network.options.bottleneck
        self.states: list[tuple[int, ...]] = [
            (1,),  # frames so far
            (1, 1, BINS),  # sum of their loudness
            (1, MEMORY_FRAMES, BINS),  # loudness of the last ones
            (1, MEMORY_FRAMES, HEARD * BINS),  # and what they are compared by
        ]
        for block in self.network.blocks:
            if isinstance(block, LocalBlock):
                past = (KERNEL[0] - 1) * block.depthwise.dilation[0]
                self.states.append((1, past, BAND_COUNT, channels))
            elif isinstance(block, GlobalBlock):
                pasts = ((FAR_KERNEL - 1) * dilation for dilation in block.dilations)
                self.states += [(1, past, bottleneck) for past in pasts]
        self.states.append((1, 1, 2))  # how certain it was of all frames so far

    def forward(self, features: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        """Masks [1, stem, 2, frame, bin] of features [1, 4, frame, bin], then the next states."""
        before, after = iter(states), list[Tensor]()
        found = self._look(features, before, after)
        logits = self.network.logits(
            features, found, lambda x: self._through_blocks(x, before, after)
        )
        sums = next(before) + self.network.certain(logits, features).cumsum(1)
        after.append(sums[:, -1:])
        return (self.network.blended(logits, found, features, sums), *after)

    def _look(self, features: Tensor, before: Iterator[Tensor], after: list[Tensor]) -> Clues:
        count, total, louds, seen = (next(before) for _ in range(4))
        whole, frames = loudness(features), profiles(features)
        number = torch.ones_like(whole[0, :, 0]).cumsum(0)  # 1, 2, ... of the new frames
        so_far = (count + number)[:, None]
        totals = total + whole.cumsum(1)
        louds, seen = torch.cat([louds, whole], 1), torch.cat([seen, frames], 1)
        recent = louds[:, MEMORY_FRAMES - STEADY_FRAMES + 1 :]
        steady = functional.avg_pool2d(recent[:, None], (STEADY_FRAMES, 1), stride=1)[:, 0]
        place = torch.cat([torch.arange(1.0 - MEMORY_FRAMES, 1.0), number])
        unheard = (place > number[:, None]) | (place <= -count)
        distance = (1 - frames @ seen.transpose(1, 2)).clamp(min=0) + LATER * unheard
        after += [
            count + number[-1:],
            totals[:, -1:],
            louds[:, -MEMORY_FRAMES:],
            seen[:, -MEMORY_FRAMES:],
        ]
        return clues(
            features,
            steady * (STEADY_FRAMES / so_far.clamp(max=STEADY_FRAMES)),
            totals / so_far,
            weights(distance) @ louds,
        )

    def _through_blocks(self, x: Tensor, before: Iterator[Tensor], after: list[Tensor]) -> Tensor:
        for block in self.network.blocks:
            if isinstance(block, LocalBlock):
                x = _local(block, x, before, after)
            elif isinstance(block, GlobalBlock):
                x = _global(block, x, before, after)
        return x


def _local(block: LocalBlock, x: Tensor, before: Iterator[Tensor], after: list[Tensor]) -> Tensor:
    whole = _going_on(x, before, after)
    layer = block.depthwise
    near = functional.conv2d(
        whole.permute(0, 3, 1, 2),
        layer.weight,
        layer.bias,
        padding=(0, KERNEL[1] // 2),
        dilation=layer.dilation,
        groups=layer.groups,
    )
    return block.added(x, near.permute(0, 2, 3, 1))


def _global(block: GlobalBlock, x: Tensor, before: Iterator[Tensor], after: list[Tensor]) -> Tensor:
    hidden = block.narrowed(x)
    for layer, norm in zip(block.convolutions, block.norms, strict=True):
        whole = _going_on(norm(hidden), before, after).transpose(1, 2)
        assert isinstance(layer, nn.Conv1d)
        y = functional.conv1d(whole, layer.weight, layer.bias, dilation=layer.dilation)
        hidden = hidden + gelu(y.transpose(1, 2))
    return block.added(x, hidden)


def _going_on(x: Tensor, before: Iterator[Tensor], after: list[Tensor]) -> Tensor:
    """New frames after those that are still needed of the ones before."""
    past = next(before)
    whole = torch.cat([past, x], 1)
    after.append(whole[:, -past.shape[1] :])
    return whole


def export(network: MaskingNetwork, file: Path) -> None:
    """Write a causal network: `mask` and `next_K` of `mag` and `state_K`.

    Args:
        network: stays as it is.
        file: .onnx.

    Raises:
        ModelError: the network hears later frames.
    """
    if not network.options.causal:
        raise ModelError("a network that hears later frames cannot run live; begin makes it causal")
    live = LiveNetwork(network)
    states = {f"state_{k}": torch.zeros(shape) for k, shape in enumerate(live.states)}
    examples = {"mag": torch.ones(1, HEARD, 2, BINS)} | states
    write(live.eval(), examples, ["mask", *(f"next_{k}" for k in range(len(states)))], file)


def begin(network: MaskingNetwork) -> MaskingNetwork:
    """A causal network that hears of the frames before what the other one hears of them."""
    known = {name: weight.clone() for name, weight in network.state_dict().items()}
    for name, weight in known.items():
        if name.endswith("depthwise.weight") or (".convolutions." in name and weight.ndim == 3):
            kernel = weight.shape[2]
            past = weight[:, :, : kernel // 2 + 1].clone()
            weight.zero_()
            weight[:, :, kernel // 2 :] = past
    causal = MaskingNetwork(replace(network.options, causal=True))
    causal.load_state_dict(known)
    return causal


def main() -> None:
    """Do what the command line asks for."""
    if len(sys.argv) != 4 or sys.argv[1] not in ("begin", "export"):
        raise SystemExit(__doc__)
    source, target = map(Path, sys.argv[2:])
    try:
        network = read_network(source)
        if sys.argv[1] == "begin":
            save_weights(begin(network), target)
        else:
            export(network, target)
    except UnbraidError as error:
        raise SystemExit(f"error: {error}") from error


if __name__ == "__main__":
    main()
