"""The studio as Chromium shows it, on a real server that takes real songs apart."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright
from tests.service.serving import Served

from unbraid.demo import DemoSong
from unbraid.service.studio import FOLDER

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
DESKTOP, PHONE = ViewportSize(width=1280, height=900), ViewportSize(width=360, height=740)
JOB_PAGE = re.compile(r"/jobs/[^/]+$")
PATIENCE_MS = 60_000

expect.set_options(timeout=PATIENCE_MS)


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
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("data")) as server:
        yield server


@pytest.fixture(scope="module")
def short_song(demo: DemoSong, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten seconds, so that it is soon done."""
    file = tmp_path_factory.mktemp("song") / "A short song.flac"
    soundfile.write(file, demo.mixture.samples[:, : 10 * 44_100].T, 44_100)
    return file


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complains of while a test runs."""
    return []


@pytest.fixture
def page(browser: Browser, server: Served, complaints: list[str]) -> Iterator[Page]:
    context = browser.new_context(viewport=DESKTOP, base_url=server.address, color_scheme="dark")
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda asked: complaints.extend(_outside(asked.url, server.address)))
    yield page
    context.close()
    assert not complaints


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


def look(page: Page) -> None:
    """Everyone can use what is shown, and nothing sticks out of it."""
    page.wait_for_timeout(350)  # until colours have faded in
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    width = page.viewport_size and page.viewport_size["width"]
    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_everyone_can_use_the_first_page(page: Page, scheme: str, size: ViewportSize) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size(size)
    page.goto("/")
    page.get_by_text("Notes and MIDI").click()
    expect(page.get_by_label("Onset threshold")).to_be_visible()
    look(page)


def test_a_bad_file_is_refused_with_a_sentence(page: Page, tmp_path: Path) -> None:
    (tmp_path / "empty.wav").touch()
    (tmp_path / "letter.pdf").write_bytes(b"%PDF")
    page.goto("/")
    page.get_by_label("Recordings").set_input_files(
        [tmp_path / "empty.wav", tmp_path / "letter.pdf"]
    )
    refusals = page.get_by_role("alert")
    expect(refusals).to_have_count(2)
    expect(refusals.first).to_contain_text("0 bytes")
    page.get_by_role("button", name="Put letter.pdf aside").click()
    expect(refusals).to_have_count(1)


def test_an_unknown_page_leads_back(page: Page, complaints: list[str]) -> None:
    page.goto("/no/such/page")
    expect(page.get_by_role("heading", level=1)).to_have_text("This thread leads nowhere")
    look(page)
    page.get_by_role("link", name="To the library").click()
    expect(page.get_by_role("heading", name="Library")).to_be_visible()
    complaints.remove(next(each for each in complaints if "404" in each))


def test_a_song_that_is_dropped_is_watched_through_a_reload_to_its_end(
    page: Page, short_song: Path
) -> None:
    page.goto("/")
    drop(page, short_song)
    page.wait_for_url(JOB_PAGE)
    expect(page.get_by_role("heading", level=1)).to_have_text("A short song")
    log = page.locator("ol", has_text="Taking the song apart")
    expect(log).to_be_visible()
    look(page)
    page.reload()
    expect(log).to_be_visible()
    expect(page.get_by_role("link", name="All as ZIP")).to_be_visible()


def test_a_song_is_stopped_tried_again_and_removed(page: Page) -> None:
    page.goto("/")
    page.get_by_role("button", name="Take the demo song").click()
    page.wait_for_url(JOB_PAGE)
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped", exact=True)).to_be_visible()
    stopped = page.url
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    assert page.url != stopped
    page.get_by_role("link", name="Library").click()
    page.get_by_label("Search the library").fill("dem")
    rows = page.get_by_role("button", name="Remove demo")
    expect(rows).to_have_count(2)
    rows.first.click()
    expect(rows).to_have_count(1)
    page.get_by_label("Search the library").fill("zither")
    expect(page.get_by_text("No song is called that.")).to_be_visible()


def test_the_page_outlives_the_server(
    browser: Browser, demo: DemoSong, short_song: Path, tmp_path: Path
) -> None:
    with Served(tmp_path, "--workers", "0") as server:
        port = server.address.rpartition(":")[2]
        job_id = server.submit(short_song)
        context = browser.new_context(viewport=DESKTOP, base_url=server.address)
        page = context.new_page()
        page.goto(f"/jobs/{job_id}")
        expect(page.get_by_text("It is next")).to_be_visible()
        server.kill()
        gone = page.get_by_text("The server does not answer.")
        expect(gone).to_be_visible()
        with Served(tmp_path, "--port", port):
            expect(gone).to_be_hidden()
            expect(page.get_by_role("link", name="All as ZIP")).to_be_visible()
        context.close()
