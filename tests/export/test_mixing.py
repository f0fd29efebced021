from pathlib import Path

import numpy as np
import pytest
import soundfile

from unbraid.audio import Tags
from unbraid.errors import InputError
from unbraid.export.mixing import Fader, mix, panned, write_mix
from unbraid.types import ProcessOptions, Read, Samples

RATE = 44_100


def constant(left: float, right: float) -> Read:
    level = np.array([[left], [right]], np.float32)
    return lambda start, stop: np.repeat(level, stop - start, axis=1)


def test_a_mix_is_the_sum_of_what_is_named() -> None:
    stems = {"a": constant(0.25, 0.5), "b": constant(0.5, 0), "c": constant(1, 1)}
    both = mix(stems, {"a": Fader(), "b": Fader(gain_db=-20)})
    np.testing.assert_allclose(both(0, 3), [[0.3] * 3, [0.5] * 3])


@pytest.mark.parametrize(
    ("pan", "expected"),
    [(0, (0.5, 0.25)), (-1, (0.75, 0)), (1, (0, 0.75)), (0.5, (0.5 * 0.5**0.5, 0.6035534))],
)
def test_a_pan_moves_one_side_over_to_the_other(pan: float, expected: tuple[float, float]) -> None:
    np.testing.assert_allclose(panned(constant(0.5, 0.25), pan)(0, 1)[:, 0], expected, atol=1e-6)


def tone(peak: float) -> Read:
    def read(start: int, stop: int) -> Samples:
        wave = peak * np.sin(2 * np.pi * 440 / RATE * np.arange(start, stop))
        return np.stack([wave, -wave]).astype(np.float32)

    return read


@pytest.mark.parametrize("format", ["wav", "flac", "mp3", "ogg", "opus"])
def test_a_mix_beyond_full_scale_is_lowered(tmp_path: Path, format: str) -> None:
    file = tmp_path / "mix"
    options = ProcessOptions(format=format, bit_depth="16")  # type: ignore[arg-type]
    gain_db = write_mix(file, tone(2), RATE, RATE, options, Tags(title="Song"))
    assert gain_db == -6.02
    samples, _ = soundfile.read(file)
    assert np.abs(samples[RATE // 4 : RATE // 2]).max() == pytest.approx(1.0, abs=0.05)


def test_floating_point_keeps_what_is_beyond_full_scale(tmp_path: Path) -> None:
    options = ProcessOptions(bit_depth="32f")
    assert write_mix(tmp_path / "mix", constant(2, 2), 100, RATE, options, Tags()) == 0
    assert soundfile.read(tmp_path / "mix")[0].max() == 2


def test_a_mix_of_nothing_or_of_stems_that_are_not_there_is_refused() -> None:
    with pytest.raises(InputError, match="one stem at least"):
        mix({"a": constant(0, 0)}, {})
    with pytest.raises(InputError, match="no stem 'b'; there are a"):
        mix({"a": constant(0, 0)}, {"b": Fader()})
