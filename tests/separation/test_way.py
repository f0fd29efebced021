from collections.abc import Mapping
from dataclasses import replace

import pytest
import torch

from unbraid.errors import Cancelled, InputError, ModelError, ResourceError
from unbraid.separation.machine import Gpu, MachineFacts
from unbraid.separation.memory import Needs, estimate_bytes
from unbraid.separation.runtime import Runtime
from unbraid.separation.way import Way, choose_way, is_out_of_memory
from unbraid.types import SeparationOptions

FACTS = MachineFacts(
    cores=2,
    memory_bytes=16 * 10**9,
    available_bytes=12 * 10**9,
    gpu=None,
    has_bfloat16=True,
    has_openvino=True,
    has_torch=True,
    torch_has_cuda=True,
)
GPU = replace(FACTS, gpu=Gpu("cuda", "Fake GPU", 16 * 10**9))
LITE = Needs("mask", 1, 8_000_000, 11.9)
HTDEMUCS = Needs("htdemucs", 1, 166_000_000, 7.8)
HTDEMUCS_FT = Needs("htdemucs", 4, 664_000_000, 7.8)
HDEMUCS = Needs("demucs", 1, 167_000_000, 44)
FULL = RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried 9 GB")


def way(needs: Mapping[str, Needs], facts: MachineFacts, device: str = "auto") -> Way:
    options = SeparationOptions(device=device)  # type: ignore[arg-type]
    return choose_way(options, needs, facts)


def with_memory(gigabytes: float) -> MachineFacts:
    return replace(FACTS, available_bytes=int(gigabytes * 1e9))


@pytest.mark.parametrize(
    ("needs", "runtime", "measured_gb"),
    [
        (LITE, Runtime("cpu", "onnxruntime", "float32"), 0.49),
        (HTDEMUCS, Runtime("cpu", "openvino", "float32"), 1.20),
        (HTDEMUCS_FT, Runtime("cpu", "openvino", "float32"), 4.15),
        (HTDEMUCS, Runtime("cpu", "onnxruntime", "float32"), 1.94),
        (HTDEMUCS_FT, Runtime("cpu", "onnxruntime", "float32"), 2.84),
        (HDEMUCS, Runtime("cpu", "torch", "float32"), 2.86),
        (HDEMUCS, Runtime("cpu", "torch", "float32", segment_s=10), 1.47),
        (Needs("openunmix", 4, 142_000_000, 28), Runtime("cpu", "torch", "float32"), 1.00),
        (Needs("openunmix", 4, 452_000_000, 28), Runtime("cpu", "torch", "float32"), 1.28),
    ],
)
def test_estimates_are_near_what_was_measured(
    needs: Needs, runtime: Runtime, measured_gb: float
) -> None:
    assert estimate_bytes(runtime, needs) / 1e9 == pytest.approx(measured_gb, rel=0.2)


def test_where_there_is_room_nothing_changes() -> None:
    best = way({"hdemucs_mmi": HDEMUCS}, FACTS)
    assert best.runtimes["hdemucs_mmi"].segment_s is None
    assert not best.warnings
    unknown = replace(FACTS, available_bytes=None)
    assert way({"hdemucs_mmi": HDEMUCS}, unknown).runtimes == best.runtimes


def test_segments_become_shorter_until_they_fit() -> None:
    small = way({"hdemucs_mmi": HDEMUCS}, with_memory(2))
    assert small.runtimes["hdemucs_mmi"].segment_s == 11
    assert small.estimated_bytes * 1.2 <= 2e9
    (warning,) = small.warnings
    assert warning.startswith("hdemucs_mmi computes in segments of 11 s: about 2.0 GB")
    assert small.runtimes["hdemucs_mmi"].reasons[-1] == warning


def test_a_transformer_computes_with_torch_where_onnxruntime_takes_too_much() -> None:
    facts = replace(with_memory(1.8), has_openvino=False)
    assert way({"htdemucs": HTDEMUCS}, facts).runtimes["htdemucs"].provider == "torch"
    with pytest.raises(ResourceError, match=r"htdemucs needs about 1\.9 GB"):
        way({"htdemucs": HTDEMUCS}, replace(facts, has_torch=False))


def test_several_transformers_compute_with_onnxruntime_where_openvino_takes_too_much() -> None:
    fitted = way({"htdemucs_ft": HTDEMUCS_FT}, with_memory(4))
    assert fitted.runtimes["htdemucs_ft"].provider == "onnxruntime"
    (warning,) = fitted.warnings
    assert warning.startswith("htdemucs_ft computes with onnxruntime: about 4.1 GB")


def test_of_several_models_the_largest_gives_way() -> None:
    several = way({"lite": LITE, "hdemucs_mmi": HDEMUCS}, with_memory(3.2))
    assert several.runtimes["lite"].segment_s is None
    assert several.runtimes["hdemucs_mmi"].segment_s == 22


def test_what_cannot_fit_is_refused() -> None:
    with pytest.raises(ResourceError, match=r"lite needs about 0\.\d GB .* 0\.3 GB are free"):
        way({"lite": LITE}, with_memory(0.3))


def test_after_too_little_memory_come_smaller_segments_then_the_cpu_then_an_error() -> None:
    segments, devices = [], []
    step: Way | None = way({"hdemucs_mmi": HDEMUCS}, GPU, "cuda")
    with pytest.raises(ResourceError, match="does not suffice for hdemucs_mmi"):  # noqa: PT012
        while step:
            runtime = step.runtimes["hdemucs_mmi"]
            segments.append(runtime.segment_s)
            devices.append(runtime.device)
            step = step.after(torch.OutOfMemoryError("CUDA out of memory."))
    assert segments == [None, 22, 11, 5.5, None, 22, 11, 5.5]
    assert devices == ["cuda"] * 4 + ["cpu"] * 4


def test_a_batch_is_given_up_first() -> None:
    chosen = way({"htdemucs": HTDEMUCS}, GPU)
    after = chosen.after(FULL)
    assert after
    assert (chosen.runtimes["htdemucs"].batch, after.runtimes["htdemucs"].batch) == (4, 1)
    assert after.runtimes["htdemucs"].device == "cuda"


def test_a_gpu_that_fails_gives_way_to_the_cpu_if_it_was_not_asked_for() -> None:
    failure = RuntimeError("CUDA error: no kernel image is available\nand more lines")
    chosen = way({"htdemucs": HTDEMUCS}, GPU)
    assert chosen.runtimes["htdemucs"].device == "cuda"
    after = chosen.after(failure)
    assert after
    assert after.runtimes["htdemucs"].provider == "openvino"
    assert after.warnings == (
        "The CPU computes: the GPU failed (CUDA error: no kernel image is available).",
    )
    assert way({"htdemucs": HTDEMUCS}, GPU, "cuda").after(failure) is None


@pytest.mark.parametrize("error", [Cancelled("enough"), InputError("no"), OSError("disk full")])
def test_other_errors_are_not_answered(error: Exception) -> None:
    assert way({"htdemucs": HTDEMUCS}, GPU).after(error) is None
    assert way({"htdemucs": HTDEMUCS}, FACTS).after(RuntimeError("a fault")) is None


def test_errors_of_too_little_memory_are_known_also_behind_our_own() -> None:
    ours = ModelError("htdemucs cannot be loaded")
    ours.__cause__ = FULL
    assert is_out_of_memory(ours)
    assert is_out_of_memory(MemoryError())
    assert not is_out_of_memory(ModelError("'out of memory.onnx' is missing"))
