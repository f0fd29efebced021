"""How runs of a song are judged and taken along in the studio."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import soundfile
from playwright.sync_api import Browser, Page, expect
from tests.service.serving import Served
from tests.service.studio_pages import DESKTOP, JOB_PAGE, PATIENCE_MS, PHONE, look, picture

from unbraid.demo import DemoSong

SERVER_MODE = {
    "MODE": "server",
    "HOSTS": "localhost",
    "SECRET": "Zx8mJq2LvR4tYw9nKb6cPd3sGf7hQe5u",
}
PLAYERS = "[...document.querySelectorAll('audio')]"


@pytest.fixture(scope="module")
def short_song(demo: DemoSong, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five seconds, of which two runs are soon done."""
    file = tmp_path_factory.mktemp("song") / "A short song.flac"
    soundfile.write(file, demo.mixture.samples[:, : 5 * 44_100].T, 44_100)
    return file


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("data")) as server:
        yield server


@pytest.fixture(scope="module")
def true_stems(
    server: Served, done: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> list[Path]:
    """Those of the first run, as if they were the true ones."""
    folder = tmp_path_factory.mktemp("true")
    for file in done["files"]:
        if file["kind"] == "stem":
            path = folder / f"True {file['of']}.wav"
            path.write_bytes(server.client.get(file["url"]).content)
    return sorted(folder.iterdir())


def test_a_song_is_taken_apart_anew_and_its_runs_are_compared(
    page: Page, server: Served, done: dict[str, Any], true_stems: list[Path]
) -> None:
    page.goto(f"/jobs/{done['id']}")
    page.get_by_role("button", name="Take it apart with other settings").click()
    page.get_by_label("Format of the stems").select_option("flac")
    page.get_by_text("Notes and MIDI").click()
    page.get_by_label("Write the notes of each stem as MIDI").uncheck()
    look(page)
    page.get_by_role("button", name="Take it apart anew").click()
    page.wait_for_url(lambda url: bool(JOB_PAGE.search(url)) and done["id"] not in url)
    expect(page.get_by_role("link", name="All as ZIP")).to_be_visible()
    again = server.job(page.url.rpartition("/")[2])
    assert (again["options"]["format"], again["options"]["midi"]) == ("flac", False)

    page.get_by_label("Another run of this recording").select_option(done["id"])
    page.get_by_label("Stem to compare").select_option("bass")
    page.get_by_role("button", name="Play the comparison").click()
    while not page.evaluate(f"{PLAYERS}.every(each => each.currentTime > 0.3)"):
        page.wait_for_timeout(50)
    assert page.evaluate(f"{PLAYERS}.map(each => each.muted)") == [False, True]
    page.get_by_role("button", name="B lite").click()
    assert page.evaluate(f"{PLAYERS}.map(each => each.muted)") == [True, False]
    page.get_by_role("button", name="Pause the comparison").click()
    first, second = page.evaluate(f"{PLAYERS}.map(each => each.currentTime)")
    assert first == pytest.approx(second, abs=0.2)
    page.get_by_label("Position of the comparison").fill("2")
    assert page.evaluate(f"{PLAYERS}.map(each => each.currentTime)") == [2, 2]

    page.get_by_label("True stems").set_input_files(true_stems)
    scores = page.get_by_role("region", name="Scores")
    expect(scores.get_by_role("row", name="bass")).to_contain_text("100.0")
    expect(page.get_by_text("They are compared…")).to_have_count(0)
    look(page)
    page.set_viewport_size({"width": 1280, "height": 2200})
    picture(page, "judge")
    page.set_viewport_size(PHONE)
    look(page)


def test_true_stems_must_say_which_they_are(
    page: Page, done: dict[str, Any], tmp_path: Path
) -> None:
    page.goto(f"/jobs/{done['id']}")
    (tmp_path / "take 7.wav").touch()
    page.get_by_label("True stems").set_input_files(tmp_path / "take 7.wav")
    expect(page.get_by_role("alert")).to_contain_text("Which stem is take 7.wav?")


def test_what_is_dragged_out_is_a_file_of_that_name(page: Page, done: dict[str, Any]) -> None:
    page.goto(f"/jobs/{done['id']}")
    for label, name, begins in (
        ("Download bass as WAV", "A short song - bass.wav", b"RIFF"),
        ("Download bass as MIDI", "A short song - bass.mid", b"MThd"),
    ):
        told = page.get_by_role("link", name=label).evaluate(
            """link => {
              const dataTransfer = new DataTransfer();
              link.dispatchEvent(new DragEvent('dragstart', { dataTransfer, bubbles: true }));
              return dataTransfer.getData('DownloadURL');
            }"""
        )
        media_type, called, address = re.fullmatch(r"([^:]+):([^:]+):(.+)", told).groups()  # type: ignore[union-attr]
        assert (media_type, called) == ("application/octet-stream", name)
        assert httpx.get(address).content.startswith(begins)


def test_a_link_of_this_machine_says_so_and_works(page: Page, done: dict[str, Any]) -> None:
    page.goto(f"/jobs/{done['id']}")
    page.get_by_text("Copy a link for others").click()
    expect(page.get_by_text("This server answers on this machine alone")).to_be_visible()
    page.get_by_label("To", exact=True).select_option("midi/bass.mid")
    page.get_by_role("button", name="Copy the link").click()
    link = page.get_by_label(re.compile("it works until"))
    assert httpx.get(link.input_value()).content.startswith(b"MThd")
    look(page)


def test_a_link_of_a_server_needs_no_account(
    browser: Browser, tmp_path: Path, demo: DemoSong
) -> None:
    song = tmp_path / "Two seconds.flac"
    soundfile.write(song, demo.mixture.samples[:, : 2 * 44_100].T, 44_100)
    with Served(tmp_path / "data", **SERVER_MODE) as server:
        server.command("users", "add", "elise", given="quite a long password")
        address = server.address.replace("127.0.0.1", "localhost")
        context = browser.new_context(viewport=DESKTOP, base_url=address)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto("/")
        page.get_by_label("Name").fill("elise")
        page.get_by_label("Password").fill("quite a long password")
        page.get_by_role("button", name="Sign in").click()
        page.get_by_label("Recordings", exact=True).set_input_files(song)
        expect(page.get_by_role("link", name="All as ZIP")).to_be_visible()
        page.get_by_text("Copy a link for others").click()
        page.get_by_role("button", name="Copy the link").click()
        expect(page.get_by_text("It is copied")).to_be_visible()
        link = page.evaluate("navigator.clipboard.readText()")
        assert httpx.get(link).content.startswith(b"PK")
        context.close()
