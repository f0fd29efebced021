from dataclasses import replace
from typing import Any

import pytest

from unbraid.audio import Tags
from unbraid.export.reuse import Recipe
from unbraid.separation.cache import cache_key
from unbraid.separation.runtime import Runtime
from unbraid.types import ProcessOptions

RECIPE = Recipe(
    unbraid_version="1",
    input_sha256="a",
    warnings=(),
    tags=Tags(title="Song", cover=b"\x89PNG"),
    track=None,
    weights={"lite": "b"},
    options=ProcessOptions(),
    runtimes={"lite": Runtime("cpu", "onnxruntime", "float32")},
    threads=2,
    versions={"numpy": "2"},
)


@pytest.mark.parametrize(
    "change",
    [
        {"unbraid_version": "2"},
        {"input_sha256": "c"},
        {"warnings": ("cut short",)},
        {"tags": Tags(title="Song", cover=b"\xff\xd8")},
        {"track": "song"},
        {"weights": {"lite": "c"}},
        {"options": ProcessOptions(model="other")},
        {"options": ProcessOptions(bit_depth="16")},
        {"options": ProcessOptions(midi=False)},
        {"runtimes": {"lite": Runtime("cpu", "openvino", "float32")}},
        {"runtimes": {"lite": Runtime("cpu", "onnxruntime", "bfloat16")}},
        {"runtimes": {"lite": Runtime("cuda", "onnxruntime", "float32")}},
        {"runtimes": {"lite": Runtime("cpu", "onnxruntime", "float32", 5.0)}},
        {"threads": 1},
        {"versions": {"numpy": "3"}},
    ],
)
def test_any_change_of_a_recipe_is_another_result(change: dict[str, Any]) -> None:
    assert cache_key(replace(RECIPE, **change)) != cache_key(RECIPE)


def test_the_same_recipe_is_the_same_result() -> None:
    assert cache_key(replace(RECIPE)) == cache_key(RECIPE)
