from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from train.key import Network, export, fit, material

from unbraid.analysis.progressions import INPUT, OUTPUT


def test_a_fitted_network_knows_the_keys_of_other_progressions() -> None:
    network = fit(*material(np.random.default_rng(0), 400))
    seen, keys = material(np.random.default_rng(1), 200)
    with torch.no_grad():
        right = network(seen).argmax(1) == keys
    assert right.float().mean() > 0.5  # one of 24 by chance


def test_material_follows_from_the_source_of_chance() -> None:
    (seen, keys), (again, same_keys) = (material(np.random.default_rng(7), 3) for _ in range(2))
    assert torch.equal(seen, again)
    assert torch.equal(keys, same_keys)


def test_the_file_says_what_the_network_says(tmp_path: Path) -> None:
    seen, _ = material(np.random.default_rng(2), 5)
    torch.manual_seed(0)
    network = Network(seen.shape[2]).eval()
    export(network, tmp_path / "key.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "key.onnx")
    (odds,) = session.run([OUTPUT], {INPUT: seen.numpy()})
    with torch.no_grad():
        assert odds == pytest.approx(network(seen).numpy(), abs=1e-3)
