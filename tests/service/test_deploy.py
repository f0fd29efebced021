"""The examples for operators."""

import re
from pathlib import Path

import pytest

from unbraid.service.settings import Settings

DEPLOY = Path(__file__).parents[2] / "deploy"
EXAMPLES = ("unbraid.service", "Caddyfile", "nginx.conf")


@pytest.mark.parametrize(
    "file", [*(DEPLOY / name for name in EXAMPLES), DEPLOY / "../docs/service.md"]
)
def test_the_settings_that_are_named_exist(file: Path) -> None:
    there = {f"UNBRAID_{name}".upper() for name in Settings.model_fields}
    assert set(re.findall(r"\bUNBRAID_[A-Z_]*[A-Z]\b", file.read_text("utf-8"))) <= there


def test_every_setting_is_explained() -> None:
    told = (DEPLOY / "../docs/service.md").read_text("utf-8")
    assert not [name for name in Settings.model_fields if f"UNBRAID_{name}".upper() not in told]
