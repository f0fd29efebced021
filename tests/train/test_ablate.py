import json
from pathlib import Path

import pytest
from train.ablate import ablate, main, read_variations, table
from train.options import NetworkOptions

from unbraid.errors import InputError

TOML = """
[recipe]
network = {channels = 4, bottleneck = 8, dilations = [1], bottleneck_dilations = []}
data = {songs = "tests.train.tiny:compose", song_s = 1.0, workers = 0, excerpt_frames = 8}
optimiser = {steps = 2}
run = {threads = 1}

[without."swapped channels"]
augmentation = {swap = 0}

[without."the prior"]
network = {prior = 0}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "ablation.toml").write_text(TOML)
    return tmp_path / "ablation.toml"


def test_a_variation_keeps_what_it_does_not_change(file: Path) -> None:
    variations = read_variations(file)
    assert list(variations) == ["all", "swapped channels", "the prior"]
    whole, swapped, plain = variations.values()
    assert (whole.augmentation.swap, swapped.augmentation.swap) == (0.5, 0)
    assert (whole.network.prior, plain.network.prior) == (NetworkOptions().prior, 0)
    assert plain.network.channels == swapped.network.channels == 4


def test_each_variation_is_trained_once(file: Path, tmp_path: Path) -> None:
    main([str(file), "-o", str(tmp_path / "out")])
    assert "swapped channels" in (tmp_path / "out/ablation.md").read_text()
    figures = tmp_path / "out" / "the prior" / "figures.json"
    assert json.loads(figures.read_text())["step"] == 2
    figures.write_text('{"step": 2, "loss": 7}')
    assert ablate(read_variations(file), tmp_path / "out")["the prior"]["loss"] == 7


def test_variations_are_told_by_what_they_change() -> None:
    found = {"all": {"step": 2.0, "loss": 1.0, "sdr": 4.0}, "a": {"loss": 1.5, "sdr": 3.0}}
    assert table(found).splitlines()[2:] == ["| all | 1.00 | 4.00 |", "| a | +0.50 | -1.00 |"]


def test_what_has_no_meaning_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("[without.drums]\ndata = {drum = 1}")
    with pytest.raises(InputError, match=r"a.toml, drums: data.drum: there is no such option"):
        read_variations(tmp_path / "a.toml")
    with pytest.raises(SystemExit, match=r"b.toml cannot be read"):
        main([str(tmp_path / "b.toml")])
