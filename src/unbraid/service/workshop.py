"""What a worker works with."""

from dataclasses import dataclass
from pathlib import Path

from unbraid.service.claims import Claims
from unbraid.service.fetching import Fetcher
from unbraid.service.settings import Settings
from unbraid.service.storage import Storage


@dataclass(frozen=True)
class Workshop:
    """What a worker works with."""

    settings: Settings
    claims: Claims
    storage: Storage
    fetcher: Fetcher


def work_folder(settings: Settings) -> Path:
    """Where workers keep what is unfinished, from which a later attempt goes on."""
    return settings.data / "work"
