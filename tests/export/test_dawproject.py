import io
import zipfile
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import numpy as np
import pytest
import soundfile
import xmlschema
from tests.export.probing import reading

from unbraid.audio import Tags
from unbraid.demo import DemoSong
from unbraid.errors import InputError
from unbraid.export.dawproject import write_dawproject
from unbraid.export.midi import drum_track, stem_tracks
from unbraid.types import BeatGrid, DrumStroke, NoteEvent, Samples

RATE = 44_100
TICK_S = 0.0011  # a quarter note at 60 a minute has 960

PROJECT = """
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:simpleType name="unit"><xs:restriction base="xs:string">
    <xs:pattern value="linear|normalized|bpm"/></xs:restriction></xs:simpleType>
  <xs:simpleType name="timeUnit"><xs:restriction base="xs:string">
    <xs:pattern value="beats|seconds"/></xs:restriction></xs:simpleType>
  <xs:complexType name="switch"><xs:attribute name="value" type="xs:boolean"/></xs:complexType>
  <xs:complexType name="real">
    <xs:attribute name="id" type="xs:ID"/>
    <xs:attribute name="unit" type="unit" use="required"/>
    <xs:attribute name="min" type="xs:double"/><xs:attribute name="max" type="xs:double"/>
    <xs:attribute name="value" type="xs:double"/>
  </xs:complexType>
  <xs:complexType name="metre">
    <xs:attribute name="id" type="xs:ID"/>
    <xs:attribute name="numerator" type="xs:int" use="required"/>
    <xs:attribute name="denominator" type="xs:int" use="required"/>
  </xs:complexType>
  <xs:complexType name="timeline">
    <xs:attribute name="timeUnit" type="timeUnit"/><xs:attribute name="track" type="xs:IDREF"/>
  </xs:complexType>
  <xs:complexType name="points"><xs:complexContent><xs:extension base="timeline">
    <xs:sequence>
      <xs:element name="Target"><xs:complexType>
        <xs:attribute name="parameter" type="xs:IDREF"/></xs:complexType></xs:element>
      <xs:choice maxOccurs="unbounded">
        <xs:element name="RealPoint"><xs:complexType>
          <xs:attribute name="time" type="xs:double" use="required"/>
          <xs:attribute name="value" type="xs:double" use="required"/>
          <xs:attribute name="interpolation"><xs:simpleType><xs:restriction base="xs:string">
            <xs:pattern value="hold|linear"/></xs:restriction></xs:simpleType></xs:attribute>
        </xs:complexType></xs:element>
        <xs:element name="TimeSignaturePoint"><xs:complexType><xs:complexContent>
          <xs:extension base="metre">
            <xs:attribute name="time" type="xs:double" use="required"/>
          </xs:extension></xs:complexContent></xs:complexType></xs:element>
      </xs:choice>
    </xs:sequence>
    <xs:attribute name="unit" type="unit"/>
  </xs:extension></xs:complexContent></xs:complexType>
  <xs:complexType name="clips"><xs:complexContent><xs:extension base="timeline"><xs:sequence>
    <xs:element name="Clip" minOccurs="0" maxOccurs="unbounded"><xs:complexType>
      <xs:choice>
        <xs:element name="Clips" type="clips"/>
        <xs:element name="Audio"><xs:complexType><xs:complexContent><xs:extension base="timeline">
          <xs:sequence><xs:element name="File"><xs:complexType>
            <xs:attribute name="path" type="xs:string" use="required"/>
          </xs:complexType></xs:element></xs:sequence>
          <xs:attribute name="duration" type="xs:double" use="required"/>
          <xs:attribute name="algorithm" type="xs:string"/>
          <xs:attribute name="channels" type="xs:int" use="required"/>
          <xs:attribute name="sampleRate" type="xs:int" use="required"/>
        </xs:extension></xs:complexContent></xs:complexType></xs:element>
        <xs:element name="Notes"><xs:complexType><xs:complexContent><xs:extension base="timeline">
          <xs:sequence><xs:element name="Note" minOccurs="0" maxOccurs="unbounded"><xs:complexType>
            <xs:attribute name="time" type="xs:double" use="required"/>
            <xs:attribute name="duration" type="xs:double" use="required"/>
            <xs:attribute name="channel" type="xs:int" use="required"/>
            <xs:attribute name="key" type="xs:int" use="required"/>
            <xs:attribute name="vel" type="xs:double"/>
          </xs:complexType></xs:element></xs:sequence>
        </xs:extension></xs:complexContent></xs:complexType></xs:element>
      </xs:choice>
      <xs:attribute name="name" type="xs:string"/>
      <xs:attribute name="time" type="xs:double" use="required"/>
      <xs:attribute name="duration" type="xs:double"/>
      <xs:attribute name="contentTimeUnit" type="timeUnit"/>
      <xs:attribute name="playStart" type="xs:double"/>
      <xs:attribute name="playStop" type="xs:double"/>
    </xs:complexType></xs:element>
  </xs:sequence></xs:extension></xs:complexContent></xs:complexType>
  <xs:complexType name="lanes"><xs:complexContent><xs:extension base="timeline">
    <xs:choice minOccurs="0" maxOccurs="unbounded">
      <xs:element name="Lanes" type="lanes"/><xs:element name="Clips" type="clips"/>
    </xs:choice>
  </xs:extension></xs:complexContent></xs:complexType>
  <xs:element name="Project"><xs:complexType>
    <xs:sequence>
      <xs:element name="Application"><xs:complexType>
        <xs:attribute name="name" type="xs:string" use="required"/>
        <xs:attribute name="version" type="xs:string" use="required"/>
      </xs:complexType></xs:element>
      <xs:element name="Transport" minOccurs="0"><xs:complexType><xs:sequence>
        <xs:element name="Tempo" type="real" minOccurs="0"/>
        <xs:element name="TimeSignature" type="metre" minOccurs="0"/>
      </xs:sequence></xs:complexType></xs:element>
      <xs:element name="Structure" minOccurs="0"><xs:complexType><xs:sequence>
        <xs:element name="Track" maxOccurs="unbounded"><xs:complexType>
          <xs:sequence><xs:element name="Channel" minOccurs="0"><xs:complexType>
            <xs:sequence>
              <xs:element name="Mute" type="switch" minOccurs="0"/>
              <xs:element name="Pan" type="real" minOccurs="0"/>
              <xs:element name="Volume" type="real" minOccurs="0"/>
            </xs:sequence>
            <xs:attribute name="id" type="xs:ID"/><xs:attribute name="destination" type="xs:IDREF"/>
            <xs:attribute name="audioChannels" type="xs:int"/>
            <xs:attribute name="role"><xs:simpleType><xs:restriction base="xs:string">
              <xs:pattern value="regular|master"/></xs:restriction></xs:simpleType></xs:attribute>
            <xs:attribute name="solo" type="xs:boolean"/>
          </xs:complexType></xs:element></xs:sequence>
          <xs:attribute name="id" type="xs:ID"/><xs:attribute name="name" type="xs:string"/>
          <xs:attribute name="contentType"><xs:simpleType><xs:restriction base="xs:string">
            <xs:pattern value="(audio|notes)( (audio|notes))*"/>
          </xs:restriction></xs:simpleType></xs:attribute>
          <xs:attribute name="loaded" type="xs:boolean"/>
        </xs:complexType></xs:element>
      </xs:sequence></xs:complexType></xs:element>
      <xs:element name="Arrangement" minOccurs="0"><xs:complexType><xs:sequence>
        <xs:element name="Lanes" type="lanes" minOccurs="0"/>
        <xs:element name="Markers" minOccurs="0"><xs:complexType><xs:complexContent>
          <xs:extension base="timeline"><xs:sequence>
            <xs:element name="Marker" maxOccurs="unbounded"><xs:complexType>
              <xs:attribute name="time" type="xs:double" use="required"/>
              <xs:attribute name="name" type="xs:string"/>
            </xs:complexType></xs:element>
          </xs:sequence></xs:extension></xs:complexContent></xs:complexType></xs:element>
        <xs:element name="TempoAutomation" type="points" minOccurs="0"/>
        <xs:element name="TimeSignatureAutomation" type="points" minOccurs="0"/>
      </xs:sequence></xs:complexType></xs:element>
    </xs:sequence>
    <xs:attribute name="version" type="xs:string" use="required"/>
  </xs:complexType></xs:element>
</xs:schema>
"""
"""What the reference of DAWproject 1.0 says of the elements that are written here."""

METADATA = """
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:element name="MetaData"><xs:complexType><xs:sequence>
    <xs:element name="Title" type="xs:string" minOccurs="0"/>
    <xs:element name="Artist" type="xs:string" minOccurs="0"/>
    <xs:element name="Album" type="xs:string" minOccurs="0"/>
    <xs:element name="Year" type="xs:string" minOccurs="0"/>
    <xs:element name="Genre" type="xs:string" minOccurs="0"/>
    <xs:element name="Comment" type="xs:string" minOccurs="0"/>
  </xs:sequence></xs:complexType></xs:element>
</xs:schema>
"""


class Opened:
    """A project as a program opens it."""

    def __init__(self, path: Path) -> None:
        self.archive = zipfile.ZipFile(path)
        assert self.archive.testzip() is None
        for name, rules in (("project.xml", PROJECT), ("metadata.xml", METADATA)):
            xmlschema.XMLSchema(rules).validate(self.archive.read(name).decode())
        self.project = ElementTree.fromstring(self.archive.read("project.xml"))
        points = self.project.findall("Arrangement/TempoAutomation/RealPoint")
        self.tempi = [
            (float(point.attrib["time"]), float(point.attrib["value"])) for point in points
        ]

    def seconds(self, quarter: float) -> float:
        """When a place is played: each tempo holds until the next."""
        ends = [*(time for time, _ in self.tempi[1:]), float("inf")]
        return sum(
            60 / bpm * (min(end, quarter) - begin)
            for (begin, bpm), end in zip(self.tempi, ends, strict=True)
            if begin < quarter
        )

    def lanes(self, content: str) -> dict[str, Element]:
        """The outer clips of the tracks of a kind, by the names of the tracks."""
        clips = {
            lane.attrib["track"]: lane.find("Clips/Clip")
            for lane in self.project.findall("Arrangement/Lanes/Lanes")
        }
        return {
            track.attrib["name"]: clip
            for track in self.project.findall("Structure/Track")
            if track.attrib["contentType"] == content
            and (clip := clips[track.attrib["id"]]) is not None
        }

    def notes(self, track: str) -> list[tuple[float, float, int, int]]:
        """Start, end, key and velocity, in seconds and MIDI's numbers."""
        return [
            (
                self.seconds(float(note.attrib["time"])),
                self.seconds(float(note.attrib["time"]) + float(note.attrib["duration"])),
                int(note.attrib["key"]),
                round(127 * float(note.attrib["vel"])),
            )
            for note in self.lanes("notes")[track].iterfind("Notes/Note")
        ]

    def sounds(self) -> dict[str, Samples]:
        """The files that the audio tracks play as they are, from beginning to end."""
        found = {}
        for name, clip in self.lanes("audio").items():
            (event,) = clip.findall("Clips/Clip")
            (audio,) = event.findall("Audio")  # nothing warps it
            assert event.attrib["contentTimeUnit"] == audio.attrib["timeUnit"] == "seconds"
            assert [float(x.attrib[k]) for x in (clip, event) for k in ("time", "playStart")] == [
                0
            ] * 4
            duration_s = float(audio.attrib["duration"])
            for length in (clip.attrib["duration"], event.attrib["duration"]):
                assert self.seconds(float(length)) == pytest.approx(duration_s, abs=TICK_S)
            file = audio.find("File")
            assert file is not None
            sound = io.BytesIO(self.archive.read(file.attrib["path"]))
            samples, rate = soundfile.read(sound, dtype="float32")
            assert rate == int(audio.attrib["sampleRate"])
            assert duration_s == pytest.approx(len(samples) / rate)
            found[name] = samples.T
        return found

    def markers(self) -> list[tuple[float, str]]:
        return [
            (self.seconds(float(marker.attrib["time"])), marker.attrib["name"])
            for marker in self.project.findall("Arrangement/Markers/Marker")
        ]


def test_the_demo_song_comes_back(tmp_path: Path, demo: DemoSong) -> None:
    path = tmp_path / "demo.dawproject"
    strokes = [DrumStroke(time_s, "snare", 0.5) for time_s in demo.beats_s]
    write_dawproject(
        path,
        {name: reading(stem.samples) for name, stem in demo.stems.items()},
        demo.mixture.length,
        RATE,
        notes=[*stem_tracks(demo.notes), drum_track(strokes)],
        grid=BeatGrid(demo.beats_s, 2, "4/4", confidence=1.0),
        chords=demo.chords,
        tags=Tags("Demo <🎸>", "Unbraid", "&", year="2026-11-21", genre="Pop", comment="c"),
    )
    opened = Opened(path)
    sounds = opened.sounds()
    assert list(sounds) == list(demo.stems)
    for name, stem in demo.stems.items():
        np.testing.assert_array_equal(sounds[name], stem.samples)
    for name, notes in demo.notes.items():
        expected = [(note.start_s, note.end_s, note.pitch, note.velocity) for note in notes]
        np.testing.assert_allclose(
            sorted(opened.notes(f"{name} MIDI")), sorted(expected), rtol=0, atol=TICK_S
        )
    drums = opened.notes("drums MIDI")
    np.testing.assert_allclose([note[0] for note in drums], demo.beats_s, rtol=0, atol=TICK_S)
    assert {note[2] for note in drums} == {38}

    assert opened.tempi == [(0, 128)]
    beats_s = [opened.seconds(quarter) for quarter in range(len(demo.beats_s))]
    np.testing.assert_allclose(beats_s, demo.beats_s, rtol=0, atol=1e-6)
    metres = opened.project.findall("Arrangement/TimeSignatureAutomation/TimeSignaturePoint")
    signatures = [tuple(metre.attrib.values()) for metre in metres]
    assert signatures == [("0.0", "2", "4"), ("2.0", "4", "4")]
    times_s, labels = zip(*opened.markers(), strict=True)
    assert labels[:5] == ("D", "F#m7", "Bm", "G", "A")
    np.testing.assert_allclose(times_s, [chord.start_s for chord in demo.chords], atol=TICK_S)
    texts = ElementTree.fromstring(opened.archive.read("metadata.xml"))
    assert [text.text for text in texts] == ["Demo <🎸>", "Unbraid", "&", "2026", "Pop", "c"]


def test_the_grid_follows_a_song_that_drifts(tmp_path: Path) -> None:
    lengths_s = np.random.default_rng(1).uniform(0.4, 0.9, 40)
    beats_s = (0.3 + lengths_s.cumsum()).tolist()
    notes = [NoteEvent(beat_s, beat_s + 0.2, 60, 0.5) for beat_s in beats_s]
    song = reading(np.zeros((2, 40 * RATE), np.float32))
    path = tmp_path / "rubato.dawproject"
    write_dawproject(
        path,
        {"piano": song},
        40 * RATE,
        RATE,
        notes=stem_tracks({"piano": notes}),
        grid=BeatGrid(tuple(beats_s), 1, "3/4", confidence=1.0),
    )
    opened = Opened(path)
    written = opened.lanes("notes")["piano MIDI"].findall("Notes/Note")
    quarters = [float(note.attrib["time"]) for note in written]
    np.testing.assert_allclose(np.diff(quarters), 1, rtol=0, atol=1e-9)
    np.testing.assert_allclose([opened.seconds(q) for q in quarters], beats_s, rtol=0, atol=TICK_S)
    assert opened.sounds()["piano"].shape == (2, 40 * RATE)
    metres = opened.project.findall("Arrangement/TimeSignatureAutomation/TimeSignaturePoint")
    assert metres[-1].attrib["numerator"] == "3"
    assert float(metres[-1].attrib["time"]) == pytest.approx(quarters[1])


def test_without_beats_notes_keep_their_times(tmp_path: Path) -> None:
    notes = [
        NoteEvent(0.123, 0.4, 60, 0.5),
        NoteEvent(0.3, 1.5, 60, 1.0),
    ]  # the key is struck again
    song = np.random.default_rng(1).uniform(-2, 2, (2, RATE)).astype(np.float32)
    path = tmp_path / "short.dawproject"
    tracks = stem_tracks({"bass": notes, "other": []})
    write_dawproject(path, {"bass": reading(song)}, RATE, RATE, notes=tracks)
    opened = Opened(path)
    assert opened.tempi == [(0, 120)]
    heard = opened.notes("bass MIDI")
    expected = [(0.123, 0.3, 60, 64), (0.3, 1.5, 60, 127)]
    np.testing.assert_allclose(heard, expected, rtol=0, atol=TICK_S)
    assert opened.notes("other MIDI") == []
    np.testing.assert_array_equal(opened.sounds()["bass"], song)


def test_any_name_makes_a_valid_project(tmp_path: Path) -> None:
    names = ["a/b", "a:b", "..", "голос", "声", "عود", "ναι", "🎸", '"<&>"', "\x00", "\ud800", ""]
    silence = np.zeros((2, 100), np.float32)
    path = tmp_path / "🎸.dawproject"
    write_dawproject(path, dict.fromkeys(names, reading(silence)), 100, RATE)
    opened = Opened(path)
    shown = [*names[:9], *"\N{REPLACEMENT CHARACTER}" * 2, ""]
    tracks = opened.project.findall("Structure/Track")
    assert [track.attrib["name"] for track in tracks] == [*shown, "Master"]
    assert set(opened.sounds()) == set(shown)
    files = [file for file in opened.archive.namelist() if file.startswith("audio/")]
    assert len({file.casefold() for file in files}) == len(names)
    assert all(file.count("/") == 1 for file in files)


def test_the_same_song_makes_the_same_file(tmp_path: Path) -> None:
    song = reading(np.full((2, 1000), 0.5, np.float32))
    for name in ("one", "other"):
        write_dawproject(tmp_path / name, {"bass": song}, 1000, RATE, bit_depth="24")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_a_project_needs_stems(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least one stem"):
        write_dawproject(tmp_path / "song.dawproject", {}, RATE, RATE)
