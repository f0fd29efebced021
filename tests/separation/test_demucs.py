from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch
from demucs.apply import BagOfModels, TensorChunk, apply_model
from safetensors.torch import save_file
from tests.networks import SOURCES, quantised, save_legacy, save_safetensors, seeded

from unbraid.errors import InputError, ModelError
from unbraid.separation import MixtureArray, MixtureStatistics
from unbraid.separation.core import Arithmetic, Provider
from unbraid.separation.demucs import DemucsNetwork, load_module
from unbraid.separation.ensemble import Pass, blend
from unbraid.separation.exporting import export_core
from unbraid.separation.htdemucs import HTDemucsNetwork
from unbraid.separation.network import Network, run_segment
from unbraid.separation.runtime import Arithmetic as TorchArithmetic
from unbraid.separation.segments import plan
from unbraid.types import AudioSignal, Samples
from unbraid.weights.header import read_header

RATE = 44_100
KINDS = ("htdemucs", "hdemucs", "demucs")


def song(length: int) -> Samples:
    return np.random.default_rng(length).normal(0, 0.1, (2, length)).astype(np.float32)


def ours(samples: Samples, *passes: Pass) -> Samples:
    mixture = MixtureArray(AudioSignal(samples, RATE), RATE)
    mixture.statistics = MixtureStatistics(rms=1, mean=0, std=1)
    return np.concatenate(list(blend(passes, SOURCES, mixture)), axis=-1)


def theirs(samples: Samples, model: Any, shifts: int = 0) -> Samples:
    estimates = apply_model(model, torch.from_numpy(samples)[None], shifts=shifts)
    result: Samples = estimates[0].numpy()
    return result


def whole(module: Any, weights: tuple[float, ...] = (1, 1, 1, 1), shift: int = 0) -> Pass:
    return Pass(DemucsNetwork(module, SOURCES), weights, shift)


def difference_db(estimate: Samples, reference: Samples) -> float:
    ratio = np.mean((estimate - reference) ** 2) / np.mean(reference**2)
    return float(10 * np.log10(ratio + 1e-20))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seconds", [0.01, 0.2, 0.38, 0.5, 0.65, 1.6])
def test_stems_equal_those_of_the_demucs_package(kind: str, seconds: float) -> None:
    samples, module = song(round(seconds * RATE)), seeded(kind)
    assert difference_db(ours(samples, whole(module)), theirs(samples, module)) < -90


@pytest.mark.parametrize("kind", ["hdemucs", "demucs"])
def test_other_segments_are_those_of_the_demucs_package(kind: str) -> None:
    samples, module = song(RATE), seeded(kind)
    for segment_s, overlap in ((0.3, 0.1), (0.8, 0.5)):
        network = DemucsNetwork(module, SOURCES, segment_s=segment_s, overlap=overlap)
        mixture = torch.from_numpy(samples)[None]
        theirs = apply_model(module, mixture, shifts=0, segment=segment_s, overlap=overlap)
        stems = ours(samples, Pass(network, (1, 1, 1, 1)))
        assert difference_db(stems, theirs[0].numpy()) < -90


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shift", [0, 7000])
def test_batches_give_the_same_stems_as_one_by_one(kind: str, shift: int) -> None:
    samples, module = song(round(2.3 * RATE)), seeded(kind)
    batched = Pass(DemucsNetwork(module, SOURCES, batch=3), (1, 1, 1, 1), shift)
    one_by_one = whole(module, shift=shift)
    assert difference_db(ours(samples, batched), ours(samples, one_by_one)) < -110


def test_a_resumed_run_computes_the_same_batches() -> None:
    each = Pass(DemucsNetwork(seeded("htdemucs"), SOURCES, batch=3), (1, 1, 1, 1))
    mixture = MixtureArray(AudioSignal(song(3 * RATE), RATE), RATE)
    uninterrupted = np.concatenate(list(each.stretches(mixture, 0)), axis=-1)
    for written in (1, RATE, 2 * RATE + 5):
        rest = np.concatenate(list(each.stretches(mixture, written)), axis=-1)
        np.testing.assert_array_equal(rest, uninterrupted[..., written:])


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("arithmetic", "limit_db"), [("float32", -80), ("float16", -40)])
def test_a_gpu_gives_the_stems_of_the_cpu(
    kind: str, arithmetic: TorchArithmetic, limit_db: float
) -> None:
    samples = song(round(2.3 * RATE))
    network = DemucsNetwork(seeded(kind), SOURCES, device="cuda", arithmetic=arithmetic, batch=3)
    stems = ours(samples, Pass(network, (1, 1, 1, 1)))
    assert difference_db(stems, theirs(samples, seeded(kind))) < limit_db


def short_segments(module: Any, folder: Path) -> list[Network]:
    return [
        DemucsNetwork(module, SOURCES, segment_s=0.2),
        exported(seeded("htdemucs"), folder, segment_s=0.2),
    ]


def test_a_transformer_hears_its_whole_window_around_short_segments(tmp_path: Path) -> None:
    samples, module = song(RATE), seeded("htdemucs")
    for network in short_segments(module, tmp_path):
        assert network.segment_samples == round(0.2 * RATE)
        segment = plan(RATE, network.segment_samples, network.overlap_samples)[2]
        whole_song = torch.from_numpy(samples)[None]
        chunk: Any = TensorChunk(whole_song, segment.start, network.segment_samples)  # type: ignore[no-untyped-call]
        theirs = apply_model(module, chunk, shifts=0, split=False)[0].numpy()
        mixture = MixtureArray(AudioSignal(samples, RATE), RATE)
        mixture.statistics = MixtureStatistics(rms=1, mean=0, std=1)
        assert difference_db(run_segment(network, mixture, segment), theirs) < -90


def test_a_transformer_refuses_longer_segments_than_it_was_trained_on(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"trained on 0\.5 s"):
        DemucsNetwork(seeded("htdemucs"), SOURCES, segment_s=0.6)
    with pytest.raises(InputError, match=r"trained on 0\.5 s"):
        exported(seeded("htdemucs"), tmp_path, segment_s=0.6)


@pytest.mark.parametrize("kind", KINDS)
def test_bfloat16_over_torch_stays_near(kind: str) -> None:
    samples = song(RATE)
    network = DemucsNetwork(seeded(kind), SOURCES, arithmetic="bfloat16")
    stems = ours(samples, Pass(network, (1, 1, 1, 1)))
    assert -90 < difference_db(stems, theirs(samples, seeded(kind))) < -40


def test_a_bag_equals_that_of_the_demucs_package() -> None:
    samples = song(RATE)
    modules = [seeded("htdemucs", 1), seeded("hdemucs", 2)]
    weights = [[1.0, 0.5, 0.0, 2.0], [1.0, 1.0, 1.0, 0.0]]
    bag = BagOfModels(modules, weights)
    passes = [whole(m, tuple(w)) for m, w in zip(modules, weights, strict=True)]
    assert difference_db(ours(samples, *passes), theirs(samples, bag)) < -90


def test_a_shift_equals_that_of_the_demucs_package(monkeypatch: pytest.MonkeyPatch) -> None:
    samples, module, offset = song(RATE), seeded("htdemucs"), 5000
    monkeypatch.setattr("random.randint", lambda low, high: offset)
    shifted = whole(module, shift=RATE // 2 - offset)
    assert difference_db(ours(samples, shifted), theirs(samples, module, shifts=1)) < -90


def exported(
    module: Any,
    folder: Path,
    stems: tuple[str, ...] = SOURCES,
    provider: Provider = "onnxruntime",
    arithmetic: Arithmetic = "float32",
    segment_s: float | None = None,
    made: tuple[str, ...] = (),
) -> HTDemucsNetwork:
    core = folder / "core.onnx"
    export_core(save_safetensors(module, folder / "sig.safetensors"), core, made)
    return HTDemucsNetwork(core, stems, 1, provider, arithmetic, segment_s=segment_s)


@pytest.mark.parametrize("provider", get_args(Provider))
@pytest.mark.parametrize("seconds", [0.01, 0.5, 1.3])
def test_the_exported_core_gives_the_same_stems(
    provider: Provider, seconds: float, tmp_path: Path
) -> None:
    samples, module = song(round(seconds * RATE)), seeded("htdemucs")
    network = exported(module, tmp_path, provider=provider)
    stems = ours(samples, Pass(network, (1, 1, 1, 1)))
    assert difference_db(stems, theirs(samples, module)) < -90


def test_bfloat16_stays_near(tmp_path: Path) -> None:
    samples, module = song(RATE), seeded("htdemucs")
    network = exported(module, tmp_path, provider="openvino", arithmetic="bfloat16")
    stems = ours(samples, Pass(network, (1, 1, 1, 1)))
    assert difference_db(stems, theirs(samples, module)) < -40


def test_wanted_stems_alone_are_those_of_all(tmp_path: Path) -> None:
    module, some = seeded("htdemucs"), ("vocals", "bass")
    (tmp_path / "some").mkdir()
    core = exported(seeded("htdemucs"), tmp_path)
    pairs: list[tuple[Network, Network]] = [
        (DemucsNetwork(module, SOURCES), DemucsNetwork(module, some)),
        (core, exported(seeded("htdemucs"), tmp_path, some)),
        (core, exported(seeded("htdemucs"), tmp_path / "some", some, made=("bass", "vocals"))),
    ]
    statistics = MixtureStatistics(0.1, 0.01, 0.1)
    for everything, wanted in pairs:
        samples = song(everything.segment_samples)
        expected = everything.run(samples, statistics)[[3, 1]]
        np.testing.assert_allclose(wanted.run(samples, statistics), expected, atol=1e-6)


def test_stems_that_a_normalisation_mixes_are_exported_together(tmp_path: Path) -> None:
    samples, module = song(RATE), seeded("htdemucs", norm_starts=0)
    network = exported(module, tmp_path, made=("vocals",))
    stems = ours(samples, Pass(network, (1, 1, 1, 1)))
    assert difference_db(stems, theirs(samples, module)) < -90


@pytest.mark.parametrize("kind", KINDS)
def test_silence_stays_nearly_silent(kind: str) -> None:
    network = DemucsNetwork(seeded(kind), SOURCES)
    silence = np.zeros((2, network.segment_samples), np.float32)
    stems = network.run(silence, MixtureStatistics(0, 0, 0))
    assert np.abs(stems).max() < 1e-6


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_is_loaded_from_safetensors(kind: str, tmp_path: Path) -> None:
    module = seeded(kind)
    loaded: Any = load_module(save_safetensors(module, tmp_path / "sig.safetensors"))
    assert type(loaded) is type(module)
    for name, tensor in module.state_dict().items():
        torch.testing.assert_close(loaded.state_dict()[name], tensor)


def test_a_network_is_loaded_from_a_legacy_file(tmp_path: Path) -> None:
    module = seeded("hdemucs")
    loaded: Any = load_module(save_legacy(module, tmp_path / "sig.th"))
    weight = module.state_dict()["encoder.0.conv.weight"]
    torch.testing.assert_close(loaded.encoder[0].conv.weight, weight.half().float())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("suffix", "save"), [(".th", save_legacy), (".safetensors", save_safetensors)]
)
def test_a_quantised_network_is_restored(
    kind: str, suffix: str, save: Callable[..., Path], tmp_path: Path
) -> None:
    module, original = seeded(kind), seeded(kind).state_dict()
    state = quantised(module)
    assert len(state["quantized"]) > 10
    loaded: Any = load_module(save(module, tmp_path / f"sig{suffix}", state))
    for name, tensor in module.state_dict().items():
        torch.testing.assert_close(loaded.state_dict()[name], tensor)
    assert any((original[name] != tensor).any() for name, tensor in module.state_dict().items())


def test_a_network_quantised_in_another_way_is_refused(tmp_path: Path) -> None:
    module = seeded("demucs")
    state = quantised(module)
    state["quantized"][0][0].pop()  # the levels of 14 bits
    file = save_legacy(module, tmp_path / "sig.th", state)
    with pytest.raises(ModelError, match="no levels of 14 bits"):
        load_module(file)
    state["meta"]["klass"] = Fraction
    with pytest.raises(ModelError, match="quantised in a way that is not known"):
        load_module(save_legacy(module, tmp_path / "sig.th", state))


class Evil:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return print, ("code was run",)


def test_a_legacy_file_runs_no_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"klass": Evil()}, tmp_path / "sig.th")
    with pytest.raises(ModelError, match=r"sig\.th is not a Demucs network: it names \S*print$"):
        load_module(tmp_path / "sig.th")
    with pytest.raises(ModelError, match="no header of a Demucs network"):
        read_header(tmp_path / "sig.th")
    assert not capsys.readouterr().out


@pytest.mark.parametrize("name", ["os.system", "demucs.solver.Solver", "torch.nn.Linear"])
def test_metadata_may_name_only_networks_of_demucs(name: str, tmp_path: Path) -> None:
    file = tmp_path / "sig.safetensors"
    save_file({"weight": torch.zeros(1)}, file, {"klass": name, "args": "[]", "kwargs": "{}"})
    with pytest.raises(ModelError, match="none of the networks that are known"):
        load_module(file)


@pytest.mark.parametrize("content", [b"", b"garbage" * 100])
@pytest.mark.parametrize("suffix", [".th", ".safetensors"])
def test_what_is_no_weights_file_is_refused(content: bytes, suffix: str, tmp_path: Path) -> None:
    file = tmp_path / f"sig{suffix}"
    file.write_bytes(content)
    with pytest.raises(ModelError, match="not a Demucs network"):
        load_module(file)


def test_only_htdemucs_can_be_exported(tmp_path: Path) -> None:
    file = save_safetensors(seeded("hdemucs"), tmp_path / "sig.safetensors")
    with pytest.raises(ModelError, match="no HTDemucs"):
        export_core(file, tmp_path / "core.onnx")
