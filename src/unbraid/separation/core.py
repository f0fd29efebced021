"""What computes an exported network: OpenVINO where it is installed, else onnxruntime.

Both keep to float32 when asked for exact results. OpenVINO also computes in bfloat16 where the CPU
has it, in about half the time, and it plans the memory of a call better.
"""

from collections.abc import Sequence
from pathlib import Path
from threading import Lock, local
from typing import Literal, Protocol

from unbraid.errors import ModelError
from unbraid.inference import open_session
from unbraid.types import Samples

Provider = Literal["openvino", "onnxruntime"]
Arithmetic = Literal["float32", "bfloat16"]


_turn = Lock()
"""One network computes at a time: it has all threads, and what lies between its layers takes memory
once. Also, OpenVINO's binding deadlocks when two threads use it for the first time at once."""


class Core(Protocol):
    """A loaded network; any number of threads may call it."""

    def run(self, inputs: Sequence[Samples]) -> list[Samples]:
        """Compute the outputs, in the network's order, from the inputs in theirs.

        The outputs hold until the same thread calls again.
        """


def open_core(
    network: Path, threads: int, provider: Provider, arithmetic: Arithmetic = "float32"
) -> Core:
    """Load an exported network for the CPU.

    Args:
        network: path of the .onnx file.
        threads: threads of a call; results are bit-identical only for the same number.
        provider: what computes it.
        arithmetic: of its matrix products; inputs and outputs are float32.

    Raises:
        ModelError: the file is not a network that can be loaded.
    """
    if provider == "openvino":
        return _OpenVinoCore(network, threads, arithmetic)
    return _OnnxRuntimeCore(network, threads)


class _OnnxRuntimeCore:
    """Its memory is that of all sessions together."""

    def __init__(self, network: Path, threads: int) -> None:
        self._session = open_session(network, threads, plan_memory=False)
        self._names = [each.name for each in self._session.get_inputs()]

    def run(self, inputs: Sequence[Samples]) -> list[Samples]:
        with _turn:
            outputs: list[Samples] = self._session.run(
                None, dict(zip(self._names, inputs, strict=True))
            )
        return outputs


class _OpenVinoCore:
    """Each thread has outputs of its own, which it keeps."""

    def __init__(self, network: Path, threads: int, arithmetic: Arithmetic) -> None:
        import openvino

        settings = {
            "INFERENCE_NUM_THREADS": threads,
            "INFERENCE_PRECISION_HINT": "bf16" if arithmetic == "bfloat16" else "f32",
            "NUM_STREAMS": 1,
            "CACHE_DIR": str(network.parent),  # what it compiles; damaged files it makes anew
        }
        with _turn:
            try:
                self._network = openvino.Core().compile_model(network, "CPU", settings)
            except RuntimeError as error:
                raise ModelError(f"{network.name} cannot be loaded: {error}") from error
        self._own = local()

    def run(self, inputs: Sequence[Samples]) -> list[Samples]:
        with _turn:
            if not hasattr(self._own, "request"):
                self._own.request = self._network.create_infer_request()
            outputs = self._own.request.infer(list(inputs), share_inputs=True, share_outputs=True)
        return list(outputs.values())
