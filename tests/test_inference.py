import gc
import weakref
from collections.abc import Iterator

import pytest

from unbraid.inference import keep_sessions, open_session
from unbraid.weights.entries import DATA

NETWORK = DATA / "lite.onnx"


@pytest.fixture
def keeping_one() -> Iterator[None]:
    keep_sessions(1)
    yield
    keep_sessions(0)


def test_a_network_is_given_back_after_use() -> None:
    session = weakref.ref(open_session(NETWORK, 1))
    gc.collect()
    assert session() is None


@pytest.mark.usefixtures("keeping_one")
def test_the_networks_used_last_are_kept_where_that_is_asked_for() -> None:
    first = weakref.ref(open_session(NETWORK, 1))
    assert open_session(NETWORK, 1) is first()
    open_session(NETWORK, 2)
    gc.collect()
    assert first() is None
