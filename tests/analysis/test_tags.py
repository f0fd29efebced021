import hashlib
import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from unbraid import analyze
from unbraid.analysis.tags import AudioTagger, check_tagger
from unbraid.audio import load
from unbraid.errors import Cancelled, MissingExtraError, ModelError
from unbraid.types import ProcessOptions, Samples

for package in ("torch", "transformers"):
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed", allow_module_level=True)

RATE = 16_000
FRAMES = 128
WINDOW = (FRAMES - 1) * 160 + 400
LABELS = ["Speech", "Music", "Electric guitar", "Snare drum", "Silence"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny network of random weights, in the folder layout of the hub."""
    import torch
    from transformers import ASTConfig, ASTFeatureExtractor, ASTForAudioClassification

    folder = tmp_path_factory.mktemp("model") / "tiny ast – 夜"
    torch.manual_seed(0)
    config = ASTConfig(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_length=FRAMES,
        num_mel_bins=64,
        initializer_range=0.5,
        id2label=dict(enumerate(LABELS)),
        label2id={label: k for k, label in enumerate(LABELS)},
    )
    ASTForAudioClassification(config).save_pretrained(folder)
    ASTFeatureExtractor(max_length=FRAMES, num_mel_bins=64).save_pretrained(folder)
    return folder


def noise(length: int) -> Samples:
    steps = np.random.default_rng(1).normal(0, 0.1, (1, length))
    envelope = 0.1 + np.abs(np.sin(np.arange(length) / 7_000))
    samples: Samples = (steps * envelope).astype(np.float32).repeat(2, axis=0)
    return samples


def published(model: Path, samples: Samples) -> dict[str, float]:
    """What the pipeline of transformers says of one window."""
    from transformers import pipeline

    classify: Any = pipeline("audio-classification", model=str(model))
    found = classify(samples[0], top_k=len(LABELS), function_to_apply="sigmoid")
    return {each["label"]: each["score"] for each in found}


def test_a_window_has_the_scores_that_transformers_gives(model: Path) -> None:
    samples = noise(WINDOW - 3_000)
    sounds = AudioTagger(str(model))(lambda start, stop: samples[:, start:stop], WINDOW, RATE)
    expected = {name: score for name, score in published(model, samples).items() if score >= 0.05}
    assert [each.label for each in sounds] == sorted(expected, key=lambda name: -expected[name])
    for each in sounds:
        assert each.score == pytest.approx(expected[each.label], abs=0.001)
        assert each.share == float(expected[each.label] > 0.5)


def test_a_long_recording_has_the_mean_of_its_windows_and_is_read_in_blocks(model: Path) -> None:
    windows = 6
    samples = noise(windows * WINDOW)
    longest = 0

    def read(start: int, stop: int) -> Samples:
        nonlocal longest
        longest = max(longest, stop - start)
        return samples[:, start:stop]

    done: list[float] = []
    sounds = AudioTagger(str(model))(read, samples.shape[1], RATE, done.append)
    parts = [published(model, part) for part in np.split(samples, windows, axis=1)]
    for each in sounds:
        scores = [part[each.label] for part in parts]
        assert each.score == pytest.approx(np.mean(scores), abs=0.001)
        assert each.share == pytest.approx(np.mean(np.array(scores) > 0.5), abs=0.001)
    assert longest <= 5 * RATE
    assert done == pytest.approx([(k + 1) * WINDOW / RATE for k in range(windows)])


def test_any_rate_is_resampled(model: Path) -> None:
    import soxr

    samples = noise(3 * WINDOW)
    tagger = AudioTagger(str(model))
    at_16 = tagger(lambda start, stop: samples[:, start:stop], samples.shape[1], RATE)
    higher = soxr.resample(samples.T, RATE, 44_100).T
    at_44 = tagger(lambda start, stop: higher[:, start:stop], higher.shape[1], 44_100)
    assert [each.label for each in at_44] == [each.label for each in at_16]
    for one, other in zip(at_16, at_44, strict=True):
        assert one.score == pytest.approx(other.score, abs=0.02)


@pytest.mark.parametrize("length", [0, 100, 401])
def test_hardly_any_sound_is_no_error(model: Path, length: int) -> None:
    samples = noise(length)
    sounds = AudioTagger(str(model))(lambda start, stop: samples[:, start:stop], length, RATE)
    assert bool(sounds) == (length > 400)


def test_it_can_be_cancelled_between_windows(model: Path) -> None:
    samples = noise(3 * WINDOW)

    def cancel(done_s: float) -> None:
        raise Cancelled("enough")

    with pytest.raises(Cancelled):
        AudioTagger(str(model))(
            lambda start, stop: samples[:, start:stop], samples.shape[1], RATE, cancel
        )


def test_what_is_no_model_is_refused(model: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"config\.json"):
        check_tagger(str(tmp_path))
    with pytest.raises(ModelError, match="no folder"):
        check_tagger("nonsense")
    with pytest.raises(ModelError, match="go online"):
        AudioTagger("nobody/nothing-of-the-kind", offline=True)
    for file in model.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    weights = tmp_path / "model.safetensors"
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    (tmp_path / "SHA256SUMS").write_text(f"{digest}  model.safetensors\n")
    check_tagger(str(tmp_path))
    weights.write_bytes(weights.read_bytes()[:-1] + b"\0\0")
    with pytest.raises(ModelError, match="damaged"):
        check_tagger(str(tmp_path))
    (tmp_path / "SHA256SUMS").unlink()
    weights.write_bytes(b"nonsense")
    with pytest.raises(ModelError, match="cannot be had"):
        AudioTagger(str(tmp_path))


def test_without_its_package_it_says_what_to_install(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingExtraError, match=r"unbraid\[tags\]"):
        check_tagger(str(model))


def test_the_analysis_of_a_song_names_its_sounds(model: Path, tmp_path: Path) -> None:
    song = tmp_path / "song.wav"
    soundfile.write(song, noise(2 * RATE).T, RATE)
    found = analyze(song, ProcessOptions(tags=str(model)))
    sounds = AudioTagger(str(model))(lambda start, stop: load(song).samples, 2 * RATE, RATE)
    assert found.sounds
    assert {each.label for each in found.sounds} <= set(LABELS)
    assert all(each.score is not None for each in found.sounds)
    assert found.sounds[0].label == sounds[0].label
