from collections.abc import Iterator
from pathlib import Path

import pytest
import torch


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Small networks gain nothing from more, and lose much where the cores are busy."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def first(recordings: Path) -> Path:
    """Folder of the first network."""
    folder = recordings.parent / "lite"
    if not folder.exists():
        pytest.skip("the first network does not lie beside the recordings")
    return folder
