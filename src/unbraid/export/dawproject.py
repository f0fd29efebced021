"""A song taken apart as a DAWproject, which Bitwig, Studio One, Cubase and others open.

The format is DAWproject 1.0 (github.com/bitwig/dawproject): a zip of XML and WAV. Time is counted
in quarter notes, and the grid follows the song: its tempo changes where the song's does. The sound
is not warped: it begins at zero, where quarters and seconds agree, and plays as it was recorded.
"""

import shutil
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from xml.etree.ElementTree import Element

from unbraid import __version__
from unbraid.audio import Tags, open_writer
from unbraid.errors import InputError
from unbraid.export.chord_symbols import symbol
from unbraid.export.levels import stretches
from unbraid.export.midi import MidiTrack, sounding
from unbraid.export.naming import safe_name
from unbraid.export.tempo_map import MetreChange, TempoChange, TempoMap
from unbraid.export.xml import element, plain, serialised
from unbraid.types import BeatGrid, BitDepth, ChordSegment, Read, StemName

TEMPO_WITHOUT_BEATS_BPM = 120
_COPIED_BYTES = 1 << 20  # at once
_Change = TypeVar("_Change", TempoChange, MetreChange)


def write_dawproject(
    path: Path,
    stems: Mapping[StemName, Read],
    length: int,
    sample_rate: int,
    *,
    notes: Sequence[MidiTrack] = (),
    grid: BeatGrid | None = None,
    chords: Sequence[ChordSegment] = (),
    tags: Tags | None = None,
    bit_depth: BitDepth = "32f",
) -> None:
    """Write a project with a track for each stem, and one for the notes of each that has some.

    Args:
        path: the file to write; its name should end in .dawproject.
        stems: at least one, in the order of their tracks.
        length: samples of each.
        sample_rate: samples per second.
        notes: as `midi.stem_tracks` and `midi.drum_track` give them.
        grid: beats of the song; without them the tempo is 120 and the metre 4/4 throughout.
        chords: become markers where they begin.
        tags: of the song.
        bit_depth: of the samples; all but 32f hold only what is within full scale.

    Raises:
        InputError: there are no stems, the samples do not fit, or a chord's label is not in
            Harte's notation.
        ResourceError: the file cannot be written.
    """
    if not stems:
        raise InputError("a DAWproject needs at least one stem")
    tags = tags or Tags()
    clock = TempoMap.of_grid(grid) if grid else TempoMap.steady(TEMPO_WITHOUT_BEATS_BPM)
    files = {name: f"audio/{k} {safe_name(plain(name))}.wav" for k, name in enumerate(stems, 1)}
    project = _Song(clock, length, sample_rate).project(files, notes, chords)
    sound = path.with_name(f".{path.stem}.wav")  # of one stem after the other
    try:
        with zipfile.ZipFile(path, "w") as archive:
            for name, document in (("project.xml", project), ("metadata.xml", _metadata(tags))):
                archive.writestr(zipfile.ZipInfo(name), serialised(document), zipfile.ZIP_DEFLATED)
            for stem, read in stems.items():
                with open_writer(
                    sound, sample_rate, 2, "wav", bit_depth, tags, length=length
                ) as writer:
                    for start, stop in stretches(length):
                        writer.write(read(start, stop))
                _add(archive, files[stem], sound)
    finally:
        sound.unlink(missing_ok=True)


def _add(archive: zipfile.ZipFile, name: str, file: Path) -> None:
    """Add a file that compression would not shorten."""
    entry = zipfile.ZipInfo(name)
    entry.file_size = file.stat().st_size  # zip has longer numbers for long files
    with file.open("rb") as source, archive.open(entry, "w") as target:
        shutil.copyfileobj(source, target, _COPIED_BYTES)


def _metadata(tags: Tags) -> Element:
    year = tags.year and tags.year[:4]  # of a date
    texts = {  # in the order of the schema
        "Title": tags.title,
        "Artist": tags.artist,
        "Album": tags.album,
        "Year": year,
        "Genre": tags.genre,
        "Comment": tags.comment,
    }
    return element("MetaData", *(element(tag, text=text) for tag, text in texts.items() if text))


@dataclass(frozen=True)
class _Song:
    """When and how long a song is.

    Attributes:
        clock: from seconds to ticks.
        length: in samples.
        sample_rate: samples per second.
    """

    clock: TempoMap
    length: int
    sample_rate: int

    @property
    def duration_s(self) -> float:
        return self.length / self.sample_rate

    @property
    def end(self) -> int:
        """The last tick."""
        return max(1, self.clock.ticks(self.duration_s))

    @property
    def metres(self) -> Sequence[MetreChange]:
        """Where nothing is known of bars, those that programs begin with."""
        return self.clock.metres or (MetreChange(0, 4, 4),)

    def quarters(self, tick: int) -> float:
        """A place or a length in quarter notes."""
        return tick / self.clock.ticks_per_quarter

    def project(
        self,
        files: Mapping[StemName, str],
        notes: Sequence[MidiTrack],
        chords: Sequence[ChordSegment],
    ) -> Element:
        """The document: what tracks there are, and what lies on them when."""
        tracks = [_track(f"stem{k}", name, "audio") for k, name in enumerate(files)]
        tracks += [
            _track(f"notes{k}", f"{track.name} MIDI", "notes") for k, track in enumerate(notes)
        ]
        lanes = [
            _lane(f"stem{k}", self._sound(name, file))
            for k, (name, file) in enumerate(files.items())
        ]
        lanes += [_lane(f"notes{k}", self._notes(track)) for k, track in enumerate(notes)]
        return element(
            "Project",
            element("Application", name="Unbraid", version=__version__),
            self._transport(),
            element("Structure", *tracks, _track("master", "Master", "audio notes")),
            element(
                "Arrangement",
                element("Lanes", *lanes, timeUnit="beats"),
                *self._markers(chords),
                *self._changes(),
            ),
            version="1.0",
        )

    def _transport(self) -> Element:
        """The tempo and the metre that last longest; for programs that take no changes."""
        tempo = _longest(self.clock.tempi, self.end)
        metre = _longest(self.metres, self.end)
        return element(
            "Transport",
            element("Tempo", id="tempo", unit="bpm", value=_bpm(tempo)),
            element(
                "TimeSignature",
                id="metre",
                numerator=metre.numerator,
                denominator=metre.denominator,
            ),
        )

    def _sound(self, name: StemName, file: str) -> Element:
        """A stem from beginning to end.

        A clip of clips, as Bitwig and Studio One write it themselves: Cubase is said to leave out
        others. The inner one counts its content in seconds, and nothing warps it.
        """
        audio = element(
            "Audio",
            element("File", path=file),
            timeUnit="seconds",
            algorithm="raw",
            channels=2,
            sampleRate=self.sample_rate,
            duration=self.duration_s,
        )
        event = element(
            "Clip",
            audio,
            time=0.0,
            duration=self.quarters(self.end),
            contentTimeUnit="seconds",
            playStart=0.0,
            playStop=self.duration_s,
        )
        return self._clip(name, element("Clips", event), self.end)

    def _notes(self, track: MidiTrack) -> Element:
        """The notes of a track."""
        spans = sounding(track.notes, self.clock)
        notes = [
            element(
                "Note",
                time=self.quarters(span.start),
                duration=self.quarters(span.end - span.start),
                channel=track.channel,
                key=span.note.pitch,
                vel=round(span.note.velocity / 127, 6),
            )
            for span in spans
        ]
        end = max([self.end, *(span.end for span in spans)])
        return self._clip(track.name, element("Notes", *notes), end)

    def _clip(self, name: str, content: Element, end: int) -> Element:
        return element(
            "Clip", content, name=name, time=0.0, duration=self.quarters(end), playStart=0.0
        )

    def _markers(self, chords: Sequence[ChordSegment]) -> list[Element]:
        markers = [
            element(
                "Marker",
                time=self.quarters(self.clock.ticks(chord.start_s)),
                name=symbol(chord.label),
            )
            for chord in chords
        ]
        return [element("Markers", *markers, timeUnit="beats")] if markers else []

    def _changes(self) -> list[Element]:
        """The tempi and the metres."""
        tempi = [
            element(
                "RealPoint",
                time=self.quarters(change.tick),
                value=_bpm(change),
                interpolation="hold",
            )
            for change in self.clock.tempi
        ]
        metres = [
            element(
                "TimeSignaturePoint",
                time=self.quarters(change.tick),
                numerator=change.numerator,
                denominator=change.denominator,
            )
            for change in self.metres
        ]
        return [
            element(
                "TempoAutomation",
                element("Target", parameter="tempo"),
                *tempi,
                timeUnit="beats",
                unit="bpm",
            ),
            element(
                "TimeSignatureAutomation",
                element("Target", parameter="metre"),
                *metres,
                timeUnit="beats",
            ),
        ]


def _track(identity: str, name: str, content: str) -> Element:
    """A track whose sound goes to the master, if it is not the master itself."""
    is_master = identity == "master"
    channel = element(
        "Channel",
        element("Mute", value="false"),
        element("Pan", unit="normalized", min=0.0, max=1.0, value=0.5),
        element("Volume", unit="linear", min=0.0, max=2.0, value=1.0),
        id=f"{identity}-channel",
        role="master" if is_master else "regular",
        destination=None if is_master else "master-channel",
        audioChannels=2,
        solo="false",
    )
    return element("Track", channel, id=identity, name=name, contentType=content, loaded="true")


def _lane(track: str, clip: Element) -> Element:
    return element("Lanes", element("Clips", clip), track=track)


def _longest(changes: Sequence[_Change], end: int) -> _Change:
    """The change that lasts longest."""
    ends = [*(change.tick for change in changes[1:]), end]
    spans = zip(changes, ends, strict=True)
    return max(spans, key=lambda span: span[1] - span[0].tick)[0]


def _bpm(tempo: TempoChange) -> float:
    return 60e6 / tempo.quarter_us
