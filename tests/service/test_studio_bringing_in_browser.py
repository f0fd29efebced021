"""How songs are brought in the studio: by link, in parts, many at once; and what is refused."""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Browser, Page, expect
from tests.service.hosts import Host, certificate, sends, served
from tests.service.serving import Served
from tests.service.studio_pages import DESKTOP, JOB_PAGE, PATIENCE_MS, PHONE, look, picture

LARGE_S = 70
LARGE = "A long one.wav"
SLOW_BYTES_PER_S = 3_000_000
BATCH_PAGE = re.compile(r"/batches/[^/]+$")


@pytest.fixture(scope="module")
def links(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    pem = certificate(tmp_path_factory.mktemp("tls"), "localhost")
    with pytest.MonkeyPatch.context() as patch, served(pem) as host:
        patch.setenv("SSL_CERT_FILE", str(pem))
        yield host


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, links: Host) -> Iterator[Served]:
    with Served(
        tmp_path_factory.mktemp("data"),
        URL_HOSTS=f"localhost:{links.port},.example.org",
        URL_NETWORKS="127.0.0.0/8,::1/128",
        MAX_UPLOAD_MB="20",
    ) as server:
        yield server


@pytest.fixture(scope="module")
def large_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of 12 MB, which is sent in parts."""
    file = tmp_path_factory.mktemp("song") / LARGE
    noise = np.random.default_rng(0).normal(0, 0.05, (LARGE_S * 44_100, 2))
    soundfile.write(file, noise, 44_100)
    return file


def choose(page: Page, *files: Path) -> None:
    page.get_by_label("Recordings", exact=True).set_input_files(files)


def slow_down(page: Page) -> None:
    """Let uploads take seconds, as over the internet."""
    line = page.context.new_cdp_session(page)
    line.send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": 0,
            "downloadThroughput": -1,
            "uploadThroughput": SLOW_BYTES_PER_S,
        },
    )


def test_a_link_is_fetched_and_taken_apart(page: Page, links: Host, short_song: Path) -> None:
    links.answers["/Far%20away.flac"] = sends(short_song.read_bytes())
    page.set_viewport_size(PHONE)
    page.goto("/")
    expect(page.get_by_text("any host below example.org")).to_be_visible()
    look(page)
    picture(page, "link-phone")
    page.set_viewport_size(DESKTOP)
    picture(page, "link")
    field = page.get_by_label("Or a link to a recording")
    field.fill(f"https://localhost:{links.port}/Far away.flac")
    field.press("Enter")
    page.wait_for_url(JOB_PAGE)
    expect(page.get_by_role("heading", level=1)).to_have_text("Far away")
    expect(page.get_by_role("link", name="All as ZIP")).to_be_visible()


@pytest.mark.parametrize(
    ("link", "refusal"),
    [
        ("http://localhost/song.mp3", "Only links that begin with https://"),
        ("https://elsewhere.test/song.mp3", "Links to elsewhere.test are not fetched here"),
        ("https://youtu.be/dQw4w9WgXcQ", "Links to YouTube are switched off here"),
    ],
)
def test_links_that_are_not_fetched_are_refused_with_a_sentence(
    page: Page, complaints: list[str], link: str, refusal: str
) -> None:
    page.goto("/")
    expect(page.get_by_label("Or a link to a recording")).to_be_visible()
    page.evaluate(
        """link => {
          const data = new DataTransfer();
          data.setData('text/plain', link);
          document.body.dispatchEvent(
            new ClipboardEvent('paste', { clipboardData: data, bubbles: true }));
        }""",
        link,
    )
    expect(page.get_by_role("alert")).to_contain_text(refusal)
    look(page)
    complaints.clear()  # the browser notes each refusal


def test_a_large_recording_goes_on_after_the_server_was_away_and_after_a_reload(
    browser: Browser, tmp_path: Path, large_file: Path
) -> None:
    with Served(tmp_path, "--workers", "0", MAX_UPLOAD_MB="20") as server:
        port = server.address.rpartition(":")[2]
        context = browser.new_context(viewport=DESKTOP, base_url=server.address)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        slow_down(page)
        page.goto("/")
        choose(page, large_file)
        bar = page.get_by_role("progressbar", name=f"{LARGE}: sent")
        expect(bar).to_have_attribute("aria-valuenow", re.compile(r"[2-9]\d"))
        page.reload()
        left = page.get_by_text("Choose it once more, and it goes on from there.")
        expect(left).to_be_visible()
        look(page)
        picture(page, "half-sent")
        share = int(bar.get_attribute("aria-valuenow") or 0)
        assert share > 10
        slow_down(page)
        choose(page, large_file)
        expect(left).to_be_hidden()
        expect(page.get_by_text(re.compile(r"^\d+%$"))).to_be_visible()
        assert int(bar.get_attribute("aria-valuenow") or 0) >= share
        server.kill()
        expect(page.get_by_text("waits for the server")).to_be_visible()
        with Served(tmp_path, "--workers", "0", "--port", port, MAX_UPLOAD_MB="20") as again:
            page.wait_for_url(JOB_PAGE)
            expect(page.get_by_role("heading", level=1)).to_have_text("A long one")
            job = again.job(page.url.rpartition("/")[2])
            with again.client.stream("GET", f"/api/v1/jobs/{job['id']}/input") as answer:
                assert answer.read() == large_file.read_bytes()
        context.close()


def test_sending_in_parts_is_given_up(
    page: Page, server: Served, large_file: Path, complaints: list[str]
) -> None:
    slow_down(page)
    page.goto("/")
    with page.expect_response(re.compile("/resumable$")) as begun:
        choose(page, large_file)
    address = begun.value.headers["location"]
    expect(page.get_by_text(re.compile(r"^\d+%$"))).to_be_visible()
    with page.expect_response(lambda answer: answer.request.method == "DELETE"):
        page.get_by_role("button", name=f"Put {LARGE} aside").click()
    assert server.client.head(address).status_code == 404
    page.reload()
    expect(page.get_by_role("button", name="Choose files")).to_be_visible()
    expect(page.get_by_text("Choose it once more")).to_have_count(0)


def test_several_recordings_are_a_batch_with_one_bar_and_one_archive(
    page: Page, short_song: Path, tmp_path: Path
) -> None:
    samples, rate = soundfile.read(short_song)
    for name in ("One.flac", "Two.flac"):
        soundfile.write(tmp_path / name, samples[: 4 * rate], rate)
    page.goto("/")
    choose(page, tmp_path / "One.flac", tmp_path / "Two.flac")
    page.wait_for_url(BATCH_PAGE)
    expect(page.get_by_role("heading", level=1)).to_have_text("One and 1 more")
    look(page)
    expect(page.get_by_text("2 done")).to_be_visible()
    assert page.get_by_role("progressbar", name="All songs").get_attribute("aria-valuenow") == "100"
    with page.expect_download() as download:
        page.get_by_role("link", name="All as ZIP").click()
    names = zipfile.ZipFile(download.value.path()).namelist()
    assert {"One/stems/bass.wav", "Two/stems/bass.wav"} <= set(names)
    page.set_viewport_size(PHONE)
    look(page)
    picture(page, "batch")
    page.get_by_role("link", name="Library").click()
    page.get_by_text("Batches").click()
    expect(page.get_by_role("link", name="One and 1 more")).to_be_visible()
    look(page)


def test_an_archive_is_a_batch_too(page: Page, server: Served, short_song: Path) -> None:
    packed = server.data / "Songs.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(short_song, "A/One.flac")
        archive.writestr("A/notes.txt", "none")
    page.goto("/")
    choose(page, packed)
    page.wait_for_url(BATCH_PAGE)
    expect(page.get_by_role("heading", level=1)).to_have_text("Songs")
    expect(page.get_by_text("Not recordings, so left out: notes.txt.")).to_be_visible()
    page.get_by_role("button", name="Stop all").click()
    expect(page.get_by_text("1 cancelled")).to_be_visible()


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server on which one job may wait, for ever."""
    with Served(tmp_path_factory.mktemp("idle"), "--workers", "0", MAX_QUEUED="1") as idle:
        yield idle


@pytest.fixture
def tab(browser: Browser, idle: Served) -> Iterator[Page]:
    """A page of the idle server."""
    context = browser.new_context(viewport=DESKTOP, base_url=idle.address)
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


def test_a_full_queue_says_so_and_takes_the_song_later(
    tab: Page, idle: Served, short_song: Path
) -> None:
    waiting = idle.submit(short_song)
    tab.goto("/")
    choose(tab, short_song)
    refusal = tab.get_by_role("alert")
    expect(refusal).to_have_text("1 jobs are waiting; send more when some are done.")
    look(tab)
    idle.client.post(f"/api/v1/jobs/{waiting}/cancel")
    tab.get_by_role("button", name="Try again").click()
    expect(tab.get_by_role("link", name=short_song.name)).to_be_visible()


def test_two_tabs_may_stop_the_same_job(tab: Page, idle: Served) -> None:
    job_id = idle.client.get("/api/v1/jobs?state=queued").json()["jobs"][0]["id"]
    deaf = tab.context.new_page()
    deaf.route("**/events", lambda route: route.abort())  # it hears nothing of the other one
    for each in (tab, deaf):
        each.goto(f"/jobs/{job_id}")
        expect(each.get_by_role("button", name="Stop")).to_be_visible()
    for each in (tab, deaf):
        each.get_by_role("button", name="Stop").click()
        expect(each.get_by_text("Stopped", exact=True)).to_be_visible()
        expect(each.get_by_role("alert")).to_have_count(0)


def test_what_is_too_large_or_too_long_is_refused_with_a_cure(tab: Page, tmp_path: Path) -> None:
    with (tmp_path / "holiday.mp4").open("wb") as video:
        video.truncate(200_000_000)
    with soundfile.SoundFile(tmp_path / "concert.flac", "w", 4_000, 1) as concert:
        for _ in range(3 * 60):
            concert.write(np.zeros(60 * 4_000, np.int16))
    tab.goto("/")
    choose(tab, tmp_path / "holiday.mp4", tmp_path / "concert.flac")
    refusals = tab.get_by_role("alert")
    expect(refusals).to_have_count(2)
    expect(refusals.first).to_contain_text("200 MB; this server takes 100 MB at most")
    expect(refusals.first).to_contain_text("Bring its sound alone")
    expect(refusals.last).to_contain_text("3.0 h; this server takes 60 min at most")


def test_what_the_server_takes_no_longer_is_refused_by_a_sentence(
    browser: Browser, tmp_path: Path, short_song: Path
) -> None:
    with Served(tmp_path, "--workers", "0") as server:
        context = browser.new_context(viewport=DESKTOP, base_url=server.address)
        tab = context.new_page()
        tab.goto("/")
        expect(tab.get_by_text("up to 100 MB")).to_be_visible()
        port = server.address.rpartition(":")[2]
        server.stop()
        with Served(tmp_path, "--workers", "0", "--port", port, MAX_UPLOAD_MB="0.01"):
            choose(tab, short_song)
            expect(tab.get_by_text("This request may have 0.0755 MB at most.")).to_be_visible()
        context.close()
