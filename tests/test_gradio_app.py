"""The Gradio page, served for real, as programs and as a browser use it."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import gradio as gr
import mido
import numpy as np
import pytest
import soundfile
from axe_playwright_python.sync_playwright import Axe
from gradio_client import Client, handle_file
from gradio_client.client import Job
from gradio_client.exceptions import AppError
from playwright.sync_api import Page, expect, sync_playwright

from unbraid.errors import ResourceError
from unbraid.gradio_app import MAX_WAITING, MODELS, TITLE, Separator, write_example
from unbraid.weights import ModelEntry, ModelStore

CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
ROOT = Path(__file__).parents[1]
MADE = {".wav", ".mid", ".zip", ".flac", ".mp3", ".json"}
PROMISED = {
    "stem": "vocals",
    "convert_to_midi": True,
    "model": "lite",
    "midi_tempo": 120,
    "min_note_duration": 0.125,
    "min_frequency": 32.7,
    "max_frequency": 2093,
    "onset_threshold": 0.5,
}


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the page keeps what it does not need for long."""
    return tmp_path_factory.mktemp("scratch")


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_example(tmp_path_factory.mktemp("song"))


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, scratch: Path) -> Iterator[str]:
    """Of a page that is being served."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    surroundings = {
        "GRADIO_SERVER_PORT": str(port),
        "TMPDIR": str(scratch),
        "XDG_CACHE_HOME": str(tmp_path_factory.mktemp("cache")),
    }
    command = [sys.executable, "-u", str(ROOT / "app.py")]
    with subprocess.Popen(command, env=os.environ | surroundings, stdout=subprocess.PIPE) as served:
        assert served.stdout
        assert f"127.0.0.1:{port}".encode() in served.stdout.readline()
        yield f"http://127.0.0.1:{port}/"
        served.send_signal(signal.SIGINT)
        try:
            served.communicate(timeout=30)
        finally:
            served.kill()
    assert not [file for file in scratch.rglob("*") if file.suffix in MADE]


@pytest.fixture
def client(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    monkeypatch.setenv("GRADIO_ANALYTICS_ENABLED", "False")
    client = Client(address, verbose=False, download_files=tmp_path)
    yield client
    client.close()


def followed(job: Job) -> list[tuple[float, str]]:
    """How far a job was, and at what, until it was done."""
    seen: list[tuple[float, str]] = []
    while not job.done():
        for unit in job.status().progress_data or ():
            if unit.progress is not None and (unit.progress, unit.desc) not in seen:
                seen.append((unit.progress, str(unit.desc)))
        time.sleep(0.02)
    return seen


def test_a_song_gives_the_stem_its_midi_and_all_the_rest(
    client: Client, song: Path, scratch: Path
) -> None:
    job = client.submit(handle_file(song), api_name="/separate")
    seen = followed(job)
    sound, midi, files, archive, facts = job.result()
    assert Path(sound).name == "vocals.wav"
    assert soundfile.info(sound).frames == soundfile.info(song).frames
    tempi = [message.tempo for message in mido.MidiFile(midi) if message.type == "set_tempo"]
    assert tempi == [mido.bpm2tempo(120)]
    stems = ("vocals", "drums", "bass", "other")
    wanted = {f"{stem}{suffix}" for stem in stems for suffix in (".wav", ".mid")} | {"all.mid"}
    assert {Path(file).name for file in files} == wanted
    with zipfile.ZipFile(archive) as packed:
        assert packed.testzip() is None
        assert {"demo/manifest.json", "demo/analysis.json"} < set(packed.namelist())
    assert "128 BPM" in facts
    assert "D major" in facts
    assert seen == sorted(seen, key=lambda reached: reached[0])
    assert {"separating", "analysing", "transcribing"} < {stage for _, stage in seen}
    assert not list(scratch.glob("unbraid-*"))


def test_inputs_and_their_defaults_are_the_promised_ones(client: Client) -> None:
    api: Any = client.view_api(return_format="dict", print_info=False)
    audio, *others = api["named_endpoints"]["/separate"]["parameters"]
    assert audio["parameter_name"] == "audio"
    assert {each["parameter_name"]: each["parameter_default"] for each in others} == PROMISED
    choices = {each["parameter_name"]: each["type"].get("enum") for each in others}
    assert choices["model"] == list(MODELS)
    assert choices["stem"] == ["vocals", "drums", "bass", "other", "guitar", "piano"]


def test_midi_is_made_only_if_it_is_asked_for(client: Client, song: Path, tmp_path: Path) -> None:
    samples, rate = soundfile.read(song, frames=44100 * 4)
    soundfile.write(tmp_path / "short.flac", samples, rate)
    sound, midi, files, _, _ = client.predict(
        handle_file(tmp_path / "short.flac"), "bass", False, api_name="/separate"
    )
    assert Path(sound).name == "bass.wav"
    assert midi is None
    assert all(file.endswith(".wav") for file in files)


@pytest.mark.parametrize(
    ("name", "choices", "sentence"),
    [
        (None, {}, "there is no song yet"),
        ("broken.mp3", {}, "'broken.mp3' is not"),
        ("long.flac", {}, "longer than 15 minutes"),
        ("short.wav", {"stem": "piano"}, "the model lite has no stem piano"),
        ("short.wav", {"min_frequency": 3000}, "min_frequency_hz must be above 0 and below"),
        ("short.wav", {"midi_tempo": -1}, "tempo"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    client: Client, tmp_path: Path, name: str | None, choices: dict[str, Any], sentence: str
) -> None:
    soundfile.write(tmp_path / "short.wav", np.zeros(44100), 44100)
    soundfile.write(tmp_path / "long.flac", np.zeros(8000 * 901), 8000)
    (tmp_path / "broken.mp3").write_bytes(b"no music in here" * 99)
    file = handle_file(tmp_path / name) if name else None
    with pytest.raises(AppError, match=sentence):
        client.predict(file, **choices, api_name="/separate")


class FullStore(ModelStore):
    """Finds no memory for any model."""

    def find(self, name: str) -> ModelEntry:
        raise ResourceError(f"the memory does not suffice for {name}; close other programs")


@pytest.mark.parametrize(
    ("store", "sentence"),
    [(ModelStore, "works offline"), (FullStore, "the memory does not suffice")],
)
def test_a_model_that_cannot_be_had_is_said_in_a_sentence(
    song: Path, tmp_path: Path, store: type[ModelStore], sentence: str
) -> None:
    separator = Separator(store(tmp_path, offline=True))
    notes = (None,) * 5
    songs = separator.separate(str(song), "vocals", True, "htdemucs", *notes, gr.Request())
    with pytest.raises(gr.Error, match=sentence):
        next(songs)


def test_cancelling_stops_the_work(client: Client, song: Path, scratch: Path) -> None:
    job = client.submit(handle_file(song), midi_tempo=97, api_name="/separate")
    while not job.status().progress_data:
        assert not job.done()
        time.sleep(0.02)
    client.predict(api_name="/cancel")
    with pytest.raises(AppError, match="cancelled"):
        job.result()
    assert not list(scratch.glob("unbraid-*"))


def test_a_full_queue_is_answered_with_a_sentence(
    client: Client, song: Path, tmp_path: Path
) -> None:
    samples, rate = soundfile.read(song)
    soundfile.write(tmp_path / "longer.flac", np.tile(samples, (2, 1)), rate)
    first = client.submit(handle_file(tmp_path / "longer.flac"), api_name="/separate")
    while not first.status().progress_data:
        assert not first.done()
        time.sleep(0.02)
    others = [client.submit(None, api_name="/separate") for _ in range(MAX_WAITING + 3)]
    while sum(job.done() for job in others) < 3:
        assert not first.done()
        time.sleep(0.02)
    assert Path(first.result()[0]).name == "vocals.wav"
    told = [str(job.exception(timeout=60)) for job in others]
    assert sum("Queue is full! Please try again." in each for each in told) == 3
    assert sum("there is no song yet" in each for each in told) == MAX_WAITING


@pytest.fixture
def page(address: str) -> Iterator[Page]:
    program = shutil.which("chromium")
    if not program:
        pytest.skip("Chromium is not installed")
    complaints: list[str] = []
    outside: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda asked: outside.append(asked.url))
        page.goto(address)
        yield page
        browser.close()
    assert not complaints
    assert not [url for url in outside if not url.startswith((address, "data:", "blob:"))]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_can_be_read_by_everyone(page: Page, scheme: Literal["light", "dark"]) -> None:
    page.emulate_media(color_scheme=scheme)
    page.reload()
    expect(page.get_by_role("radio", name="bass")).to_be_visible()
    page.get_by_text("MIDI options").click()
    expect(page.get_by_label("Tempo (BPM)")).to_be_visible()
    page.wait_for_timeout(500)  # until it has unfolded and colours have faded in
    grave = {
        each["id"]
        for each in Axe().run(page).response["violations"]
        if each["impact"] in ("serious", "critical")
    }
    of_gradio = {"aria-prohibited-attr", "nested-interactive"}  # empty boxes, the waveform's field
    assert grave <= of_gradio


def test_a_browser_takes_the_example_apart(page: Page) -> None:
    expect.set_options(timeout=60_000)
    expect(page).to_have_title(TITLE)
    expect(page.get_by_role("radio", name="guitar")).to_have_count(0)  # lite has none
    page.get_by_role("button", name="Separate").click()
    expect(page.get_by_text("there is no song yet")).to_be_visible()
    page.get_by_role("button", name="demo.wav").click()
    page.get_by_role("radio", name="bass").check()
    page.get_by_role("button", name="Separate").click()
    facts = page.locator(".facts textarea")
    expect(facts).to_have_value(re.compile("128 BPM"))
    of_the_stem = page.get_by_role("table").first
    expect(of_the_stem).to_contain_text(re.compile(r"bass\s*\.mid"))
    page.get_by_role("radio", name="drums").check()  # of the same song, so it is there at once
    expect(of_the_stem).to_contain_text(re.compile(r"drums\s*\.mid"))
    expect(page.locator(".timestamps").last).to_contain_text("0:32")
    if images := os.environ.get("UNBRAID_IMAGES"):
        page.screenshot(path=Path(images) / "gradio.png", full_page=True)


def test_a_space_gets_what_the_package_needs() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["demucs"]]
    lines = (ROOT / "deploy/space/requirements.txt").read_text("utf-8").splitlines()
    assert [line for line in lines if not line.startswith(("#", "--"))] == wanted
    header = (ROOT / "deploy/space/README.md").read_text("utf-8").split("---")[1]
    assert f"title: {TITLE}\n" in header
    assert f"sdk: gradio\nsdk_version: {gr.__version__}\n" in header
    assert "app_file: app.py\n" in header
