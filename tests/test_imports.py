import ast
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import unbraid

PACKAGE = Path(unbraid.__file__).parent

# A module may import those of its own layer and of lower ones.
LAYERS = [
    {"types", "errors", "spelling"},
    {"audio", "weights", "inference", "presets"},
    {"separation", "transcription", "analysis", "demo", "scoring"},
    {"export"},
    {"stages"},
    {"analysing", "transcribing"},
    {"pipeline", "transcript", "rewriting", "recording", "diagnosis"},
    {"trial", "batch", "listening", "exporting", "retranscribing", "correcting", "comparing"},
    {"terminal", "service"},
    {"cli", "gradio_app"},
]
STRANGERS = [{"separation"}, {"transcription"}, {"analysis"}]
LEVEL = {part: level for level, parts in enumerate(LAYERS) for part in parts}
SHELLS = {"fastapi", "starlette", "celery", "sqlalchemy", "gradio", "typer", "rich"}
SHELL_HOMES = {"cli", "gradio_app", "terminal", "service"}
TORCH_HOMES = {
    "separation/demucs.py",
    "separation/exporting.py",
    "separation/openunmix.py",
    "analysis/tags.py",
}


def modules() -> Iterator[tuple[Path, ast.Module]]:
    for file in sorted(PACKAGE.rglob("*.py")):
        yield file.relative_to(PACKAGE), ast.parse(file.read_text("utf-8"))


def part_of(file: Path) -> str:
    return file.parts[0].removesuffix(".py")


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{name.name}" for name in node.names)


def test_every_part_of_the_package_has_a_layer() -> None:
    parts = {part_of(file) for file, _ in modules()} - {"__init__"}
    assert parts == set(LEVEL)


def test_imports_point_one_way() -> None:
    wrong = []
    for file, tree in modules():
        own = part_of(file)
        for name in imported(tree):
            if own == "__init__" or not name.startswith("unbraid."):
                continue
            other = name.split(".")[1]
            if LEVEL.get(other, 0) > LEVEL[own] or (
                {own} in STRANGERS and {other} in STRANGERS and own != other
            ):
                wrong.append(f"{file} imports {name}")
    assert not wrong


def test_frameworks_appear_only_in_shells() -> None:
    wrong = [
        f"{file} imports {name}"
        for file, tree in modules()
        for name in imported(tree)
        if name.split(".")[0] in SHELLS and part_of(file) not in SHELL_HOMES
    ]
    assert not wrong


def test_torch_appears_only_where_a_network_needs_it() -> None:
    wrong = [
        str(file)
        for file, tree in modules()
        if any(name.split(".")[0] == "torch" for name in imported(tree))
        and file.as_posix() not in TORCH_HOMES
    ]
    assert not wrong


def loaded_by(statement: str) -> set[str]:
    script = f"import sys\n{statement}\nprint(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


@pytest.mark.parametrize(
    "module", ["unbraid", "unbraid.cli", "unbraid.pipeline", "unbraid.service.server"]
)
def test_importing_loads_nothing_slow(module: str) -> None:
    slow = {"torch", "onnxruntime", "gradio", "scipy.fft", "scipy.ndimage", "scipy.signal"}
    assert not slow & loaded_by(f"import {module}")


def test_importing_unbraid_takes_less_than_0_3_s() -> None:
    def import_s(statement: str) -> float:
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", statement], check=True)
        return time.perf_counter() - began

    interpreter_s = min(import_s("pass") for _ in range(3))
    assert min(import_s("import unbraid") for _ in range(3)) - interpreter_s < 0.3


def test_every_public_name_can_be_had() -> None:
    for name in unbraid.__all__:
        assert getattr(unbraid, name) is not None


def test_a_name_that_is_not_public_is_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        unbraid.nonsense  # noqa: B018
