"""Whether an order makes sense, before it is queued."""

from unbraid.audio import check_writable
from unbraid.errors import InputError, ModelError
from unbraid.export.naming import check_template
from unbraid.export.stems import check_options
from unbraid.export.tempo_map import check_tempo
from unbraid.separation import choose_models
from unbraid.service.jobs import Order
from unbraid.weights import ModelStore, models

MAX_SHIFTS = 5  # each takes as long as the whole song


def check_order(order: Order, store: ModelStore) -> None:
    """Refuse what `process` would refuse, and what only a user of this machine may ask for.

    Raises:
        InputError: options that do not fit together.
        ModelError: a model is unknown; folders with models are for the command line alone.
    """
    options = order.options
    for name in filter(None, (options.model, order.fallback)):
        if unknown := [each for each in name.split("+") if each not in models()]:
            raise ModelError(
                f"there is no model {unknown[0]!r}; choose one of: {', '.join(models())}"
            )
    if options.separation.shifts > MAX_SHIFTS:
        raise InputError(f"shifts may be {MAX_SHIFTS} at most here")
    if options.tags:
        raise InputError("audio tags are for the command line alone; leave out tags")
    check_options(options)
    check_template(options.name)
    check_writable(options.format, options.bit_depth)
    if options.midi_tempo is not None:
        check_tempo(options.midi_tempo)
    choose_models(options.model, options.stems, options.separation.weights, store)
