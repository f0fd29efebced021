"""The studio as Chromium shows it, on a real server that takes real songs apart."""

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from playwright.sync_api import Browser, Page, ViewportSize, expect
from tests.service.serving import Served
from tests.service.studio_pages import (
    DESKTOP,
    JOB_PAGE,
    OFFLINE,
    PHONE,
    RATE,
    drop,
    go_to,
    look,
    picture,
    rendered,
    seconds,
)

from unbraid.demo import DemoSong


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("data"), UNDO_MINUTES="10") as server:
        yield server


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_everyone_can_use_the_first_page(page: Page, scheme: str, size: ViewportSize) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size(size)
    page.goto("/")
    expect(page.get_by_label("Model or purpose")).to_be_visible()
    if size == DESKTOP:
        picture(page, "bring" if scheme == "dark" else "bring-light")
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
    page: Page, recordings: Path
) -> None:
    page.goto("/")
    drop(page, recordings / "vibe_ace.ogg")
    page.wait_for_url(JOB_PAGE)
    expect(page.get_by_role("heading", level=1)).to_have_text("vibe_ace")
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
    page.get_by_role("button", name="Undo").click()
    expect(rows).to_have_count(2)
    rows.last.click()
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
        network = page.get_by_test_id("network")
        expect(network).to_be_visible()
        page.wait_for_timeout(500)
        still = network.screenshot()
        page.wait_for_timeout(500)
        assert network.screenshot() == still, "nothing moves without an event"
        server.kill()
        gone = page.get_by_text("The server does not answer.")
        expect(gone).to_be_visible()
        with Served(tmp_path, "--port", port):
            expect(gone).to_be_hidden()
            expect(page.get_by_role("link", name="All as ZIP")).to_be_visible()
        context.close()


MIXES: dict[str, tuple[list[str], dict[str, tuple[float, bool]]]] = {
    "as they are": ([], {}),
    "one muted": (["Mute drums"], {"drums": (0, False)}),
    "two solo": (["Solo bass", "Solo vocals"], {"drums": (0, False), "other": (0, False)}),
    "as it was": (["Mute drums", "Original"], {}),
}


@pytest.mark.parametrize("mix", MIXES)
def test_what_is_heard_are_the_stems_to_the_sample(
    page: Page, done: dict[str, Any], stems: dict[str, npt.NDArray[np.float64]], mix: str
) -> None:
    buttons, gains = MIXES[mix]
    page.add_init_script(OFFLINE)
    page.goto(f"/jobs/{done['id']}")
    for name in buttons:
        page.get_by_role("button", name=name).click()
    go_to(page, 3)
    begin, heard = rendered(page)
    length = heard.shape[1] - begin
    expected = sum(
        gains.get(name, (1, True))[0] * samples[:, 3 * RATE : 3 * RATE + length]
        for name, samples in stems.items()
    )
    faded_in = round(0.006 * RATE)
    np.testing.assert_allclose(
        heard[:, begin + faded_in :], np.asarray(expected)[:, faded_in:], atol=1e-6
    )


def test_volume_pan_and_master_act_on_the_sound(
    page: Page, done: dict[str, Any], stems: dict[str, npt.NDArray[np.float64]]
) -> None:
    page.add_init_script(OFFLINE)
    page.goto(f"/jobs/{done['id']}")
    page.get_by_label("Volume of bass").fill("-6")
    page.get_by_label("Volume of other").fill("-48")
    page.get_by_label("Pan of vocals").fill("-1")
    page.get_by_label("Master volume").fill("-12")
    begin, heard = rendered(page)
    part = {name: each[:, : heard.shape[1] - begin] for name, each in stems.items()}
    both = np.stack([part["vocals"].sum(axis=0), np.zeros(part["vocals"].shape[1])])
    expected = 10 ** (-12 / 20) * (part["drums"] + 10 ** (-6 / 20) * part["bass"] + both)
    faded_in = round(0.006 * RATE)
    np.testing.assert_allclose(heard[:, begin + faded_in :], expected[:, faded_in:], atol=1e-6)


def test_a_part_is_repeated_from_beat_to_beat_without_a_gap(
    page: Page, server: Served, done: dict[str, Any], stems: dict[str, npt.NDArray[np.float64]]
) -> None:
    url = next(file["url"] for file in done["files"] if file["name"] == "analysis.json")
    beats = np.array(server.client.get(url).json()["beats"])
    first, last = (beats[np.abs(beats - moment).argmin()] for moment in (4.3, 5.6))
    page.add_init_script(OFFLINE)
    page.goto(f"/jobs/{done['id']}")
    expect(page.get_by_role("button", name="Chords")).to_be_visible()
    go_to(page, 5.6)
    page.keyboard.press("]")
    go_to(page, 4.3)
    page.keyboard.press("[")
    expect(page.get_by_role("button", name="Repeat a part")).to_have_attribute(
        "aria-pressed", "true"
    )
    go_to(page, first)
    begin, heard = rendered(page)
    once = np.asarray(sum(stems.values()))[:, round(first * RATE) : round(last * RATE)]
    expected = np.tile(once, 9)[:, : heard.shape[1] - begin]
    faded_in = round(0.006 * RATE)
    np.testing.assert_allclose(heard[:, begin + faded_in :], expected[:, faded_in:], atol=1e-6)


def test_stems_notes_and_the_mix_as_heard_are_taken(
    page: Page, done: dict[str, Any], stems: dict[str, npt.NDArray[np.float64]]
) -> None:
    page.goto(f"/jobs/{done['id']}")

    def taken(role: Literal["link", "button"], name: str) -> bytes:
        with page.expect_download() as download:
            page.get_by_role(role, name=name).click()
        return download.value.path().read_bytes()

    assert taken("link", "Download bass as MIDI").startswith(b"MThd")
    assert taken("link", "All as ZIP").startswith(b"PK")
    page.get_by_label("Format").select_option("flac")
    assert taken("link", "Download drums as FLAC").startswith(b"fLaC")
    page.get_by_role("button", name="Solo bass").click()
    page.get_by_label("Volume of bass").fill("-6")
    mix = soundfile.read(io.BytesIO(taken("button", "The mix as heard")))[0].T
    np.testing.assert_allclose(mix, 10 ** (-6 / 20) * stems["bass"], atol=2**-22)
    page.get_by_role("button", name="Chord chart").click()
    chart = page.get_by_role("link", name=re.compile("Download .*chords"))
    expect(chart.first).to_be_visible()
    page.get_by_role("button", name="Rename").click()
    page.get_by_label("Name").fill("A better name")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="A better name")).to_be_visible()
    look(page)


def test_the_keyboard_alone_plays(page: Page, done: dict[str, Any]) -> None:
    page.goto(f"/jobs/{done['id']}")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.keyboard.press("Digit2")
    expect(page.get_by_role("button", name="Mute drums")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Shift+Digit1")
    expect(page.get_by_role("button", name="Solo vocals")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_test_id("clock")).not_to_have_text("0:00.0")
    page.keyboard.press("o")
    expect(page.get_by_role("button", name="Original")).to_have_attribute("aria-pressed", "true")
    look(page)
    page.keyboard.press("Space")
    page.wait_for_timeout(300)  # until the clock is drawn
    stopped = seconds(page)
    assert stopped > 0
    page.wait_for_timeout(300)
    assert seconds(page) == stopped
    page.keyboard.press("Home")
    clock = page.get_by_test_id("clock")
    expect(clock).to_have_text("0:00.0")
    page.keyboard.press("ArrowRight")
    expect(clock).to_have_text("0:05.0")
    page.get_by_role("button", name="Keys").click()
    page.get_by_label("Use these keys").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("l")
    repeat = page.get_by_role("button", name="Repeat a part")
    assert repeat.get_attribute("aria-pressed") == "false"


def test_the_desk_fits_a_phone(page: Page, done: dict[str, Any]) -> None:
    page.set_viewport_size(PHONE)
    page.goto(f"/jobs/{done['id']}")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    look(page)
    picture(page, "phone")


def test_a_song_is_heard_while_it_is_separated_and_goes_on_after(
    page: Page, server: Served, long_song: Path
) -> None:
    job_id = server.submit(long_song)
    server.client.patch(f"/api/v1/jobs/{job_id}", json={"name": "Paper lanterns"})
    page.goto(f"/jobs/{job_id}")
    page.get_by_role("button", name="Play", exact=True).click()
    clock = page.get_by_test_id("clock")
    expect(clock).to_have_text(re.compile(r"0:0[1-9]"))
    expect(page.get_by_role("progressbar", name="The whole song")).to_be_visible()
    picture(page, "watch")
    page.get_by_role("button", name="Repeat a part").click()  # or it might end before the work does
    expect(page.get_by_role("link", name="All as ZIP")).to_be_visible()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    before = clock.inner_text()
    expect(clock).not_to_have_text(before)
    picture(page, "desk")


def test_a_server_with_accounts_asks_who_one_is(browser: Browser, tmp_path: Path) -> None:
    settings = {
        "MODE": "server",
        "HOSTS": "localhost",
        "SECRET": "Zx8mJq2LvR4tYw9nKb6cPd3sGf7hQe5u",
    }
    with Served(tmp_path, "--workers", "0", **settings) as server:
        server.command("users", "add", "elise", given="quite a long password")
        address = server.address.replace("127.0.0.1", "localhost")
        context = browser.new_context(viewport=DESKTOP, base_url=address)
        page = context.new_page()
        page.goto("/")
        page.get_by_label("Name").fill("elise")
        page.get_by_label("Password").fill("not this one at all")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_be_visible()
        look(page)
        page.get_by_label("Password").fill("quite a long password")
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("button", name="Take the demo song").click()
        page.wait_for_url(JOB_PAGE)
        expect(page.get_by_text("It is next")).to_be_visible()
        page.get_by_role("button", name="Sign out elise").click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        context.close()
