from dataclasses import replace

import pytest

from unbraid.errors import InputError
from unbraid.separation.machine import Gpu, MachineFacts
from unbraid.separation.runtime import Architecture, Runtime, choose_runtime
from unbraid.types import Device, SeparationOptions

PLAIN = MachineFacts(
    cores=2,
    memory_bytes=16 * 10**9,
    available_bytes=12 * 10**9,
    gpu=None,
    has_bfloat16=True,
    has_openvino=True,
    has_torch=True,
    torch_has_cuda=False,
)
EXACT, FAST = SeparationOptions(), SeparationOptions(precision="fast")


def with_gpu(memory_bytes: float, torch_has_cuda: bool = True) -> MachineFacts:
    gpu = Gpu("cuda", "Fake GPU", int(memory_bytes))
    return replace(PLAIN, gpu=gpu, torch_has_cuda=torch_has_cuda)


@pytest.mark.parametrize(
    ("memory_bytes", "device", "segment_s", "overlap"),
    [
        (1.9e9, "cpu", None, None),
        (2e9, "cuda", 8.0, 0.1),
        (6.9e9, "cuda", 8.0, 0.1),
        (7e9, "cuda", None, None),
    ],
)
def test_the_gpu_is_used_as_its_memory_allows(
    memory_bytes: float, device: Device, segment_s: float | None, overlap: float | None
) -> None:
    runtime = choose_runtime(EXACT, "demucs", with_gpu(memory_bytes))
    assert (runtime.device, runtime.provider) == (device, "torch")
    assert (runtime.segment_s, runtime.overlap) == (segment_s, overlap)


def test_a_transformer_is_never_given_longer_segments_than_its_own() -> None:
    runtime = choose_runtime(EXACT, "htdemucs", with_gpu(4e9))
    assert runtime == Runtime("cuda", "torch", "float32", None, 0.1)


def test_what_is_asked_for_goes_before_what_a_small_gpu_suggests() -> None:
    options = SeparationOptions(segment_s=20, overlap=0.25)
    runtime = choose_runtime(options, "demucs", with_gpu(4e9))
    assert (runtime.segment_s, runtime.overlap) == (20, 0.25)


@pytest.mark.parametrize(
    ("architecture", "has_openvino", "expected"),
    [
        ("mask", True, ("onnxruntime", "float32", "float32")),
        ("openunmix", True, ("torch", "float32", "float32")),
        ("demucs", True, ("torch", "float32", "bfloat16")),
        ("htdemucs", True, ("openvino", "float32", "bfloat16")),
        ("htdemucs", False, ("onnxruntime", "float32", "float32")),
    ],
)
def test_the_cpu_computes_by_what_is_installed(
    architecture: Architecture, has_openvino: bool, expected: tuple[str, str, str]
) -> None:
    facts = replace(PLAIN, has_openvino=has_openvino)
    exact, fast = (choose_runtime(options, architecture, facts) for options in (EXACT, FAST))
    assert exact.device == fast.device == "cpu"
    assert exact.provider == fast.provider
    assert (exact.provider, exact.arithmetic, fast.arithmetic) == expected


@pytest.mark.parametrize("architecture", ["htdemucs", "demucs"])
def test_without_bfloat16_fast_is_exact_and_says_so(architecture: Architecture) -> None:
    facts = replace(PLAIN, has_bfloat16=False)
    fast = choose_runtime(FAST, architecture, facts)
    assert fast == choose_runtime(EXACT, architecture, facts)
    assert "Fast is exact here." in fast.reasons


def test_mac_gpus_compute_exactly() -> None:
    facts = replace(PLAIN, gpu=Gpu("mps", "Apple GPU", 12 * 10**9))
    assert choose_runtime(FAST, "htdemucs", facts) == Runtime("mps", "torch", "float32")


def test_a_large_gpu_computes_several_segments_at_once() -> None:
    assert choose_runtime(EXACT, "htdemucs", with_gpu(16e9)).batch == 4
    assert choose_runtime(EXACT, "htdemucs", with_gpu(8e9)).batch == 1
    assert choose_runtime(EXACT, "demucs", with_gpu(16e9)).batch == 1


def test_fast_on_a_gpu_is_half_precision() -> None:
    assert choose_runtime(FAST, "htdemucs", with_gpu(16e9)).arithmetic == "float16"


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_a_device_that_is_not_there_is_refused(device: Device) -> None:
    with pytest.raises(InputError, match=f"{device} cannot be used: no GPU was found"):
        choose_runtime(SeparationOptions(device=device), "mask", PLAIN)


def test_a_gpu_that_torch_cannot_use_is_left_alone() -> None:
    facts = with_gpu(16e9, torch_has_cuda=False)
    runtime = choose_runtime(EXACT, "htdemucs", facts)
    assert runtime.device == "cpu"
    assert "this torch is for the CPU" in runtime.reasons[0]
    with pytest.raises(InputError, match="this torch is for the CPU"):
        choose_runtime(SeparationOptions(device="cuda"), "htdemucs", facts)


def test_another_kind_of_gpu_is_refused() -> None:
    with pytest.raises(InputError, match="of the kind cuda"):
        choose_runtime(SeparationOptions(device="mps"), "htdemucs", with_gpu(16e9))


def test_the_cpu_can_be_asked_for() -> None:
    options = SeparationOptions(device="cpu")
    assert choose_runtime(options, "htdemucs", with_gpu(16e9)).provider == "openvino"


def test_small_models_stay_on_the_cpu() -> None:
    assert choose_runtime(EXACT, "mask", with_gpu(16e9)).device == "cpu"


def test_reasons_make_no_difference() -> None:
    assert Runtime("cpu", "torch", "float32", reasons=("a",)) == Runtime("cpu", "torch", "float32")
