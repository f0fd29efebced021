from pathlib import Path

import pytest
import torch
from train.average import average
from train.model import MaskingNetwork
from train.options import NetworkOptions
from train.weights import read_network, save_weights

from train import average as averaging


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Weights of two trainings."""
    found = [tmp_path / name for name in ("a.safetensors", "b.safetensors")]
    for file in found:
        save_weights(MaskingNetwork(NetworkOptions()), file)
    return found


def test_weights_are_averaged_by_their_shares(files: list[Path]) -> None:
    mean = average([(3, files[0]), (1, files[1])]).state_dict()
    first, second = (read_network(file).state_dict() for file in files)
    for name, weight in mean.items():
        torch.testing.assert_close(weight, 0.75 * first[name] + 0.25 * second[name])


def test_the_command_writes_the_mean(
    files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "mean.safetensors"
    monkeypatch.setattr("sys.argv", ["train.average", str(out), *(f"1:{file}" for file in files)])
    averaging.main()
    expected = average([(1, file) for file in files]).state_dict()
    torch.testing.assert_close(read_network(out).state_dict(), expected)


@pytest.mark.parametrize("argument", ["half:a.safetensors", "1:nowhere.safetensors"])
def test_what_cannot_be_averaged_is_said(argument: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["train.average", "out.safetensors", argument])
    with pytest.raises(SystemExit, match="error: "):
        averaging.main()
