"""How much memory a model takes, from the peaks of full-size networks that were measured."""

from dataclasses import dataclass

from unbraid.separation.runtime import Architecture, Runtime


@dataclass(frozen=True)
class Needs:
    """What the memory of a model depends on.

    Attributes:
        architecture: of its networks.
        networks: that are loaded together.
        file_bytes: of the weights of them all.
        segment_s: the model's own.
    """

    architecture: Architecture
    networks: int
    file_bytes: int
    segment_s: float


@dataclass(frozen=True)
class _Peak:
    """Gigabytes of a process: fixed, per network, per gigabyte of weights, per second."""

    fixed: float
    network: float = 0
    weights: float = 0
    second: float = 0


# Peaks on x86-64 Linux with two threads: HTDemucs (42 M weights) 1.2 GB over OpenVINO and 4.1 GB
# for four of them, 1.9 and 2.8 GB over onnxruntime, 1.2 GB over torch (27 M weights); Hybrid Demucs
# (84 M) 1.3 GB in segments of 10 s, 2.9 GB of 44 s; Demucs (134 M) 1.4 GB of 10 s; Open-Unmix
# (4 × 9 M, 4 × 28 M) 1.0 and 1.3 GB; the built-in network 0.5 GB.
_PEAKS = {
    ("mask", "onnxruntime"): _Peak(0.15, weights=2, second=0.03),
    ("openunmix", "torch"): _Peak(0.85, weights=1, second=0.003),
    ("demucs", "torch"): _Peak(0.55, weights=2, second=0.05),
    ("htdemucs", "torch"): _Peak(1.1, weights=2),
    ("htdemucs", "openvino"): _Peak(0.3, network=0.95),
    ("htdemucs", "onnxruntime"): _Peak(1.65, network=0.3),
}


def estimate_bytes(runtime: Runtime, needs: Needs) -> int:
    """Peak memory, without that of a GPU, of a process that separates with a model.

    It does not depend on the song's length. What a GPU's own libraries take is not known.
    """
    peak = _PEAKS[needs.architecture, runtime.provider]
    second = peak.second if runtime.device == "cpu" else 0
    fixed = peak.fixed + peak.network * needs.networks
    segment_s = runtime.segment_s or needs.segment_s
    return int(1e9 * (fixed + second * segment_s) + peak.weights * needs.file_bytes)
