"""The studio's pages in Chromium: what its tests share, the fixtures through `conftest`."""

import io
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, ViewportSize, expect, sync_playwright
from tests.service.serving import Served

from unbraid.demo import DemoSong
from unbraid.service.studio import FOLDER

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
DESKTOP, PHONE = ViewportSize(width=1280, height=900), ViewportSize(width=360, height=740)
JOB_PAGE = re.compile(r"/jobs/[^/]+$")
PATIENCE_MS = 60_000

RATE = 44_100
RENDERED_S = 4

expect.set_options(timeout=PATIENCE_MS)

OFFLINE = f"""
window.AudioContext = class extends OfflineAudioContext {{
  constructor({{ sampleRate }}) {{
    super(2, {RENDERED_S} * sampleRate, sampleRate);
    window.offline = this;
  }}
  resume() {{ return Promise.resolve(); }}
  close() {{ return Promise.resolve(); }}
}};
window.starts = [];
const start = AudioBufferSourceNode.prototype.start;
AudioBufferSourceNode.prototype.start = function (...when) {{
  if (this.context === window.offline) window.starts.push(when);
  return start.apply(this, when);
}};
window.heard = async () => {{
  const sound = await window.offline.startRendering();
  const bytes = [0, 1].flatMap((k) => [...new Uint8Array(sound.getChannelData(k).buffer)]);
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');
}};
"""
"""An audio context that computes what it would play, as fast as it can."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium")
    if not program:
        pytest.skip("Chromium is not installed")
    if not (FOLDER / "index.html").is_file():
        pytest.skip("the studio is not built; `make web` does it")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def short_song(demo: DemoSong, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten seconds, so that it is soon done."""
    file = tmp_path_factory.mktemp("song") / "A short song.flac"
    soundfile.write(file, demo.mixture.samples[:, : 10 * 44_100].T, 44_100)
    return file


@pytest.fixture(scope="module")
def done(server: Served, short_song: Path) -> dict[str, Any]:
    """The short song, taken apart."""
    job_id = server.submit(short_song)
    list(server.watch(job_id))
    return server.job(job_id)


@pytest.fixture(scope="module")
def stems(server: Served, done: dict[str, Any]) -> dict[str, npt.NDArray[np.float64]]:
    """Its stems [channel, time], in the order of the page."""
    files = [file for file in done["files"] if file["kind"] == "stem"]
    content = {file["of"]: server.client.get(file["url"]).content for file in files}
    return {name: soundfile.read(io.BytesIO(each))[0].T for name, each in content.items()}


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complains of while a test runs."""
    return []


@pytest.fixture
def page(browser: Browser, server: Served, complaints: list[str]) -> Iterator[Page]:
    context = browser.new_context(viewport=DESKTOP, base_url=server.address, color_scheme="dark")
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.on("console", lambda message: complaints.extend(_of_console(message)))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda asked: complaints.extend(_outside(asked.url, server.address)))
    yield page
    context.close()
    assert not complaints


def _of_console(message: ConsoleMessage) -> list[str]:
    url = message.location["url"]
    just_ended = "409" in message.text and "/preview" in url
    return [] if just_ended else [f"{message.text} ({url})"]


def _outside(url: str, address: str) -> list[str]:
    return [] if url.startswith((address, f"blob:{address}")) else [url]


def drop(page: Page, song: Path) -> None:
    """Drop a file onto the page."""
    page.get_by_label("Recordings", exact=True).evaluate("e => e.dataset.marked = ''")
    page.get_by_label("Recordings", exact=True).set_input_files(song)
    page.evaluate(
        """() => {
          const picker = document.querySelector('[data-marked]');
          const data = new DataTransfer();
          for (const file of picker.files) data.items.add(file);
          picker.closest('[data-testid=drop]').dispatchEvent(
            new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
        }"""
    )


def picture(page: Page, name: str) -> None:
    """Keep what is to be seen, where UNBRAID_PICTURES names a folder."""
    if folder := os.environ.get("UNBRAID_PICTURES"):
        page.evaluate("scrollTo(0, 0)")
        page.wait_for_timeout(1_000)  # until all lanes are drawn
        page.screenshot(path=Path(folder) / f"studio-{name}.png")


def rendered(page: Page) -> tuple[int, npt.NDArray[np.float64]]:
    """What the page plays: at which sample it begins, and all samples [channel, time]."""
    page.get_by_role("button", name="Play", exact=True).click()
    until = "Math.max(0, ...window.starts.map(([at, , duration]) => at + duration))"
    while page.evaluate(until) < RENDERED_S:
        page.wait_for_timeout(50)
    begins = {round(when[0] * RATE) for when in page.evaluate("window.starts")}
    samples = np.frombuffer(bytes.fromhex(page.evaluate("window.heard()")), np.float32)
    return min(begins), samples.reshape(2, -1).astype(np.float64)


def go_to(page: Page, seconds: float) -> None:
    page.get_by_label("Position").fill(str(seconds))


def seconds(page: Page) -> float:
    minutes, rest = page.get_by_test_id("clock").inner_text().split(":")
    return 60 * int(minutes) + float(rest)


def look(page: Page) -> None:
    """Everyone can use what is shown, and nothing sticks out of it."""
    page.wait_for_timeout(350)  # until colours have faded in
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    width = page.viewport_size and page.viewport_size["width"]
    assert page.evaluate("document.documentElement.scrollWidth") == width
