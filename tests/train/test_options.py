from dataclasses import replace
from pathlib import Path

import pytest
from train.ablate import read_variations
from train.options import NetworkOptions, read_options

from unbraid.errors import InputError

RECIPES = Path(__file__).parents[2] / "train"


def test_the_recipes_are_of_the_network_that_ships() -> None:
    recipe = read_options(RECIPES / "lite.toml")
    variations = read_variations(RECIPES / "ablation.toml")
    assert recipe.network == variations["all"].network == NetworkOptions()
    assert replace(recipe.data, remixed=0.5) == variations["all"].data


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[data]\nbatchsize = 4", "data.batchsize: there is no such option"),
        ("[dta]\nbatch_size = 4", "dta: there is no such option"),
        ("[data]\nbatch_size = 0", "data.batch_size: input should be greater than 0"),
        ("[data]\nremixed = 1.5", "data.remixed: input should be less than or equal to 1"),
        ("[augmentation]\ndrop = [0.1, 0.1]", "augmentation.drop.2: field required"),
        ("[network]\ndilations = [1]\nbottleneck_dilations = [[1], [1]]", "room for 1 global"),
        ("[run]\ndevice = 'abacus'", "run.device: input should be 'cpu' or 'cuda'"),
        ("[run", "cannot be read"),
    ],
)
def test_what_has_no_meaning_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    file = tmp_path / "options.toml"
    file.write_text(text)
    with pytest.raises(InputError, match=r"options\.toml") as refusal:
        read_options(file)
    assert complaint in str(refusal.value)


def test_the_command_line_takes_the_place_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "options.toml"
    file.write_text("[run]\nminutes = 3\nseed = 7")
    options = read_options(file, {"run": {"minutes": 5}, "validation": {"references": tmp_path}})
    assert (options.run.minutes, options.run.seed) == (5, 7)
    assert options.validation.references == tmp_path
    with pytest.raises(InputError, match=r"run\.minutes: input should be greater"):
        read_options(file, {"run": {"minutes": -1}})


def test_a_missing_file_is_named() -> None:
    with pytest.raises(InputError, match=r"nowhere\.toml cannot be read"):
        read_options(Path("nowhere.toml"))
