from pathlib import Path

import pytest
import torch
from tests.train import tiny
from train.export import export
from train.model import MaskingNetwork
from train.options import NetworkOptions
from train.weights import read_network

from train import recover as recovering
from unbraid.errors import ModelError


@pytest.mark.parametrize("causal", [False, True])
def test_the_weights_of_an_exported_network_are_found_again(tmp_path: Path, causal: bool) -> None:
    options = NetworkOptions(channels=8, bottleneck=16, causal=causal)
    network = MaskingNetwork(options)
    for weight in network.parameters():  # equal ones are stored once
        torch.nn.init.normal_(weight)
    export(network, tmp_path / "network.onnx")
    again = recovering.recover(tmp_path / "network.onnx", options)
    for weight, found in zip(network.parameters(), again.parameters(), strict=True):
        torch.testing.assert_close(found, weight, rtol=1e-3, atol=1e-6)


def test_the_weights_of_the_first_network_are_found_in_its_own_order(first: Path) -> None:
    again = recovering.recover(first / "lite.onnx").state_dict()
    for name, weight in (
        read_network(first / "prototype/lite_start.safetensors").state_dict().items()
    ):
        torch.testing.assert_close(again[name], weight, rtol=1e-3, atol=1e-6)


def test_a_network_of_other_sizes_is_refused(tmp_path: Path) -> None:
    export(MaskingNetwork(tiny.NETWORK), tmp_path / "network.onnx")
    with pytest.raises(ModelError, match="not a network of these sizes"):
        recovering.recover(tmp_path / "network.onnx")


def test_what_is_no_network_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "text.onnx").write_text("no network")
    for name in ("text.onnx", "none.onnx"):
        monkeypatch.setattr("sys.argv", ["train.recover", str(tmp_path / name), "out"])
        with pytest.raises(SystemExit, match=rf"{name} cannot be read"):
            recovering.main()


def test_the_command_recovers_the_built_in_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lite = Path(__file__).parents[2] / "src/unbraid/data/lite.onnx"
    monkeypatch.setattr(
        "sys.argv", ["train.recover", str(lite), str(tmp_path / "lite.safetensors")]
    )
    recovering.main()
    export(read_network(tmp_path / "lite.safetensors"), tmp_path / "again.onnx")
    assert (tmp_path / "again.onnx").read_bytes() == lite.read_bytes()
