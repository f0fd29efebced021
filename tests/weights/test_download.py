import hashlib
import resource
import subprocess
import sys
import time
from http.client import HTTPMessage
from io import BytesIO
from pathlib import Path
from urllib.request import Request

import pytest
from tests.hub import Hub, noise

from unbraid.errors import Cancelled, ModelError, ResourceError
from unbraid.weights.download import MAX_BYTES, Transfer, download
from unbraid.weights.http import _Redirects

SIZE = 3 * 2**20 + 17  # more than three blocks of reading
PATH = "/weights.bin"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def content(hub: Hub) -> bytes:
    return hub.put(PATH, noise(SIZE))


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "models" / "weights.bin"


def fetch(hub: Hub, target: Path, expected: str = "") -> str:
    return download(hub.url + PATH, target, expected, first_pause_s=0.01)


def ranges(hub: Hub) -> list[str | None]:
    return [asked for _, asked in hub.requests]


def leftovers(target: Path) -> list[str]:
    return [file.name for file in (target.parent / ".partial").iterdir()]


def test_a_file_comes_whole_and_its_digest_is_told(hub: Hub, content: bytes, target: Path) -> None:
    assert fetch(hub, target) == sha256(content)
    assert target.read_bytes() == content
    assert leftovers(target) == []


def test_progress_ends_at_the_length_of_the_file(hub: Hub, content: bytes, target: Path) -> None:
    seen: list[Transfer] = []
    download(hub.url + PATH, target, on_progress=seen.append)
    assert [each.done for each in seen] == sorted(each.done for each in seen)
    assert seen[-1] == Transfer("weights.bin", SIZE, SIZE)


def test_a_cut_is_mended_by_asking_for_the_rest(hub: Hub, content: bytes, target: Path) -> None:
    hub.cuts = [2**20, 1000]
    fetch(hub, target)
    assert target.read_bytes() == content
    assert ranges(hub) == [None, "bytes=1048576-", "bytes=1049576-"]


@pytest.mark.parametrize("code", [429, 500, 502, 503, 504])
def test_a_busy_server_is_asked_again(hub: Hub, content: bytes, target: Path, code: int) -> None:
    hub.answers = [code, code]
    fetch(hub, target)
    assert target.read_bytes() == content
    assert len(hub.requests) == 3


def test_a_server_that_stays_busy_is_given_up(hub: Hub, content: bytes, target: Path) -> None:
    hub.answers = [503] * 9
    with pytest.raises(ModelError, match=r"answers 503 .* 5 times"):
        fetch(hub, target)
    assert len(hub.requests) == 5
    assert not target.exists()


@pytest.mark.parametrize("code", [401, 403, 404, 410])
def test_a_refusal_is_not_argued_with(hub: Hub, content: bytes, target: Path, code: int) -> None:
    hub.answers = [code]
    with pytest.raises(ModelError, match=f"weights.bin answers {code}"):
        fetch(hub, target)
    assert len(hub.requests) == 1


def test_a_server_that_does_not_listen_is_named(tmp_path: Path, target: Path) -> None:
    with pytest.raises(ModelError, match=r"http://127\.0\.0\.1:9/x cannot be reached .*refused"):
        download("http://127.0.0.1:9/x", target, first_pause_s=0.001)


def test_an_unknown_host_is_explained_at_once(target: Path) -> None:
    began = time.monotonic()
    with pytest.raises(ModelError, match=r"no way to hub\.invalid; is the network off"):
        download("https://hub.invalid/x", target, first_pause_s=60)
    assert time.monotonic() - began < 30


def test_what_an_earlier_run_has_left_is_not_taken_again(
    hub: Hub, content: bytes, target: Path
) -> None:
    def stop(transfer: Transfer) -> None:
        raise Cancelled("enough")

    with pytest.raises(Cancelled):
        download(hub.url + PATH, target, on_progress=stop)
    assert leftovers(target)
    fetch(hub, target)
    assert target.read_bytes() == content
    assert ranges(hub) == [None, "bytes=1048576-"]
    assert leftovers(target) == []


def test_a_killed_process_leaves_what_a_later_one_goes_on_from(
    hub: Hub, content: bytes, target: Path
) -> None:
    hub.stalls = [2 * 2**20]
    script = (
        "import sys; from pathlib import Path; from unbraid.weights.download import download;"
        "download(sys.argv[1], Path(sys.argv[2]))"
    )
    part = target.parent / ".partial" / target.name
    with subprocess.Popen([sys.executable, "-c", script, hub.url + PATH, str(target)]) as child:
        deadline = time.monotonic() + 20
        while not (part.exists() and part.stat().st_size >= 2**20):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        child.kill()
    assert not target.exists()
    fetch(hub, target)
    assert target.read_bytes() == content
    assert ranges(hub)[1] is not None


@pytest.mark.parametrize("etags", ["sha256", "md5"])
def test_a_file_that_changed_between_its_parts_is_taken_anew(
    hub: Hub, content: bytes, target: Path, etags: str
) -> None:
    hub.etags = "md5" if etags == "md5" else "sha256"
    new = noise(SIZE, seed=1)
    with pytest.raises(Cancelled):
        download(hub.url + PATH, target, sha256(new), on_progress=_stop)
    hub.put(PATH, new)
    fetch(hub, target, sha256(new))
    assert target.read_bytes() == new


def _stop(transfer: Transfer) -> None:
    raise Cancelled("enough")


@pytest.mark.parametrize("trouble", ["no ranges", "no etags"])
def test_a_server_that_cannot_resume_sends_all(
    hub: Hub, content: bytes, target: Path, trouble: str
) -> None:
    hub.ranges = trouble != "no ranges"
    hub.etags = "none" if trouble == "no etags" else "sha256"
    hub.cuts = [2**20 + 5]
    fetch(hub, target, sha256(content))
    assert target.read_bytes() == content


def test_a_part_that_is_longer_than_the_file_is_thrown_away(
    hub: Hub, content: bytes, target: Path
) -> None:
    part = target.parent / ".partial" / target.name
    part.parent.mkdir(parents=True)
    part.write_bytes(content + b"more")
    etag = hub.etag(hub.folder / "weights.bin")
    assert etag
    part.with_name("weights.bin.etag").write_text(etag)
    fetch(hub, target)
    assert target.read_bytes() == content


def test_a_wrong_checksum_leaves_no_file(hub: Hub, content: bytes, target: Path) -> None:
    with pytest.raises(ModelError, match=r"not the file it should be.* expected 0123abcd"):
        fetch(hub, target, "0123abcd")
    assert not target.exists()
    assert leftovers(target) == []


def test_the_first_digits_of_a_checksum_suffice(hub: Hub, content: bytes, target: Path) -> None:
    hub.etags = "none"
    assert fetch(hub, target, sha256(content)[:8]) == sha256(content)


@pytest.mark.parametrize("etags", ["md5", "none"])
def test_what_nobody_vouches_for_is_not_taken(
    hub: Hub, content: bytes, target: Path, etags: str
) -> None:
    hub.etags = "md5" if etags == "md5" else "none"
    with pytest.raises(ModelError, match="comes without a SHA-256"):
        fetch(hub, target)
    assert not target.exists()


def test_the_digest_is_the_one_stated_on_the_way(hub: Hub, content: bytes, target: Path) -> None:
    hub.etags = "md5"
    hub.put("/store/blob", content)
    hub.redirects[PATH] = f"{hub.url}/store/blob"
    hub.cuts = [2**20]
    assert fetch(hub, target) == sha256(content)
    assert ("/store/blob", "bytes=1048576-") in hub.requests


def test_a_store_that_holds_another_file_is_found_out(
    hub: Hub, content: bytes, target: Path
) -> None:
    hub.put("/store/blob", noise(SIZE, seed=1))  # with a SHA-256 of its own
    hub.redirects[PATH] = f"{hub.url}/store/blob"
    with pytest.raises(ModelError, match="not the file it should be"):
        fetch(hub, target)


def test_no_redirect_leads_from_https_to_http() -> None:
    with pytest.raises(ModelError, match="redirects to the unsafe http://evil"):
        _Redirects().redirect_request(
            Request("https://hub/x"), BytesIO(), 302, "Found", HTTPMessage(), "http://evil/x"
        )


def test_a_file_larger_than_any_model_is_refused(hub: Hub, target: Path) -> None:
    hub.etags = "none"
    hub.put(PATH, b"")
    with (hub.folder / "weights.bin").open("r+b") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(ModelError, match=r"larger than any model is: 4\.3 GB"):
        fetch(hub, target, "00")


def test_a_disk_that_takes_no_more_is_told(hub: Hub, content: bytes, target: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, hard))
    try:
        with pytest.raises(ResourceError, match="the disk is full; free some space"):
            fetch(hub, target)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_folder_that_is_a_file_is_told(hub: Hub, content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ResourceError, match="choose another folder with --models-dir"):
        fetch(hub, tmp_path / "file" / "weights.bin")


def test_the_proxy_of_the_environment_is_asked(
    hub: Hub, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = hub.put("/a/b.bin", noise(1000))
    monkeypatch.setenv("http_proxy", hub.url)
    download("http://hub.invalid/a/b.bin", target)
    assert target.read_bytes() == content


def test_a_proxy_that_refuses_is_not_argued_with(
    hub: Hub, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", hub.url)  # which knows no CONNECT
    with pytest.raises(
        ModelError, match=r"proxy gives no way to hub\.invalid \(.* 501 .*https_pro"
    ):
        download("https://hub.invalid/a/b.bin", target, first_pause_s=60)


def test_no_proxy_is_asked_for_a_host_that_needs_none(
    hub: Hub, content: bytes, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    fetch(hub, target)
    assert target.read_bytes() == content
