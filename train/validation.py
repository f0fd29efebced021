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
from unbraid.types import AudioSignal, Samples, StemName

RUMBLE_HZ = 40.0


def skipped(options: ValidationOptions) -> Iterator[str]:
    """What cannot be measured, a sentence each."""
    if not options.references:
        yield "SDR is not measured: no folder of references is named"
    elif not _references(options.references):
        yield f"SDR is not measured: {options.references} holds no NAME.STEM.flac"
    if not options.instrumentals:
        yield "false voices are not measured: no instrumental recordings are named"
    if not options.voices:
        yield "false drums and basses are not measured: no recordings of voices alone are named"
    for recording in options.instrumentals + options.voices:
        if not recording.is_file():
            yield f"nothing is measured on {recording}: there is no such file"


def validate(network: MaskingNetwork, options: ValidationOptions) -> dict[str, float]:
    """Judge a network.

    Args:
        network: stays as it is.
        options: the recordings; those that are not there are left out.

    Returns:
        Figures in dB, and of each kind their mean or the highest, under the name before the slash:
        `sdr/NAME.STEM` over the whole excerpt; against the mixture, the level of what should not be
        there, `false_voice/NAME` in instrumentals, `false_drums/NAME` and `false_bass/NAME` in
        voices alone; `rumble/NAME`, the level below 40 Hz in vocals and other, against that of the
        mixture there, in excerpts and instrumentals.
    """
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "network.onnx")
        export(network, file)
        engine = Pass(MaskNetwork(file, STEMS, STEMS, available_cores()), (1.0,) * len(STEMS))
        for mixture, references in _references(options.references).items():
            song, stems = _separated(engine, mixture)
            figures[f"rumble/{mixture.stem}"] = _rumble_db(stems, song)
            for name, reference in references.items():
                truth = AudioSignal(_song(reference).samples, SAMPLE_RATE)
                estimate = AudioSignal(stems[name], SAMPLE_RATE)
                figures[f"sdr/{reference.stem}"] = sdr(truth, estimate)
        for recording in filter(Path.is_file, options.instrumentals):
            song, stems = _separated(engine, recording)
            figures[f"rumble/{recording.stem}"] = _rumble_db(stems, song)
            figures[f"false_voice/{recording.stem}"] = _level_db(stems["vocals"], song)
        for recording in filter(Path.is_file, options.voices):
            song, stems = _separated(engine, recording)
            figures[f"false_drums/{recording.stem}"] = _level_db(stems["drums"], song)
            figures[f"false_bass/{recording.stem}"] = _level_db(stems["bass"], song)
    return figures | _summary(figures)


def _summary(figures: dict[str, float]) -> dict[str, float]:
    """The mean SDR, and the highest of all other kinds."""
    kinds: dict[str, list[float]] = {}
    for name, value in figures.items():
        kinds.setdefault(name.split("/")[0], []).append(value)
    return {
        kind: float(np.mean(values) if kind == "sdr" else max(values))
        for kind, values in kinds.items()
    }


def _references(folder: Path | None) -> dict[Path, dict[str, Path]]:
    """The true stems, by their names, of each excerpt in a folder."""
    found: dict[Path, dict[str, Path]] = {}
    for file in sorted(folder.glob("*.*.flac")) if folder else ():
        excerpt, stem, _ = file.name.rsplit(".", 2)
        if stem in STEMS:
            found.setdefault(file.with_name(f"{excerpt}.flac"), {})[stem] = file
    return found


def _separated(engine: Pass, file: Path) -> tuple[Samples, dict[StemName, Samples]]:
    """A recording and its stems, [2, time] each."""
    song = _song(file)
    stems = np.concatenate(list(blend([engine], STEMS, song)), axis=-1)
    return song.samples, dict(zip(STEMS, stems, strict=True))


def _song(file: Path) -> MixtureArray:
    return MixtureArray(load(file), SAMPLE_RATE)


def _rumble_db(stems: dict[StemName, Samples], whole: Samples) -> float:
    return _level_db(_low(stems["vocals"] + stems["other"]), _low(whole))


def _low(samples: Samples) -> Samples:
    """The half spectrum below 40 Hz, whose power is that of the samples there."""
    bins = int(RUMBLE_HZ / SAMPLE_RATE * samples.shape[1])
    spectrum: Samples = np.abs(np.fft.rfft(samples)[:, :bins])
    return spectrum


def _level_db(part: Samples, whole: Samples) -> float:
    ratio = np.sum(part**2, dtype=np.float64) / np.sum(whole**2, dtype=np.float64)
    return 10 * math.log10(ratio + 1e-12)
