import pytest

from unbraid.service.networks import BASIC_PITCH, layers_of
from unbraid.weights import models


@pytest.mark.parametrize("name", [*models(), BASIC_PITCH])
def test_every_network_can_be_drawn_from_its_inputs_to_its_end(name: str) -> None:
    layers = layers_of(name)
    assert layers
    heard: set[str] = set()
    for layer in layers:
        assert layer.name not in heard
        assert heard.issuperset(layer.hears)
        assert bool(layer.hears) == (layer.kind != "input")
        assert 0 < layer.extent <= 1
        heard.add(layer.name)
    used = {name for layer in layers for name in layer.hears}
    assert {layer.name for layer in layers} - used <= {layers[-1].name, "note", "onset", "mask"}


def test_an_unknown_network_has_no_layers() -> None:
    assert layers_of("nobody") is None
