"""Corrections in the studio, as Chromium shows it, on a real server with a song taken apart."""

import io
import itertools
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mido
import pytest
from playwright.sync_api import Browser, Dialog, Locator, Page, expect
from tests.service.serving import Served
from tests.service.studio_pages import PHONE, look


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("data"), QUICK_WORKERS="1") as server:
        yield server


@pytest.fixture(autouse=True)
def opened(page: Page, done: dict[str, Any]) -> None:
    page.goto(f"/jobs/{done['id']}")
    expect(page.get_by_role("heading", name="Correct")).to_be_visible()


def analysis_of(server: Served, done: dict[str, Any]) -> dict[str, Any]:
    url = f"/api/v1/jobs/{done['id']}/files/analysis.json"
    analysis: dict[str, Any] = json.loads(server.client.get(url).content)
    return analysis


def press(page: Page, *names: str) -> None:
    for name in names:
        page.get_by_role("button", name=name, exact=True).click()


def field(page: Page, name: str) -> Locator:
    return page.get_by_role("combobox", name=name, exact=True)


def fact(page: Page, name: str) -> Any:
    return page.locator("dt", has_text=name).locator("xpath=following-sibling::dd")


def shot(part: Locator, name: str) -> None:
    """Keep what a part of the page looks like, where UNBRAID_PICTURES names a folder."""
    if folder := os.environ.get("UNBRAID_PICTURES"):
        part.screenshot(path=Path(folder) / f"studio-{name}.png")


def saved(page: Page) -> None:
    """What was done has reached the server."""
    expect(page.get_by_text("Saving…")).to_be_hidden()


def test_tempo_bars_and_key_are_set_right_by_one_press_each_and_undone(
    page: Page, server: Served, done: dict[str, Any]
) -> None:
    before = analysis_of(server, done)
    press(page, "Twice as fast", "Bars a beat later")
    expect(fact(page, "Tempo")).to_have_text(f"{2 * before['bpm']:g} BPM")
    page.get_by_label("Tonic").select_option("F#")
    expect(fact(page, "Key")).to_contain_text("F♯")
    saved(page)
    after = analysis_of(server, done)
    assert after["bpm"] == 2 * before["bpm"]
    assert after["key"]["tonic"] == "F#"
    assert after["downbeats"] != before["downbeats"]
    expect(fact(page, "Tempo")).to_have_text(f"{after['bpm']:g} BPM")
    look(page)
    for _ in range(3):
        press(page, "Undo the correction")
    expect(fact(page, "Tempo")).to_have_text(f"{before['bpm']:g} BPM")
    saved(page)
    assert analysis_of(server, done) == before
    press(page, "Redo the correction")
    expect(fact(page, "Tempo")).to_have_text(f"{2 * before['bpm']:g} BPM")
    page.reload()
    press(page, "Undo the correction")
    expect(fact(page, "Tempo")).to_have_text(f"{before['bpm']:g} BPM")
    saved(page)


def test_a_chord_is_named_split_and_joined_by_keys_alone(
    page: Page, server: Served, done: dict[str, Any]
) -> None:
    before = analysis_of(server, done)["chords"]
    page.get_by_role("button", name="Chords").focus()
    page.keyboard.press("Enter")
    expect(field(page, "Root")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")  # the chord after
    editor = page.get_by_role("group", name="Edit a chord")
    field(page, "Root").select_option("G")
    field(page, "Kind").select_option("min7")
    field(page, "Bass").select_option("b3")
    expect(editor).to_contain_text("Gm7/B♭")
    look(page)
    shot(editor, "chord")
    page.get_by_label("In letters").fill("H:odd")
    expect(editor.get_by_role("alert")).to_be_visible()
    page.get_by_label("In letters").fill("Eb:maj9")
    page.keyboard.press("Enter")
    expect(editor).to_contain_text("E♭maj9")
    press(page, "Split")
    saved(page)
    after = analysis_of(server, done)["chords"]
    assert [chord["label"] for chord in after[1:3]] == ["Eb:maj9", "Eb:maj9"]
    assert len(after) == len(before) + 1
    press(page, "Join with the next")
    saved(page)
    after = analysis_of(server, done)["chords"]
    assert after == [before[0], before[1] | {"label": "Eb:maj9"}, *before[2:]]
    page.keyboard.press("Escape")
    expect(editor).to_be_hidden()
    expect(page.get_by_role("button", name="Chords")).to_be_focused()


def roll_of(page: Page, stem: str) -> Locator:
    press(page, f"Edit the notes of {stem}")
    return page.get_by_role("application", name=f"Notes of {stem}")


def notes_of(server: Served, done: dict[str, Any], stem: str) -> list[tuple[float, int]]:
    """When the notes of a stem begin, and their pitch."""
    content = server.client.get(f"/api/v1/jobs/{done['id']}/files/midi/{stem}.mid").content
    now_s, notes = 0.0, []
    for message in mido.MidiFile(file=io.BytesIO(content)):
        now_s += message.time
        if message.type == "note_on" and message.velocity:
            notes.append((now_s, message.note))
    return sorted(notes)


def is_same(one: tuple[float, int], other: tuple[float, int]) -> bool:
    return one[1] == other[1] and abs(one[0] - other[0]) < 0.002


def test_notes_are_changed_by_keys_alone_and_the_files_follow(
    page: Page, server: Served, done: dict[str, Any]
) -> None:
    press(page, "Chord chart")
    before = notes_of(server, done, "bass")
    roll = roll_of(page, "bass")
    roll.focus()
    page.keyboard.press("n")
    page.keyboard.press("n")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Shift+ArrowUp")
    page.keyboard.press("n")
    page.keyboard.press("Delete")
    page.keyboard.press("Delete")
    page.keyboard.press("a")
    expect(page.get_by_label("Note of bass")).to_have_value("0")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+Shift+Z")
    look(page)
    shot(page.locator("li[data-stem=bass]").first, "notes")
    press(page, "Save notes")
    expect(page.get_by_role("button", name="Close", exact=True)).to_be_visible()
    after = notes_of(server, done, "bass")
    assert len(after) == len(before)
    assert is_same(after[0], (0.0, before[0][1]))
    with page.expect_download() as download:
        page.get_by_role("link", name="Download bass as MIDI").click()
    content = server.client.get(f"/api/v1/jobs/{done['id']}/files/midi/bass.mid").content
    assert download.value.path().read_bytes() == content
    press(page, "Undo the correction")
    saved(page)
    assert notes_of(server, done, "bass") == before


def test_notes_are_moved_added_and_kept_through_a_fault_by_pointer(
    page: Page, server: Served, done: dict[str, Any], complaints: list[str]
) -> None:
    before = notes_of(server, done, "bass")
    roll = roll_of(page, "bass")
    roll.scroll_into_view_if_needed()
    box = roll.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + 6
    page.mouse.dblclick(x, y)  # where no note is: the highest row
    chosen = page.get_by_label("Note of bass").locator("option:checked")
    added = chosen.inner_text()
    page.mouse.move(x + 4, y)
    page.mouse.down()
    page.mouse.move(x + 150, y + 24, steps=4)
    page.mouse.up()
    expect(chosen).not_to_have_text(added)
    page.route("**/analysis", lambda route: route.abort())
    press(page, "Save notes")
    expect(page.get_by_role("alert")).to_contain_text("edited notes are still there")
    page.unroute("**/analysis")
    complaints.clear()
    press(page, "Save notes")
    expect(page.get_by_role("button", name="Close", exact=True)).to_be_visible()
    after = notes_of(server, done, "bass")
    (new,) = [note for note in after if not any(is_same(note, other) for other in before)]
    beats = analysis_of(server, done)["beats"]
    quarters = [a + k * (b - a) / 4 for a, b in itertools.pairwise(beats) for k in range(4)]
    assert min(abs(new[0] - time) for time in quarters) < 0.005


def test_edits_that_are_not_saved_are_not_lost(page: Page, done: dict[str, Any]) -> None:
    roll = roll_of(page, "vocals")
    roll.focus()
    page.keyboard.press("n")
    page.keyboard.press("ArrowDown")
    page.get_by_role("link", name="Library").click()
    page.go_back()
    expect(page.get_by_role("button", name="Save notes")).to_be_enabled()
    asked: list[str] = []

    def answer(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", answer)
    page.reload()
    assert asked == ["beforeunload"]
    expect(page.get_by_role("button", name="Edit the notes of vocals")).to_be_visible()


def test_notes_are_changed_with_a_finger_on_a_phone(
    browser: Browser, server: Served, done: dict[str, Any]
) -> None:
    context = browser.new_context(viewport=PHONE, base_url=server.address, has_touch=True)
    page = context.new_page()
    page.goto(f"/jobs/{done['id']}")
    press(page, "Edit the notes of bass")
    roll = page.get_by_role("application", name="Notes of bass")
    roll.scroll_into_view_if_needed()
    look(page)
    box = roll.bounding_box()
    assert box
    for _ in range(2):
        page.touchscreen.tap(box["x"] + 200, box["y"] + 6)
    expect(page.get_by_role("button", name="Undo this edit")).to_be_enabled()
    shot(page.locator("li[data-stem=bass]").first, "notes-phone")
    press(page, "Delete the notes")
    context.close()


def test_some_stems_are_transcribed_again_and_what_would_be_lost_is_said(
    page: Page, server: Served, done: dict[str, Any]
) -> None:
    roll = roll_of(page, "bass")
    roll.focus()
    page.keyboard.press("n")
    page.keyboard.press("Delete")
    press(page, "Save notes")
    press(page, "Close")
    before = {stem: notes_of(server, done, stem) for stem in ("bass", "other")}
    press(page, "Transcribe again")
    form = page.get_by_role("form", name="Transcribe again")
    expect(form).to_contain_text("will be lost")
    form.get_by_label("bass").uncheck()
    expect(form).not_to_contain_text("will be lost")
    form.get_by_role("slider", name="Onset threshold").fill("0.8")
    look(page)
    shot(form, "transcribe")
    form.get_by_role("button", name="Transcribe", exact=True).click()
    expect(form).to_be_hidden()
    assert notes_of(server, done, "bass") == before["bass"]
    assert notes_of(server, done, "other") != before["other"]
    press(page, "Undo the transcription")
    saved(page)
    assert notes_of(server, done, "other") == before["other"]
