from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnxruntime import InferenceSession
from tests.train import tiny
from train.export import export
from train.model import BINS, STEMS, MaskingNetwork
from train.options import NetworkOptions
from train.weights import save_weights

from train import export as exporting
from unbraid.separation import MixtureStatistics
from unbraid.separation.lite import MaskNetwork


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("frames", [1, 40, 131])
def test_the_exported_network_computes_the_same(tmp_path: Path, frames: int, causal: bool) -> None:
    network = MaskingNetwork(NetworkOptions(channels=8, bottleneck=16, causal=causal)).eval()
    for layer in (*network.cue_encoder, *network.cue_weights):
        torch.nn.init.normal_(layer.weight, std=0.03)
    file = tmp_path / "network.onnx"
    export(network, file)
    features = torch.rand(1, 4, frames, BINS)
    with torch.no_grad():
        expected = network.masks(features)
    (masks,) = InferenceSession(file).run(["mask"], {"mag": features.numpy()})
    assert masks.shape == (1, 4, 2, frames, BINS)
    np.testing.assert_allclose(masks, expected.numpy(), atol=1e-3)


def test_the_engine_separates_with_it(tmp_path: Path) -> None:
    export(MaskingNetwork(tiny.NETWORK), tmp_path / "tiny.onnx")
    engine = MaskNetwork(tmp_path / "tiny.onnx", STEMS, STEMS, threads=1)
    mixture = tiny.song(0).sum(axis=0)
    rms = float(np.sqrt(np.mean(mixture**2)))
    stems = engine.run(mixture, MixtureStatistics(rms, 0, rms))
    np.testing.assert_allclose(stems.sum(axis=0), mixture, atol=1e-5)
    assert all(stem.any() for stem in stems)


def test_large_tensors_are_stored_in_two_bytes(tmp_path: Path) -> None:
    network = MaskingNetwork(tiny.NETWORK)
    export(network, tmp_path / "tiny.onnx")
    stored = onnx.load(tmp_path / "tiny.onnx").graph.initializer
    large = [tensor.data_type for tensor in stored if np.prod(tensor.dims) >= exporting.LARGE]
    assert set(large) == {onnx.TensorProto.FLOAT16}
    numbers = sum(parameter.numel() for parameter in network.parameters())
    graph_bytes = 200_000
    assert (tmp_path / "tiny.onnx").stat().st_size < 2 * numbers + graph_bytes


def test_the_command_exports_weights_and_prints_their_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    save_weights(MaskingNetwork(tiny.NETWORK), tmp_path / "tiny.safetensors")
    names = [str(tmp_path / name) for name in ("tiny.safetensors", "tiny.onnx")]
    monkeypatch.setattr("sys.argv", ["train.export", *names])
    exporting.main()
    assert "SHA-256" in capsys.readouterr().out
