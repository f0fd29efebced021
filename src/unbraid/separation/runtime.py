"""Where and how a separation network computes: device, library, arithmetic, segments.

The choice is a function of the user's options, of the model and of the machine. It is kept with
the result, for the last bits of the stems depend on it.
"""

from dataclasses import dataclass, field
from typing import Literal

from unbraid.errors import InputError
from unbraid.separation.machine import Gpu, MachineFacts
from unbraid.types import Device as DeviceWish
from unbraid.types import SeparationOptions

Architecture = Literal["mask", "openunmix", "demucs", "htdemucs"]
"""Kind of a model's networks; `htdemucs` if all are of that one, which has a form without torch."""

Device = Literal["cpu", "cuda", "mps"]
Provider = Literal["openvino", "onnxruntime", "torch"]
Arithmetic = Literal["float32", "bfloat16", "float16"]

GPU_LEAST_BYTES = 2e9  # with less, the CPU computes
GPU_ROOMY_BYTES = 7e9  # with less, segments are short
SHORT_SEGMENT_S = 8.0
SHORT_OVERLAP = 0.1
GPU_BATCH_BYTES = 12e9  # with more, several short segments are computed at once
BATCH = 4


@dataclass(frozen=True)
class Runtime:
    """Where and how the networks of a model compute.

    Attributes:
        device: where.
        provider: the library.
        arithmetic: of the matrix products; what is around them stays float32.
        segment_s: seconds of a segment; None takes the model's own.
        overlap: share of a segment that neighbours share; None takes the model's own.
        batch: segments at once.
        reasons: why, in sentences; they make no difference to the stems.
    """

    device: Device
    provider: Provider
    arithmetic: Arithmetic
    segment_s: float | None = None
    overlap: float | None = None
    batch: int = 1
    reasons: tuple[str, ...] = field(default=(), compare=False)


def choose_runtime(
    options: SeparationOptions,
    architecture: Architecture,
    facts: MachineFacts,
) -> Runtime:
    """Decide where and how a model computes.

    Args:
        options: what the user asks for.
        architecture: of the model's networks.
        facts: what the machine has.

    Raises:
        InputError: the device that is asked for is not there.
    """
    device, where = _choose_device(options.device, architecture, facts)
    segment_s, overlap = options.segment_s, options.overlap
    batch = 1
    reasons = [where]
    if device == "cpu":
        provider, arithmetic, how = _choose_on_cpu(options, architecture, facts)
        reasons += how
    else:
        provider, arithmetic = "torch", "float32"
        if options.precision == "fast" and device == "cuda" and architecture != "openunmix":
            arithmetic = "float16"
        gpu_bytes = facts.gpu.memory_bytes if facts.gpu else 0
        if gpu_bytes < GPU_ROOMY_BYTES:
            if architecture != "htdemucs":  # which hears its whole window whatever the segment
                segment_s = segment_s or SHORT_SEGMENT_S
            overlap = SHORT_OVERLAP if overlap is None else overlap
            reasons.append("Segments are short and overlap little: the GPU's memory is small.")
        elif device == "cuda" and architecture == "htdemucs" and gpu_bytes >= GPU_BATCH_BYTES:
            batch = BATCH
    if options.precision == "fast" and arithmetic == "float32":
        reasons.append("Fast is exact here.")
    return Runtime(device, provider, arithmetic, segment_s, overlap, batch, tuple(reasons))


def check_device(wish: DeviceWish, facts: MachineFacts) -> None:
    """Refuse a device that is not there.

    Raises:
        InputError: it is not.
    """
    gpu, obstacle = facts.gpu, _obstacle(facts)
    if not obstacle and gpu and gpu.kind != wish:
        obstacle = f"the GPU here is {_described(gpu)}, of the kind {gpu.kind}"
    if obstacle and wish not in ("auto", "cpu"):
        raise InputError(f"the device {wish} cannot be used: {obstacle}; use cpu or auto")


def check_segment(segment_s: float, longest_s: float) -> None:
    """Refuse segments that a network with attention was not trained for.

    Raises:
        InputError: the segment is too long.
    """
    if segment_s > longest_s:
        raise InputError(
            f"a segment of {segment_s:g} s is too long for this model, which was trained on "
            f"{longest_s:g} s; leave the segment out or choose a shorter one"
        )


def _choose_device(
    wish: DeviceWish, architecture: Architecture, facts: MachineFacts
) -> tuple[Device, str]:
    """The device, and why it is that."""
    if wish == "cpu":
        return "cpu", "The CPU was asked for."
    check_device(wish, facts)
    gpu, obstacle = facts.gpu, _obstacle(facts)
    if obstacle or not gpu:
        return "cpu", f"The CPU computes: {obstacle}."
    if architecture == "mask":
        return "cpu", "The CPU computes: the model is small and has no other way."
    if wish == "auto" and gpu.memory_bytes < GPU_LEAST_BYTES:
        return "cpu", f"The CPU computes: {_described(gpu)} is too small."
    return gpu.kind, f"{_described(gpu)} computes."


def _obstacle(facts: MachineFacts) -> str | None:
    """Why no GPU can be used."""
    if not facts.gpu:
        return "no GPU was found"
    if not facts.has_torch:
        return f"{_described(facts.gpu)} takes torch, which is not installed"
    if facts.gpu.kind == "cuda" and not facts.torch_has_cuda:
        return f"{_described(facts.gpu)} takes torch with CUDA, and this torch is for the CPU"
    return None


def _described(gpu: Gpu) -> str:
    return f"{gpu.name} with {gpu.memory_bytes / 1e9:.1f} GB"


def _choose_on_cpu(
    options: SeparationOptions, architecture: Architecture, facts: MachineFacts
) -> tuple[Provider, Arithmetic, list[str]]:
    """Library and arithmetic on the CPU, and why they are these."""
    if architecture == "mask":
        return "onnxruntime", "float32", []
    if architecture == "openunmix":
        return "torch", "float32", []
    provider: Provider = "torch"
    why = []
    if architecture == "htdemucs":
        provider = "openvino" if facts.has_openvino else "onnxruntime"
        why.append("OpenVINO is installed." if facts.has_openvino else "OpenVINO is not installed.")
    if options.precision == "exact":
        return provider, "float32", why
    if not facts.has_bfloat16:
        return provider, "float32", [*why, "This CPU does not multiply bfloat16."]
    if provider == "onnxruntime":
        return provider, "float32", [*why, "For fast: pip install 'unbraid[fast]'."]
    return provider, "bfloat16", [*why, "This CPU multiplies bfloat16."]
