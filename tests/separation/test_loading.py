from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from demucs.apply import BagOfModels, apply_model
from tests.hub import Hub, hub_server
from tests.networks import SOURCES, quantised, save_legacy, save_safetensors, seeded

from unbraid import process
from unbraid.errors import Cancelled, InputError, MissingExtraError, ModelError
from unbraid.pipeline import Result
from unbraid.separation import MixtureArray, MixtureStatistics, load_separator
from unbraid.separation.cache import FileCache
from unbraid.separation.htdemucs import HTDemucsNetwork
from unbraid.separation.loaded import LoadedModel
from unbraid.separation.machine import Gpu, read_machine
from unbraid.types import (
    AudioSignal,
    OnProgress,
    ProcessOptions,
    Progress,
    Samples,
    SeparationOptions,
)
from unbraid.weights import ModelStore

RATE = 44_100
FT = ("f7e0c4bc", "d12395a8", "92cfc3b6", "04573f0d")  # a network for each of SOURCES


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hub's folder with small networks in the place of the published ones."""
    folder = tmp_path_factory.mktemp("hub")
    names = {"HTDemucs": ("955717e8",), "HTDemucs-ft": FT, "Demucs-hdemucs_mmi": ("75fc33f5",)}
    for repository, signatures in names.items():
        files = folder / "adefossez" / repository / "resolve" / "main"
        files.mkdir(parents=True)
        for seed, signature in enumerate(signatures):
            kind = "hdemucs" if "mmi" in repository else "htdemucs"
            save_safetensors(seeded(kind, seed), files / f"{signature}.safetensors")
    return folder


@pytest.fixture
def hub(folder: Path) -> Iterator[Hub]:
    with hub_server(folder) as hub:
        yield hub


@pytest.fixture(scope="module")
def cores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is exported of the networks, which takes seconds each, and once for all tests."""
    return tmp_path_factory.mktemp("cores")


@pytest.fixture
def store(hub: Hub, cores: Path, tmp_path: Path) -> ModelStore:
    models = tmp_path / "models"
    models.mkdir()
    (models / ".cores").symlink_to(cores)
    return ModelStore(models, mirror=hub.url)


def song(length: int) -> Samples:
    return np.random.default_rng(length).normal(0, 0.1, (2, length)).astype(np.float32)


def separated(separator: LoadedModel, samples: Samples) -> Samples:
    mixture = MixtureArray(AudioSignal(samples, RATE), RATE)
    mixture.statistics = MixtureStatistics(rms=1, mean=0, std=1)
    return np.concatenate(list(separator.stretches(mixture)), axis=-1)


def difference_db(estimate: Samples, reference: Samples) -> float:
    return float(10 * np.log10(np.mean((estimate - reference) ** 2) / np.mean(reference**2)))


def test_a_bag_of_the_hub_gives_the_stems_of_the_demucs_package(store: ModelStore) -> None:
    samples = song(RATE)
    bag = BagOfModels([seeded("htdemucs", seed) for seed in range(4)], np.eye(4).tolist())
    expected = apply_model(bag, torch.from_numpy(samples)[None], shifts=0)[0].numpy()
    separator = load_separator("htdemucs_ft", threads=1, store=store)
    assert separator.stems == SOURCES
    assert difference_db(separated(separator, samples), expected) < -90


def test_several_models_give_the_weighted_mean_of_their_stems(store: ModelStore) -> None:
    samples = song(RATE)
    weights = {"vocals": (2.0, 1.0), "drums": (0.0, 1.0)}
    bag = BagOfModels([seeded("htdemucs", seed) for seed in range(4)], np.eye(4).tolist())
    expected = np.empty((4, 2, RATE), np.float32)
    theirs = [
        apply_model(model, torch.from_numpy(samples)[None], shifts=0, segment=segment)[0].numpy()
        for model, segment in ((bag, None), (seeded("hdemucs"), 44))
    ]
    for k, stem in enumerate(SOURCES):
        shares = weights.get(stem, (1.0, 1.0))
        expected[k] = np.average([each[k] for each in theirs], axis=0, weights=shares)
    separator = load_separator(
        "htdemucs_ft+hdemucs_mmi",
        threads=1,
        options=SeparationOptions(weights=weights),
        store=store,
    )
    for k in range(4):
        assert difference_db(separated(separator, samples)[k], expected[k]) < -90


def test_a_network_of_weight_0_is_not_pulled(store: ModelStore) -> None:
    options = SeparationOptions(weights={"vocals": (1, 0)})
    load_separator("htdemucs_ft+hdemucs_mmi", ["vocals"], threads=1, options=options, store=store)
    assert [file.name for file in store.folder.rglob("*.safetensors")] == [f"{FT[3]}.safetensors"]


def test_of_a_bag_only_what_a_stem_needs_is_pulled_and_loaded(store: ModelStore) -> None:
    separator = load_separator("htdemucs_ft", ["vocals"], threads=1, store=store)
    assert [each.network.stems for each in separator.passes] == [("vocals",)]
    assert [file.name for file in store.folder.rglob("*.safetensors")] == [f"{FT[3]}.safetensors"]


def test_exported_cores_are_kept_and_used_offline(store: ModelStore, cores: Path) -> None:
    samples = song(RATE // 2)
    first = separated(load_separator("htdemucs", threads=1, store=store), samples)
    (core,) = cores.glob("htdemucs/*/core.onnx")
    written = core.stat().st_mtime_ns
    offline = ModelStore(store.folder, offline=True)
    second = separated(load_separator("htdemucs", threads=1, store=offline), samples)
    np.testing.assert_array_equal(second, first)
    assert core.stat().st_mtime_ns == written


def test_without_the_extra_it_is_named(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ModelStore(tmp_path / "models", mirror=hub.url)  # of which nothing is exported
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'unbraid\[demucs\]'"):
        load_separator("htdemucs", threads=1, store=store)


def test_shifts_are_the_same_for_the_same_seed(store: ModelStore) -> None:
    def shifts(seed: int) -> list[int]:
        options = SeparationOptions(shifts=2, seed=seed)
        loaded = load_separator("htdemucs", threads=1, options=options, store=store)
        return [each.shift for each in loaded.passes]

    assert shifts(1) == shifts(1) != shifts(2)
    assert all(0 <= shift < RATE // 2 for shift in shifts(1))


def test_segments_can_be_chosen(store: ModelStore) -> None:
    options = SeparationOptions(segment_s=5, overlap=0.1)
    separator = load_separator("lite", threads=1, options=options)
    network = separator.passes[0].network
    assert network.segment_samples / RATE == pytest.approx(5, abs=0.02)
    assert network.overlap_samples / network.segment_samples == pytest.approx(0.1, abs=1e-4)
    with pytest.raises(InputError, match="too long for this model"):
        load_separator("htdemucs", threads=1, options=options, store=store)


def test_fast_differs_from_exact_where_the_cpu_can_but_stays_near(store: ModelStore) -> None:
    samples = song(RATE)
    exact = load_separator("htdemucs", threads=1, store=store)
    options = SeparationOptions(precision="fast")
    fast = load_separator("htdemucs", threads=1, options=options, store=store)
    assert exact.runtimes["htdemucs"].arithmetic == "float32"
    stems, expected = separated(fast, samples), separated(exact, samples)
    if read_machine().has_bfloat16:
        assert fast.runtimes["htdemucs"].arithmetic == "bfloat16"
        assert -90 < difference_db(stems, expected) < -40
    else:
        assert "Fast is exact here." in fast.runtimes["htdemucs"].reasons
        np.testing.assert_array_equal(stems, expected)


def test_a_gpu_that_fails_gives_way_to_the_cpu(
    store: ModelStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gpu = Gpu("cuda", "Fake GPU", 16 * 10**9)
    facts = replace(read_machine(), gpu=gpu, torch_has_cuda=True)
    monkeypatch.setattr("unbraid.separation.loading.read_machine", lambda: facts)
    soundfile.write(tmp_path / "song.wav", song(RATE).T, RATE, "FLOAT")
    options = ProcessOptions(model="htdemucs", midi=False)
    manifest = process(tmp_path / "song.wav", tmp_path, options, store=store).manifest
    assert manifest.reproduce.runtimes["htdemucs"].device == "cpu"
    assert manifest.warnings[0].startswith("The CPU computes: the GPU failed (")


def test_a_song_is_processed_with_a_model_of_the_hub(store: ModelStore, tmp_path: Path) -> None:
    samples = song(2 * RATE)
    soundfile.write(tmp_path / "song.wav", samples.T, RATE, "FLOAT")
    seen: list[Progress] = []
    options = ProcessOptions(model="htdemucs", midi=False, bit_depth="32f")
    result = process(tmp_path / "song.wav", tmp_path, options, store=store, on_progress=seen.append)
    assert "pull" in {progress.stage for progress in seen}
    assert list(result.manifest.stems) == list(SOURCES)
    assert result.manifest.model.weights.keys() == {"955717e8"}
    parts = [soundfile.read(result.folder / s.file)[0] for s in result.manifest.stems.values()]
    assert result.manifest.audio.residual == "extra/residual.wav"
    parts.append(soundfile.read(result.folder / result.manifest.audio.residual)[0])
    np.testing.assert_allclose(np.sum(parts, axis=0), samples.T, atol=1e-5)


def test_a_song_is_processed_with_several_models(store: ModelStore, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "song.wav", song(2 * RATE).T, RATE, "FLOAT")
    cache = FileCache(tmp_path / "cache")
    way = SeparationOptions(weights={"vocals": (1, 3)})
    options = ProcessOptions("lite+htdemucs", way, stems=("vocals", "bass"), midi=False)

    def run(out: str, options: ProcessOptions, on_progress: OnProgress | None = None) -> Result:
        return process(
            tmp_path / "song.wav",
            tmp_path / out,
            options,
            store=store,
            cache=cache,
            on_progress=on_progress,
        )

    def cancel(progress: Progress) -> None:
        if progress.stage == "separate" and progress.done_s:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        run("resumed", options, cancel)
    resumed = run("resumed", options)
    manifest = resumed.manifest
    assert (manifest.model.name, manifest.model.licence) == ("lite+htdemucs", "MIT")
    assert manifest.model.weights.keys() == {"lite/lite", "htdemucs/955717e8"}
    assert manifest.options == options
    assert [each.weights for each in manifest.reproduce.passes] == [(0.25, 0.5), (0.5, 0.75)]
    assert manifest.audio.residual_db is None  # not all stems were asked for
    assert run("resumed", options).skipped
    assert run("copied", options).manifest.from_cache
    equal = run("equal", replace(options, separation=SeparationOptions())).manifest
    assert not equal.from_cache


def test_a_model_in_a_folder_is_used(tmp_path: Path) -> None:
    save_safetensors(seeded("hdemucs"), tmp_path / "abcd1234.safetensors")
    (tmp_path / "mine.yaml").write_text("models: ['abcd1234']\n")
    separator = load_separator(str(tmp_path), ["bass"], threads=1, store=ModelStore(tmp_path / "m"))
    assert separated(separator, song(RATE // 2)).shape == (1, 2, RATE // 2)


def test_a_folder_of_legacy_files_is_used_as_demucs_does(tmp_path: Path) -> None:
    module, samples = seeded("htdemucs", sources=("vocals", "rest")), song(RATE // 2)
    file = save_legacy(module, tmp_path / "abcd1234.th")
    digest = sha256(file.read_bytes()).hexdigest()[:8]
    file = file.rename(tmp_path / f"abcd1234-{digest}.th")
    (tmp_path / "mine.yaml").write_text("models: ['abcd1234']\n")
    store = ModelStore(tmp_path / "m")
    separator = load_separator(str(tmp_path), threads=1, store=store)
    assert separator.stems == ("vocals", "rest")
    assert [type(each.network) for each in separator.passes] == [HTDemucsNetwork]
    expected = apply_model(module.half().float(), torch.from_numpy(samples)[None], shifts=0)[
        0
    ].numpy()
    assert difference_db(separated(separator, samples), expected) < -90
    file.rename(tmp_path / "abcd1234-00000000.th")
    with pytest.raises(ModelError, match=r"abcd1234-00000000\.th is damaged"):
        load_separator(str(tmp_path), threads=1, store=store)


def test_an_onnx_network_in_a_folder_is_used(tmp_path: Path) -> None:
    lite = Path(__file__).parents[2] / "src" / "unbraid" / "data" / "lite.onnx"
    (tmp_path / "net.onnx").write_bytes(lite.read_bytes())
    (tmp_path / "model.toml").write_text(
        """
file = "net.onnx"
stems = ["vocals", "drums", "bass", "other"]
sample_rate = 44100
segment_s = 11.888616780045352
overlap_s = 1.486077097505669
input = "mag"
[stft]
n_fft = 4096
hop_length = 1024
window = "hann"
bins = 1488
"""
    )
    samples = song(RATE)
    custom = load_separator(str(tmp_path), threads=1, store=ModelStore(tmp_path / "m"))
    built_in = load_separator("lite", threads=1)
    assert difference_db(separated(custom, samples), separated(built_in, samples)) < -100


def test_offline_a_missing_model_says_what_to_put_where(tmp_path: Path) -> None:
    store = ModelStore(tmp_path, offline=True)
    with pytest.raises(ModelError, match=r"955717e8.safetensors"):
        load_separator("htdemucs", store=store)


def test_a_quantised_model_of_the_hub_is_used(store: ModelStore, hub: Hub) -> None:
    files = hub.folder / "adefossez" / "Demucs-mdx_q" / "resolve" / "main"
    files.mkdir(parents=True)
    module, samples = seeded("hdemucs"), song(RATE // 2)
    state = quantised(module)
    for signature in ("6b9c2ca1", "b72baf4e"):  # which share the bass
        save_safetensors(module, files / f"{signature}.safetensors", state)
    mixture = torch.from_numpy(samples)[None]
    expected = apply_model(module, mixture, shifts=0, segment=44)[0].numpy()
    separator = load_separator("mdx_q", ["bass"], threads=1, store=store)
    assert difference_db(separated(separator, samples), expected[[1]]) < -90


def test_an_unknown_stem_is_refused_before_anything_is_pulled(store: ModelStore) -> None:
    with pytest.raises(InputError, match="no stem kazoo"):
        load_separator("htdemucs", ["kazoo"], store=store)
    assert not list(store.folder.rglob("*.safetensors"))
