"""A training run: step after step, with a learning curve and checkpoints that are kept."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from pydantic import TypeAdapter

from train.curve import Curve
from train.data import Batches, Render, SongPool
from train.features import SAMPLE_RATE
from train.loss import Loss
from train.model import MaskingNetwork
from train.options import Options
from train.trainer import Trainer
from train.weights import save_weights

Validate = Callable[[MaskingNetwork], dict[str, float]]
Report = Callable[[str], None]


def train(
    options: Options,
    folder: Path,
    render: Render,
    validate: Validate,
    *,
    should_stop: Callable[[], bool] = lambda: False,
    report: Report = print,
) -> None:
    """Train a network, or go on where an earlier run in that folder stopped.

    Args:
        options: of the run.
        folder: gets `state.pt`, to go on from; `step-N.safetensors`, the averaged weights of each
            checkpoint; `curve.csv` and `curve.png`; `options.json`.
        render: renders the song of a seed.
        validate: judges a network, figures by their names.
        should_stop: asked after each step; the run then saves and ends.
        report: takes a line about how it goes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "options.json").write_bytes(TypeAdapter(Options).dump_json(options, indent=2))
    with SongPool(render, options.data) as pool:
        batches = Batches(pool, options.data, options.run.seed)
        trainer = Trainer(options, batches)
        if (state := folder / "state.pt").exists():
            trainer.load(state)
            report(f"going on after step {trainer.step}")
        _Run(options, folder, trainer, batches, pool, validate, report).go(should_stop)


@dataclass
class _Run:
    options: Options
    folder: Path
    trainer: Trainer
    batches: Batches
    pool: SongPool
    validate: Validate
    report: Report
    curve: Curve = field(init=False)
    losses: list[Loss] = field(default_factory=list)
    training_s: float = 0.0

    def __post_init__(self) -> None:
        self.curve = Curve(self.folder, self.trainer.step)

    def go(self, should_stop: Callable[[], bool]) -> None:
        """Do all steps that are left, or as many as there is time for."""
        run, trainer, steps = self.options.run, self.trainer, self.options.optimiser.steps
        began = saved = time.monotonic()
        done = trainer.step >= steps
        while not done:
            begins = time.monotonic()
            self.losses.append(trainer.advance())
            now = time.monotonic()
            self.training_s += now - begins
            if should_stop():
                self.save()
                self.report(f"stopped after step {trainer.step}; the same command goes on")
                return
            out_of_time = bool(run.minutes) and now - began > 60 * run.minutes
            done = trainer.step >= steps or out_of_time
            if done or now - saved > 60 * run.checkpoint_minutes:
                self.checkpoint()
                saved = time.monotonic()
            elif trainer.step % run.report_steps == 0:
                self.add_row({})

    def checkpoint(self) -> None:
        """Save, then validate."""
        self.save()
        self.add_row(self.validate(self.trainer.average))
        self.curve.draw()

    def save(self) -> None:
        """Write the state, and the weights as they would be shipped."""
        self.trainer.save(self.folder / "state.pt")
        save_weights(self.trainer.average, self.folder / f"step-{self.trainer.step}.safetensors")

    def add_row(self, figures: dict[str, float]) -> None:
        """Add the mean losses since the last row, and other figures, to the learning curve."""
        step, count = self.trainer.step, len(self.losses)
        losses = {
            "loss": _mean([loss.total for loss in self.losses]),
            "loss_magnitude": _mean([loss.magnitude for loss in self.losses]),
            "loss_rms": _mean([loss.rms for loss in self.losses]),
        }
        batch_s = self.batches.samples / SAMPLE_RATE
        self.curve.add(step, {"audio_s": step * batch_s} | losses | figures)
        shown = {"loss": losses["loss"]} | figures
        self.report(
            f"step {step}: "
            + ", ".join(f"{name} {value:.3f}" for name, value in shown.items())
            + f"; {count * batch_s / self.training_s:.1f} s of audio per second, "
            f"{self.pool.waited_s:.0f} s spent waiting for songs"
        )
        self.losses, self.training_s = [], 0.0


def _mean(values: list[torch.Tensor]) -> float:
    return torch.stack(values).mean().item()
