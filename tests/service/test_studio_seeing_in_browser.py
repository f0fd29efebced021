"""What is seen of a song in the studio: its sections, spectrograms before and after, notes."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.service.serving import Served
from tests.service.studio_pages import PHONE, look, picture, seconds

LIGHT_SHARES = """
canvas => {
  const { width, height } = canvas;
  if (!width || !height) return [0, 0];
  const copy = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  copy.drawImage(canvas, 0, 0);
  const { data } = copy.getImageData(0, 0, width, height);
  const shares = [0, 0];
  for (let row = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1) {
      const at = 4 * (row * width + column);
      shares[row < height / 2 ? 0 : 1] += data[at + 1] > 90 ? 2 / (width * height) : 0;
    }
  }
  return shares;
}
"""
"""How much of the upper and of the lower half of a dark canvas is bright."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("data")) as server:
        yield server


@pytest.fixture(scope="module")
def job_id(server: Served) -> str:
    """The demonstration, taken apart."""
    upload = server.client.post("/api/v1/uploads/demo").json()
    job = server.client.post("/api/v1/jobs", json={"upload_id": upload["id"]}).json()
    list(server.watch(job["id"]))
    return str(job["id"])


def test_a_section_is_repeated_at_a_press(page: Page, job_id: str) -> None:
    page.goto(f"/jobs/{job_id}")
    sections = page.get_by_role("button", name="Repeat section")
    expect(sections.nth(1)).to_be_visible()
    second = sections.nth(1)
    expect(second).to_have_attribute("aria-pressed", "false")
    second.focus()
    page.keyboard.press("Enter")
    expect(second).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_test_id("clock")).not_to_have_text("0:00.0")
    begins = (second.get_attribute("aria-label") or "").partition(", ")[2].split(" to ")[0]
    minutes, _, rest = begins.partition(":")
    assert abs(seconds(page) - 60 * int(minutes) - int(rest)) < 1
    second.click()
    expect(second).to_have_attribute("aria-pressed", "false")


def test_spectrograms_show_the_song_before_and_the_stem_after(page: Page, job_id: str) -> None:
    page.goto(f"/jobs/{job_id}")
    page.get_by_text("Spectrograms").click()
    before, after = (drawn(page, "bass", number) for number in (0, 1))
    assert before[0] > 0.1, "the song has high tones"
    assert after[0] < before[0] / 5, "the bass has none"
    assert after[1] > 0.05
    look(page)
    picture(page, "spectrograms")
    page.get_by_text("Waveforms").click()
    expect(lane(page, "bass").locator("canvas")).to_have_count(2)


@pytest.mark.parametrize("theme", ["light", "phone"])
def test_spectrograms_are_for_everyone(page: Page, job_id: str, theme: str) -> None:
    if theme == "phone":
        page.set_viewport_size(PHONE)
    else:
        page.emulate_media(color_scheme="light")
    page.goto(f"/jobs/{job_id}")
    page.get_by_role("radio", name="Spectrograms").focus()
    page.keyboard.press("Space")
    expect(lane(page, "drums").get_by_text("after: drums")).to_be_attached()
    look(page)
    picture(page, f"spectrograms-{theme}")


def lane(page: Page, stem: str) -> Locator:
    return page.locator(f"li[data-stem={stem}]")


def drawn(page: Page, stem: str, number: int) -> list[float]:
    """Shares of brightness of a canvas in a stem's lane, once something is drawn there."""
    canvas = lane(page, stem).locator("canvas").nth(number)
    canvas.scroll_into_view_if_needed()  # what is out of sight is not drawn
    page.wait_for_function(
        f"canvas => ({LIGHT_SHARES})(canvas)[1] > 0.05", arg=canvas.element_handle(), polling=300
    )
    shares: list[float] = canvas.evaluate(LIGHT_SHARES)
    return shares
