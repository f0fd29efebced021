import base64
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image
from tests.export.songs import RATE, analysis_of, song_of

from unbraid.audio import AudioWriter, Tags
from unbraid.audio.formats import small_mp3
from unbraid.demo import DemoSong
from unbraid.export.report import MOST_BYTES, QUALITIES, Quality, fitting, write_report
from unbraid.export.song import Song
from unbraid.types import Samples

HOSTILE = '</script><img src=x onerror="alert(1)"> & „Ö” ‮ 🎸'


class Page(HTMLParser):
    """A page taken apart: its elements, and the text in each kind of them."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self._open = ""
        self.feed(file.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._open = dict(attrs).get("id") or tag

    def handle_data(self, data: str) -> None:
        self.texts[self._open] = self.texts.get(self._open, "") + data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for each, attributes in self.elements if each == tag]

    @property
    def song(self) -> dict[str, object]:
        found: dict[str, object] = json.loads(self.texts["song"])
        return found


def data_of(attributes: dict[str, str | None]) -> bytes:
    return base64.b64decode((attributes["src"] or "").split(",")[1])


def noise(duration_s: float, seed: int = 1) -> Samples:
    count = round(duration_s * RATE)
    return np.random.default_rng(seed).normal(0, 0.1, (2, count)).astype(np.float32)


@pytest.fixture(scope="module")
def played(demo: DemoSong) -> Song:
    stems = {name: stem.samples[:, : 10 * RATE] for name, stem in demo.stems.items()}
    return song_of(
        stems,
        tags=Tags(title="Demo", artist="Unbraid"),
        analysis=analysis_of(demo, 10.0),
        notes={
            name: [note for note in notes if note.end_s < 10] for name, notes in demo.notes.items()
        },
    )


@pytest.fixture(scope="module")
def page(played: Song, tmp_path_factory: pytest.TempPathFactory) -> Page:
    file = tmp_path_factory.mktemp("report") / "report.html"
    write_report(file, played)
    assert list(file.parent.iterdir()) == [file]
    return Page(file)


def test_a_report_says_what_the_song_is(page: Page) -> None:
    assert page.texts["title"].strip() == "Demo"
    lanes = [each for each in page.all("div") if "stem" in (each.get("class") or "").split()]
    assert len(lanes) == 4
    text = " ".join(page.texts.values())
    for fact in ("128 BPM", "D major", "10B", "4/4", "0:10", "lite", "F#m7", "a warning <b>"):
        assert fact in text
    song = page.song
    assert song["duration"] == 10.0
    assert song["downbeats"]
    assert [chord[2] for chord in song["chords"][:2]] == ["D", "F#m7"]  # type: ignore[index]
    stems = song["stems"]
    assert isinstance(stems, list)
    assert [sorted(stem) for stem in stems] == [
        ["notes", "peaks"],
        ["drums", "peaks", "strokes"],
        ["notes", "peaks"],
        ["notes", "peaks"],
    ]


def test_waveforms_have_the_peaks_of_the_stems(page: Page, played: Song) -> None:
    loudest = max(np.abs(read(0, played.length)).max() for read in played.stems.values())
    for stem, read in zip(page.song["stems"], played.stems.values(), strict=True):  # type: ignore[call-overload]
        peaks = np.frombuffer(base64.b64decode(stem["peaks"]), np.int8).reshape(-1, 2)
        samples = read(0, played.length)
        edges = np.arange(len(peaks)) * played.length // len(peaks)
        expected = np.maximum.reduceat(samples.max(axis=0), edges).clip(0)
        np.testing.assert_allclose(peaks[:, 1] / 127 * loudest, expected, atol=0.51 / 127 * loudest)


def test_every_stem_can_be_heard_in_full(page: Page, played: Song) -> None:
    sounds = page.all("audio")
    assert len(sounds) == len(played.stems)
    for attributes, read in zip(sounds, played.stems.values(), strict=True):
        samples, rate = soundfile.read(io.BytesIO(data_of(attributes)))
        assert rate == page.song["rate"]
        assert len(samples) == pytest.approx(10 * rate, abs=0.05 * rate)
        level = np.sqrt(np.mean(samples**2)) / np.sqrt(np.mean(read(0, played.length) ** 2))
        assert level == pytest.approx(1, abs=0.1)


def test_spectrograms_are_pictures(page: Page) -> None:
    pictures = page.all("img")
    assert [each["alt"] for each in pictures] == [
        f"Spectrogram of {name}" for name in ("mixture", "vocals", "drums", "bass", "other")
    ]
    for each in pictures:
        with Image.open(io.BytesIO(data_of(each))) as picture:
            assert picture.height == 128
            assert picture.width > 200


def test_a_report_loads_nothing_and_runs_only_its_own_script(page: Page) -> None:
    addresses = [
        value or ""
        for _, attributes in page.elements
        for key, value in attributes.items()
        if key in ("src", "href", "srcset", "action", "data", "poster")
    ]
    assert all(address.startswith("data:") for address in addresses)
    assert not any(key.startswith("on") for _, attributes in page.elements for key in attributes)
    assert "url(" not in page.texts["style"]
    policies = [each["content"] for each in page.all("meta") if "http-equiv" in each]
    assert len(policies) == 1
    assert "default-src 'none'" in (policies[0] or "")
    assert "unsafe" not in (policies[0] or "")
    assert "http" not in (policies[0] or "")


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    song = song_of({HOSTILE: noise(1)}, tags=Tags(title=HOSTILE, artist=HOSTILE))
    write_report(tmp_path / "report.html", song)
    page = Page(tmp_path / "report.html")
    assert page.texts["title"].strip() == HOSTILE
    assert page.texts["h1"].strip() == HOSTILE
    assert len(page.all("script")) == 2
    assert all("onerror" not in each for each in page.all("img"))


def scarce() -> Iterator[tuple[str, Song]]:
    yield "nothing but sound", song_of({"bass": noise(1)})
    yield "twelve stems", song_of({f"stem {k}": noise(1, k) for k in range(12)})
    yield "one sample", song_of({"bass": np.ones((2, 1), np.float32)})
    yield "silence", song_of({"bass": np.zeros((2, RATE), np.float32)})
    yield "beyond full scale", song_of({"bass": 30 * noise(1)})
    yield "half a sign", song_of({"bass": noise(1)}, tags=Tags(title="\ud83c"))
    yield "a low rate", song_of({"bass": noise(1)[:, :8000]}, sample_rate=8000)
    yield "a high rate", song_of({"bass": noise(1)}, sample_rate=192_000)


@pytest.mark.parametrize(("name", "song"), list(scarce()))
def test_any_song_has_a_report(name: str, song: Song, tmp_path: Path) -> None:
    write_report(tmp_path / "report.html", song)
    page = Page(tmp_path / "report.html")
    assert len(page.all("audio")) == len(song.stems)
    assert "chart" not in page.texts


def test_the_sound_is_as_good_as_fits(tmp_path: Path) -> None:
    song = song_of({"bass": noise(20), "other": noise(20, seed=2)})
    write_report(tmp_path / "report.html", song, most_bytes=0)
    page = Page(tmp_path / "report.html")
    assert not page.all("audio")
    assert "too long" in " ".join(page.texts.values())
    without = (tmp_path / "report.html").stat().st_size
    for sound in (800_000, 400_000, 120_000):
        write_report(tmp_path / "report.html", song, most_bytes=without + sound)
        assert len(Page(tmp_path / "report.html").all("audio")) == 2
        assert 0.7 * sound < (tmp_path / "report.html").stat().st_size - without <= sound


@pytest.mark.parametrize("quality", QUALITIES[1:])
def test_sounds_are_no_larger_than_foreseen(quality: Quality, tmp_path: Path) -> None:
    encoding = small_mp3(quality.kbit_per_s)
    with AudioWriter(tmp_path / "a.mp3", RATE, quality.channels, encoding, Tags()) as writer:
        writer.write(noise(7.3)[: quality.channels])
    size = (tmp_path / "a.mp3").stat().st_size
    assert 0.85 < size * 4 / 3 / quality.size(7.3) <= 1


def test_a_song_of_three_minutes_has_joint_stereo() -> None:
    short = song_of({name: noise(0.1) for name in "abcd"})
    song = replace(short, length=180 * RATE)
    assert fitting(song, MOST_BYTES - 600_000)[0] == QUALITIES[0]
    assert not fitting(replace(short, length=3600 * RATE), MOST_BYTES)
