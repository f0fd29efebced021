from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from tests.train import tiny
from train.model import STEMS, BandLinear, MaskingNetwork
from train.options import ValidationOptions
from train.validation import skipped, validate

RATE = tiny.RATE


def with_share_of(stem: str, share: float) -> MaskingNetwork:
    """A network that gives a stem this share of everything, and the others the rest alike."""
    network = MaskingNetwork(tiny.NETWORK)
    rest = (1 - share) / (len(STEMS) - 1)
    logits = torch.full((len(STEMS),), rest).log()
    logits[STEMS.index(stem)] = np.log(share)
    for layer in network.decoder:
        assert isinstance(layer, BandLinear)
        layer.weight.data.zero_()
        layer.bias.data.copy_(logits.repeat_interleave(layer.bias.shape[2] // len(STEMS)))
    return network


@pytest.fixture
def songs(tmp_path: Path) -> ValidationOptions:
    """A song of nothing but other, 6 s at another rate."""
    noise = np.random.default_rng(0).normal(0, 0.1, (6 * 32_000, 2))
    for name in ("song.flac", "song.other.flac", "band.flac"):
        soundfile.write(tmp_path / name, noise, 32_000)
    band = (tmp_path / "band.flac",)
    return ValidationOptions(tmp_path, band, voices=band)


def test_sdr_follows_from_the_share_that_a_stem_gets(songs: ValidationOptions) -> None:
    figures = validate(with_share_of("other", 0.9), songs)
    assert figures["sdr/song.other"] == pytest.approx(20, abs=0.1)  # a tenth is missing
    assert figures["sdr"] == figures["sdr/song.other"]


def test_false_voices_are_measured_against_the_mixture(songs: ValidationOptions) -> None:
    figures = validate(with_share_of("vocals", 0.1), songs)
    assert figures["false_voice/band"] == pytest.approx(-20, abs=0.1)
    assert figures["false_voice"] == figures["false_voice/band"]


def test_what_does_not_belong_in_a_voice_is_measured(songs: ValidationOptions) -> None:
    figures = validate(with_share_of("drums", 0.1), songs)
    assert figures["false_drums"] == pytest.approx(-20, abs=0.1)
    assert figures["false_bass"] == pytest.approx(20 * np.log10(0.3), abs=0.1)


def test_rumble_is_what_lies_lowest_in_vocals_and_other(songs: ValidationOptions) -> None:
    figures = validate(with_share_of("bass", 0.8), songs)
    assert figures["rumble"] == pytest.approx(20 * np.log10(2 / 15), abs=0.1)


def test_what_is_not_there_is_skipped_and_said(tmp_path: Path) -> None:
    missing = tmp_path / "missing.ogg"
    options = ValidationOptions(tmp_path, (missing,))
    assert validate(MaskingNetwork(tiny.NETWORK), options) == {}
    assert [str(tmp_path) in reason for reason in skipped(options)] == [
        True,
        False,
        True,
    ]
    assert len(list(skipped(ValidationOptions()))) == 3
