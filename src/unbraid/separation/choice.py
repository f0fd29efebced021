"""Which models the stems come from, and with what shares."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from unbraid.errors import InputError
from unbraid.types import StemName
from unbraid.weights import ModelEntry, ModelStore, models

REMAINDER = "other"  # means in each model what its own stems leave


@dataclass(frozen=True)
class Part:
    """What is taken from one model.

    Attributes:
        entry: the model.
        shares: of the stems that are wanted of it, in its order; above 0, and 1 over all models.
    """

    entry: ModelEntry
    shares: Mapping[StemName, float]

    @property
    def stems(self) -> tuple[StemName, ...]:
        """Those that are wanted of it."""
        return tuple(self.shares)


@dataclass(frozen=True)
class ModelChoice:
    """A model, or several that are averaged stem by stem.

    Attributes:
        name: of the model; those of several are joined by +.
        stems: those wanted, in the order of the models.
        complete: whether these are all that the models have.
        parts: the models that have a share of these stems.
    """

    name: str
    stems: tuple[StemName, ...]
    complete: bool
    parts: tuple[Part, ...]

    @property
    def sample_rate(self) -> int:
        """Samples per second, which all models have in common."""
        return self.parts[0].entry.sample_rate

    @property
    def licence(self) -> str:
        """Of the weights that take part."""
        return "; ".join(dict.fromkeys(part.entry.licence for part in self.parts))


def choose_models(
    name: str,
    stems: Sequence[StemName] | None,
    weights: Mapping[StemName, Sequence[float]],
    store: ModelStore,
) -> ModelChoice:
    """Find the models that a name means; asks no network.

    Args:
        name: of a model or of a folder that holds one, or several of them joined by +.
        stems: those wanted; None for all that any of the models has.
        weights: of stems, a number for each model. In a stem without, all models count alike that
            have it; but `other` is then taken only from those that have all stems, if there are
            any: to a model with fewer it means more.
        store: where models lie.

    Raises:
        ModelError: a model is unknown.
        InputError: the models cannot be averaged, or have no such stems, or not such weights.
        MissingExtraError: a folder cannot be read without the extra `demucs`.
    """
    entries = [store.find(each) for each in _split(name)]
    name = "+".join(entry.name for entry in entries)
    _check_compatible(entries, name)
    every = tuple(dict.fromkeys(stem for entry in entries for stem in entry.stems))
    _check_known(every if stems is None else stems, every, name)
    _check_known(weights or every, every, name)
    shares = {stem: _shares(stem, every, entries, weights.get(stem)) for stem in every}
    wanted = tuple(stem for stem in every if stems is None or stem in stems)
    parts = [
        Part(entry, {s: shares[s][i] for s in entry.stems if s in wanted and shares[s][i]})
        for i, entry in enumerate(entries)
    ]
    return ModelChoice(name, wanted, wanted == every, tuple(part for part in parts if part.shares))


def _split(name: str) -> list[str]:
    """The models of a name; a folder's own name may hold a +."""
    names = [name] if name in models() or Path(name).is_dir() else name.split("+")
    if not all(names):
        raise InputError(f"{name!r} should be a model, or several as in htdemucs_ft+mdx_extra")
    return names


def _check_compatible(entries: Sequence[ModelEntry], name: str) -> None:
    if len({entry.name for entry in entries}) < len(entries):
        raise InputError(f"{name} has two models of one name; to let one count more, use weights")
    if len({entry.sample_rate for entry in entries}) > 1:
        rates = ", ".join(f"{entry.name} {entry.sample_rate} Hz" for entry in entries)
        raise InputError(f"models of different sample rates cannot be combined: {rates}")


def _check_known(stems: Iterable[StemName], every: Sequence[StemName], name: str) -> None:
    unknown = [stem for stem in stems if stem not in every]
    if unknown or not stems:
        raise InputError(
            f"the model {name} has no stem {', '.join(unknown) or '(none named)'}; "
            f"it has: {', '.join(every)}"
        )


def _shares(
    stem: StemName,
    every: Sequence[StemName],
    entries: Sequence[ModelEntry],
    given: Sequence[float] | None,
) -> list[float]:
    """The part of each model in a stem; they sum to 1."""
    if given is None:
        able = [stem in entry.stems for entry in entries]
        whole = [len(entry.stems) == len(every) for entry in entries]
        given = whole if stem == REMAINDER and any(whole) else able
    elif problem := _problem(stem, entries, given):
        names = ", ".join(entry.name for entry in entries)
        raise InputError(f"the weights of {stem} in {names}: {problem}")
    return [weight / sum(given) for weight in given]


def _problem(stem: StemName, entries: Sequence[ModelEntry], weights: Sequence[float]) -> str | None:
    """What is wrong with the weights of a stem."""
    if len(weights) != len(entries):
        return f"one number is needed for each model, got {len(weights)}"
    if not all(math.isfinite(weight) and weight >= 0 for weight in weights):
        return f"they must be 0 or more, got {', '.join(f'{weight:g}' for weight in weights)}"
    if not any(weights):
        return "at least one must be above 0; to leave a stem out, name the others as stems"
    for entry, weight in zip(entries, weights, strict=True):
        if weight and stem not in entry.stems:
            return f"{entry.name} does not have that stem, so its weight must be 0, got {weight:g}"
    return None
