import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.hub import network_file
from typer.testing import CliRunner

from unbraid.cli import app
from unbraid.diagnosis import diagnose_model
from unbraid.separation.machine import read_machine
from unbraid.types import SeparationOptions
from unbraid.weights import ModelStore

ANY = SeparationOptions()


def doctor(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["doctor", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.stdout, result.stderr


def test_the_built_in_model_can_run(tmp_path: Path) -> None:
    code, text, _ = doctor("--models-dir", tmp_path / "models", "--cache-dir", tmp_path / "cache")
    assert code == 0
    assert "cpu, onnxruntime, float32" in text
    assert str(tmp_path / "models") in text


def test_all_that_is_found_is_in_the_json(tmp_path: Path) -> None:
    code, text, _ = doctor("--model", "htdemucs_ft", "--models-dir", tmp_path, "--json")
    found = json.loads(text)
    assert code == 0
    assert found["machine"]["cores"] >= 1
    assert found["packages"]["torch"]
    assert found["model"]["runtimes"]["htdemucs_ft"]["reasons"]
    assert found["model"]["estimated_bytes"] > 2e9
    assert (found["model"]["here"], found["offline"]) == (False, False)


@pytest.mark.parametrize(
    ("arguments", "code", "what"),
    [
        (["--model", "heavy"], 4, "there is no model 'heavy'"),
        (["--model", "htdemucs", "--offline"], 4, "unbraid models pull htdemucs"),
        (["--model", "umxl"], 4, "unbraid models pull umxl"),
        (["--segment", "0"], 2, "segment_s must be"),
    ],
)
def test_what_cannot_run_is_said_with_what_to_do(
    arguments: list[str], code: int, what: str, tmp_path: Path
) -> None:
    exit_code, _, err = doctor(*arguments, "--models-dir", tmp_path)
    assert exit_code == code
    assert what in " ".join(err.replace("│", " ").split())


def test_too_little_memory_is_found_before_a_song_is(tmp_path: Path) -> None:
    facts = replace(read_machine(), gpu=None, available_bytes=10**9)
    found = diagnose_model("htdemucs", ANY, ModelStore(tmp_path), facts)
    assert found.problem_kind == "ResourceError"
    assert "close other programs" in (found.problem or "")


def test_files_that_are_here_tell_what_a_model_is(tmp_path: Path) -> None:
    folder = tmp_path / "htdemucs"
    folder.mkdir()
    (folder / "955717e8.safetensors").write_bytes(network_file(["vocals"]))
    facts = replace(read_machine(), gpu=None, has_openvino=False)
    found = diagnose_model("htdemucs", ANY, ModelStore(tmp_path), facts)
    assert found.here
    assert found.runtimes["htdemucs"].provider == "onnxruntime"


def test_a_package_that_is_missing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = read_machine()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    found = diagnose_model("hdemucs_mmi", ANY, ModelStore(tmp_path), facts)
    assert found.problem_kind == "MissingExtraError"
    assert "pip install 'unbraid[demucs]'" in (found.problem or "")
