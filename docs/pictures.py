"""Draws the pictures of docs/images from exports of the demonstration song.

python -m docs.pictures        needs Chromium, ffmpeg and the packages of the extra dev
"""

import io
import json
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html import escape
from pathlib import Path
from xml.etree import ElementTree

import mido
import numpy as np
import soundfile
import verovio
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image, ImageOps
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from unbraid import export_result
from unbraid.audio import load
from unbraid.exporting import EXPORT_NAMES
from unbraid.trial import run_trial
from unbraid.types import Samples

IMAGES = Path(__file__).with_name("images")
MOST_BYTES = 200_000
DESKTOP, PHONE = ViewportSize(width=1280, height=900), ViewportSize(width=360, height=740)
PAPER = ViewportSize(width=794, height=1123)  # A4 at 96 dpi
BROWSER = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
MARGIN = 24
COLOURS = ("#56B4E9", "#009E73", "#D55E00", "#CC79A7")
SHOWN_S = 12.0
PIXELS = 900


def main() -> None:
    """Make all exports of the demonstration song, and draw each."""
    with tempfile.TemporaryDirectory() as scratch:
        result = run_trial(Path(scratch)).result.folder
        exported = export_result(result, EXPORT_NAMES)
        assert not exported.problems, exported.problems
        files = {name: [result / file for file in each] for name, each in exported.files.items()}
        with _chromium() as browser:
            score, lead_sheet = files["musicxml"]
            _engraved(browser, score, IMAGES / "score.png")
            _engraved(browser, lead_sheet, IMAGES / "lead-sheet.png")
            _text(browser, files["chords"][0], IMAGES / "chart.png")
            _report(browser, files["report"][0])
        _dawproject(files["dawproject"][0], IMAGES / "dawproject.png")
        _ni_stems(files["stem"][0], IMAGES / "ni-stems.png")
        _multichannel(files["multichannel"][0], IMAGES / "multichannel.png")
        _click(files["click"][1], result / "stems" / "drums.wav", IMAGES / "click.png")
        _midi(result / "midi" / "all.mid", IMAGES / "midi.png")
        _kept(Image.open(result / "spectra" / "vocals.png"), IMAGES / "spectra.png")


def _kept(picture: Image.Image, file: Path) -> None:
    """Write a picture of at most 256 colours."""
    picture.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(file, optimize=True)
    size = file.stat().st_size
    assert size < MOST_BYTES, f"{file.name} has {size} bytes"
    print(f"{file.name}: {size / 1000:.0f} kB")


@contextmanager
def _chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        program = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=program, args=BROWSER)
        yield browser
        browser.close()


def _shot(page: Page, file: Path, trimmed: bool = True) -> None:
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    if trimmed:
        content = ImageOps.invert(picture).getbbox()  # all that is not white
        picture = ImageOps.expand(picture.crop(content), MARGIN, "white")
    _kept(picture, file)


def _engraved(browser: Browser, score: Path, file: Path) -> None:
    """The upper part of the first page, as verovio draws it."""
    toolkit = verovio.toolkit()
    toolkit.setOptions({"scale": 34, "pageWidth": 2600, "pageHeight": 2100, "footer": "none"})
    assert toolkit.loadFile(str(score))
    page = browser.new_page(viewport=ViewportSize(width=900, height=720))
    page.set_content(f"<body style='margin:8px'>{toolkit.renderToSVG(1)}")
    _shot(page, file)
    page.close()


def _text(browser: Browser, chart: Path, file: Path) -> None:
    page = browser.new_page(viewport=ViewportSize(width=560, height=300))
    page.set_content(f"<pre style='font-size:15px;margin:20px'>{escape(chart.read_text('utf-8'))}")
    _shot(page, file)
    page.close()


def _report(browser: Browser, report: Path) -> None:
    for name, size in (("desktop", DESKTOP), ("phone", PHONE), ("print", PAPER)):
        page = browser.new_page(viewport=size)
        page.emulate_media(media="print" if name == "print" else "screen")
        page.goto(report.as_uri())
        page.wait_for_timeout(500)
        _shot(page, IMAGES / f"report-{name}.png", trimmed=name == "print")
        page.close()


@contextmanager
def _drawing(file: Path, rows: int, height: float) -> Iterator[Sequence[Axes]]:
    """Rows one above the other, with one axis of time."""
    figure = Figure(figsize=(9, height), dpi=100, layout="constrained")
    rows_of = figure.subplots(rows, 1, sharex=True, squeeze=False, gridspec_kw={"hspace": 0.06})
    axes: list[Axes] = list(rows_of[:, 0])
    for each in axes:
        each.spines[["top", "right"]].set_visible(False)
        each.set_yticks([])
    yield axes
    drawn = io.BytesIO()
    figure.savefig(drawn)
    _kept(Image.open(drawn), file)


def _named(axes: Axes, name: str) -> None:
    axes.set_ylabel(name, rotation=0, ha="right", va="center")


def _wave(
    axes: Axes,
    samples: Samples,
    rate: int,
    colour: str,
    begin_s: float = 0.0,
    per_second: float = 1.0,
) -> None:
    """The lowest and highest samples of each pixel, in units of which a second has some."""
    count = round(SHOWN_S * rate) // PIXELS
    pixels = samples[: PIXELS * count].reshape(PIXELS, count)
    at = per_second * (begin_s + np.arange(PIXELS) * count / rate)
    axes.fill_between(at, pixels.min(1), pixels.max(1), color=colour, linewidth=0)


def _dawproject(project: Path, file: Path) -> None:
    """The arrangement: tracks with their clips, in beats, and the markers above them."""
    with zipfile.ZipFile(project) as archive:
        root = ElementTree.fromstring(archive.read("project.xml"))
        tracks = {each.attrib["id"]: each.attrib["name"] for each in root.iter("Track")}
        lanes = root.findall("Arrangement/Lanes/Lanes")
        beats = _beats_per_second(root)
        shown = SHOWN_S * beats
        with _drawing(file, len(lanes), 6.0) as rows:
            for k, (axes, lane) in enumerate(zip(rows, lanes, strict=True)):
                colour = COLOURS[k % len(COLOURS)]
                _named(axes, tracks[lane.attrib["track"]])
                axes.set_facecolor("#f4f4f4")
                for audio in lane.iter("Audio"):
                    reference = audio.find("File")
                    assert reference is not None
                    sound = io.BytesIO(archive.read(reference.attrib["path"]))
                    samples, rate = soundfile.read(sound)
                    _wave(axes, samples[:, 0], rate, colour, per_second=beats)
                for note in lane.iter("Note"):
                    at, lasts = float(note.attrib["time"]), float(note.attrib["duration"])
                    axes.barh(int(note.attrib["key"]), lasts, 1.4, at, color=colour)
            for marker in root.iter("Marker"):
                at = float(marker.attrib["time"])
                if at < shown - 1:
                    rows[0].text(at, 1.15, marker.attrib["name"], transform=_above(rows[0]))
            rows[-1].set_xlim(0, shown)
            rows[-1].set_xlabel("quarter notes")


def _above(axes: Axes) -> object:
    return axes.get_xaxis_transform()


def _beats_per_second(root: ElementTree.Element) -> float:
    tempo = root.find("Transport/Tempo")
    assert tempo is not None
    return float(tempo.attrib["value"]) / 60


def _ni_stems(stems: Path, file: Path) -> None:
    """The mix and the four parts, with the names and colours that DJ programs show."""
    data = stems.read_bytes()
    box = data[data.rindex(b'{"mastering_dsp"') :].decode("ascii")  # the last one of the file
    parts = json.loads(box)["stems"]
    shown = [{"name": "Mix", "color": "#444444"}, *parts]
    with _drawing(file, len(shown), 4.0) as rows:
        for stream, (axes, part) in enumerate(zip(rows, shown, strict=True)):
            samples, rate = _stream(stems, stream)
            _wave(axes, samples, rate, part["color"])
            _named(axes, part["name"])
        rows[-1].set_xlabel("seconds")


def _stream(file: Path, stream: int) -> tuple[Samples, int]:
    """The left channel of a stream."""
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / "stream.wav"
        command = ["ffmpeg", "-v", "error", "-i", str(file), "-map", f"0:a:{stream}", str(wav)]
        subprocess.run(command, check=True)
        signal = load(wav)
        return signal.samples[0], signal.sample_rate


def _multichannel(file: Path, picture: Path) -> None:
    """Eight channels, by the names in the file."""
    samples, rate = soundfile.read(file, dtype="float32", always_2d=True)
    data = file.read_bytes()
    names = ElementTree.fromstring(data[data.rindex(b"<?xml") : data.rindex(b"</BWFXML>") + 9])
    with _drawing(picture, samples.shape[1], 4.5) as rows:
        for k, (axes, name) in enumerate(zip(rows, names.iter("NAME"), strict=True)):
            _wave(axes, samples[:, k], rate, COLOURS[k // 2 % len(COLOURS)])
            _named(axes, f"{k + 1}  {name.text}")
        rows[-1].set_xlabel("seconds")


def _click(click: Path, drums: Path, file: Path) -> None:
    clicks, struck = load(click), load(drums)
    lead_s = (clicks.length - struck.length) / clicks.sample_rate
    with _drawing(file, 2, 2.4) as rows:
        _wave(rows[0], clicks.samples[0], clicks.sample_rate, "#444444", -lead_s)
        _wave(rows[1], struck.samples[0], struck.sample_rate, COLOURS[1])
        _named(rows[0], "click with\ncount-in")
        _named(rows[1], "drums")
        rows[-1].set_xlabel("seconds of the song")
        rows[-1].set_xlim(-lead_s - 0.1, SHOWN_S - lead_s)


def _midi(file: Path, picture: Path) -> None:
    """The notes of all tracks and the chords, in bars."""
    midi = mido.MidiFile(file, charset="utf-8")
    with _drawing(picture, 1, 4.0) as (axes,):
        for track, colour in zip(midi.tracks[1:], COLOURS, strict=True):
            sounding: dict[int, int] = {}
            now = 0
            for message in track:
                now += message.time
                if message.type == "note_on":
                    sounding[message.note] = now
                elif message.type == "note_off" and message.note in sounding:
                    began = sounding.pop(message.note)
                    axes.barh(message.note, now - began, 0.9, began, color=colour)
            axes.barh(0, 0, color=colour, label=track.name)
        now = 0
        for message in midi.tracks[0]:
            now += message.time
            if message.type == "marker" and now < 26 * midi.ticks_per_beat:
                axes.text(now, 1.02, message.text, transform=_above(axes))
        axes.set_xlim(0, 28 * midi.ticks_per_beat)
        axes.set_ylim(28, 88)
        axes.set_xticks(
            range(0, 28 * midi.ticks_per_beat, 4 * midi.ticks_per_beat), map(str, range(0, 28, 4))
        )
        axes.set_xlabel("quarter notes")
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)


if __name__ == "__main__":
    main()
