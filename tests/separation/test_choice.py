from pathlib import Path

import pytest
from tests.hub import network_file

from unbraid.errors import InputError, ModelError
from unbraid.separation import ModelChoice, choose_models
from unbraid.weights import ModelStore

FOUR = ("drums", "bass", "other", "vocals")


def choose(
    name: str, stems: tuple[str, ...] | None = None, **weights: tuple[float, ...]
) -> ModelChoice:
    return choose_models(name, stems, weights, ModelStore(Path("nowhere")))


def shares(choice: ModelChoice) -> dict[str, dict[str, float]]:
    return {part.entry.name: dict(part.shares) for part in choice.parts}


def folder_with_a_model(folder: Path, stems: list[str], sample_rate: int = 44_100) -> str:
    folder.mkdir()
    (folder / "abcd1234.safetensors").write_bytes(network_file(stems, sample_rate=sample_rate))
    (folder / f"{folder.name}.yaml").write_text("models: ['abcd1234']\n")
    return str(folder)


def test_models_count_alike_unless_weights_say_otherwise() -> None:
    choice = choose("htdemucs_ft+mdx_extra", vocals=(3, 1), drums=(1, 0))
    assert (choice.name, choice.stems, choice.complete) == ("htdemucs_ft+mdx_extra", FOUR, True)
    assert shares(choice) == {
        "htdemucs_ft": {"drums": 1, "bass": 0.5, "other": 0.5, "vocals": 0.75},
        "mdx_extra": {"bass": 0.5, "other": 0.5, "vocals": 0.25},
    }


def test_a_model_without_a_share_takes_no_part() -> None:
    choice = choose("umxl+lite", ("vocals",), vocals=(0, 1))
    assert shares(choice) == {"lite": {"vocals": 1}}
    assert (choice.licence, choice.complete) == ("MIT", False)


def test_licences_of_all_models_are_named_once() -> None:
    assert choose("htdemucs+umxl+lite").licence == "MIT; CC BY-NC-SA 4.0"


def test_a_stem_that_one_model_has_comes_from_that_one() -> None:
    choice = choose("htdemucs_ft+htdemucs_6s")
    assert choice.stems == (*FOUR, "guitar", "piano")
    assert [part.shares.get("guitar") for part in choice.parts] == [None, 1]


def test_other_comes_from_the_models_in_which_it_means_the_same() -> None:
    choice = choose("htdemucs_ft+htdemucs_6s")
    assert [part.shares.get("other") for part in choice.parts] == [None, 1]
    given = choose("htdemucs_ft+htdemucs_6s", other=(1, 1))
    assert [part.shares["other"] for part in given.parts] == [0.5, 0.5]


def test_a_folder_whose_name_has_a_plus_is_one_model(tmp_path: Path) -> None:
    folder = folder_with_a_model(tmp_path / "a+b", ["vocals", "rest of it"])
    assert choose(folder).name == "a+b"


def test_models_of_different_rates_are_not_combined(tmp_path: Path) -> None:
    folder = folder_with_a_model(tmp_path / "low", ["vocals", "other"], sample_rate=22_050)
    with pytest.raises(InputError, match="lite 44100 Hz, low 22050 Hz"):
        choose(f"lite+{folder}")


@pytest.mark.parametrize(
    ("weights", "reason"),
    [
        ({"kazoo": (1, 1)}, "no stem kazoo"),
        ({"vocals": (1,)}, "one number is needed for each model, got 1"),
        ({"vocals": (1, -1)}, "must be 0 or more, got 1, -1"),
        ({"vocals": (1, float("nan"))}, "must be 0 or more"),
        ({"vocals": (0, 0)}, "at least one must be above 0"),
        ({"guitar": (1, 1)}, "htdemucs does not have that stem"),
    ],
)
def test_impossible_weights_are_refused(weights: dict[str, tuple[float, ...]], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        choose_models("htdemucs+htdemucs_6s", None, weights, ModelStore(Path("nowhere")))


def test_a_model_named_twice_is_refused() -> None:
    with pytest.raises(InputError, match="two models of one name"):
        choose("lite+lite")


def test_an_unknown_model_among_several_is_refused() -> None:
    with pytest.raises(ModelError, match="there is no model 'heavy'"):
        choose("lite+heavy")


@pytest.mark.parametrize("name", ["", "lite+", "+lite", "lite++htdemucs"])
def test_a_missing_name_among_several_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="should be a model, or several"):
        choose(name)
