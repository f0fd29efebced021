from pathlib import Path

import numpy as np
import pytest
import torch
from onnxruntime import InferenceSession
from train.live import MEMORY_FRAMES, begin, export, main
from train.model import BINS, MaskingNetwork
from train.options import NetworkOptions
from train.weights import read_network, save_weights

from unbraid.types import Samples

OPTIONS = NetworkOptions(channels=8, bottleneck=16, causal=True)


def network(options: NetworkOptions = OPTIONS) -> MaskingNetwork:
    made = MaskingNetwork(options).eval()
    for layer in (*made.cue_encoder, *made.cue_weights):
        torch.nn.init.normal_(layer.weight, std=0.03)
    return made


def stepped(file: Path, features: Samples, lengths: list[int]) -> Samples:
    """Masks of features that come in parts of these lengths in turn."""
    session = InferenceSession(file)
    states = {each.name: np.zeros(each.shape, np.float32) for each in session.get_inputs()[1:]}
    masks: list[Samples] = []
    start = 0
    while start < features.shape[2]:
        part = features[:, :, start : start + lengths[len(masks) % len(lengths)]]
        mask, *after = session.run(None, {"mag": part, **states})
        states = dict(zip(states, after, strict=True))
        masks.append(mask)
        start += part.shape[2]
    return np.concatenate(masks, axis=3)


@pytest.mark.parametrize("lengths", [[1], [3, 50]])
def test_frame_after_frame_it_computes_what_was_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lengths: list[int]
) -> None:
    monkeypatch.setattr("train.model.SURE", 0.37)  # about as certain as it is of these features
    trained = network()
    for weight in trained.decoder.parameters():
        weight.data *= 8
    export(trained, tmp_path / "live.onnx")
    features = torch.rand(1, 4, 150, BINS, generator=torch.Generator().manual_seed(0))
    features[:, :, ::7] *= 0.2
    with torch.no_grad():
        expected = trained.masks(features).numpy()
    found = stepped(tmp_path / "live.onnx", features.numpy(), lengths)
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_it_runs_longer_than_it_remembers(tmp_path: Path) -> None:
    export(network(), tmp_path / "live.onnx")
    features = np.full((1, 4, 2 * MEMORY_FRAMES, BINS), 0.5, np.float32)
    masks = stepped(tmp_path / "live.onnx", features, [64])
    np.testing.assert_allclose(masks[..., -1, :], masks[..., -200, :], atol=1e-4)


def test_training_begins_with_what_was_known_of_the_past() -> None:
    before = network(NetworkOptions(channels=8, bottleneck=16))
    causal = begin(before)
    assert causal.options == OPTIONS
    old, new = (each.state_dict()["blocks.0.depthwise.weight"] for each in (before, causal))
    torch.testing.assert_close(new[:, :, 3:], old[:, :, :4])
    assert not new[:, :, :3].any()


def test_a_network_that_hears_later_frames_does_not_run_live(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_weights(network(NetworkOptions(channels=8, bottleneck=16)), tmp_path / "a.safetensors")
    names = [str(tmp_path / name) for name in ("a.safetensors", "a.onnx")]
    monkeypatch.setattr("sys.argv", ["train.live", "export", *names])
    with pytest.raises(SystemExit, match="hears later frames"):
        main()


def test_the_commands_begin_and_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [str(tmp_path / name) for name in ("a.safetensors", "b.safetensors", "c.onnx")]
    save_weights(network(NetworkOptions(channels=8, bottleneck=16)), Path(names[0]))
    monkeypatch.setattr("sys.argv", ["train.live", "begin", *names[:2]])
    main()
    assert read_network(Path(names[1])).options.causal
    monkeypatch.setattr("sys.argv", ["train.live", "export", *names[1:]])
    main()
    assert InferenceSession(names[2]).get_inputs()[0].name == "mag"
