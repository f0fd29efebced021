"""How the models of a separation compute on a machine, and what to do where that does not work."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from unbraid.errors import ResourceError, UnbraidError
from unbraid.separation.machine import MachineFacts
from unbraid.separation.memory import Needs, estimate_bytes
from unbraid.separation.runtime import Architecture, Provider, Runtime, choose_runtime
from unbraid.types import SeparationOptions

MARGIN = 1.2  # of what is available to what is estimated
SHORTEST_S: dict[Architecture, float] = {"mask": 5.0, "openunmix": 7.0, "demucs": 5.0}
OUT_OF_MEMORY = (  # as torch, CUDA, onnxruntime and OpenVINO say it
    "out of memory",
    "bad_alloc",
    "bad allocation",
    "can't allocate memory",
    "failed to allocate memory",
)


@dataclass(frozen=True)
class Way:
    """How models compute.

    Attributes:
        options: what the user asked for.
        facts: what the machine has.
        needs: what each model's memory depends on, by its name.
        runtimes: where and how each model computes.
        losses: in what a model's runtime is less than the best, by its name.
    """

    options: SeparationOptions
    facts: MachineFacts
    needs: Mapping[str, Needs]
    runtimes: Mapping[str, Runtime]
    losses: Mapping[str, str] = field(default_factory=dict)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know of the losses."""
        return tuple(dict.fromkeys(self.losses.values()))

    @property
    def estimated_bytes(self) -> int:
        """Peak memory of all models together."""
        return sum(self._estimates().values())

    def fitted(self) -> "Way":
        """A way that fits into the memory that is available.

        Raises:
            ResourceError: there is none.
        """
        available = self.facts.available_bytes
        if available is None or self.estimated_bytes * MARGIN <= available:
            return self
        needed, free = (f"{count / 1e9:.1f} GB" for count in (self.estimated_bytes, available))
        why = f"about {needed} of memory would be needed otherwise, {free} are free"
        if smaller := self._smaller(why):
            return smaller.fitted()
        raise ResourceError(
            f"{'+'.join(self.needs)} needs about {needed} of memory and 20 % in reserve, {free} "
            "are free; close other programs or choose a smaller model, such as lite"
        )

    def after(self, error: Exception) -> "Way | None":
        """What to try after an error; None where nothing else can help.

        Raises:
            ResourceError: the memory does not suffice for any way.
        """
        on_gpu = any(runtime.device != "cpu" for runtime in self.runtimes.values())
        if is_out_of_memory(error):
            why = "the memory did not suffice otherwise"
            if smaller := self._smaller(why):
                return smaller
            if on_gpu:
                return self._on_cpu(why)
            raise ResourceError(
                f"the memory does not suffice for {'+'.join(self.needs)}; close other programs, "
                "use fewer --jobs, or choose a smaller model, such as lite"
            ) from error
        if (
            on_gpu
            and self.options.device == "auto"
            and not isinstance(error, (UnbraidError, OSError))
        ):
            return self._on_cpu(f"the GPU failed ({str(error).splitlines()[0]})")
        return None

    def _estimates(self) -> dict[str, int]:
        return {name: estimate_bytes(self.runtimes[name], self.needs[name]) for name in self.needs}

    def _smaller(self, why: str) -> "Way | None":
        """With less memory for the model that takes the most and can do with less."""
        estimates = self._estimates()
        for name in sorted(estimates, key=lambda name: -estimates[name]):
            if step := self._step(self.runtimes[name], self.needs[name]):
                runtime, what = step
                return self._changed({name: runtime}, f"{name} {what}: {why}.")
        return None

    def _step(self, runtime: Runtime, needs: Needs) -> tuple[Runtime, str] | None:
        if runtime.batch > 1:
            return replace(runtime, batch=1), "computes one segment at a time"
        if needs.architecture == "htdemucs":  # which hears its whole window whatever the segment
            return self._other_library(runtime, needs)
        segment_s = (runtime.segment_s or needs.segment_s) / 2
        if segment_s < SHORTEST_S[needs.architecture]:
            return None
        return replace(runtime, segment_s=segment_s), f"computes in segments of {segment_s:.3g} s"

    def _other_library(self, runtime: Runtime, needs: Needs) -> tuple[Runtime, str] | None:
        libraries: tuple[Provider, ...] = ("onnxruntime", "torch")
        for provider in libraries if self.facts.has_torch else libraries[:1]:
            other = replace(runtime, provider=provider, arithmetic="float32")
            if estimate_bytes(other, needs) < estimate_bytes(runtime, needs):
                return other, f"computes with {provider}"
        return None

    def _on_cpu(self, why: str) -> "Way":
        options = replace(self.options, device="cpu")
        runtimes = {
            name: choose_runtime(options, needs.architecture, self.facts)
            for name, needs in self.needs.items()
        }
        return self._changed(runtimes, f"The CPU computes: {why}.").fitted()

    def _changed(self, runtimes: Mapping[str, Runtime], what: str) -> "Way":
        changed = {
            name: replace(runtime, reasons=(*runtime.reasons, what))
            for name, runtime in runtimes.items()
        }
        losses = {**self.losses, **dict.fromkeys(changed, what)}
        return replace(self, runtimes={**self.runtimes, **changed}, losses=losses)


def choose_way(options: SeparationOptions, needs: Mapping[str, Needs], facts: MachineFacts) -> Way:
    """The best way for models to compute that the memory allows.

    Args:
        options: what the user asks for.
        needs: of each model, by its name.
        facts: what the machine has.

    Raises:
        InputError: the device that is asked for is not there.
        ResourceError: the memory does not suffice.
    """
    runtimes = {
        name: choose_runtime(options, each.architecture, facts) for name, each in needs.items()
    }
    return Way(options, facts, needs, runtimes).fitted()


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error, or what caused it, says that there was not enough memory."""
    if isinstance(error, UnbraidError):  # whose own words may name files
        return error.__cause__ is not None and is_out_of_memory(error.__cause__)
    text = str(error).lower()
    return isinstance(error, MemoryError) or any(words in text for words in OUT_OF_MEMORY)
