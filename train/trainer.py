"""A network in training: what a step does, and what it takes to go on later."""

import copy
import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from train.augmentation import Augmentation
from train.data import Batches
from train.features import FREQUENCIES, features, levelled, spectrum
from train.loss import Loss, separation_loss
from train.model import MaskingNetwork
from train.options import OptimiserOptions, Options
from train.weights import load_weights
from unbraid.errors import InputError, ModelError
from unbraid.export.folder import writing


class Trainer:
    """A network in training.

    All chance comes from the seed and the number of the step, so `step`, the weights, their average
    and the optimiser's state are all that it takes to go on.

    Attributes:
        step: steps done.
        network: in training.
        average: the running average of its weights, which is what is shipped.
    """

    def __init__(self, options: Options, batches: Batches) -> None:
        """Make a new network.

        Raises:
            InputError: the device is not there.
            ModelError: the weights to begin with do not fit.
        """
        run, optimiser = options.run, options.optimiser
        if run.device == "cuda" and not torch.cuda.is_available():
            raise InputError('there is no CUDA device here; set device = "cpu"')
        if run.threads:
            torch.set_num_threads(run.threads)
        torch.manual_seed(run.seed)
        self.step = 0
        self.network = MaskingNetwork(options.network).to(run.device)
        if run.start:
            load_weights(self.network, run.start)
        self.average = copy.deepcopy(self.network).requires_grad_(False).eval()
        self._optimiser = torch.optim.AdamW(
            self.network.parameters(), betas=optimiser.betas, weight_decay=optimiser.weight_decay
        )
        self._options = options
        self._batches = batches

    def advance(self) -> Loss:
        """Do a step.

        Raises:
            ModelError: the gradient is not finite.
        """
        options = self._options.optimiser
        stems = self._stems()
        mixture = stems.sum(1)
        heard = features(mixture)
        if self.step == 0 and not self._options.run.start:
            self.network.mean.data.copy_(heard.mean((0, 2)))
        with torch.autocast(heard.device.type, torch.bfloat16, enabled=self._options.run.bf16):
            logits = self.network(heard)
        loss = separation_loss(logits.float().softmax(1), mixture, stems, self._options.loss)
        for group in self._optimiser.param_groups:
            group["lr"] = learning_rate(self.step, options)
        self._optimiser.zero_grad()
        loss.total.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), options.gradient_norm)
        if not torch.isfinite(norm):
            raise ModelError(
                f"the gradient of step {self.step} is not finite: go on from the last checkpoint "
                "with a lower learning_rate, or without bf16"
            )
        self._optimiser.step()
        decay = min(options.average, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for mean, new in zip(self.average.parameters(), self.network.parameters(), strict=True):
                mean.lerp_(new, 1 - decay)
        self.step += 1
        return Loss(loss.total.detach(), loss.magnitude.detach(), loss.rms.detach())

    def _stems(self) -> Tensor:
        """Spectra of the stems of this step's excerpts, varied and at a level of about one."""
        run = self._options.run
        samples = torch.from_numpy(self._batches.batch(self.step)).to(run.device)
        seed = np.random.SeedSequence((run.seed, self.step)).generate_state(1, np.uint64)
        generator = torch.Generator().manual_seed(int(seed[0]))
        augmentation = Augmentation(self._options.augmentation, FREQUENCIES, generator)
        stems = levelled(augmentation.spectra(spectrum(augmentation.samples(samples))))
        return stems * augmentation.level(len(stems)).view(-1, 1, 1, 1, 1).to(stems.device)

    def save(self, file: Path) -> None:
        """Write all that it takes to go on."""
        with writing(file, file.parent) as unfinished:
            torch.save(
                {
                    "step": self.step,
                    "network": self.network.state_dict(),
                    "average": self.average.state_dict(),
                    "optimiser": self._optimiser.state_dict(),
                },
                unfinished,
            )

    def load(self, file: Path) -> None:
        """Go on from what was saved.

        Raises:
            ModelError: it was saved by a network of other sizes.
        """
        state: Any = torch.load(file, self._options.run.device, weights_only=True)
        try:
            self.network.load_state_dict(state["network"])
        except RuntimeError as error:
            raise ModelError(
                f"{file} holds a network of other sizes; choose another folder to begin anew"
            ) from error
        self.average.load_state_dict(state["average"])
        self._optimiser.load_state_dict(state["optimiser"])
        self.step = state["step"]


def learning_rate(step: int, options: OptimiserOptions) -> float:
    """Rising for a while, then falling along half a cosine."""
    warm = min(1.0, (step + 1) / options.warmup_steps)
    falling = 0.5 + 0.5 * math.cos(math.pi * min(1.0, step / options.steps))
    share = options.final_rate + (1 - options.final_rate) * falling
    return options.learning_rate * warm * share
