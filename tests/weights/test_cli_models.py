import json
from pathlib import Path

import pytest
from tests.hub import Hub, noise
from typer.testing import CliRunner, Result

from unbraid.cli import app

HTDEMUCS = "adefossez/HTDemucs/resolve/main/955717e8.safetensors"


@pytest.fixture
def folder(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of models, named by the environment, as is the hub."""
    monkeypatch.setenv("UNBRAID_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setenv("UNBRAID_MODELS_MIRROR", hub.url)
    return tmp_path / "models"


def models(*arguments: str, answer: str | None = None) -> Result:
    return CliRunner().invoke(app, ["models", *arguments], input=answer)


def here() -> dict[str, list[str]]:
    return {each["name"]: each["here"] for each in json.loads(models("list", "--json").stdout)}


def test_a_pulled_model_is_listed_verified_found_and_removed(hub: Hub, folder: Path) -> None:
    hub.put(HTDEMUCS, noise(5000))
    assert here()["htdemucs"] == []
    assert models("pull", "htdemucs").exit_code == 0
    assert here()["htdemucs"] == ["955717e8"]
    assert str(folder / "htdemucs" / "955717e8.safetensors") in models("verify").stdout
    assert models("path", "htdemucs").stdout.strip() == str(folder / "htdemucs")
    assert models("path").stdout.strip() == str(folder)
    assert models("remove", "htdemucs").exit_code == 0
    assert here()["htdemucs"] == []


def test_a_cut_on_the_way_goes_unnoticed(hub: Hub, folder: Path) -> None:
    hub.put(HTDEMUCS, noise(5000))
    hub.cuts = [100]
    assert models("pull", "htdemucs", "--quiet").stdout == ""
    assert here()["htdemucs"] == ["955717e8"]


def test_errors_are_one_line_and_exit_with_4(hub: Hub, folder: Path) -> None:
    for arguments, message in (
        (("pull", "nonsense"), "no model 'nonsense'"),
        (("pull", "htdemucs"), "answers 404"),
        (("pull", "htdemucs", "--offline"), "works offline"),
        (("verify", "htdemucs"), "unbraid models pull htdemucs"),
    ):
        run = models(*arguments)
        assert run.exit_code == 4
        assert run.stdout == ""
        assert run.stderr.startswith("error: ")
        assert run.stderr.count("\n") == 1
        assert message in run.stderr


def test_the_environment_can_keep_it_offline(
    hub: Hub, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNBRAID_OFFLINE", "1")
    assert models("pull", "htdemucs").exit_code == 4
    assert not hub.requests


def test_a_damaged_file_fails_the_verification(hub: Hub, folder: Path) -> None:
    hub.put(HTDEMUCS, noise(5000))
    models("pull", "htdemucs")
    (folder / "htdemucs" / "955717e8.safetensors").write_bytes(noise(5000, seed=1))
    run = models("verify")
    assert run.exit_code == 4
    assert "is damaged" in run.stderr


@pytest.mark.parametrize("answer", ["n\n", ""])
def test_a_licence_that_is_not_confirmed_keeps_the_model_away(
    hub: Hub, folder: Path, answer: str
) -> None:
    run = models("pull", "umxl", answer=answer)
    assert run.exit_code == 4
    assert "umxl is under CC BY-NC-SA 4.0: not for commercial use" in run.stderr
    assert not hub.requests


@pytest.mark.parametrize("answer", ["y\n", "--accept-licence"])
def test_a_licence_is_asked_for_once(hub: Hub, folder: Path, answer: str) -> None:
    hub.put("records/5069601/files/vocals-bccbd9aa.pth", noise(5000))
    arguments = [answer] if answer.startswith("--") else []
    run = models("pull", "umxl", *arguments, answer=answer)
    assert "CC BY-NC-SA 4.0" in run.stderr
    again = models("pull", "umxl")
    assert "Do you accept" not in again.stderr
    assert "expected bccbd9aa" in again.stderr  # the stand-in's checksum is another


def test_the_list_fits_a_narrow_terminal_and_names_licences(folder: Path) -> None:
    text = models("list").stdout
    assert max(map(len, text.splitlines())) <= 80
    assert "CC BY-NC-SA" in text
