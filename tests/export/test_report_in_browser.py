"""The report as Chromium shows it, opened from a file, with no server and no network."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright
from tests.export.songs import RATE, analysis_of, song_of

from unbraid.audio import Tags
from unbraid.demo import DemoSong
from unbraid.export.report import write_report

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
DESKTOP, PHONE = ViewportSize(width=1280, height=900), ViewportSize(width=360, height=740)
LISTENING_IN = """
window.starts = [];
const start = AudioBufferSourceNode.prototype.start;
AudioBufferSourceNode.prototype.start = function (when, offset) {
  window.starts.push([when, offset]);
  return start.call(this, when, offset);
};
window.gains = [];
const createGain = AudioContext.prototype.createGain;
AudioContext.prototype.createGain = function () {
  const node = createGain.call(this);
  window.gains.push(node);
  return node;
};
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium")
    if not program:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def report(demo: DemoSong, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("report") / "report.html"
    song = song_of(
        {name: stem.samples[:, : 10 * RATE] for name, stem in demo.stems.items()},
        tags=Tags(title="A title that is long enough to need more than one line", artist="Unbraid"),
        analysis=analysis_of(demo, 10.0),
        notes={
            name: [note for note in notes if note.end_s < 10] for name, notes in demo.notes.items()
        },
    )
    write_report(file, song)
    return file


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complains of while a test runs."""
    return []


@pytest.fixture
def page(browser: Browser, report: Path, complaints: list[str]) -> Iterator[Page]:
    context = browser.new_context(viewport=DESKTOP)
    context.add_init_script(LISTENING_IN)
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda asked: complaints.extend(_outside(asked.url)))
    page.goto(report.as_uri())
    yield page
    context.close()
    assert not complaints


def _outside(url: str) -> list[str]:
    return [] if url.startswith(("file:", "data:", "blob:")) else [url]


def until(page: Page, condition: str) -> None:
    """Wait for a condition; Playwright's own way to do so is what the page's policy forbids."""
    for _ in range(200):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"{condition} has not come true")


def seconds(page: Page) -> float:
    return float(page.get_by_label("Position").input_value())


def place_of(page: Page) -> float:
    """Where the playhead is over the bass, in pixels."""
    place: float = (
        page.locator(".stem .wave .playhead")
        .nth(2)
        .evaluate("e => new DOMMatrix(e.style.transform).e")
    )
    return place


def test_playing_starts_all_stems_at_one_moment(page: Page) -> None:
    assert (seconds(page), place_of(page)) == (0, 0)
    page.get_by_role("button", name="Play").click()
    until(page, "Number(document.querySelector('#position').value) > 0.5")
    starts = page.evaluate("window.starts")
    assert len(starts) == 4
    assert len({tuple(start) for start in starts}) == 1
    assert place_of(page) > 0
    page.get_by_role("button", name="Pause").click()
    stopped = seconds(page)
    assert stopped > 0.5
    page.wait_for_timeout(300)
    assert seconds(page) == stopped


def test_a_click_on_a_waveform_goes_there(page: Page) -> None:
    strip = page.locator(".stem .wave").nth(1)
    box = strip.bounding_box()
    assert box
    strip.click(position={"x": box["width"] / 2, "y": 20})
    assert place_of(page) == pytest.approx(box["width"] / 2, abs=2)
    page.get_by_role("button", name="Play").click()
    until(page, "window.starts.length === 4")
    assert page.evaluate("window.starts[0][1]") == pytest.approx(5, abs=0.1)


def test_mute_and_solo_act(page: Page) -> None:
    page.get_by_role("button", name="Mute drums").click()
    page.keyboard.press("Space")  # on a button, presses it
    page.keyboard.press("Digit2")
    page.get_by_role("button", name="Play").click()
    until(page, "window.gains.length === 4 && window.gains[1].gain.value < 0.01")
    assert page.get_by_role("button", name="Mute drums").get_attribute("aria-pressed") == "true"
    assert page.evaluate("window.gains[0].gain.value") > 0.9
    page.get_by_role("button", name="Solo drums").click()
    until(page, "window.gains[1].gain.value > 0.99 && window.gains[0].gain.value < 0.01")
    page.get_by_role("button", name="Solo drums").click()
    page.get_by_label("Volume of bass").fill("50")
    until(page, "Math.abs(window.gains[2].gain.value - 0.5) < 0.01")


def test_the_keyboard_plays_and_seeks(page: Page) -> None:
    page.keyboard.press("Space")
    until(page, "window.starts.length === 4")
    page.keyboard.press("Space")
    page.keyboard.press("Home")
    assert seconds(page) == 0
    page.keyboard.press("ArrowRight")
    assert seconds(page) == 5
    page.keyboard.press("ArrowLeft")
    assert seconds(page) == 0


def test_zoom_shows_less_or_all_of_the_song(page: Page) -> None:
    page.get_by_role("button", name="Show the whole song").click()
    page.keyboard.press("ArrowRight")
    whole = place_of(page)
    page.get_by_role("button", name="Show less of the song").click()
    page.get_by_role("button", name="Show less of the song").click()
    page.keyboard.press("Home")
    page.locator(".overview").click(position={"x": 900, "y": 10})
    assert seconds(page) > 7
    assert place_of(page) != whole


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_everyone_can_use_it(page: Page, scheme: str, size: ViewportSize) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size(size)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]


def test_nothing_moves_before_it_plays(page: Page) -> None:
    before = page.screenshot()
    page.wait_for_timeout(300)
    assert page.screenshot() == before


def test_only_the_chart_and_the_facts_are_printed(page: Page) -> None:
    page.emulate_media(media="print")
    assert page.locator("#chart").is_visible()
    assert page.locator("h1").is_visible()
    assert not page.locator("#listen").is_visible()
