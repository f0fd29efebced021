import csv
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.train import tiny
from train.curve import Curve
from train.data import Batches, SongPool
from train.model import MaskingNetwork
from train.options import NetworkOptions, Options
from train.trainer import Trainer, learning_rate
from train.training import train
from train.weights import read_network

from unbraid.errors import ModelError

ROOT = Path(__file__).parents[2]
TOML = """
network = {channels = 4, bottleneck = 8, dilations = [1], bottleneck_dilations = []}
data = {songs = "tests.train.tiny:compose", workers = 1, excerpt_frames = 8}
optimiser = {steps = 300}
run = {report_steps = 1, threads = 1}
"""


def run(folder: Path, options: Options, stop_after: int = 0) -> list[str]:
    """Train, and stop after some steps if asked to."""
    said: list[str] = []
    steps = iter(range(1, 1000))
    train(
        options,
        folder,
        tiny.song,
        lambda network: {"sdr": float(network.mean.sum())},
        should_stop=lambda: next(steps) == stop_after,
        report=said.append,
    )
    return said


def state(folder: Path) -> Any:
    return torch.load(folder / "state.pt", weights_only=True)


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "curve.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_loss_falls() -> None:
    options = replace(tiny.options(steps=25), augmentation=tiny.OFF)
    pool = SongPool(tiny.song, options.data)
    trainer = Trainer(options, Batches(pool, options.data, seed=0))
    losses = [trainer.advance().total.item() for _ in range(25)]
    assert np.mean(losses[-5:]) < 0.6 * np.mean(losses[:5])


def test_an_interrupted_training_ends_as_an_uninterrupted_one(tmp_path: Path) -> None:
    options = tiny.options(steps=7)
    run(tmp_path / "whole", options)
    assert any("the same command goes on" in line for line in run(tmp_path / "parts", options, 3))
    assert state(tmp_path / "parts")["step"] == 3
    assert "going on after step 3" in run(tmp_path / "parts", options)
    whole, parts = state(tmp_path / "whole"), state(tmp_path / "parts")
    assert whole["step"] == parts["step"] == 7
    for name in ("network", "average"):
        torch.testing.assert_close(parts[name], whole[name], rtol=0, atol=0)
    moments = (each["optimiser"]["state"] for each in (parts, whole))
    torch.testing.assert_close(*moments, rtol=0, atol=0)


@pytest.fixture
def training(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A training with workers that has done its first step."""
    (tmp_path / "tiny.toml").write_text(TOML)
    command = [sys.executable, "-u", "-m", "train", "tiny.toml", "-o", "."]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout
        assert any(line.startswith("step") for line in process.stdout)
        yield process


def test_ctrl_c_saves(training: subprocess.Popen[str], tmp_path: Path) -> None:
    os.killpg(training.pid, signal.SIGINT)  # as a terminal does: the workers hear it too
    assert training.communicate()[0].endswith("the same command goes on\n")
    assert training.returncode == 0
    assert state(tmp_path)["step"] > 0


def test_workers_end_with_a_training_that_is_killed(training: subprocess.Popen[str]) -> None:
    training.kill()
    training.communicate(timeout=60)  # until nobody has its output open


def test_a_finished_training_has_nothing_left_to_do(tmp_path: Path) -> None:
    options = tiny.options(steps=2)
    run(tmp_path, options)
    before = rows(tmp_path)
    assert state(tmp_path)["step"] == 2
    assert before[-1]["sdr"]
    run(tmp_path, options)
    assert rows(tmp_path) == before


def test_the_curve_has_losses_and_at_checkpoints_figures(tmp_path: Path) -> None:
    run(tmp_path, tiny.options(steps=5))
    found = rows(tmp_path)
    assert [row["step"] for row in found] == ["2", "4", "5"]
    assert [float(row["audio_s"]) for row in found] == pytest.approx(
        [step * 2 * 7 * 1024 / 44_100 for step in (2, 4, 5)], rel=1e-4
    )
    assert all(float(row["loss"]) > 0 for row in found)
    assert [bool(row["sdr"]) for row in found] == [False, False, True]


def test_the_weights_of_every_checkpoint_are_kept(tmp_path: Path) -> None:
    often = replace(tiny.options().run, checkpoint_minutes=1e-9)
    options = replace(tiny.options(steps=3), run=often)
    run(tmp_path, options)
    assert {file.name for file in tmp_path.glob("*.safetensors")} == {
        f"step-{step}.safetensors" for step in (1, 2, 3)
    }
    averages, shipped = state(tmp_path)["average"], read_network(tmp_path / "step-3.safetensors")
    torch.testing.assert_close(shipped.state_dict(), averages, rtol=0, atol=0)


def test_a_folder_of_another_network_is_refused(tmp_path: Path) -> None:
    options = tiny.options(steps=1)
    run(tmp_path, options)
    other = replace(options, network=NetworkOptions(channels=5, bottleneck=8))
    with pytest.raises(ModelError, match="another folder"):
        run(tmp_path, other)


def test_training_begins_with_the_weights_that_are_named(tmp_path: Path) -> None:
    options = tiny.options(steps=1)
    run(tmp_path / "first", options)
    start = tmp_path / "first/step-1.safetensors"
    options = replace(options, run=replace(options.run, start=start))
    pool = SongPool(tiny.song, options.data)
    trainer = Trainer(options, Batches(pool, options.data, seed=0))
    expected = read_network(start).state_dict()
    torch.testing.assert_close(trainer.network.state_dict(), expected, rtol=0, atol=0)


def test_a_gradient_that_is_not_finite_ends_the_training() -> None:
    options = tiny.options()
    pool = SongPool(lambda seed: tiny.song(seed) * np.float32("nan"), options.data)
    with pytest.raises(ModelError, match="the gradient of step 0 is not finite"):
        Trainer(options, Batches(pool, options.data, seed=0)).advance()


def test_the_learning_rate_rises_then_falls() -> None:
    options = replace(tiny.options(steps=100).optimiser, learning_rate=1.0, warmup_steps=10)
    rates = [learning_rate(step, options) for step in range(101)]
    assert int(np.argmax(rates)) == 9
    assert rates[0] == pytest.approx(0.1)
    assert all(np.diff(rates[9:]) < 0)
    assert rates[-1] == pytest.approx(options.final_rate)


def test_an_interrupted_curve_forgets_what_will_come_again(tmp_path: Path) -> None:
    curve = Curve(tmp_path)
    for step in (2, 4, 6):
        curve.add(step, {"audio_s": step, "loss": 1.0})
    Curve(tmp_path, steps=4).add(5, {"audio_s": 5, "loss": 0.5, "sdr": 3.0})
    assert [row["step"] for row in rows(tmp_path)] == ["2", "4", "5"]
    assert [row["sdr"] for row in rows(tmp_path)] == ["", "", "3"]


def test_the_curve_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    curve = Curve(tmp_path)
    curve.add(1, {"audio_s": 10.0, "loss": 1.0, "loss_rms": 0.5})
    curve.add(2, {"audio_s": 20.0, "loss": 0.9, "loss_rms": 0.4, "sdr": 3.0, "false_voice": -9.0})
    curve.draw()
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_averages_follow_the_network() -> None:
    options = tiny.options()
    trainer = Trainer(options, Batches(SongPool(tiny.song, options.data), options.data, seed=0))
    assert isinstance(trainer.average, MaskingNetwork)
    expected = {name: weight.clone() for name, weight in trainer.average.state_dict().items()}
    for step in range(3):
        trainer.advance()
        decay = min(options.optimiser.average, (1 + step) / (10 + step))
        for name, weight in trainer.network.state_dict().items():
            expected[name] = decay * expected[name] + (1 - decay) * weight
    torch.testing.assert_close(trainer.average.state_dict(), expected)
