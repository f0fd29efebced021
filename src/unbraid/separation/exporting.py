"""The core of an HTDemucs, what lies between its transforms, exported as an ONNX network.

The layers are written anew so that less memory is gone through, which is where a CPU loses its time
once the matrix products run at full speed. What they compute stays the same:

- The normalisation that ends a residual branch is over all channels and times of a frequency. Its
  mean and variance follow from those of the few channels that the last convolution expands, so the
  many are never gone through for them, and the normalisation becomes part of that convolution.
- A gated linear unit's values and gates come from two convolutions, not from the halves of one.
- Residual branches see all frequencies as one image, which need not be transposed for them.
"""

import math
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from unbraid.errors import ModelError
from unbraid.separation.demucs import has_fixed_window, load_module
from unbraid.separation.htdemucs import CoreTraits
from unbraid.types import StemName

LEFT_OUT = (0, 0, 0, 1, 2, 2)
"""What of an STFT, [.., frame, bin, re/im], the networks do not see, as `torch.nn.functional.pad`
takes it: the last bin, two frames at each end."""


def export_core(weights: Path, core: Path, stems: Sequence[StemName] = ()) -> None:
    """Export what lies between the transforms of an HTDemucs.

    Args:
        weights: of an HTDemucs.
        core: the ONNX file to write, with its traits beside it.
        stems: those that are wanted of it; none named for all.

    Raises:
        ModelError: the network is no HTDemucs of the published kind.
    """
    module: Any = load_module(weights)
    if not is_exportable(module):
        raise ModelError(f"{weights.name} is no HTDemucs with complex channels")
    if stems:
        _restrict(module, stems)
    length = int(module.segment * module.samplerate)
    mixture = torch.zeros(1, module.audio_channels, length)
    spectrum = functional.pad(torch.view_as_real(module._spec(mixture).mT), LEFT_OUT)
    torch.backends.mha.set_fastpath_enabled(False)  # a fused operator that ONNX does not know
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the tracer's, about shapes that are fixed here
        torch.onnx.export(
            _Core(module).eval(),
            (spectrum, mixture),
            str(core),
            dynamo=False,
            input_names=["spectrum", "mixture"],
            output_names=["spectra", "waves"],
            opset_version=17,
        )
    _fold_constants(core)
    CoreTraits(tuple(module.sources), length, module.nfft).write(core)


def _restrict(module: Any, stems: Sequence[StemName]) -> None:
    """Let the last layers make some stems alone, if nothing else mixes their output channels."""
    layers = (module.decoder[-1], module.tdecoder[-1])
    if not all(isinstance(layer.norm2, nn.Identity) for layer in layers):
        return
    wanted = [module.sources.index(stem) for stem in stems]
    for layer in layers:
        last = layer.conv_tr
        channels = torch.arange(last.out_channels).view(len(module.sources), -1)[wanted].flatten()
        last.weight = nn.Parameter(last.weight[:, channels], requires_grad=False)
        last.bias = nn.Parameter(last.bias[channels], requires_grad=False)
    module.sources = list(stems)


def _fold_constants(network: Path) -> None:
    """Compute once what does not depend on the inputs, more than half of all operations."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(network)
    onnxruntime.InferenceSession(network.read_bytes(), options, providers=["CPUExecutionProvider"])


def is_exportable(module: Any) -> bool:
    """Whether a network is an HTDemucs of the published kind: fixed length, complex channels."""
    return type(module).__name__ == "HTDemucs" and module.cac and has_fixed_window(module)


class _Core(nn.Module):
    """An HTDemucs whose transforms are left out: it takes a spectrum and gives those of the stems.

    They are as an STFT makes them, [batch, (stem,) channel, frame, bin, real or imaginary].
    """

    def __init__(self, module: Any) -> None:
        super().__init__()
        self.module = module
        for layers, kind in (
            (module.encoder, _EncoderLayer),
            (module.tencoder, _EncoderLayer),
            (module.decoder, _DecoderLayer),
            (module.tdecoder, _DecoderLayer),
        ):
            for i, layer in enumerate(layers):
                if not layer.empty and layer.rewrite is not None:
                    layers[i] = kind(layer)

    def forward(self, spectrum: Tensor, mixture: Tensor) -> tuple[Tensor, Tensor]:
        module, spectra = self.module, []
        scale = math.sqrt(module.nfft)
        heard = functional.pad(spectrum, [-each for each in LEFT_OUT])
        channels = heard.permute(0, 1, 4, 3, 2).flatten(1, 2) / scale
        module._spec = lambda samples: channels
        module._magnitude = lambda channels: channels
        module._mask = lambda _, estimate: spectra.append(estimate * scale)
        module._ispec = lambda masked, length: torch.zeros(())
        waves = module(mixture)
        estimate = spectra[0].unflatten(2, (-1, 2)).permute(0, 1, 2, 5, 4, 3)
        return functional.pad(estimate, LEFT_OUT), waves


class _EncoderLayer(nn.Module):
    """An `HEncLayer` of demucs, of either branch."""

    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.layer = layer
        self.empty = False

    def forward(self, x: Tensor, inject: Tensor | None = None) -> Tensor:
        layer = self.layer
        if not layer.freq:
            x = functional.pad(x, (0, -x.shape[-1] % layer.stride))
        y = layer.conv(x)
        if inject is not None:
            y = y + (inject[:, :, None] if y.dim() > inject.dim() else inject)
        y = _residual(layer, functional.gelu(layer.norm1(y)))
        return _gated(layer.rewrite, layer.norm2, y)


class _DecoderLayer(nn.Module):
    """An `HDecLayer` of demucs, of either branch."""

    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.layer = layer
        self.empty = False

    def forward(self, x: Tensor, skip: Tensor, length: int) -> tuple[Tensor, Tensor]:
        layer = self.layer
        if layer.freq and x.dim() == 3:
            x = x.view(x.shape[0], layer.chin, -1, x.shape[-1])
        y = _residual(layer, _gated(layer.rewrite, layer.norm1, x + skip))
        z = layer.norm2(layer.conv_tr(y))
        if not layer.freq:
            z = z[..., layer.pad : layer.pad + length]
        elif layer.pad:
            z = z[..., layer.pad : -layer.pad, :]
        return (z if layer.last else functional.gelu(z)), y


def _gated(convolution: Any, norm: nn.Module, x: Tensor) -> Tensor:
    """A convolution, a normalisation, and a gated linear unit."""
    if not isinstance(norm, nn.Identity):
        return functional.glu(norm(convolution(x)), dim=1)
    convolve = functional.conv2d if x.dim() == 4 else functional.conv1d
    values, gates = (
        convolve(x, weight, bias, padding=convolution.padding)
        for weight, bias in zip(convolution.weight.chunk(2), convolution.bias.chunk(2), strict=True)
    )
    return values * torch.sigmoid(gates)


def _residual(layer: Any, x: Tensor) -> Tensor:
    """The residual branches, if a layer has them; [batch, channel, (frequency,) time]."""
    if layer.dconv is None:
        return x
    image = x if layer.freq else x[:, :, None]
    for parts in layer.dconv.layers:
        image = image + _branch(parts, image)
    return image if layer.freq else image[:, :, 0]


def _branch(parts: Any, x: Tensor) -> Tensor:
    """One residual branch, float32 [batch, channel, frequency, time].

    Its last convolution y = W h + b is normalised over channels and times. With w the mean of W
    over the channels of y, and m that of h over time, what y differs by from its mean is
    (W - w) h + w (h - m) + b - mean(b): a convolution of h, of w (h - m), and of one.
    """
    squeeze, norm, activation, expand, last_norm, _, scale = parts
    hidden = activation(_normalised(norm, _image_convolution(squeeze, x)))
    weight, bias = expand.weight[..., 0], expand.bias - expand.bias.mean()
    mean_weight = weight.mean(0, keepdim=True)
    means = _time_mean(hidden)
    centred = hidden - means
    variance = _variance_over_time(centred, weight)
    offsets = functional.conv2d(means, (weight - mean_weight)[..., None, None], bias)
    variance = variance + (offsets * offsets).mean(1, keepdim=True)
    common = (centred * mean_weight.view(1, -1, 1, 1)).sum(1, keepdim=True)
    inputs = torch.cat([hidden, common, torch.ones_like(common)], dim=1)
    inputs = inputs * torch.rsqrt(variance + last_norm.eps)
    gamma, beta = last_norm.weight[:, None], last_norm.bias
    weights = gamma * torch.cat([weight - mean_weight, torch.ones_like(gamma), bias[:, None]], 1)
    (values, gates), (beta_values, beta_gates) = weights[..., None, None].chunk(2), beta.chunk(2)
    linear = functional.conv2d(
        inputs, values * scale.scale.view(-1, 1, 1, 1), beta_values * scale.scale
    )
    return linear * torch.sigmoid(functional.conv2d(inputs, gates, beta_gates))


def _variance_over_time(centred: Tensor, weight: Tensor) -> Tensor:
    """Of W h for h without its mean over time, its mean over channels, [batch, 1, frequency, 1].

    With C the covariance of h, that of channel i is (W C W')_ii; their sum is that of C * W'W.
    """
    rows = centred.permute(0, 2, 1, 3)
    covariance = rows @ rows.transpose(2, 3) / rows.shape[3]  # [batch, frequency, h, h]
    variance = (covariance * (weight.T @ weight)).sum((2, 3)) / len(weight)
    return variance[:, None, :, None]


def _image_convolution(convolution: Any, x: Tensor) -> Tensor:
    """A convolution over time of [batch, channel, frequency, time]."""
    return functional.conv2d(
        x,
        convolution.weight[:, :, None],
        convolution.bias,
        padding=(0, *convolution.padding),
        dilation=(1, *convolution.dilation),
    )


def _normalised(norm: Any, x: Tensor) -> Tensor:
    """A normalisation over the channels and times of each frequency."""
    centred = x - _time_mean(x).mean(1, keepdim=True)
    variance = _time_mean(centred * centred).mean(1, keepdim=True)
    gamma, beta = (each.view(1, -1, 1, 1) for each in (norm.weight, norm.bias))
    scaled: Tensor = centred * torch.rsqrt(variance + norm.eps) * gamma + beta
    return scaled


def _time_mean(x: Tensor) -> Tensor:
    """Mean over time, [..., time] -> [..., 1]; a pooling sums in float32 in any arithmetic."""
    return functional.avg_pool2d(x, (1, int(x.shape[-1])))


if __name__ == "__main__":
    export_core(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
