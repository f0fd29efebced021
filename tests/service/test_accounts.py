"""A server with accounts: who gets in, who does not, and what each can reach."""

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
import websockets.sync.client
from tests.service.serving import Served
from websockets.exceptions import InvalidStatus

from unbraid.errors import InputError
from unbraid.service.server import serve
from unbraid.service.sessions import key_for
from unbraid.service.settings import Settings

SECRET = "Zx8mJq2LvR4tYw9nKb6cPd3sGf7hQe5u"
PASSWORDS = {"elise": "a bagatelle in a minor", "clara": "soirees musicales op. 6"}
API = "/api/v1"
COOKIE = "__Host-unbraid"
SITE = {"origin": "https://studio.example", "host": "unbraid.example"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    settings = {
        "MODE": "server",
        "SECRET": SECRET,
        "HOSTS": SITE["host"],
        "ORIGINS": SITE["origin"],
        "TRUSTED_PROXIES": "127.0.0.1",
        "REQUESTS_PER_MINUTE": "1000",
    }
    with Served(tmp_path_factory.mktemp("data"), "--workers", "0", **settings) as server:
        for name, password in PASSWORDS.items():
            server.command("users", "add", name, given=password)
        yield server


def sign_in(
    server: Served, name: str, password: str | None = None, address: str = "192.0.2.1"
) -> httpx.Response:
    wish = {"name": name, "password": password or PASSWORDS[name]}
    headers = {"X-Forwarded-For": address}
    return server.client.post(f"{API}/session", json=wish, headers=headers)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture(scope="module")
def elise(server: Served) -> dict[str, str]:
    return bearer(server.command("keys", "add", "elise").strip())


@pytest.fixture(scope="module")
def clara(server: Served) -> dict[str, str]:
    return bearer(sign_in(server, "clara").json()["token"])


@pytest.fixture(scope="module")
def job(server: Served, elise: dict[str, str], song: Path) -> str:
    """A job of Elise's."""
    upload = server.client.put(
        f"{API}/uploads/song.wav", content=song.read_bytes(), headers=elise
    ).json()
    wish = {"upload_id": upload["id"]}
    return str(server.client.post(f"{API}/jobs", json=wish, headers=elise).json()["id"])


def test_nothing_is_open_but_health_and_signing_in(server: Served) -> None:
    document = server.client.get(f"{API}/openapi.json").json()
    assert {"bearer": []} in document["security"]
    closed = []
    for path, operations in document["paths"].items():
        for method in operations if "/links/" not in path else []:
            answer = server.client.request(method, path.replace("{number}", "1"))
            if answer.status_code == 401:
                assert answer.headers["www-authenticate"] == "Bearer"
                assert method == "head" or answer.json()["type"] == "urn:unbraid:not-signed-in"
            else:
                closed.append(f"{method} {path}")
    assert closed == ["get /health", "get /ready", f"post {API}/session"]


def test_a_key_and_a_session_show_who_asks(
    server: Served, elise: dict[str, str], clara: dict[str, str]
) -> None:
    for name, shown in (("elise", elise), ("clara", clara)):
        me = server.client.get(f"{API}/me", headers=shown).json()
        assert (me["mode"], me["name"], me["scopes"]) == ("server", name, ["read", "write"])


def test_others_find_nothing(
    server: Served, elise: dict[str, str], clara: dict[str, str], job: str
) -> None:
    assert server.client.get(f"{API}/jobs/{job}", headers=elise).status_code == 200
    assert server.client.get(f"{API}/jobs", headers=clara).json()["total"] == 0
    upload = server.client.get(f"{API}/jobs/{job}", headers=elise).json()["upload_id"]
    for method, path, wish in (
        ("GET", f"jobs/{job}", None),
        ("GET", f"jobs/{job}/events", None),
        ("GET", f"jobs/{job}/zip", None),
        ("GET", f"jobs/{job}/files/manifest.json", None),
        ("GET", f"jobs/{job}/preview", None),
        ("GET", f"jobs/{job}/preview/vocals/0", None),
        ("POST", f"jobs/{job}/cancel", None),
        ("DELETE", f"jobs/{job}", None),
        ("POST", "jobs", {"upload_id": upload}),
    ):
        answer = server.client.request(method, f"{API}/{path}", json=wish, headers=clara)
        assert answer.status_code == 404, path
    assert server.client.get(f"{API}/jobs/{job}", headers=elise).json()["state"] == "queued"


def forged(**changed: Any) -> str:
    """A token as the server makes it, but for some of its claims."""
    now = int(time.time())
    claims = {"sub": "x", "aud": "unbraid", "iat": now, "exp": now + 60, "auth_time": now}
    return jwt.encode(claims | {"epoch": 0} | changed, key_for("session", SECRET), "HS256")


def unsigned() -> str:
    claims = forged().split(".")[1]
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    return f"{none}.{claims}."


@pytest.mark.parametrize(
    "token",
    [
        "nonsense",
        forged(),  # of an account that there is not
        forged(exp=1),
        forged(aud="other"),
        unsigned(),
        jwt.encode({"sub": "x"}, SECRET.encode(), "HS256"),
        "unbraid_",
        "unbraid_000000000000_x",
        "unbraid_é",
    ],
)
def test_a_token_that_is_not_ours_is_refused(server: Served, token: str) -> None:
    headers = {b"Authorization": b"Bearer " + token.encode()}
    assert server.client.get(f"{API}/me", headers=headers).status_code == 401


def test_a_stolen_id_of_a_key_is_no_key(server: Served, elise: dict[str, str]) -> None:
    token = elise["Authorization"].removeprefix("Bearer ")
    changed = token[:-1] + ("A" if token[-1] != "A" else "B")
    for wrong in (changed, token.rpartition("_")[0], token + "x"):
        assert server.client.get(f"{API}/me", headers=bearer(wrong)).status_code == 401


def test_a_key_does_what_it_is_for_and_ends_when_revoked(
    server: Served, clara: dict[str, str]
) -> None:
    wish = {"name": "reader", "scopes": ["read"]}
    made = server.client.post(f"{API}/keys", json=wish, headers=clara).json()
    key = bearer(made["token"])
    assert server.client.get(f"{API}/jobs", headers=key).status_code == 200
    assert server.client.put(f"{API}/uploads/a", content=b"x", headers=key).status_code == 403
    assert server.client.get("/metrics", headers=key).status_code == 403
    assert server.client.post(f"{API}/keys", json=wish, headers=key).status_code == 403
    (listed,) = server.client.get(f"{API}/keys", headers=key).json()
    assert listed["last_used"]
    assert "token" not in listed
    assert server.client.delete(f"{API}/keys/{made['id']}", headers=clara).status_code == 204
    assert server.client.get(f"{API}/jobs", headers=key).status_code == 401
    scraper = server.command("keys", "add", "clara", "--scopes", "metrics").strip()
    assert server.client.get("/metrics", headers=bearer(scraper)).status_code == 200
    assert server.client.get(f"{API}/jobs", headers=bearer(scraper)).status_code == 403
    assert scraper.split("_")[1] in server.command("keys", "list", "clara")
    server.command("keys", "revoke", scraper.split("_")[1])
    assert server.client.get("/metrics", headers=bearer(scraper)).status_code == 401


def test_a_page_of_the_server_uses_a_cookie_and_no_other_page_can(server: Served) -> None:
    answer = sign_in(server, "elise")
    cookie, _, rest = answer.headers["set-cookie"].partition(";")
    for word in ("HttpOnly", "Secure", "SameSite=strict", "Path=/"):
        assert word in rest
    shown = {"Cookie": cookie}
    own = {"Origin": server.address}
    mark = {"X-Requested-With": "fetch"}

    def statuses(**headers: str) -> list[int]:
        seen = server.client.get(f"{API}/me", headers=shown | headers)
        renewed = server.client.post(f"{API}/session/renew", headers=shown | headers)
        return [seen.status_code, renewed.status_code]

    assert statuses() == [200, 403]
    assert statuses(**own) == [200, 403]
    assert statuses(**own, **mark) == [200, 201]
    assert statuses(Origin=SITE["origin"], **mark) == [401, 401]
    assert statuses(Origin="https://evil.example", **mark) == [403, 403]
    url = server.address.replace("http", "ws") + f"{API}/jobs/none/ws"
    with pytest.raises(InvalidStatus, match="403"):
        websockets.sync.client.connect(url)
    headers = shown | {"Origin": SITE["origin"]}
    with pytest.raises(InvalidStatus, match="403"):
        websockets.sync.client.connect(url, additional_headers=headers)
    with websockets.sync.client.connect(url, additional_headers=shown | own):
        pass


def test_sites_that_are_named_may_ask_with_tokens(server: Served, clara: dict[str, str]) -> None:
    asks = {"Origin": SITE["origin"]}
    flight = asks | {
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization",
    }
    allowed = server.client.options(f"{API}/uploads/a", headers=flight)
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == SITE["origin"]
    assert "access-control-allow-credentials" not in allowed.headers
    assert server.client.get(f"{API}/me", headers=asks | clara).status_code == 200
    other = flight | {"Origin": "https://evil.example"}
    assert server.client.options(f"{API}/uploads/a", headers=other).status_code == 403


def test_the_server_answers_to_its_names_alone(server: Served) -> None:
    statuses = [
        server.client.get("/health", headers={"Host": host}).status_code
        for host in (SITE["host"], SITE["host"].upper(), "evil.example", f"{SITE['host']}.evil")
    ]
    assert statuses == [200, 200, 403, 403]
    assert "max-age" in server.client.get("/health").headers["strict-transport-security"]


def test_signing_out_and_a_new_password_end_all_sessions(server: Served) -> None:
    server.command("users", "add", "fanny", given="das jahr, opus 385")
    first, second = (
        bearer(sign_in(server, "fanny", "das jahr, opus 385").json()["token"]) for _ in range(2)
    )
    assert server.client.delete(f"{API}/session", headers=first).status_code == 204
    assert server.client.get(f"{API}/me", headers=second).status_code == 401
    third = bearer(sign_in(server, "fanny", "das jahr, opus 385").json()["token"])
    change = {"old": "another password", "new": "lieder ohne worte"}
    url = f"{API}/me/password"
    assert server.client.put(url, json=change, headers=third).status_code == 403
    change["old"] = "das jahr, opus 385"
    weak = change | {"new": "short"}
    assert server.client.put(url, json=weak, headers=third).status_code == 422
    assert server.client.put(url, json=change, headers=third).status_code == 204
    assert server.client.get(f"{API}/me", headers=third).status_code == 401
    assert sign_in(server, "fanny", change["new"]).status_code == 201
    server.command("users", "remove", "fanny")
    assert sign_in(server, "fanny", change["new"]).status_code == 401


def test_guessing_is_slowed_down_for_known_and_unknown_names_alike(server: Served) -> None:
    for name in ("elise", "nobody"):
        answers = [sign_in(server, name, "a wrong guess", "192.0.2.66") for _ in range(6)]
        assert [answer.status_code for answer in answers] == [401] * 5 + [429]
        assert len({answer.text for answer in answers[:5]}) == 1
        assert 0 < int(answers[-1].headers["retry-after"]) <= 900
    assert sign_in(server, "elise").status_code == 201  # from elsewhere


def test_an_unknown_name_takes_the_same_work_as_a_known_one(server: Served) -> None:
    def spent(name: str, address: str) -> int:
        stat = Path(f"/proc/{server.process.pid}/stat")
        before = sum(map(int, stat.read_text().rpartition(")")[2].split()[11:13]))
        for _ in range(5):
            assert sign_in(server, name, "a wrong guess", address).status_code == 401
        return sum(map(int, stat.read_text().rpartition(")")[2].split()[11:13])) - before

    known, unknown = spent("elise", "192.0.2.7"), spent("nobody", "192.0.2.7")
    assert unknown > known / 2  # in CPU time, most of which goes into the hash
    assert known > unknown / 2


def test_the_audit_log_has_who_came_and_who_did_not(
    server: Served, elise: dict[str, str], song: Path
) -> None:
    sign_in(server, 'x" \n\x1b[31m{"event":"signed in"}', "wrong password", "192.0.2.9")
    upload = server.client.put(
        f"{API}/uploads/a.wav", content=song.read_bytes(), headers=elise
    ).json()["id"]
    made = server.client.post(f"{API}/jobs", json={"upload_id": upload}, headers=elise).json()["id"]
    server.client.delete(f"{API}/jobs/{made}", headers=elise)
    log = server.command("users", "log", "--last", "2")
    assert "192.0.2.9" in log
    assert "\\n\\x1b[31m" in log
    assert "\x1b" not in log
    assert "job removed" in log
    whole = server.command("users", "log")
    for event in ("account added", "signed in", "key added", "sign-in failed"):
        assert event in whole
    assert PASSWORDS["elise"] not in whole


def test_what_is_kept_opens_nothing(server: Served, elise: dict[str, str]) -> None:
    kept = b"".join(file.read_bytes() for file in server.data.glob("unbraid.sqlite*"))
    assert b"$argon2id$" in kept
    secret = elise["Authorization"].split("_", 2)[2]  # which may have that sign too
    for word in (secret, *PASSWORDS.values()):
        assert word.encode() not in kept


@pytest.mark.parametrize(
    ("settings", "cause"),
    [
        ({"HOST": "0.0.0.0"}, "UNBRAID_MODE=server"),
        ({"MODE": "server"}, "UNBRAID_SECRET"),
        ({"MODE": "server", "SECRET": "short"}, "UNBRAID_SECRET"),
        ({"MODE": "server", "SECRET": "a" * 64}, "UNBRAID_SECRET"),
        ({"MODE": "server", "SECRET": "change-me-" + SECRET}, "UNBRAID_SECRET"),
        ({"MODE": "server", "SECRET": SECRET}, "UNBRAID_HOSTS"),
        ({"MODE": "server", "SECRET": SECRET, "HOSTS": "a", "ORIGINS": "*"}, "UNBRAID_ORIGINS"),
    ],
)
def test_a_server_that_would_not_be_safe_does_not_start(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], cause: str
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(f"UNBRAID_{name}", value)
    with pytest.raises(InputError, match=cause):
        serve(Settings(), on_start=pytest.fail)


def test_the_secret_is_not_shown(server: Served) -> None:
    assert SECRET not in server.command("serve", "--show-config")


def test_without_accounts_there_is_nothing_to_sign_in_to(tmp_path: Path) -> None:
    with Served(tmp_path, "--workers", "0") as server:
        me = server.client.get(f"{API}/me").json()
        assert (me["mode"], me["name"]) == ("local", "local")
        wish = {"name": "elise", "password": "a bagatelle in a minor"}
        assert server.client.post(f"{API}/session", json=wish).status_code == 409
        assert server.client.get(f"{API}/keys").status_code == 409
        assert json.loads(server.client.delete(f"{API}/session").text)["status"] == 409
