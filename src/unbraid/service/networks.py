"""What the networks at work look like, for drawing: their layers, and which hears which.

HTDemucs: Rouard, Massa and Défossez, 2023. Hybrid Demucs: Défossez, 2021. Open-Unmix: Stöter,
Uhlich, Liutkus and Mitsufuji, 2019. Basic Pitch: Bittner and others, 2022. `lite`: MODEL_CARD.md.
"""

from dataclasses import dataclass
from typing import Literal

from unbraid.weights import models

Branch = Literal["spectrum", "wave", "both"]
LayerKind = Literal[
    "input", "encoder", "bands", "block", "recurrent", "transformer", "decoder", "head", "output"
]
BASIC_PITCH = "basic-pitch"


@dataclass(frozen=True)
class Layer:
    """A layer of a network.

    Attributes:
        name: of the layer, once in its network.
        kind: what it does.
        branch: in which domain it works, where a network has two.
        channels: how many features it has; of inputs and outputs, how many signals.
        extent: how long its features are in time and frequency, 1 for as long as the input.
        hears: the layers whose output is its input.
    """

    name: str
    kind: LayerKind
    branch: Branch
    channels: int
    extent: float
    hears: tuple[str, ...] = ()


def layers_of(name: str) -> tuple[Layer, ...] | None:
    """The layers of one of a model's networks, or of Basic Pitch's; None where they are not known.

    Example:
        >>> [layer.name for layer in layers_of("umxhq")][:3]
        ['spectrum', 'dense in', 'recurrent 1']
    """
    if name == BASIC_PITCH:
        return _basic_pitch()
    entry = models().get(name)
    if entry is None:
        return None
    stems = len(entry.stems)
    if entry.engine == "lite":
        return _lite(stems)
    if entry.engine == "openunmix":
        return _open_unmix()
    if entry.engine == "demucs":
        transformer = name.startswith("htdemucs")
        return _demucs(stems, depth=4 if transformer else 5, transformer=transformer)
    return None


def _demucs(stems: int, depth: int, transformer: bool) -> tuple[Layer, ...]:
    """Two U-Nets, one over the spectrum and one over the waveform, that meet in the middle."""
    layers = [Layer("spectrum", "input", "spectrum", 4, 1), Layer("wave", "input", "wave", 2, 1)]
    branches: tuple[Branch, Branch] = ("spectrum", "wave")
    for k in range(1, depth + 1):
        for branch in branches:
            below = branch if k == 1 else f"{branch} encoder {k - 1}"
            extent = 0.86**k
            name = f"{branch} encoder {k}"
            layers.append(Layer(name, "encoder", branch, 48 * 2 ** (k - 1), extent, (below,)))
    middle: LayerKind = "transformer" if transformer else "recurrent"
    last = tuple(f"{branch} encoder {depth}" for branch in branches)
    channels = 48 * 2 ** (depth - 1)
    layers.append(Layer(middle, middle, "both", channels, 0.6, last))
    for k in range(depth, 0, -1):
        for branch in branches:
            above = middle if k == depth else f"{branch} decoder {k + 1}"
            hears = (above, f"{branch} encoder {k}")
            name = f"{branch} decoder {k}"
            layers.append(Layer(name, "decoder", branch, 48 * 2 ** (k - 1), 0.86**k, hears))
    ends = tuple(f"{branch} decoder 1" for branch in branches)
    return (*layers, Layer("stems", "output", "both", stems, 1, ends))


def _open_unmix() -> tuple[Layer, ...]:
    """A recurrent network, for one stem, with a way past it."""
    layers = [
        Layer("spectrum", "input", "spectrum", 2, 1),
        Layer("dense in", "block", "spectrum", 512, 0.6, ("spectrum",)),
    ]
    before = "dense in"
    for k in range(1, 4):
        layers.append(Layer(f"recurrent {k}", "recurrent", "spectrum", 512, 0.6, (before,)))
        before = f"recurrent {k}"
    layers.append(Layer("dense out", "block", "spectrum", 512, 0.6, (before, "dense in")))
    return (*layers, Layer("mask", "output", "spectrum", 1, 1, ("dense out", "spectrum")))


def _lite(stems: int) -> tuple[Layer, ...]:
    """Blocks over 56 bands, and masks from cues beside them."""
    layers = [
        Layer("spectrum", "input", "spectrum", 4, 1),
        Layer("cues", "bands", "wave", 4, 0.7, ("spectrum",)),
        Layer("bands", "bands", "spectrum", 48, 0.8, ("spectrum",)),
    ]
    before: tuple[str, ...] = ("bands", "cues")
    for k in range(1, 7):
        layers.append(Layer(f"local {k}", "block", "spectrum", 48, 0.7, before))
        before = (f"local {k}",)
        if k % 2:
            layers.append(Layer(f"global {k // 2 + 1}", "block", "spectrum", 128, 0.45, before))
            before = (f"global {k // 2 + 1}",)
    layers.append(Layer("masks", "head", "spectrum", stems, 0.8, before))
    layers.append(Layer("prior", "head", "wave", stems, 0.7, ("cues",)))
    return (*layers, Layer("stems", "output", "both", stems, 1, ("masks", "prior")))


def _basic_pitch() -> tuple[Layer, ...]:
    """Convolutions over harmonics, with heads for pitch, notes and onsets."""
    return (
        Layer("constant-Q spectrum", "input", "spectrum", 1, 1),
        Layer("harmonics", "bands", "spectrum", 8, 0.9, ("constant-Q spectrum",)),
        Layer("contours", "encoder", "spectrum", 8, 0.8, ("harmonics",)),
        Layer("pitch", "head", "spectrum", 1, 0.7, ("contours",)),
        Layer("notes", "encoder", "spectrum", 32, 0.5, ("pitch",)),
        Layer("strokes", "encoder", "wave", 32, 0.5, ("harmonics",)),
        Layer("note", "head", "spectrum", 1, 0.4, ("notes",)),
        Layer("onset", "head", "wave", 1, 0.4, ("strokes", "note")),
    )
