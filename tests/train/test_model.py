from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from onnxruntime import InferenceSession
from tests.train import tiny
from train.cues import look, prior
from train.loss import separation_loss
from train.model import BINS, MaskingNetwork
from train.options import LossOptions, NetworkOptions
from train.weights import load_weights, read_network, save_weights

from unbraid.errors import ModelError
from unbraid.separation.lite import LITE


def heard(frames: int, batch: int = 1) -> torch.Tensor:
    return torch.rand(batch, 4, frames, BINS, generator=torch.Generator().manual_seed(frames))


def test_bands_hold_the_bins_that_the_engine_shows() -> None:
    assert LITE.bins == BINS


def test_the_first_weights_give_the_masks_of_the_first_network(first: Path) -> None:
    features = heard(50)
    with torch.no_grad():
        network = read_network(first / "prototype/lite_start.safetensors")
        masks = network.eval().masks(features)
    (shipped,) = InferenceSession(first / "lite.onnx").run(["mask"], {"mag": features.numpy()})
    np.testing.assert_allclose(masks.numpy(), shipped, atol=1e-2)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("frames", [1, 7, 16])
def test_training_computes_what_is_shipped(frames: int, causal: bool) -> None:
    network = MaskingNetwork(NetworkOptions(channels=4, dilations=(1, 2, 4, 3, 1), causal=causal))
    features = heard(frames, batch=2)
    with torch.no_grad():
        torch.testing.assert_close(
            network.train()(features), network.eval()(features), atol=1e-5, rtol=1e-5
        )


@pytest.mark.parametrize("training", [True, False])
def test_a_causal_network_hears_nothing_of_later_frames(training: bool) -> None:
    options = NetworkOptions(channels=4, dilations=(1, 2, 4, 1, 2), causal=True)
    network = MaskingNetwork(options).train(training)
    for layer in (*network.cue_encoder, *network.cue_weights):
        torch.nn.init.normal_(layer.weight, std=0.03)
    features = heard(60)
    changed = features.clone()
    changed[:, :, 40:] = heard(61)[:, :, 40:60]
    with torch.no_grad():
        masks, others = network.masks(features), network.masks(changed)
    torch.testing.assert_close(masks[..., :40, :], others[..., :40, :], atol=1e-4, rtol=1e-4)
    assert (masks[..., 40:, :] - others[..., 40:, :]).abs().max() > 0.01


def test_gradients_in_bfloat16_are_finite() -> None:
    network = MaskingNetwork(NetworkOptions(channels=8, dilations=(2, 4, 2, 4, 2))).train()
    stems = torch.randn(2, 4, 2, 16, BINS, dtype=torch.complex64)
    with torch.autocast("cpu", torch.bfloat16):
        logits = network(heard(16, batch=2))
    masks = logits.float().softmax(1)
    separation_loss(masks, stems.sum(1), stems, LossOptions()).total.backward()
    for parameter in network.parameters():
        assert parameter.grad is not None
        assert torch.isfinite(parameter.grad).all()


@pytest.mark.parametrize(("causal", "least"), [(True, 1.0), (False, 0.01)])
def test_reluctance_takes_from_voices_alone(causal: bool, least: float) -> None:
    options = NetworkOptions(channels=4, reluctance=0, causal=causal)
    eager, shy = MaskingNetwork(options), MaskingNetwork(replace(options, reluctance=1))
    shy.load_state_dict(eager.state_dict())
    features = heard(20)
    with torch.no_grad():
        before, after = eager.masks(features)[0], shy.masks(features)[0]
    odds = [masks[0] / (1 - masks[0]) for masks in (before, after)]
    taken = (odds[0] / odds[1]).log()
    torch.testing.assert_close(taken, taken.mean().expand_as(taken), rtol=1e-2, atol=1e-3)
    assert least - 1e-3 < taken.mean() < 1 + 1e-3
    for masks in (before, after):
        torch.testing.assert_close(masks.sum(0), torch.ones_like(masks[0]))
        masks /= 1 - masks[:1]
    torch.testing.assert_close(after[1:], before[1:], rtol=1e-3, atol=1e-6)


def test_who_is_sure_of_a_voice_is_not_reluctant() -> None:
    network = MaskingNetwork(NetworkOptions(channels=4, prior=0))
    features = heard(20)
    kept = []
    for certainty in (0.0, 12.0):
        logits = torch.zeros(1, 4, 2, 20, BINS)
        logits[:, 0] = certainty
        masks = network.blended(logits, None, features, network.certain(logits, features))
        kept.append((masks[:, 0].mean() / logits.softmax(1)[:, 0].mean()).item())
    assert kept[0] < 0.5
    assert kept[1] > 0.999


@pytest.mark.parametrize(("certainty", "share"), [(0.1, 0.6), (12.0, 0.1)])
def test_the_prior_counts_less_where_the_network_is_certain(certainty: float, share: float) -> None:
    network = MaskingNetwork(NetworkOptions(prior=0.6, sure_prior=0.1, reluctance=0))
    features = heard(20)
    clues = look(features)
    logits = torch.zeros(1, 4, 2, 20, BINS)
    logits[:, 3] = certainty  # in nepers, against each other stem
    sums = network.certain(logits, features).sum(1, keepdim=True)
    masks = network.blended(logits, clues, features, sums)
    expected = ((1 - share) * logits + share * prior(clues)[:, :, None]).softmax(1)
    torch.testing.assert_close(masks, expected, rtol=2e-2, atol=1e-6)


def test_certainty_is_that_of_what_is_loud() -> None:
    network = MaskingNetwork(tiny.NETWORK)
    features = torch.full((1, 4, 2, BINS), 0.01)
    features[:, :, 1] = 1.0
    logits = torch.zeros(1, 4, 2, 2, BINS)
    logits[:, 0, :, 1] = 12.0
    certain, weight = network.certain(logits, features).sum(1)[0]
    assert certain / weight == pytest.approx(1, abs=1e-3)


def test_weights_are_read_as_they_were_written(tmp_path: Path) -> None:
    network = MaskingNetwork(tiny.NETWORK)
    save_weights(network, tmp_path / "tiny.safetensors")
    again = read_network(tmp_path / "tiny.safetensors")
    assert again.options == network.options
    for name, weight in network.state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], weight, rtol=0, atol=0)


def test_a_network_that_was_told_no_cues_goes_on_with_them(tmp_path: Path) -> None:
    before = MaskingNetwork(replace(tiny.NETWORK, cues=False))
    save_weights(before, tmp_path / "before.safetensors")
    after = MaskingNetwork(tiny.NETWORK)
    load_weights(after, tmp_path / "before.safetensors")
    features = heard(9)
    with torch.no_grad():
        torch.testing.assert_close(after(features), before(features))


def test_weights_of_other_sizes_are_refused(tmp_path: Path) -> None:
    save_weights(MaskingNetwork(tiny.NETWORK), tmp_path / "tiny.safetensors")
    with pytest.raises(ModelError, match=r"tiny.safetensors does not fit .*blocks"):
        load_weights(MaskingNetwork(NetworkOptions(channels=5)), tmp_path / "tiny.safetensors")


def test_a_file_without_weights_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.safetensors").write_text("no weights")
    with pytest.raises(ModelError, match=r"text.safetensors cannot be read"):
        read_network(tmp_path / "text.safetensors")
