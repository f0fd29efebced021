import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.export.songs import RATE, song_of

from unbraid.demo import DemoSong
from unbraid.export.picture import beside, palette, pixels, png
from unbraid.export.spectra import frames_per_column, write_spectra


def lightness(rgb: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> list[float]:
    """L* of CIE 1976."""
    part = rgb / 255
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    found = np.where(luminance > 0.008856, 116 * np.cbrt(luminance) - 16, 903.3 * luminance)
    return [float(each) for each in found]


def test_colours_rise_evenly_in_lightness() -> None:
    steps = np.diff(lightness(palette())[::15])
    assert steps.min() > 0.6 * steps.mean()
    assert steps.max() < 1.4 * steps.mean()


def test_pictures_are_read_back_as_they_were_drawn() -> None:
    levels = np.tile(np.linspace(-80, 0, 20, dtype=np.float32), (50, 1))
    drawn = pixels(levels, 0.0, columns=30)
    assert drawn.shape == (20, 30)
    assert (drawn[0] == 255).all()
    assert (drawn[-1] == 0).all()
    with Image.open(io.BytesIO(png(beside(drawn, drawn)))) as picture:
        np.testing.assert_array_equal(
            np.asarray(picture.convert("RGB")), palette()[beside(drawn, drawn)]
        )


def test_spectra_of_the_mixture_and_of_each_stem(demo: DemoSong, tmp_path: Path) -> None:
    stems = {name: stem.samples[:, : 5 * RATE] for name, stem in demo.stems.items()}
    files = write_spectra(tmp_path / "spectra", song_of(stems))
    assert [file.name for file in files] == [
        f"{name}.{kind}" for name in ("mixture", *stems) for kind in ("npz", "png")
    ]
    assert {file.name for file in (tmp_path / "spectra").iterdir()} == {file.name for file in files}
    with np.load(tmp_path / "spectra" / "bass.npz") as archive:
        columns = len(archive["times_s"])
        for kind in ("fft", "mel", "constant_q"):
            levels = archive[f"{kind}_db"]
            assert levels.shape == (columns, len(archive[f"{kind}_hz"]))
            assert levels.dtype == np.float16
            assert -120 <= levels.min() < levels.max() < 0
        tones = archive["constant_q_hz"][archive["constant_q_db"].argmax(axis=1)]
        assert 30 < np.median(tones) < 260
    with (
        Image.open(tmp_path / "spectra" / "mixture.png") as mixture,
        Image.open(tmp_path / "spectra" / "bass.png") as bass,
    ):
        assert mixture.height == bass.height == 256
        assert bass.width == 2 * mixture.width + 8
        before = np.asarray(bass.convert("RGB"))[:, : mixture.width]
        np.testing.assert_array_equal(before, np.asarray(mixture.convert("RGB")))


def test_archives_of_noise_stay_small(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, (2, 20 * RATE)).astype(np.float32)
    assert frames_per_column(180 * RATE, sources=5) == 4
    assert frames_per_column(3600 * RATE, sources=13) == 256
    files = write_spectra(tmp_path, song_of({"noise": noise}))
    size = sum(file.stat().st_size for file in files if file.suffix == ".npz")
    columns = 1 + noise.shape[1] // 1024
    assert size / columns / 2 < 20e6 / (180 * RATE / 1024 / 4) / 5


@pytest.mark.parametrize("name", ["mixture", "../MIXTURE", "🥁 ударные"])
def test_stems_of_any_name_and_length_have_files(name: str, tmp_path: Path) -> None:
    files = write_spectra(tmp_path / "spectra", song_of({name: np.zeros((2, 1), np.float32)}))
    assert len(set(files)) == 4
    assert all(file.parent == tmp_path / "spectra" for file in files)
