import gc
import sys
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from tests.networks import save_safetensors, seeded

import unbraid
from unbraid.errors import AudioError, Cancelled, InputError, ModelError, ResourceError
from unbraid.separation import MixtureStatistics, Separator
from unbraid.separation.demucs import DemucsNetwork
from unbraid.separation.lite import MaskNetwork
from unbraid.types import AudioSignal, Device, Progress, Samples, Stems

RATE = 44_100


def noise(length: int, channels: int = 2, seed: int = 0) -> Samples:
    return np.random.default_rng(seed).normal(0, 0.1, (channels, length)).astype(np.float32)


def total(stems: Stems) -> Samples:
    summed: Samples = np.sum([stem.samples for stem in stems.values()], axis=0)
    return summed


@pytest.fixture(scope="module")
def separator() -> Separator:
    return unbraid.Separator(threads=1)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small network of each kind, averaged."""
    folder = tmp_path_factory.mktemp("tiny")
    for seed, kind in enumerate(("htdemucs", "hdemucs")):
        save_safetensors(seeded(kind, seed), folder / f"abcd000{seed}.safetensors")
    (folder / "tiny.yaml").write_text("models: ['abcd0000', 'abcd0001']\n")
    return folder


def test_nothing_is_loaded_before_the_first_song(tmp_path: Path) -> None:
    separator = Separator("htdemucs_ft", ["bass"], models_dir=tmp_path, offline=True)
    assert (separator.stems, separator.sample_rate) == (("bass",), RATE)
    with pytest.raises(ModelError, match="d12395a8"):
        separator.separate(noise(100), RATE)


def test_what_does_not_exist_is_refused_at_once() -> None:
    with pytest.raises(ModelError, match="choose one of: lite"):
        Separator("heavy")
    with pytest.raises(InputError, match="no stem kazoo"):
        Separator("lite", ["kazoo"])
    with pytest.raises(InputError, match="shifts"):
        Separator("lite", shifts=-1)
    elsewhere: Device = "cuda" if sys.platform == "darwin" else "mps"
    with pytest.raises(InputError, match=f"the device {elsewhere} cannot be used"):
        Separator("lite", device=elsewhere)


def test_segments_and_precision_reach_the_networks(tiny: Path) -> None:
    seen: list[float] = []
    separator = Separator(
        str(tiny), ["bass"], precision="fast", segment_s=1, overlap=0, models_dir=tiny / "models"
    )
    with pytest.raises(InputError, match="too long for this model"):
        separator.separate(noise(RATE), RATE)
    lite = Separator("lite", ["bass"], segment_s=2, overlap=0, threads=1)
    lite.separate(noise(5 * RATE), RATE, on_progress=lambda progress: seen.append(progress.done_s))
    assert np.diff(seen)[:2] == pytest.approx([2, 2], abs=0.02)


@pytest.mark.parametrize("length", [1, 1000, 20 * RATE])
def test_stems_sum_to_the_song(separator: Separator, length: int) -> None:
    song = noise(length)
    np.testing.assert_allclose(total(separator.separate(song, RATE)), song, atol=1e-6)


def test_a_signal_samples_and_a_file_give_the_same(separator: Separator, tmp_path: Path) -> None:
    song = noise(RATE // 2)
    soundfile.write(tmp_path / "song.wav", song.T, RATE, "FLOAT")
    kinds: list[Any] = [AudioSignal(song, RATE), song.astype(np.float64), tmp_path / "song.wav"]
    results = [separator.separate(kind, RATE) for kind in kinds]
    for result in results[1:]:
        np.testing.assert_array_equal(total(result), total(results[0]))


def test_mono_of_any_rate_becomes_stereo_at_the_models_rate(separator: Separator) -> None:
    song = noise(8000, channels=1)
    flat = separator.separate(song[0], 8000)
    assert {stem.samples.shape for stem in flat.values()} == {(2, RATE)}
    assert {stem.samples.dtype for stem in flat.values()} == {np.dtype(np.float32)}
    np.testing.assert_array_equal(total(flat), total(separator.separate(song, 8000)))


def test_silence_gives_silence(separator: Separator) -> None:
    stems = separator.separate(np.zeros((2, RATE), np.float32), RATE)
    assert not any(stem.samples.any() for stem in stems.values())


@pytest.mark.parametrize(
    ("samples", "rate", "error", "reason"),
    [
        (np.zeros((2, 0), np.float32), RATE, AudioError, "holds no samples"),
        (np.zeros((2, 1), np.float32), 192_000, AudioError, "shorter than a sample"),
        (np.full((2, 9), np.nan, np.float32), RATE, AudioError, "not numbers"),
        (b"song.mp3", RATE, InputError, "floating point"),
        (np.zeros((2, 9), np.int16), RATE, InputError, "floating point"),
        (np.zeros((2, 9), np.float32), None, InputError, "sample_rate"),
        (np.zeros((1, 2, 9), np.float32), RATE, InputError, r"\[channel, time\]"),
        (np.zeros((RATE, 2), np.float32), RATE, InputError, r"samples\.T"),
    ],
)
def test_what_cannot_be_separated_is_refused(
    separator: Separator,
    samples: Any,
    rate: int | None,
    error: type[Exception],
    reason: str,
) -> None:
    with pytest.raises(error, match=reason):
        separator.separate(samples, rate)


def test_progress_goes_to_the_end_and_can_cancel(separator: Separator) -> None:
    seen: list[Progress] = []
    separator.separate(noise(20 * RATE), RATE, on_progress=seen.append)
    assert [each.fraction for each in seen][:: len(seen) - 1] == [0, 1]
    assert len(seen) > 2

    def cancel(progress: Progress) -> None:
        if progress.done_s:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        separator.separate(noise(20 * RATE), RATE, on_progress=cancel)
    separator.separate(noise(100), RATE)


def test_threads_share_one_model(tiny: Path) -> None:
    songs = [noise(RATE, seed=seed) for seed in range(4)]
    alone = Separator(str(tiny), threads=1)
    expected = [alone.separate(song, RATE) for song in songs]
    with Separator(str(tiny), threads=1) as shared, ThreadPoolExecutor(4) as pool:
        barrier = threading.Barrier(4)

        def work(song: Samples) -> Stems:
            barrier.wait()
            return shared.separate(song, RATE)

        for stems, alike in zip(pool.map(work, songs), expected, strict=True):
            for name, stem in stems.items():
                np.testing.assert_array_equal(stem.samples, alike[name].samples)


def test_closing_frees_the_networks_and_another_song_loads_them_again(tiny: Path) -> None:
    def loaded() -> int:
        gc.collect()
        return sum(type(each) is DemucsNetwork for each in gc.get_objects())

    before = loaded()
    with Separator(str(tiny), ["bass"], threads=1) as separator:
        first = separator.separate(noise(100), RATE)
        assert loaded() > before
    assert loaded() == before
    again = separator.separate(noise(100), RATE)
    np.testing.assert_array_equal(again["bass"].samples, first["bass"].samples)


def test_a_network_that_runs_out_of_memory_computes_in_another_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = MaskNetwork.run

    def run_out_once(self: MaskNetwork, mixture: Samples, statistics: MixtureStatistics) -> Samples:
        lengths.append(mixture.shape[1])
        used.add(self)
        if len(lengths) == 2:
            raise MemoryError
        return run(self, mixture, statistics)

    def load_alone(self: MaskNetwork, *arguments: Any) -> None:
        gc.collect()
        assert not used, "the memory may not suffice for two networks"
        load(self, *arguments)

    lengths: list[int] = []
    used: weakref.WeakSet[MaskNetwork] = weakref.WeakSet()
    load = MaskNetwork.__init__
    monkeypatch.setattr(MaskNetwork, "__init__", load_alone)
    monkeypatch.setattr(MaskNetwork, "run", run_out_once)
    song = noise(30 * RATE)
    with Separator("lite") as separator:
        stems = separator.separate(song, RATE)
    assert lengths[0] == lengths[1] == 2 * lengths[2]
    np.testing.assert_allclose(total(stems), song, atol=6 * 2**-23)


def test_a_network_that_no_way_has_memory_for_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(self: MaskNetwork, *_: object) -> None:
        raise RuntimeError("std::bad_alloc")

    monkeypatch.setattr(MaskNetwork, "__init__", load)
    with pytest.raises(ResourceError, match="the memory does not suffice for lite"):
        Separator("lite").separate(np.zeros((2, RATE), np.float32), RATE)
