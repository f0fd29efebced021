"""Whether the service serves many users at once, each with a song after the other."""

import asyncio
import json
import re
import secrets
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
import soundfile
from tests.service.serving import Served

from bench.results import Section, Target
from unbraid.demo import demo_song

USERS, LASTS_S, SONG_S = 50, 180.0, 15
LIMITS = (413, 429, 503)  # that the API states, with when to ask again
RETRIES = 20
TIERS = {"standard": {"jobs_per_day": None, "audio_minutes_per_day": None}}


@dataclass
class _Seen:
    """What the users came by.

    Attributes:
        taken: seconds of each request, by what it was for.
        refused: how often a stated limit was met, by status.
        errors: what no limit explains.
        jobs: ids of those that were accepted.
        done: ids of those whose result was downloaded whole.
        memory_mb: most that the server took, without its workers.
    """

    taken: dict[str, list[float]] = field(default_factory=dict)
    refused: Counter[int] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    jobs: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    memory_mb: float = 0.0


def bench(users: int = USERS, lasts_s: float = LASTS_S) -> Section:
    """Let users with accounts of their own send, watch and download songs until time is up."""
    with tempfile.TemporaryDirectory() as folder:
        seen = _measure(Path(folder), users, lasts_s)
    lost = len(set(seen.jobs) - set(seen.done))
    refused = ", ".join(f"{count} with {status}" for status, count in seen.refused.items())
    return Section(
        title="Service: many users",
        text=(
            f"{users} users of a server with accounts and one worker, each with a key, send a song "
            f"of {SONG_S} s, follow its job by server-sent events, download each file, and begin "
            f"again, for {lasts_s:g} s and until the jobs begun by then are done. The clients "
            f"share the server's cores. {len(seen.done)} songs were taken apart; the server took "
            f"{seen.memory_mb:.0f} MB without its worker."
        ),
        header=("", "requests", "median", "95th percentile", "most"),
        rows=[
            (
                name,
                f"{len(taken)}",
                *(f"{1000 * np.quantile(taken, q):.0f} ms" for q in (0.5, 0.95, 1)),
            )
            for name, taken in seen.taken.items()
        ],
        targets=[
            Target(
                "no error but stated limits",
                f"{len(seen.errors)} errors {'; '.join(sorted(set(seen.errors))[:5])}; "
                f"refused: {refused or 'none'}",
                not seen.errors,
            ),
            Target(
                "no job lost",
                f"{lost} of {len(seen.jobs)}",
                lost == 0 < len(seen.jobs),
            ),
        ],
    )


def _measure(folder: Path, users: int, lasts_s: float) -> _Seen:
    seen, songs = _Seen(), [folder / f"song {number}.wav" for number in range(users)]
    mixture = demo_song().mixture
    for number, song in enumerate(songs):  # all different
        samples = np.roll(mixture.samples, 100 * number, axis=1)
        soundfile.write(song, samples[:, : SONG_S * mixture.sample_rate].T, mixture.sample_rate)
    settings = {
        "MODE": "server",
        "SECRET": secrets.token_urlsafe(48),
        "HOSTS": "localhost",
        "TIERS": json.dumps(TIERS),
    }
    with Served(folder / "data", **settings) as server:
        clients = [_client(server, f"user-{number}") for number in range(users)]
        asyncio.run(_crowd(server, clients, songs, seen, lasts_s))
        status = Path(f"/proc/{server.process.pid}/status").read_text()
        seen.memory_mb = int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) / 1000
    return seen


def _client(server: Served, name: str) -> dict[str, str]:
    """The headers of a new account's requests."""
    server.command("users", "add", name, given=secrets.token_urlsafe(16))
    key = server.command("keys", "add", name).strip()
    return {"Authorization": f"Bearer {key}", "Host": "localhost"}


async def _crowd(
    server: Served, clients: list[dict[str, str]], songs: list[Path], seen: _Seen, lasts_s: float
) -> None:
    until = time.monotonic() + lasts_s
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(
        base_url=f"{server.address}/api/v1", timeout=600, limits=limits
    ) as client:

        async def work(headers: dict[str, str], song: Path) -> None:
            user = _User(client, headers, seen)
            while time.monotonic() < until:
                try:
                    await user.one_song(song)
                except (httpx.HTTPError, _UnexpectedError) as error:
                    seen.errors.append(f"{type(error).__name__} {error}")

        await asyncio.gather(*map(work, clients, songs))


class _UnexpectedError(Exception):
    """An answer that nobody has announced."""


class _User:
    """Somebody with songs."""

    def __init__(self, client: httpx.AsyncClient, headers: dict[str, str], seen: _Seen) -> None:
        self._client, self._headers, self._seen = client, headers, seen

    async def one_song(self, song: Path) -> None:
        """Send it, watch it, take what it has become."""
        content = song.read_bytes()
        sent = await self._ask("upload", "PUT", f"/uploads/{song.name}", content=content)
        wish = {"upload_id": sent.json()["id"]}
        job_id = str((await self._ask("submission", "POST", "/jobs", json=wish)).json()["id"])
        self._seen.jobs.append(job_id)
        async for event in self._events(job_id):
            await self._ask("status", "GET", f"/jobs/{job_id}")
            if event.get("state") in ("failed", "cancelled"):
                raise _UnexpectedError(f"a job {event['state']}: {event.get('error')}")
        job = (await self._ask("status", "GET", f"/jobs/{job_id}")).json()
        if job["state"] != "done":
            raise _UnexpectedError(f"the events of a job ended while it was {job['state']}")
        for file in job["files"]:
            url = file["url"].removeprefix("/api/v1")
            got = await self._ask("download", "GET", url)
            if len(got.content) != file["size_bytes"]:
                raise _UnexpectedError(f"{file['name']} was not whole")
        self._seen.done.append(job_id)

    async def _events(self, job_id: str) -> AsyncIterator[dict[str, str]]:
        async with self._client.stream(
            "GET", f"/jobs/{job_id}/events", headers=self._headers
        ) as answer:
            self._check(answer)
            async for line in answer.aiter_lines():
                if line.startswith("data: "):
                    yield json.loads(line.removeprefix("data: "))

    async def _ask(self, what: str, method: str, url: str, **request: object) -> httpx.Response:
        """Ask, and ask again where the server says when."""
        for _ in range(RETRIES):
            began = time.perf_counter()
            answer = await self._client.request(method, url, headers=self._headers, **request)  # type: ignore[arg-type]
            self._seen.taken.setdefault(what, []).append(time.perf_counter() - began)
            if answer.status_code not in LIMITS:
                self._check(answer)
                return answer
            self._seen.refused[answer.status_code] += 1
            if "retry-after" not in answer.headers:
                break
            await asyncio.sleep(float(answer.headers["retry-after"]))
        raise _UnexpectedError(f"{method} {url}: {answer.status_code} {answer.text[:200]}")

    def _check(self, answer: httpx.Response) -> None:
        if not answer.is_success:
            raise _UnexpectedError(f"{answer.request.method}: {answer.status_code}")
