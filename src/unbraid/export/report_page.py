"""What a report says of a song: the text, tables and figures of its page."""

from collections.abc import Sequence
from pathlib import PurePath

from unbraid import __version__
from unbraid.export.analysis import TempoPoint
from unbraid.export.chart import bar_texts
from unbraid.export.html import Html, joined, tag, text
from unbraid.export.sheet import Sheet
from unbraid.export.song import DRUMS, Song
from unbraid.types import StemName

LOW_QUALITY = 0.5
HUES = 12  # of stems, in the style sheet
_EITHER_WAY_BPM = 5.0  # that a tempo curve shows at least


def title(song: Song) -> str:
    """The title of the song, or the name of its file."""
    given = song.tags.title or song.manifest.input.title
    return given or PurePath(song.manifest.input.file).stem


def header(song: Song) -> Html:
    """Title, artist and what a musician asks first."""
    artist = song.tags.artist or song.manifest.input.artist
    facts = [_tempo(song), _key(song), _metre(song)]
    facts += [
        _fact("Length", clock(song.length / song.sample_rate)),
        _fact("Taken apart by", song.manifest.model.name),
    ]
    return joined(
        tag("h1", title(song), dir="auto"),
        tag("p", artist, class_="artist", dir="auto") if artist else Html(),
        tag("dl", *(fact for fact in facts if fact), class_="facts"),
    )


def clock(seconds: float) -> str:
    """Minutes and seconds.

    >>> clock(83.4)
    '1:23'
    """
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def _fact(name: str, value: str, more: str = "", *, accent: bool = False) -> Html:
    detail = tag("span", more, class_="more") if more else Html()
    shown = tag("dd", value, " " if more else "", detail, class_="accent" if accent else "plain")
    return tag("div", tag("dt", name), shown)


def _tempo(song: Song) -> Html:
    midi, found = song.manifest.midi, song.analysis
    if midi and midi.tempo_source == "given":
        return _fact("Tempo", f"{midi.tempo_bpm:g} BPM", "as given", accent=True)
    if found is None or not found.beats:
        return Html()
    if found.bpm is None:
        return _fact("Tempo", "rubato")
    more = "" if found.tempo.steady else "changing"
    return _fact("Tempo", f"{found.bpm:g} BPM", more, accent=True)


def _key(song: Song) -> Html:
    return _fact("Key", song.key.name, song.key.camelot, accent=True) if song.key else Html()


def _metre(song: Song) -> Html:
    return _fact("Metre", song.grid.metre) if song.grid else Html()


def listen(song: Song, *, with_sound: bool) -> Html:
    """The players; without sound they still show the song."""
    duration_s = song.length / song.sample_rate
    silent = not with_sound
    excuse = "The song is too long for its sound to fit onto this page. The stems lie in the result"
    return joined(
        tag("p", f"{excuse} folder.", class_="note") if silent else Html(),
        tag(
            "div",
            _play_button(silent),
            tag(
                "span",
                tag("span", "0:00", id="now"),
                tag("small", f" / {clock(duration_s)}"),
                class_="clock",
            ),
            tag(
                "input",
                id="position",
                type="range",
                min=0,
                max=f"{duration_s:.3f}",
                step="any",
                value=0,
                aria_label="Position",
            ),
            tag(
                "span",
                _button("−", "Show more of the song", id="farther"),
                _button("+", "Show less of the song", id="closer"),
                _button("All", "Show the whole song", id="whole"),
                class_="zoom",
            ),
            class_="transport",
        ),
        tag("p", id="status", role="status", class_="note"),
        _lane("Song", _strip("overview", "Waveform of the whole song"), "head"),
        _lane(
            "Chords" if song.chords else "Bars" if song.grid else "Time",
            _strip("ruler", "Bars and chords" if song.chords else "Time"),
            "head",
        ),
        *(_stem_lane(song, k, name, silent) for k, name in enumerate(song.stems)),
        _keyboard_help(),
    )


def _play_button(disabled: bool) -> Html:
    shapes = Html(
        '<svg viewBox="0 0 16 16" aria-hidden="true"><path class="playing" d="M3 1v14l11-7z"/>'
        '<path class="pausing" d="M2 1h4v14H2zM10 1h4v14h-4z"/></svg>'
    )
    label = tag("span", "Play", class_="label")
    return tag("button", shapes, label, id="play", type="button", disabled=disabled)


def _button(sign: str, label: str, **attributes: str | bool) -> Html:
    return tag("button", sign, type="button", aria_label=label, title=label, **attributes)


def _strip(kind: str, label: str) -> Html:
    canvas = tag("canvas", role="img", aria_label=label)
    return tag("div", canvas, tag("div", class_="playhead"), class_=f"strip {kind}")


def _lane(name: str, strip: Html, kind: str) -> Html:
    return tag("div", tag("div", name, class_="name"), strip, class_=f"lane {kind}")


def _stem_lane(song: Song, k: int, name: StemName, silent: bool) -> Html:
    mix = tag(
        "div",
        _switch("M", f"Mute {name}", "mute", silent),
        _switch("S", f"Solo {name}", "solo", silent),
        tag(
            "input",
            type="range",
            min=0,
            max=100,
            value=100,
            aria_label=f"Volume of {name}",
            disabled=silent,
        ),
        class_="mix",
    )
    strips = [_strip("wave", f"Waveform of {name}")]
    if song.notes.get(name):
        strips.append(_strip("roll", f"{len(song.notes[name])} notes of {name}"))
    elif name == DRUMS and song.strokes:
        strips.append(_strip("roll", f"{len(song.strokes)} strokes on the drums"))
    return tag(
        "div",
        tag("div", tag("h3", name, dir="auto"), mix, class_="controls"),
        tag("div", *strips),
        class_=f"lane stem hue{k % HUES}",
        data_stem=k,
    )


def _switch(sign: str, label: str, kind: str, disabled: bool) -> Html:
    return _button(sign, label, class_=kind, aria_pressed="false", disabled=disabled)


def _keyboard_help() -> Html:
    keys = {
        "Space": "play and pause",
        "← →": "five seconds back and on",
        "Home": "to the beginning",
        "1 … 9": "mute a stem",
        "Shift 1 … 9": "hear a stem alone",
    }
    rows = (tag("li", tag("kbd", key), f" {does}") for key, does in keys.items())
    return tag("details", tag("summary", "Keyboard"), tag("ul", *rows, class_="keys"))


def sections(song: Song, pictures: Sequence[str]) -> Html:
    """What follows the players.

    Args:
        song: an opened result.
        pictures: spectrograms of the mixture and of each stem, PNG in base64.
    """
    return joined(
        _chart(song), _tempo_curve(song), _stems(song), _spectrograms(list(song.stems), pictures)
    )


def _section(name: str, heading: str, *content: str) -> Html:
    labelled = f"{name}-title"
    return tag(
        "section", tag("h2", heading, id=labelled), *content, id=name, aria_labelledby=labelled
    )


def _chart(song: Song) -> Html:
    if not song.chords or song.grid is None:
        return Html()
    pickup, lines = bar_texts(Sheet(song.grid, key=song.key, chords=song.chords))
    rows = [_chart_row("", [pickup])] if pickup else []
    number = 1
    for line in lines:
        rows.append(_chart_row(str(number), line))
        number += len(line)
    return _section("chart", "Chords", tag("ol", *rows, class_="chart"))


def _chart_row(number: str, bars: Sequence[str]) -> Html:
    cells = (
        tag(
            "span",
            *(
                tag("span", sign, class_="rest" if sign in ("%", "/") else "chord")
                for sign in bar.split()
            ),
            class_="bar",
        )
        for bar in bars
    )
    return tag("li", tag("span", number, class_="number"), *cells)


def _tempo_curve(song: Song) -> Html:
    curve = song.analysis.tempo.curve if song.analysis else ()
    if len(curve) < 2:
        return Html()
    drawn, least, most = _line(curve, song.length / song.sample_rate)
    figure = Html(
        f'<svg viewBox="0 0 1000 100" preserveAspectRatio="none" role="img" '
        f'aria-label="Tempo from {least:.0f} to {most:.0f} BPM"><polyline points="{drawn}"/></svg>'
    )
    axis = (
        tag("span", f"{most:.0f}", class_="most"),
        tag("span", f"{least:.0f}", class_="least"),
    )
    return _section("tempo", "Tempo in BPM", tag("div", *axis, figure, class_="curve"))


def _line(curve: Sequence[TempoPoint], duration_s: float) -> tuple[str, float, float]:
    """Points in a field of 1000 by 100, and the tempi at its bottom and top."""
    slowest, fastest = min(each.bpm for each in curve), max(each.bpm for each in curve)
    least, most = slowest - _EITHER_WAY_BPM, fastest + _EITHER_WAY_BPM
    points = (
        f"{1000 * each.time / duration_s:.1f},{100 * (most - each.bpm) / (most - least):.1f}"
        for each in curve
    )
    return " ".join(points), least, most


def _stems(song: Song) -> Html:
    counts = song.manifest.midi.notes if song.manifest.midi else {}
    rows = []
    for name, stem in song.manifest.stems.items():
        quality = song.manifest.quality.stems.get(name)
        low = quality is not None and quality < LOW_QUALITY
        cells = (
            tag("td", _figure(quality, ".2f"), class_="low" if low else "fine"),
            tag("td", _figure(stem.rms_db, ".1f")),
            tag("td", _figure(stem.peak_db, ".1f")),
            tag("td", str(counts.get(name, "–"))),
        )
        rows.append(tag("tr", tag("th", name, scope="row", dir="auto"), *cells))
    names = ("Stem", "Quality", "Level, dB", "Peak, dB", "Notes")
    heads = tag("thead", tag("tr", *(tag("th", each, scope="col") for each in names)))
    table = tag("table", heads, tag("tbody", *rows))
    warnings = song.manifest.warnings
    return _section(
        "stems",
        "Stems",
        tag(
            "div",
            table,
            class_="scroll",
            tabindex=0,
            role="region",
            aria_label="Table of the stems",
        ),
        tag("ul", *(tag("li", each) for each in warnings), class_="warnings") if warnings else "",
        tag(
            "p",
            "Quality is an estimate from 0 to 1, made without the true stems; 0.5 is 3 dB SDR.",
            class_="note",
        ),
    )


def _figure(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form).replace("-", "−")


def _spectrograms(names: Sequence[StemName], pictures: Sequence[str]) -> Html:
    figures = [
        tag(
            "figure",
            tag("figcaption", tag("b", name, dir="auto"), f" {when}"),
            tag(
                "img",
                src=f"data:image/png;base64,{picture}",
                alt=f"Spectrogram of {name}",
            ),
        )
        for (name, when), picture in zip(
            [("mixture", "before"), *((name, "after") for name in names)], pictures, strict=True
        )
    ]
    explained = (
        "Time runs to the right, pitch upwards in 128 mel bands; bright is loud, over 80 dB."
    )
    return _section(
        "spectrograms",
        "Before and after",
        tag("p", explained, class_="note"),
        tag("div", *figures, class_="pictures"),
    )


def footer(song: Song) -> Html:
    """Who made the page, and when."""
    made = song.manifest.created[:10]
    return text(f"Made with Unbraid {__version__}, {made}. This page loads nothing from elsewhere.")
