"""The network of `lite`: bands of the spectrum, local and global blocks, a mask for each stem.

Bands that widen with the frequency follow Band-Split RNN (Luo and Yu, 2023), the local blocks
ConvNeXt (Liu et al., 2022).
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from train.cues import CUES, POWER, SMALL, Clues, cues, look, prior
from train.options import NetworkOptions

STEMS = ("vocals", "drums", "bass", "other")
BANDS = ((16, 4), (12, 8), (10, 16), (8, 32), (6, 64), (4, 132))
"""Runs of equal bands: how many, and the bins of each."""

BAND_COUNT = sum(count for count, _ in BANDS)
BINS = sum(count * width for count, width in BANDS)
SURE, HARDLY_SURE = 0.81, 0.03  # mean certainty at which half of the prior is gone
SUNG, HARDLY_SUNG = 0.55, 0.09  # mean mask of a voice at which half of the reluctance is gone
KERNEL = (7, 3)  # frames, bands
FAR_KERNEL = 3  # frames
HEARD = 4  # left, right, mid, side


class BandLinear(nn.Module):
    """A linear layer for each band: [batch, frame, band, input] -> [batch, frame, band, output]."""

    def __init__(self, bands: int, inputs: int, outputs: int, gain: float = 1.0) -> None:
        super().__init__()
        weight = torch.randn(bands, inputs, outputs) * (gain / math.sqrt(inputs))
        self.weight = nn.Parameter(weight)
        self.bias = nn.Parameter(torch.zeros(bands, 1, outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Transform each band on its own."""
        batch, frames, bands, _ = x.shape
        rows = x.reshape(batch * frames, bands, -1).transpose(0, 1)
        y = torch.baddbmm(self.bias, rows, self.weight)
        return y.transpose(0, 1).reshape(batch, frames, bands, -1)


class LocalBlock(nn.Module):
    """What neighbouring frames and bands tell of each other, [batch, frame, band, channel]."""

    def __init__(self, channels: int, dilation: int, causal: bool) -> None:
        super().__init__()
        self._causal = causal
        self._padding = _padding(KERNEL[0], causal)
        self.depthwise = nn.Conv2d(
            channels,
            channels,
            KERNEL,
            padding=(self._padding * dilation, KERNEL[1] // 2),
            dilation=(dilation, 1),
            groups=channels,
        )
        self.norm = nn.LayerNorm(channels)
        self.widen = nn.Linear(channels, 2 * channels)
        self.narrow = nn.Linear(2 * channels, channels)
        self.scale = nn.Parameter(torch.full((channels,), 0.3))

    def forward(self, x: Tensor) -> Tensor:
        """Add what the block finds, of the same shape."""
        return self.added(x, self._near_in_phases(x) if self.training else self._near(x))

    def added(self, x: Tensor, near: Tensor) -> Tensor:
        """Add what the neighbours tell, once they are summed up."""
        found: Tensor = self.narrow(gelu(self.widen(self.norm(near))))
        return x + self.scale * found

    def _near(self, x: Tensor) -> Tensor:
        near: Tensor = self.depthwise(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return near[:, : x.shape[1]] if self._causal else near

    def _near_in_phases(self, x: Tensor) -> Tensor:
        """The same without a dilation: every n-th frame makes a batch of its own.

        oneDNN's gradient of a dilated depthwise convolution is not finite in bfloat16.
        """
        batch, frames, *_ = x.shape
        phases = self.depthwise.dilation[0]
        whole = functional.pad(x, (0, 0, 0, 0, 0, -frames % phases))
        image = whole.unflatten(1, (-1, phases)).transpose(1, 2).flatten(0, 1).permute(0, 3, 1, 2)
        y = functional.conv2d(
            image,
            self.depthwise.weight,
            self.depthwise.bias,
            padding=(self._padding, KERNEL[1] // 2),
            groups=self.depthwise.groups,
        )
        y = (
            y[:, :, : image.shape[2]]
            .permute(0, 2, 3, 1)
            .unflatten(0, (batch, phases))
            .transpose(1, 2)
            .flatten(1, 2)
        )
        near: Tensor = y[:, :frames]
        return near


class GlobalBlock(nn.Module):
    """What all bands tell of each other over seconds, [batch, frame, band, channel]."""

    def __init__(
        self, channels: int, bottleneck: int, dilations: tuple[int, ...], causal: bool
    ) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.narrow = nn.Linear(BAND_COUNT * channels, bottleneck)
        self.dilations = dilations
        self._causal = causal
        padding = _padding(FAR_KERNEL, causal)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(
                bottleneck,
                bottleneck,
                FAR_KERNEL,
                padding=padding * dilation,
                dilation=dilation,
            )
            for dilation in dilations
        )
        self.norms = nn.ModuleList(nn.LayerNorm(bottleneck) for _ in dilations)
        self.widen = nn.Linear(bottleneck, BAND_COUNT * channels)
        self.scale = nn.Parameter(torch.full((channels,), 0.3))

    def forward(self, x: Tensor) -> Tensor:
        """Add what the block finds, of the same shape."""
        hidden = self.narrowed(x)
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            y = convolution(norm(hidden).transpose(1, 2)).transpose(1, 2)
            y = y[:, : x.shape[1]] if self._causal else y
            hidden = hidden + gelu(y)
        return self.added(x, hidden)

    def narrowed(self, x: Tensor) -> Tensor:
        """All bands in one, [batch, frame, bottleneck]."""
        hidden: Tensor = self.narrow(self.norm(x).flatten(2))
        return hidden

    def added(self, x: Tensor, hidden: Tensor) -> Tensor:
        """Add what all bands tell, once it is found."""
        found: Tensor = self.widen(hidden)
        return x + self.scale * found.reshape(x.shape)


class MaskingNetwork(nn.Module):
    """Logits of the masks from what the engine calls features.

    Shape:
        input float32 [batch, 4, frame, bin], output [batch, stem, 2, frame, bin]; a softmax over
        the stems makes masks of it. `masks` also hears the prior.

    Attributes:
        options: its sizes.
    """

    def __init__(self, options: NetworkOptions) -> None:
        super().__init__()
        self.options = options
        channels = options.channels
        self.mean = nn.Parameter(torch.zeros(HEARD, BINS))
        self.encoder = nn.ModuleList(
            BandLinear(count, HEARD * width, channels) for count, width in BANDS
        )
        self.cue_encoder = nn.ModuleList()
        self.cue_weights = nn.ModuleList()
        if options.cues:
            for count, width in BANDS:
                self.cue_encoder.append(BandLinear(count, CUES * width, channels, gain=0.0))
                self.cue_weights.append(
                    BandLinear(count, 2 * channels, len(STEMS) * CUES, gain=0.0)
                )
        self.position = nn.Parameter(0.02 * torch.randn(BAND_COUNT, channels))
        self.encoder_norm = nn.LayerNorm(channels)
        self.blocks = nn.ModuleList()
        for i, dilation in enumerate(options.dilations):
            self.blocks.append(LocalBlock(channels, dilation, options.causal))
            if i % 2 == 0 and i // 2 < len(options.bottleneck_dilations):
                far = options.bottleneck_dilations[i // 2]
                block = GlobalBlock(channels, options.bottleneck, far, options.causal)
                self.blocks.append(block)
        self.decoder_norm = nn.LayerNorm(channels)
        self.widen = nn.Linear(channels, 2 * channels)
        self.decoder = nn.ModuleList(
            BandLinear(count, 2 * channels, len(STEMS) * 2 * width, gain=0.3)
            for count, width in BANDS
        )

    def forward(self, features: Tensor) -> Tensor:
        """Logits [batch, stem, 2, frame, bin] of features [batch, 4, frame, bin]."""
        return self.logits(features, self._clues(features), self._through_blocks)

    def masks(self, features: Tensor) -> Tensor:
        """Masks of the same shape, as they are shipped: those of the network and of the prior."""
        clues = self._clues(features)
        logits = self.logits(features, clues, self._through_blocks)
        sums = self.certain(logits, features)
        sums = sums.cumsum(1) if self.options.causal else sums.sum(1, keepdim=True)
        return self.blended(logits, clues, features, sums)

    def logits(
        self, features: Tensor, clues: Clues | None, through: Callable[[Tensor], Tensor]
    ) -> Tensor:
        """As `forward` gives them.

        Args:
            features: float32 [batch, 4, frame, bin].
            clues: what is known without training, unless nobody asks for it.
            through: does what the blocks do, [batch, frame, band, channel].
        """
        seen = _bands(features - self.mean[:, None])
        told = _bands(cues(clues)) if clues and self.options.cues else []
        encoded = [layer(band.flatten(3)) for layer, band in zip(self.encoder, seen, strict=True)]
        for i, layer in enumerate(self.cue_encoder):
            encoded[i] = encoded[i] + layer(told[i].flatten(3))
        x = through(self.encoder_norm(torch.cat(encoded, 2) + self.position))
        return self._decoded(gelu(self.widen(self.decoder_norm(x))), told)

    def certain(self, logits: Tensor, features: Tensor) -> Tensor:
        """How certain the network is, [batch, frame, 2]: a sum over cells, and that of the weights.

        The certainty of a cell is the sum of its squared masks, one if one stem has all of it; its
        weight is its magnitude.
        """
        magnitudes = features[:, :2] ** (1 / (2 * POWER))
        certain = _softmax(logits).square().sum(1) * magnitudes
        return torch.stack([certain.sum((1, 3)), magnitudes.sum((1, 3))], -1)

    def blended(
        self, logits: Tensor, clues: Clues | None, features: Tensor, sums: Tensor
    ) -> Tensor:
        """Masks of logits and of the prior, reluctant to hear voices.

        Args:
            logits: float32 [batch, stem, 2, frame, bin].
            clues: what the prior is made of.
            features: float32 [batch, 4, frame, bin].
            sums: of what `certain` finds, [batch, frame or one, 2]: the surer the network is, the
                less the prior counts.
        """
        if clues and self.options.prior:
            certainty = sums[..., 0] / (sums[..., 1] + SMALL)
            least, most = self.options.sure_prior, self.options.prior
            share = least + (most - least) * torch.sigmoid((SURE - certainty) / HARDLY_SURE)
            share = share[:, None, None, :, None]
            logits = (1 - share) * logits + share * prior(clues)[:, :, None]
        masks = _softmax(logits)
        if not self.options.reluctance:
            return masks
        voice = masks[:, 0]
        kept = (-self._reluctance(voice, features)).exp()
        masks = masks / (1 - (1 - kept) * voice)[:, None]
        return torch.cat([kept * masks[:, :1], masks[:, 1:]], 1)

    def _reluctance(self, voice: Tensor, features: Tensor) -> Tensor:
        """That of all cells; of a network that hears all frames, less where it is sure of a voice.

        It is sure where the masks of voices are near one, in the mean over what they let through.
        """
        most = torch.full_like(voice[:1, :1, :1, :1], self.options.reluctance)
        if self.options.causal:
            return most
        through = voice * features[:, :2] ** (1 / POWER)
        sure = (through * voice).sum((1, 2, 3)) / (through.sum((1, 2, 3)) + SMALL)
        return most * torch.sigmoid((SUNG - sure) / HARDLY_SUNG)[:, None, None, None]

    def _clues(self, features: Tensor) -> Clues | None:
        if not (self.options.cues or self.options.prior):
            return None
        with torch.no_grad(), torch.autocast(features.device.type, enabled=False):
            return look(features, self.options.causal)

    def _through_blocks(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x)
        return x

    def _decoded(self, x: Tensor, told: list[Tensor]) -> Tensor:
        batch, frames, *_ = x.shape
        parts = x.split([count for count, _ in BANDS], dim=2)
        bins = []
        for i, (part, (count, width)) in enumerate(zip(parts, BANDS, strict=True)):
            split = self.decoder[i](part).reshape(batch, frames, count, len(STEMS), 2, width)
            if told:
                weights = self.cue_weights[i](part).reshape(batch, frames, count, len(STEMS), CUES)
                split = split + (weights @ told[i].to(weights.dtype))[..., None, :]
            whole = split.permute(0, 3, 4, 1, 2, 5)
            bins.append(whole.reshape(batch, len(STEMS), 2, frames, count * width))
        return torch.cat(bins, -1)


def _softmax(logits: Tensor) -> Tensor:
    """Over the stems; onnxruntime's own takes ten times as long."""
    powers = (logits - logits.amax(1, keepdim=True)).exp()
    return powers / powers.sum(1, keepdim=True)


def _padding(kernel: int, causal: bool) -> int:
    """Frames added before and after; of a causal kernel, what lies after them is cut off."""
    return kernel - 1 if causal else kernel // 2


def _bands(x: Tensor) -> list[Tensor]:
    """[batch, input, frame, bin] -> of each run of equal bands [batch, frame, band, input, bin]."""
    batch, inputs, frames, _ = x.shape
    parts = x.split([count * width for count, width in BANDS], dim=-1)
    return [
        part.reshape(batch, inputs, frames, count, width).permute(0, 2, 3, 1, 4)
        for (count, width), part in zip(BANDS, parts, strict=True)
    ]


def gelu(x: Tensor) -> Tensor:
    """As GPT-2 has it."""
    return functional.gelu(x, approximate="tanh")
