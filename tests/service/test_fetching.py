import ipaddress
import socket
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
import stamina
from tests.service.hosts import Host, certificate, in_turn, redirects, sends, served
from tests.service.serving import Served

from unbraid.errors import Cancelled, InputError, ResourceError, UnbraidError
from unbraid.service.addresses import Address, may_connect
from unbraid.service.breaker import Breaker
from unbraid.service.fetching import Fetcher, LinkError
from unbraid.service.links import SwitchedOff, check_link
from unbraid.service.settings import Settings

SONG = b"RIFF" + bytes(1000)
PUBLIC = "93.184.216.34"
INWARD = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "2001:0:4136:e378:8000:63bf:f5ff:fffe",
]


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("tls"), "songs.test", "inside.test", "localhost")


@pytest.fixture
def host(pem: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    with served(pem) as host:
        yield host


@pytest.fixture(autouse=True)
def _without_pauses() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


class Web:
    """A fetcher whose names and lines are those of a test; what it dials leads to one host."""

    def __init__(self, host: Host | None, folder: Path, fetch_s: float = 30.0) -> None:
        settings = Settings(
            url_hosts=("songs.test", "inside.test", "other.test"),
            max_upload_mb=0.1,
            fetch_s=fetch_s,
        )
        self.names = {"songs.test": PUBLIC, "other.test": PUBLIC}
        self.resolved: list[str] = []
        self.dialled: list[str] = []
        self._host, self._folder = host, folder
        self._fetcher = Fetcher(settings, resolve=self._resolve, dial=self._dial)

    def _resolve(self, name: str, port: int) -> list[Address]:
        self.resolved.append(name)
        if name not in self.names:
            raise OSError("unknown")
        return [ipaddress.ip_address(self.names[name])]

    def _dial(self, address: Address, port: int) -> socket.socket:
        self.dialled.append(f"{address}:{port}")
        assert self._host, "nobody may be dialled"
        return socket.create_connection(("127.0.0.1", self._host.port), timeout=20)

    def fetch(self, url: str, on_progress: Callable[[], None] = lambda: None) -> tuple[bytes, str]:
        fetched = self._fetcher.fetch(url, self._folder, on_progress)
        return fetched.file.read_bytes(), fetched.name


@pytest.fixture
def web(host: Host, tmp_path: Path) -> Web:
    return Web(host, tmp_path)


def test_a_recording_comes_with_its_name(host: Host, web: Web) -> None:
    host.answers["/a/My%20song.wav?x=1"] = sends(SONG)
    assert web.fetch("https://songs.test/a/My song.wav?x=1#end") == (SONG, "My song.wav")
    named = sends(SONG, Content_Disposition='attachment; filename="../Für.wav"')
    host.answers["/7"] = named
    _, name = web.fetch("https://SONGS.test./7")
    assert name.endswith(".wav")
    assert "/" not in name
    assert web.dialled == [f"{PUBLIC}:443"] * 2


@pytest.mark.parametrize("address", INWARD)
def test_names_that_lead_inward_are_not_connected_to(address: str, tmp_path: Path) -> None:
    web = Web(None, tmp_path)
    web.names["songs.test"] = address
    with pytest.raises(LinkError, match="private network"):
        web.fetch("https://songs.test/song.wav")
    assert web.dialled == []


def test_networks_that_the_operator_allows_are_connected_to() -> None:
    allowed = [ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8")]
    assert may_connect(ipaddress.ip_address("10.1.2.3"), allowed)
    assert may_connect(ipaddress.ip_address("fd00::1"), allowed)
    assert not may_connect(ipaddress.ip_address("192.168.0.1"), allowed)
    assert may_connect(ipaddress.ip_address("2606:4700::6810:84e5"), [])


def test_a_name_that_changes_its_meaning_is_asked_only_once(host: Host, web: Web) -> None:
    host.answers["/song.wav"] = sends(SONG)

    def rebind() -> None:
        web.names["songs.test"] = "127.0.0.1"

    resolve = web._resolve

    def resolve_once(name: str, port: int) -> list[Address]:
        found = resolve(name, port)
        rebind()
        return found

    web._fetcher._resolve = resolve_once
    assert web.fetch("https://songs.test/song.wav")[0] == SONG
    assert (web.resolved, web.dialled) == (["songs.test"], [f"{PUBLIC}:443"])


def test_a_redirect_is_followed_to_an_allowed_host(host: Host, web: Web) -> None:
    host.answers["/a"] = redirects("https://songs.test/b")
    host.answers["/b"] = redirects("c.wav")
    host.answers["/c.wav"] = sends(SONG)
    assert web.fetch("https://songs.test/a") == (SONG, "c.wav")


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("https://inside.test/song.wav", "private network"),
        ("https://evil.test/song.wav", "not fetched here"),
        ("https://127.0.0.1/song.wav", "not fetched here"),
        ("https://[::ffff:127.0.0.1]/song.wav", "not fetched here"),
        ("http://songs.test/song.wav", "https"),
        ("file:///etc/passwd", "https"),
        ("https://songs.test:22/", "not fetched here"),
        ("https://me@songs.test/", "user name"),
        ("https://songs.test/a", "on and on"),
    ],
)
def test_a_redirect_leads_nowhere_else(host: Host, web: Web, target: str, why: str) -> None:
    web.names["inside.test"] = "10.0.0.1"
    host.answers["/a"] = redirects(target)
    with pytest.raises(UnbraidError, match=why):
        web.fetch("https://songs.test/a")
    assert {each.partition("/")[0] for each in host.asked} == {"songs.test"}


def test_a_host_has_to_prove_its_name(host: Host, web: Web) -> None:
    with pytest.raises(LinkError, match=r"does not prove that it is other\.test"):
        web.fetch("https://other.test/song.wav")
    assert host.asked == []


def endless(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.end_headers()
    while True:
        request.wfile.write(bytes(10_000))


@pytest.mark.parametrize("answer", [sends(bytes(100_001)), endless], ids=["stated", "endless"])
def test_a_recording_that_is_too_large_is_refused(
    host: Host, web: Web, answer: Callable[[BaseHTTPRequestHandler], None]
) -> None:
    host.answers["/song.wav"] = answer
    with pytest.raises(LinkError, match=r"0\.1 MB at most"):
        web.fetch("https://songs.test/song.wav")
    assert len(host.asked) == 1


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\n\r\n"], ids=["head", "body"])
def test_a_host_that_takes_for_ever_is_cut_off(host: Host, tmp_path: Path, head: bytes) -> None:
    def drip(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(head)
        while not host.closing.wait(0.05):
            request.wfile.write(b"H")

    host.answers["/song.wav"] = drip
    with pytest.raises(LinkError, match=r"within the 0\.5 s"):
        Web(host, tmp_path, fetch_s=0.5).fetch("https://songs.test/song.wav")


def test_what_may_pass_is_tried_again(host: Host, web: Web) -> None:
    broken = sends(SONG[:100], content_length=str(len(SONG)))
    host.answers["/song.wav"] = in_turn(sends(b"", 503), broken, sends(SONG))
    assert web.fetch("https://songs.test/song.wav")[0] == SONG
    assert len(host.asked) == 3


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (sends(b"", 404), "404"),
        (sends(b"", 403), "403"),
        (sends(b"<html>", Content_Type="text/html; charset=utf-8"), "page"),
    ],
)
def test_what_will_not_pass_is_not_tried_again(
    host: Host, web: Web, answer: Callable[[BaseHTTPRequestHandler], None], why: str
) -> None:
    host.answers["/song.wav"] = answer
    with pytest.raises(LinkError, match=why):
        web.fetch("https://songs.test/song.wav")
    assert len(host.asked) == 1


def test_a_host_that_fails_again_and_again_is_left_in_peace(host: Host, web: Web) -> None:
    host.answers["/song.wav"] = sends(b"", 500)
    with pytest.raises(LinkError, match="500"):
        web.fetch("https://songs.test/song.wav")
    with pytest.raises(ResourceError, match="try again later"):
        web.fetch("https://songs.test/song.wav")
    assert len(host.asked) == 5


def test_a_breaker_closes_after_its_pause_if_the_host_answers() -> None:
    time_s = 0.0
    breaker = Breaker(limit=2, pause_s=10.0, now=lambda: time_s)
    breaker.failed("a")
    breaker.check("a")
    breaker.failed("a")
    with pytest.raises(ResourceError, match="a has not answered"):
        breaker.check("a")
    breaker.check("b")
    time_s = 11.0
    breaker.check("a")
    breaker.failed("a")
    with pytest.raises(ResourceError):
        breaker.check("a")
    time_s = 22.0
    breaker.answered("a")
    breaker.failed("a")
    breaker.check("a")


def test_fetching_can_be_stopped(host: Host, web: Web) -> None:
    host.answers["/song.wav"] = endless
    asked = iter(range(1))

    def stop_soon() -> None:
        if next(asked, None) is None:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        web.fetch("https://songs.test/song.wav", stop_soon)


@pytest.mark.parametrize(
    "url",
    [
        "http://songs.test/a.wav",
        "ftp://songs.test/a.wav",
        "file:///etc/passwd",
        "//songs.test/a.wav",
        "songs.test/a.wav",
        "https://",
        "https://user:password@songs.test/a.wav",
        "https://songs.test:444/a.wav",
        "https://songs.test:x/a.wav",
        "https://songs.test.evil.example/a.wav",
        "https://evil.example/songs.test",
        "https://evil.example\\@songs.test.x/",
        "https://2130706433/",
        "https://[::1]/",
        "https://[::1/",
        "https://under.test/",
        "https://" + "a" * 70 + ".test/",
        "https://www.youtube.com/",
        "https://www.youtube.com/playlist?list=PL1234567890",
        "https://youtu.be/--exec",
    ],
)
def test_links_that_are_not_allowed_are_refused(url: str) -> None:
    settings = Settings(url_hosts=("songs.test", ".under.test"), youtube=True)
    with pytest.raises(InputError):
        check_link(url, settings)


def test_links_are_switched_off_unless_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SwitchedOff, match="links are switched off"):
        check_link("https://songs.test/a.wav", Settings())
    with pytest.raises(SwitchedOff, match="YouTube are switched off"):
        check_link("https://youtu.be/dQw4w9WgXcQ", Settings(url_hosts=("youtu.be",)))
    monkeypatch.setitem(sys.modules, "yt_dlp", None)
    with pytest.raises(SwitchedOff, match=r"unbraid\[youtube\]"):
        check_link("https://youtu.be/dQw4w9WgXcQ", Settings(youtube=True))
    check_link("https://a.under.test/x.mp3", Settings(url_hosts=(".under.test",)))


YT_DLP = """
import pathlib, shutil, sys, time
video = sys.argv[-1].partition("v=")[2]
assert sys.argv[-2] == "--" and "--use-extractors" in sys.argv
if video == "unavailable":
    sys.exit("ERROR: [youtube] unavailable: Video unavailable")
if video == "much_much_a":
    while True:
        with open("big.webm", "ab") as file:
            file.write(bytes(1_000_000))
if video == "filtered__a":
    print("[download] Song does not pass filter (duration<=3600 & !is_live), skipping ..")
    sys.exit()
if video == "for_ever__a":
    time.sleep(1000)
shutil.copy(pathlib.Path(__file__).with_name("song.wav"), "A song (live).wav")
"""


@pytest.fixture(scope="module")
def linked(
    tmp_path_factory: pytest.TempPathFactory, pem: Path, song: Path
) -> Iterator[tuple[Served, Host]]:
    """A server that fetches links, with a program in the place of yt-dlp."""
    modules = tmp_path_factory.mktemp("modules")
    (modules / "yt_dlp").mkdir()
    (modules / "yt_dlp" / "__init__.py").touch()
    (modules / "yt_dlp" / "__main__.py").write_text(YT_DLP)
    (modules / "yt_dlp" / "song.wav").write_bytes(song.read_bytes())
    with pytest.MonkeyPatch.context() as patch, served(pem) as host:
        patch.setenv("SSL_CERT_FILE", str(pem))
        patch.setenv("PYTHONPATH", str(modules), prepend=":")
        with Served(
            tmp_path_factory.mktemp("data"),
            URL_HOSTS=f"localhost:{host.port}, .example.org",
            URL_NETWORKS="127.0.0.0/8, ::1/128",
            YOUTUBE="1",
            FETCH_S="4",
            MAX_UPLOAD_MB="4",
        ) as server:
            yield server, host


STEM = {"stems": ["bass"], "residual": "off", "midi": False, "analysis": False}


def test_a_job_fetches_its_recording(linked: tuple[Served, Host], song: Path) -> None:
    server, host = linked
    host.answers["/F%C3%BCr%20Elise.wav"] = sends(song.read_bytes())
    url = f"https://localhost:{host.port}/Für Elise.wav"
    answer = server.client.post("/api/v1/jobs", json={"url": url, "options": STEM})
    assert answer.status_code == 201, answer.text
    job_id = answer.json()["id"]
    stages = [event.get("stage") for event in server.watch(job_id)]
    assert stages.index("fetch") < stages.index("decode")
    job = server.job(job_id)
    assert (job["state"], job["file_name"]) == ("done", "Für Elise.wav")
    again = {"upload_id": job["upload_id"], "options": STEM | {"format": "flac"}}
    second = server.client.post("/api/v1/jobs", json=again).json()["id"]
    assert list(server.watch(second))[-1]["state"] == "done"
    assert len(host.asked) == 1


def test_a_link_without_a_recording_is_an_error(linked: tuple[Served, Host]) -> None:
    server, host = linked
    host.answers["/none"] = sends(b"", 404)
    wish = {"url": f"https://localhost:{host.port}/none"}
    job_id = server.client.post("/api/v1/jobs", json=wish).json()["id"]
    assert list(server.watch(job_id))[-1]["error"]["type"] == "link"
    assert server.client.get(f"/api/v1/jobs/{job_id}/input").status_code == 409
    limits = server.client.get("/api/v1/limits").json()
    assert (limits["youtube"], limits["url_hosts"][1]) == (True, ".example.org")
    both = server.client.post("/api/v1/jobs", json=wish | {"upload_id": "x"})
    elsewhere = server.client.post("/api/v1/jobs", json={"url": "https://localhost/none"})
    assert (both.status_code, elsewhere.status_code) == (422, 422)


def test_a_video_is_fetched(linked: tuple[Served, Host]) -> None:
    server, _ = linked
    wish = {"url": "https://youtu.be/dQw4w9WgXcQ?si=1", "model_name": "lite"}
    accepted = server.client.post("/separate/youtube", json=wish)
    assert accepted.status_code == 202, accepted.text
    assert accepted.json()["status"] == "accepted"
    assert list(server.watch(accepted.json()["job_id"]))[-1]["state"] == "done"
    assert server.job(accepted.json()["job_id"])["file_name"] == "A song (live).wav"


@pytest.mark.parametrize(
    ("video", "why"),
    [
        ("unavailable", "Video unavailable"),
        ("much_much_a", "too large|File too large"),
        ("filtered__a", "does not pass filter"),
        ("for_ever__a", "within 4 s"),
    ],
)
def test_a_video_that_cannot_be_had_is_an_error(
    linked: tuple[Served, Host], video: str, why: str
) -> None:
    server, _ = linked
    wish = {"url": f"https://www.youtube.com/watch?v={video}&list=x"}
    job_id = server.client.post("/separate/youtube", json=wish).json()["job_id"]
    *_, last = server.watch(job_id)
    assert last["state"] == "failed"
    with pytest.raises(AssertionError, match=why):
        raise AssertionError(last["error"]["detail"])
