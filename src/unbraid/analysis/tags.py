"""What is to be heard in a recording, by a network that knows hundreds of sounds.

The Audio Spectrogram Transformer (Gong, Chung and Glass, 2021) was trained on AudioSet; it is run
by the package transformers, from a folder or from a model hub.
"""

import importlib.util
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from unbraid.audio import Resampler
from unbraid.errors import MissingExtraError, ModelError
from unbraid.types import Read
from unbraid.weights.digests import Digests
from unbraid.weights.pins import read_pins

AUDIOSET = "MIT/ast-finetuned-audioset-10-10-0.4593"
"""The authors' model on the hub huggingface.co, under the BSD 3-Clause licence; 346 MB."""

MOST_SOUNDS = 20
LEAST_SCORE = 0.05
_WINDOW, _HOP = 400, 160  # samples of a frame of the spectrogram, and between frames
_BLOCK_S = 5
_REQUIRED = ("config.json", "preprocessor_config.json", "model.safetensors")
_PACKAGES = ("transformers", "torch")


@dataclass(frozen=True)
class Sound:
    """Something that is heard.

    Attributes:
        label: its name, such as `Electric guitar`.
        score: how likely it is, 0 to 1, in the mean of the recording.
        share: of the recording in which it is more likely than not.
    """

    label: str
    score: float
    share: float


def check_tagger(model: str) -> None:
    """Make sure, before any work, that a model can be tried.

    Raises:
        ModelError: it is a folder that holds no such model, or damaged files.
        MissingExtraError: a package is not installed.
    """
    missing = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"audio tags need {' and '.join(missing)}: pip install 'unbraid[tags]', or leave out "
            "--tags"
        )
    folder = Path(model)
    if folder.is_dir():
        _check_folder(folder)
    elif model.count("/") != 1 or model.startswith(("/", ".", "~")):
        raise ModelError(
            f"there is no folder {model!r}; give one with an Audio Spectrogram Transformer, or the "
            f"name of one on the hub, such as {AUDIOSET}"
        )


def _check_folder(folder: Path) -> None:
    if lacking := [name for name in _REQUIRED if not (folder / name).is_file()]:
        raise ModelError(
            f"{folder} holds no Audio Spectrogram Transformer: {', '.join(lacking)} is missing"
        )
    digests = Digests(folder / ".digests")
    for name, expected in read_pins(folder).items():
        if name in _REQUIRED and digests.sha256(folder / name) != expected:
            raise ModelError(f"{folder / name} is damaged: SHA-256 is not that in SHA256SUMS")


class AudioTagger:
    """Names the sounds of recordings.

    Args:
        model: a folder as the hub has it (config.json, preprocessor_config.json and
            model.safetensors; with a SHA256SUMS, they are checked), or a name on the hub.
        offline: never ask the hub; what it gave before is found.

    Raises:
        ModelError: it cannot be had, or is not such a model.
        MissingExtraError: a package is not installed.
    """

    def __init__(self, model: str = AUDIOSET, *, offline: bool = False) -> None:
        check_tagger(model)
        from safetensors import SafetensorError
        from transformers import ASTFeatureExtractor, ASTForAudioClassification
        from transformers.utils import logging

        local = offline or Path(model).is_dir()
        logging.disable_progress_bar()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # AudioSet's lowest mel bands are empty, and known
                self._features = ASTFeatureExtractor.from_pretrained(model, local_files_only=local)
            self._network = ASTForAudioClassification.from_pretrained(
                model, local_files_only=local, use_safetensors=True
            ).eval()
        except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
            reason = str(error).strip().splitlines()[0]
            raise ModelError(
                f"the model {model!r} cannot be had ({reason}): go online, or give a folder that "
                "holds an Audio Spectrogram Transformer"
            ) from error
        self._labels = dict(self._network.config.id2label or {})

    def __call__(
        self,
        read: Read,
        length: int,
        sample_rate: int,
        on_progress: Callable[[float], None] | None = None,
    ) -> tuple[Sound, ...]:
        """Name what is heard, the likeliest first.

        The scores of windows as long as those of the training are averaged by their length.

        Args:
            read: the recording, both channels of which are averaged.
            length: in samples.
            sample_rate: samples per second.
            on_progress: gets the seconds done; what it raises ends the work.
        """
        weights, scores = [], []
        done = 0
        for window in self._windows(read, length, sample_rate):
            weights.append(len(window))
            scores.append(self._scores(window))
            done += len(window)
            if on_progress:
                on_progress(done / self._features.sampling_rate)
        if not scores:
            return ()
        mean = np.average(scores, axis=0, weights=weights)
        share = np.average(np.array(scores) > 0.5, axis=0, weights=weights)
        likely = [k for k in np.argsort(-mean)[:MOST_SOUNDS] if mean[k] >= LEAST_SCORE]
        return tuple(
            Sound(self._labels[int(k)], round(float(mean[k]), 3), round(float(share[k]), 3))
            for k in likely
        )

    def _windows(
        self, read: Read, length: int, sample_rate: int
    ) -> Iterator[npt.NDArray[np.float32]]:
        """The recording in mono at the model's rate [time], in windows; the last may be shorter."""
        window = (self._features.max_length - 1) * _HOP + _WINDOW
        resampler = Resampler(sample_rate, self._features.sampling_rate, channels=1)
        block = _BLOCK_S * sample_rate
        pending = np.zeros(0, np.float32)
        for start in range(0, length, block):
            stop = min(start + block, length)
            mono = read(start, stop).mean(axis=0, keepdims=True)
            pending = np.concatenate([pending, resampler.push(mono, last=stop == length)[0]])
            while len(pending) >= window:
                yield pending[:window]
                pending = pending[window:]
        if len(pending) >= _WINDOW:
            yield pending

    def _scores(self, window: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """How likely each sound is in a window; AudioSet's may sound together."""
        import torch

        features = self._features(
            window, sampling_rate=self._features.sampling_rate, return_tensors="pt"
        )
        with torch.inference_mode():
            logits = self._network(features["input_values"]).logits[0]
        found: npt.NDArray[np.float32] = torch.sigmoid(logits).numpy()
        return found
