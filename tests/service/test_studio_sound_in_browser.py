"""What is heard in the studio, measured on the samples that Chromium renders."""

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pretty_midi
import pytest
import soundfile
from playwright.sync_api import Page, expect
from tests.service.serving import Served
from tests.service.studio_pages import OFFLINE, RATE, RENDERED_S, go_to, rendered, seconds

TONE_HZ = 440.0
TONE_FROM_S = 1.5
FIFTH = 2 ** (7 / 12)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("data")) as server:
        yield server


@pytest.fixture(scope="module")
def tone(server: Served, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A tone that begins after a silence, taken apart."""
    times = np.arange(8 * RATE) / RATE
    samples = 0.3 * np.sin(2 * np.pi * TONE_HZ * times) * (times >= TONE_FROM_S)
    file = tmp_path_factory.mktemp("song") / "A tone.wav"
    soundfile.write(file, np.stack([samples, samples], axis=1), RATE)
    job_id = server.submit(file)
    list(server.watch(job_id))
    return server.job(job_id)


def frequency_hz(sound: npt.NDArray[np.float64]) -> float:
    """The strongest frequency of a sound [time]."""
    size = 2**20
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), size))
    return float(spectrum.argmax() * RATE / size)


def onset_s(sound: npt.NDArray[np.float64]) -> float:
    """When a sound [time] has come half up."""
    loud = np.sqrt(np.convolve(sound**2, np.ones(441) / 441, mode="same"))
    return float(np.argmax(loud > 0.5 * np.median(loud[-RATE:])) / RATE)


@pytest.mark.parametrize(
    ("speed", "semitones", "hz"),
    [
        (0.75, 0, TONE_HZ),
        (1.5, 0, TONE_HZ),
        (1, 7, TONE_HZ * FIFTH),
        (0.5, -12, TONE_HZ / 2),
    ],
)
def test_speed_and_pitch_are_independent(
    page: Page, tone: dict[str, Any], speed: float, semitones: int, hz: float
) -> None:
    page.add_init_script(OFFLINE)
    page.goto(f"/jobs/{tone['id']}")
    page.get_by_label("Speed").fill(str(speed))
    page.get_by_label("Pitch").fill(str(semitones))
    _, heard = rendered(page)
    onset = onset_s(heard[0])
    sounding = heard[0, round((onset + 0.2) * RATE) :]
    assert abs(1200 * np.log2(frequency_hz(sounding) / hz)) < 5
    assert np.sqrt(2 * np.mean(sounding**2)) == pytest.approx(0.3, rel=0.2)
    page.wait_for_timeout(300)  # until the clock is drawn
    place = TONE_FROM_S + (RENDERED_S - onset) * speed
    assert place - 0.15 < seconds(page) < place + 0.05, "what is shown is what is heard"


def test_the_speed_changes_while_a_song_plays_without_a_gap(
    page: Page, tone: dict[str, Any]
) -> None:
    page.add_init_script(OFFLINE)
    page.goto(f"/jobs/{tone['id']}")
    page.get_by_label("Speed").fill("0.8")
    page.evaluate("void (window.stops = window.offline.suspend(2.5))")
    page.get_by_role("button", name="Play", exact=True).click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.evaluate("window.all = window.heard(); window.stops.then(() => 0)")
    before = page.evaluate("window.starts.length")
    page.keyboard.press("Period")
    expect(page.get_by_label("Speed")).to_have_value("0.85")
    page.wait_for_function(f"window.starts.length > {before}")
    page.evaluate("OfflineAudioContext.prototype.resume.call(window.offline)")
    heard = np.frombuffer(bytes.fromhex(page.evaluate("window.all")), np.float32)
    sounding = heard[: RENDERED_S * RATE].astype(np.float64)[round(2.3 * RATE) :]
    assert abs(1200 * np.log2(frequency_hz(sounding) / TONE_HZ)) < 5
    swell = np.sqrt(2 * np.mean(sounding[: len(sounding) // 441 * 441].reshape(-1, 441) ** 2, 1))
    assert swell.min() > 0.1
    assert swell.max() < 0.4


def test_the_notes_of_a_stem_sound_on_their_samples(
    page: Page, server: Served, done: dict[str, Any]
) -> None:
    url = next(f["url"] for f in done["files"] if f["name"] == "midi/bass.mid")
    midi = pretty_midi.PrettyMIDI(io.BytesIO(server.client.get(url).content))
    notes = midi.instruments[0].notes
    page.add_init_script(OFFLINE)
    page.goto(f"/jobs/{done['id']}")
    page.get_by_role("button", name="Solo bass").click()
    page.get_by_label("Notes of bass").fill("1")
    begin, heard = rendered(page)
    sound = heard[0, begin:]
    first = min(notes, key=lambda note: note.start)
    start, end = round(first.start * RATE), round(first.end * RATE)
    assert not sound[:start].any()
    assert start <= np.flatnonzero(sound)[0] < start + 0.002 * RATE
    hz = 440 * 2 ** ((first.pitch - 69) / 12)
    assert frequency_hz(sound[start:end]) == pytest.approx(hz, rel=0.03)
    for note in notes:
        if note.end < RENDERED_S - 0.1:
            during = sound[round(note.start * RATE) : round(note.end * RATE)]
            assert np.abs(during).max() > 0.05


def test_a_bar_is_counted_in_and_the_beats_are_clicked_at_their_speed(
    page: Page, server: Served, done: dict[str, Any]
) -> None:
    url = next(file["url"] for file in done["files"] if file["name"] == "analysis.json")
    analysis = server.client.get(url).json()
    bar, following = analysis["downbeats"][:2]
    beats = np.array([beat for beat in analysis["beats"] if bar <= beat <= following])
    page.add_init_script(OFFLINE)
    page.goto(f"/jobs/{done['id']}")
    for stem in ("vocals", "drums", "bass", "other"):
        page.get_by_role("button", name=f"Mute {stem}").click()
    page.get_by_role("button", name="Click on the beats").click()
    page.get_by_label("Speed").fill("1.5")
    page.get_by_label("Count in").check()
    go_to(page, bar)
    _, heard = rendered(page)
    clicks = begins_s(heard[0])
    count = len(beats) - 1
    expected = (beats - bar) / 1.5
    np.testing.assert_allclose(clicks[count : 2 * count] - clicks[count], expected[:-1], atol=1e-3)
    each = (beats[1] - beats[0]) / 1.5
    np.testing.assert_allclose(np.diff(clicks[: count + 1]), each, atol=0.01)
    page.reload()
    expect(page.get_by_label("Count in")).to_be_checked()


def begins_s(sound: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """When clicks in a sound [time] begin."""
    loud = np.flatnonzero(np.abs(sound) > 0.02)
    return loud[np.diff(loud, prepend=-RATE) > 0.03 * RATE] / RATE
