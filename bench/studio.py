"""How soon the studio shows itself, and how lightly it plays and scrolls, on a slow machine."""

import gzip
import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright
from tests.service.serving import Served

from bench.placed import STEMS, place
from bench.results import Section, Target

MINUTES, SLOWER = 10, 4
PAINTS = 5
PLAY_MS, SCROLLS = 4_000, 90
SCRIPT_MS, TASK_MS, PAINT_MS, SCRIPT_KB, PAGE_MB = 8.0, 50.0, 1_000.0, 250.0, 200.0
PHONE: ViewportSize = {"width": 360, "height": 740}
LOOKS, LOOK_MS, JUMPS = 12, 5_000, {4: 420, 8: 90}  # at the memory; jumps to these seconds
CATEGORIES = ["devtools.timeline", "disabled-by-default-devtools.timeline", "toplevel"]
SCRIPTS = frozenset(
    {"FireAnimationFrame", "EventDispatch", "FunctionCall", "TimerFire", "EvaluateScript"}
)
FRAME, TASK = "FireAnimationFrame", "RunTask"

Event = dict[str, Any]


@dataclass(frozen=True)
class Doing:
    """What the page's main thread did: script in each frame, and its tasks, in milliseconds."""

    script_ms: Sequence[float]
    tasks_ms: Sequence[float]


def bench() -> Section:
    """Open a long song in Chromium, play it and move through it."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Served(Path(folder, "data"), "--workers", "0") as server,
    ):
        job_id = place(server, Path(folder), 60 * MINUTES)
        return measured(server.address, job_id)


def measured(address: str, job_id: str) -> Section:
    """Measure the studio of a server on a song that is done."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(base_url=address, viewport={"width": 1280, "height": 900})
        scripts: dict[str, bytes] = {}
        page.on("response", lambda answer: scripts.update(_script(answer)))
        paint_ms = _first_paint(page)
        script_kb = sum(len(gzip.compress(each)) for each in scripts.values()) / 1000
        page.goto(f"/jobs/{job_id}")
        page.get_by_role("button", name="Repeat section A").first.wait_for()
        page.wait_for_timeout(2_000)  # until waveforms and notes are there
        page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        found = {}
        for name, do in DOINGS.items():
            browser.start_tracing(page=page, categories=CATEGORIES)
            do(page)
            found[name] = doing(json.loads(browser.stop_tracing())["traceEvents"])
        page.close()
        memory_mb = _memory_mb(browser, f"{address}/jobs/{job_id}")
        browser.close()
    return _section(found, paint_ms, script_kb, memory_mb)


def _script(answer: Any) -> dict[str, bytes]:
    return {answer.url: answer.body()} if answer.request.resource_type == "script" else {}


def _first_paint(page: Page) -> float:
    """The median of first contentful paints of the first page."""
    paints = []
    for _ in range(PAINTS):
        page.goto("/")
        page.get_by_role("button", name="Take the demo song").wait_for()
        entry = "performance.getEntriesByName('first-contentful-paint')[0]"
        page.wait_for_function(entry)
        paints.append(page.evaluate(f"{entry}.startTime"))
    return float(np.median(paints))


def _memory_mb(browser: Browser, job: str) -> tuple[float, float]:
    """What a phone's page of a job has of its own: once it is there, and at most while it plays."""
    page = browser.new_page(viewport=PHONE)
    page.goto(job)
    page.get_by_role("button", name="Play", exact=True).wait_for()
    page.wait_for_timeout(LOOK_MS)
    seen_mb = [_own_mb(browser)]
    page.get_by_role("button", name="Play", exact=True).click()
    for look in range(LOOKS):
        page.wait_for_timeout(LOOK_MS)
        if look in JUMPS:
            page.get_by_label("Position").fill(str(JUMPS[look]))
        seen_mb.append(_own_mb(browser))
    page.close()
    return seen_mb[0], max(seen_mb)


def _own_mb(browser: Browser) -> float:
    """Memory that the largest process of a page shares with nothing, 10^6 bytes."""
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    pages = [each["id"] for each in processes if each["type"] == "renderer"]
    rollups = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in pages]
    return max(int(text.split("Private_Dirty:")[1].split()[0]) for text in rollups) * 1024 / 1e6


def _play(page: Page) -> None:
    page.get_by_role("button", name="Play", exact=True).click()
    page.get_by_role("button", name="Pause").wait_for()
    page.wait_for_timeout(PLAY_MS)
    page.get_by_role("button", name="Pause").click()


def _scroll(page: Page) -> None:
    box = page.locator("li[data-stem] canvas").first.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    for step in range(SCROLLS):
        page.mouse.wheel(40 if step < SCROLLS / 2 else -30, 0)
        page.wait_for_timeout(16)


def _zoom(page: Page) -> None:
    for _ in range(5):
        page.keyboard.press("+")
        page.wait_for_timeout(150)
    page.keyboard.press("0")
    page.wait_for_timeout(500)
    _scroll_back(page)


def _scroll_back(page: Page) -> None:
    for _ in range(4):
        page.keyboard.press("+")
        page.wait_for_timeout(150)


def _spectrograms(page: Page) -> None:
    page.get_by_text("Spectrograms").click()
    page.wait_for_timeout(1_500)
    _scroll(page)


DOINGS = {
    "playing": _play,
    "scrolling": _scroll,
    "zooming": _zoom,
    "scrolling spectrograms": _spectrograms,
}


def doing(events: Sequence[Event]) -> Doing:
    """What a trace of Chromium says of the main thread of the page.

    Times are those of its processor, for other programs may run beside.
    """
    threads = [
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    ]
    mine = [
        event for event in events if (event["pid"], event["tid"]) in threads and "tdur" in event
    ]
    thread = max(
        threads, key=lambda each: sum(_on(event, each) for event in mine if event["name"] == FRAME)
    )
    mine = sorted((event for event in mine if _on(event, thread)), key=lambda event: event["ts"])
    tasks = list(_outermost([event for event in mine if event["name"].endswith(TASK)]))
    frames = [event["ts"] for event in mine if event["name"] == FRAME]
    drawing = [task for task in tasks if _any_within(frames, task)]
    scripts = list(_outermost([event for event in mine if event["name"] in SCRIPTS]))
    places = np.searchsorted(
        [task["ts"] for task in drawing], [event["ts"] for event in scripts], side="right"
    )
    spent = np.bincount(places, [event["tdur"] / 1000 for event in scripts], len(drawing) + 1)
    return Doing(spent[1:].tolist(), [task["tdur"] / 1000 for task in tasks])


def _any_within(times: Sequence[float], task: Event) -> bool:
    first = int(np.searchsorted(times, task["ts"]))
    return first < len(times) and times[first] <= task["ts"] + task["dur"]


def _on(event: Event, thread: tuple[int, int]) -> bool:
    return (event["pid"], event["tid"]) == thread


def _outermost(events: Sequence[Event]) -> Iterator[Event]:
    """Those that are not within another."""
    until = 0.0
    for event in events:
        if event["ts"] >= until:
            until = event["ts"] + event["dur"]
            yield event


def _section(
    found: dict[str, Doing], paint_ms: float, script_kb: float, memory_mb: tuple[float, float]
) -> Section:
    worst_script = max(float(np.quantile(each.script_ms, 0.95)) for each in found.values())
    longest = max(max(each.tasks_ms) for each in found.values())
    return Section(
        title="The studio",
        text=(
            f"Chromium without a GPU, 1280 x 900, on a song of {MINUTES} minutes and {len(STEMS)} "
            f"stems with notes, its processor throttled {SLOWER} times: script from one frame to "
            "the next, and tasks of the page's main thread, both in the thread's own time. The "
            f"first paint is that of the first page over loopback, the median of {PAINTS}, not "
            f"throttled; its JavaScript, {script_kb:.0f} kB with gzip. On a phone's window, the "
            f"page's process has {memory_mb[0]:.0f} MB of its own before it plays, and "
            f"{memory_mb[1]:.0f} MB at most in a minute of playing with two jumps."
        ),
        header=("", "frames", "script, median", "95th percentile", "most", "longest task"),
        rows=[
            (
                name,
                str(len(each.script_ms)),
                *(f"{np.quantile(each.script_ms, q):.1f} ms" for q in (0.5, 0.95, 1)),
                f"{max(each.tasks_ms):.0f} ms",
            )
            for name, each in found.items()
        ],
        targets=[
            Target(
                f"script within {SCRIPT_MS:g} ms a frame at the 95th percentile",
                f"{worst_script:.1f} ms",
                worst_script <= SCRIPT_MS,
            ),
            Target(f"no task over {TASK_MS:g} ms", f"{longest:.0f} ms", longest <= TASK_MS),
            Target(
                f"first paint within {PAINT_MS:g} ms", f"{paint_ms:.0f} ms", paint_ms <= PAINT_MS
            ),
            Target(
                f"JavaScript at first within {SCRIPT_KB:g} kB",
                f"{script_kb:.0f} kB",
                script_kb <= SCRIPT_KB,
            ),
            Target(
                f"the page's own memory within {PAGE_MB:g} MB",
                f"{memory_mb[1]:.0f} MB",
                memory_mb[1] <= PAGE_MB,
            ),
        ],
    )
