"""How good a network is on real recordings, run as it would be shipped."""

import math
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from train.export import export
from train.features import SAMPLE_RATE
from train.model import STEMS, MaskingNetwork
from train.options import ValidationOptions
from unbraid.audio import load
from unbraid.inference import available_cores
from unbraid.scoring import sdr
from unbraid.separation.ensemble import Pass, blend
from unbraid.separation.lite import MaskNetwork
from unbraid.separation.mixture import MixtureArray
from unbraid.types import AudioSignal, Samples


def skipped(options: ValidationOptions) -> Iterator[str]:
    """What cannot be measured, a sentence each."""
    if not options.references:
        yield "SDR is not measured: no folder of references is named"
    elif not _references(options.references):
        yield f"SDR is not measured: {options.references} holds no NAME.STEM.flac"
    if not options.instrumentals:
        yield "false voices are not measured: no instrumental recordings are named"
    for recording in options.instrumentals:
        if not recording.is_file():
            yield f"false voices are not measured on {recording}: there is no such file"


def validate(network: MaskingNetwork, options: ValidationOptions) -> dict[str, float]:
    """Judge a network.

    Args:
        network: stays as it is.
        options: the recordings; those that are not there are left out.

    Returns:
        dB: `sdr/NAME.STEM` over the whole excerpt and their mean, `sdr`; `false_voice/NAME`, the
        level of the vocals of a mixture that has none, relative to it, and the highest of these,
        `false_voice`.
    """
    ratios, levels = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "network.onnx")
        export(network, file)
        engine = Pass(MaskNetwork(file, STEMS, STEMS, available_cores()), (1.0,) * len(STEMS))
        for mixture, references in _references(options.references).items():
            stems = _separated(engine, _song(mixture))
            for name, reference in references.items():
                truth = AudioSignal(_song(reference).samples, SAMPLE_RATE)
                estimate = AudioSignal(stems[STEMS.index(name)], SAMPLE_RATE)
                ratios[f"sdr/{reference.stem}"] = sdr(truth, estimate)
        for recording in filter(Path.is_file, options.instrumentals):
            song = _song(recording)
            vocals = _separated(engine, song)[STEMS.index("vocals")]
            levels[f"false_voice/{recording.stem}"] = _level_db(vocals, song.samples)
    figures = ratios | levels
    if ratios:
        figures["sdr"] = float(np.mean(list(ratios.values())))
    if levels:
        figures["false_voice"] = max(levels.values())
    return figures


def _references(folder: Path | None) -> dict[Path, dict[str, Path]]:
    """The true stems, by their names, of each excerpt in a folder."""
    found: dict[Path, dict[str, Path]] = {}
    for file in sorted(folder.glob("*.*.flac")) if folder else ():
        excerpt, stem, _ = file.name.rsplit(".", 2)
        if stem in STEMS:
            found.setdefault(file.with_name(f"{excerpt}.flac"), {})[stem] = file
    return found


def _song(file: Path) -> MixtureArray:
    return MixtureArray(load(file), SAMPLE_RATE)


def _separated(engine: Pass, song: MixtureArray) -> Samples:
    return np.concatenate(list(blend([engine], STEMS, song)), axis=-1)


def _level_db(part: Samples, whole: Samples) -> float:
    ratio = np.sum(part**2, dtype=np.float64) / np.sum(whole**2, dtype=np.float64)
    return 10 * math.log10(ratio + 1e-12)
