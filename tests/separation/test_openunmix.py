import importlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from unbraid.demo import DemoSong
from unbraid.errors import InputError, MissingExtraError, ModelError
from unbraid.separation import MixtureArray, MixtureStatistics
from unbraid.separation.ensemble import Pass, blend
from unbraid.separation.openunmix import (
    BINS,
    HOP_LENGTH,
    N_FFT,
    OVERLAP,
    RATE,
    RESIDUAL,
    WIENER_FRAMES,
    WIENER_SAMPLES,
    OpenUnmixNetwork,
    load_target,
)
from unbraid.types import AudioSignal, Samples, StemName

TARGETS: tuple[StemName, ...] = ("vocals", "drums", "bass", "other")
MAX_BIN = 1487  # 16 kHz
ANY = MixtureStatistics(rms=1, mean=0, std=1)  # Open-Unmix asks for none
SMALL = 16  # hidden size


@pytest.fixture(scope="module")
def package() -> Iterator[Any]:
    """`openunmix.model`; it imports torchaudio, of which it uses nothing here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "torchaudio", ModuleType("torchaudio"))
        yield importlib.import_module("openunmix.model")


def seeded(package: Any, seed: int, hidden_size: int = SMALL) -> Any:
    """A network whose parameters are all random, about as large as those of a trained one."""
    torch.manual_seed(seed)
    level = 20 / (1 + np.arange(BINS) / 20)
    network = package.OpenUnmix(BINS, 2, hidden_size, 3, False, level, 1.5 * level, MAX_BIN)
    with torch.no_grad():
        for norm in (network.bn1, network.bn2, network.bn3):
            norm.running_mean.normal_(0, 0.2)
            norm.running_var.uniform_(0.5, 2)
            norm.weight.uniform_(0.5, 1.5)
            norm.bias.normal_(0, 0.3)
        network.output_mean.uniform_(0.1, 0.5)
        network.output_scale.uniform_(0.1, 0.4)
    return network.eval()


@pytest.fixture(scope="module")
def networks(package: Any) -> dict[StemName, Any]:
    return {name: seeded(package, seed) for seed, name in enumerate(TARGETS)}


@pytest.fixture(scope="module")
def files(
    networks: Mapping[StemName, Any], tmp_path_factory: pytest.TempPathFactory
) -> dict[StemName, Path]:
    folder = tmp_path_factory.mktemp("umx")
    return {name: saved(network, folder / f"{name}.pth") for name, network in networks.items()}


def saved(network: Any, file: Path) -> Path:
    """As published: beside parameters there are things that only training knew."""
    torch.save({**network.state_dict(), "sample_rate": torch.tensor(RATE)}, file)
    return file


def song(length: int, channels: int = 2) -> Samples:
    noise = np.random.default_rng(length).normal(0, 0.1, (channels, length))
    return np.repeat(noise, 2 // channels, axis=0).astype(np.float32)


def difference_db(estimate: Samples, reference: Samples) -> float:
    ratio = np.mean((estimate - reference) ** 2) / np.mean(reference**2)
    return float(10 * np.log10(ratio + 1e-20))


@pytest.mark.parametrize("hidden_size", [512, 1024], ids=["umxhq", "umxl"])
def test_a_network_of_full_size_equals_that_of_the_package(
    hidden_size: int, package: Any, tmp_path: Path
) -> None:
    samples = song(RATE)
    network = seeded(package, seed=0, hidden_size=hidden_size)
    state = network.state_dict()
    assert state["fc1.weight"].shape == (hidden_size, 2 * MAX_BIN)
    assert state["lstm.weight_hh_l2_reverse"].shape == (2 * hidden_size, hidden_size // 2)
    assert state["fc3.weight"].shape == (2 * BINS, hidden_size)
    reference = package.Separator({"vocals": network}, niter=1, residual=True)
    with torch.inference_mode():
        (theirs,) = reference(torch.from_numpy(samples)[None]).numpy()
    files = {"vocals": saved(network, tmp_path / "vocals.pth")}
    ours = OpenUnmixNetwork(files, ("vocals", RESIDUAL), residual=True).run(samples, ANY)
    assert difference_db(ours, theirs) < -90


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("niter", [0, 1])
@pytest.mark.parametrize(
    "samples",
    [song((WIENER_FRAMES + 9) * HOP_LENGTH + 5), song(RATE, channels=1), song(N_FFT // 2 + 1)],
    ids=["two windows of the filter", "mono", "short"],
)
def test_stems_equal_those_of_the_package(
    samples: Samples,
    niter: int,
    residual: bool,
    package: Any,
    networks: Mapping[StemName, Any],
    files: Mapping[StemName, Path],
) -> None:
    reference = package.Separator(networks, niter, residual=residual)
    with torch.inference_mode():
        (theirs,) = reference(torch.from_numpy(samples)[None]).numpy()
    stems = (*TARGETS, RESIDUAL) if residual else TARGETS
    ours = OpenUnmixNetwork(files, stems, niter=niter, residual=residual).run(samples, ANY)
    assert ours.shape == theirs.shape
    for stem, reference_stem in zip(ours, theirs, strict=True):
        assert difference_db(stem, reference_stem) < -90


def test_some_targets_and_a_residual_equal_those_of_the_package(
    package: Any, networks: Mapping[StemName, Any], files: Mapping[StemName, Path]
) -> None:
    samples = song(RATE)
    reference = package.Separator({"vocals": networks["vocals"]}, niter=1, residual=True)
    with torch.inference_mode():
        (theirs,) = reference(torch.from_numpy(samples)[None]).numpy()
    network = OpenUnmixNetwork({"vocals": files["vocals"]}, ("vocals", RESIDUAL), residual=True)
    assert difference_db(network.run(samples, ANY), theirs) < -90


def test_filtered_stems_sum_to_the_mixture(files: Mapping[StemName, Path]) -> None:
    samples = song(RATE)
    stems = OpenUnmixNetwork(files, TARGETS).run(samples, ANY)
    assert difference_db(stems.sum(axis=0), samples) < -40


def test_masked_stems_and_their_residual_sum_to_the_mixture(files: Mapping[StemName, Path]) -> None:
    samples = song(RATE)
    network = OpenUnmixNetwork(files, (*TARGETS, RESIDUAL), niter=0, residual=True)
    np.testing.assert_allclose(network.run(samples, ANY).sum(axis=0), samples, atol=1e-5)


@pytest.mark.parametrize("niter", [0, 1])
def test_a_wanted_stem_is_the_same_without_the_others(
    niter: int, files: Mapping[StemName, Path]
) -> None:
    samples = song(RATE)
    everything = OpenUnmixNetwork(files, TARGETS, niter=niter).run(samples, ANY)
    (alone,) = OpenUnmixNetwork(files, ("bass",), niter=niter).run(samples, ANY)
    np.testing.assert_array_equal(alone, everything[TARGETS.index("bass")])


def test_without_the_filter_only_wanted_networks_are_loaded(
    files: Mapping[StemName, Path], tmp_path: Path
) -> None:
    targets = {"vocals": files["vocals"], "drums": tmp_path / "missing.pth"}
    stems = OpenUnmixNetwork(targets, ("vocals",), niter=0).run(song(RATE), ANY)
    assert stems.shape == (1, 2, RATE)


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("niter", [0, 1])
def test_silence_gives_silence(niter: int, residual: bool, files: Mapping[StemName, Path]) -> None:
    stems = (*TARGETS, RESIDUAL) if residual else TARGETS
    network = OpenUnmixNetwork(files, stems, niter=niter, residual=residual)
    assert not network.run(np.zeros((2, RATE), np.float32), ANY).any()


@pytest.mark.parametrize("length", [1, 100, N_FFT // 2, N_FFT])
def test_short_songs_give_stems_of_their_length(
    length: int, files: Mapping[StemName, Path]
) -> None:
    stems = OpenUnmixNetwork(files, TARGETS).run(song(length), ANY)
    assert stems.shape == (4, 2, length)
    assert stems.dtype == np.float32
    assert np.isfinite(stems).all()


def test_segments_come_out_as_the_whole_song(
    demo: DemoSong, files: Mapping[StemName, Path]
) -> None:
    network = OpenUnmixNetwork(files, TARGETS, segment_s=7)
    assert network.segment_samples < demo.mixture.length // 4
    mixture = MixtureArray(demo.mixture, RATE)
    pieces = blend([Pass(network, (1,) * 4)], TARGETS, mixture)
    whole = network.run(demo.mixture.samples, ANY)
    assert difference_db(np.concatenate(list(pieces), axis=-1), whole) < -40


@pytest.mark.parametrize("length", [1, 3000, RATE])
def test_songs_shorter_than_a_segment_are_one(length: int, files: Mapping[StemName, Path]) -> None:
    samples = song(length)
    network = OpenUnmixNetwork(files, TARGETS)
    mixture = MixtureArray(AudioSignal(samples, RATE), RATE)
    (stems,) = blend([Pass(network, (1,) * 4)], TARGETS, mixture)
    np.testing.assert_array_equal(stems, network.run(samples, ANY))


@pytest.mark.parametrize(("overlap", "samples"), [(None, OVERLAP), (0, 0), (0.5, WIENER_SAMPLES)])
def test_segments_advance_by_windows_of_the_filter(
    overlap: float | None, samples: int, files: Mapping[StemName, Path]
) -> None:
    network = OpenUnmixNetwork(files, TARGETS, segment_s=7, overlap=overlap)
    assert network.overlap_samples == samples
    assert network.segment_samples - samples == WIENER_SAMPLES


def test_a_filter_with_one_source_is_refused(files: Mapping[StemName, Path]) -> None:
    with pytest.raises(InputError, match="nothing to tell vocals from"):
        OpenUnmixNetwork({"vocals": files["vocals"]}, ("vocals",))


@pytest.mark.parametrize("stem", ["guitar", RESIDUAL])
def test_an_unknown_stem_is_refused(stem: StemName, files: Mapping[StemName, Path]) -> None:
    with pytest.raises(InputError, match=f"no stem {stem}"):
        OpenUnmixNetwork(files, (stem,))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"vocals\.pth cannot be read"):
        load_target(tmp_path / "vocals.pth")


@pytest.mark.parametrize("content", [b"", b"not a network", b"PK\x03\x04 cut short"])
def test_a_file_that_is_no_network_is_refused(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "vocals.pth"
    file.write_bytes(content)
    with pytest.raises(ModelError, match=r"vocals\.pth is not a network of Open-Unmix"):
        load_target(file)


def test_weights_of_another_network_are_refused(package: Any, tmp_path: Path) -> None:
    speech = package.OpenUnmix(nb_bins=513, nb_channels=1, hidden_size=SMALL)
    with pytest.raises(ModelError, match="513 bins, expected 2049"):
        load_target(saved(speech, tmp_path / "speech.pth"))
    mono = package.OpenUnmix(nb_bins=BINS, nb_channels=1, hidden_size=SMALL, max_bin=MAX_BIN)
    with pytest.raises(ModelError, match="not a network of Open-Unmix"):
        load_target(saved(mono, tmp_path / "mono.pth"))
    torch.save(torch.zeros(3), tmp_path / "tensor.pth")
    with pytest.raises(ModelError, match="not a network of Open-Unmix"):
        load_target(tmp_path / "tensor.pth")


def test_without_torch_the_extra_is_named(
    files: Mapping[StemName, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r"unbraid\[demucs\]"):
        OpenUnmixNetwork(files, TARGETS)
