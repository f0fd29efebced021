"""Notes to Standard MIDI Files, one track per stem.

The format is that of "Standard MIDI Files 1.0" (MIDI Association, 1988). A channel has one pitch
wheel for all its notes, so only notes that sound alone are bent.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import mido

from unbraid.audio import Tags
from unbraid.audio.tags import details_of, texts_of
from unbraid.export.tempo_map import TempoMap
from unbraid.types import BeatGrid, ChordSegment, Drum, DrumStroke, Key, NoteEvent, StemName

PROGRAMS: dict[StemName, int] = {  # General MIDI, counted from 0
    "vocals": 53,  # Voice Oohs
    "bass": 33,  # Electric Bass (finger)
    "guitar": 27,  # Electric Guitar (clean)
    "piano": 0,  # Acoustic Grand Piano
}
DEFAULT_PROGRAM = 4  # Electric Piano 1
DRUM_CHANNEL = 9  # whose keys are drums
PITCHED_CHANNELS = [channel for channel in range(16) if channel != DRUM_CHANNEL]
DRUM_KEYS: dict[Drum, int] = {  # General MIDI
    "kick": 36,
    "side stick": 37,
    "snare": 38,
    "closed hi-hat": 42,
    "low tom": 43,
    "mid tom": 45,
    "open hi-hat": 46,
    "high tom": 48,
    "crash": 49,
    "ride": 51,
}
STROKE_S = 0.05  # a stroke is written as a note so long; what sounds is up to the instrument

BEND_RANGE = 2  # semitones, the range that instruments have before they are told one
WHEEL_STEPS = 8192  # either way
BEND_RANGE_CONTROLS = [  # control changes: registered parameter 0, its value, no parameter
    *((101, 0), (100, 0)),
    *((6, BEND_RANGE), (38, 0)),
    *((101, 127), (100, 127)),
]


@dataclass(frozen=True)
class MidiTrack:
    """The notes of one instrument.

    Attributes:
        name: shown by the program that opens the file.
        notes: in any order.
        program: General MIDI instrument, counted from 0.
        channel: 0 to 15, of its own among the tracks of a file.
    """

    name: str
    notes: Sequence[NoteEvent]
    program: int
    channel: int


def stem_tracks(notes: Mapping[StemName, Sequence[NoteEvent]]) -> list[MidiTrack]:
    """Give each stem an instrument of its kind and, up to the fifteenth, a channel of its own.

    >>> [(track.name, track.channel) for track in stem_tracks({"vocals": [], "bass": []})]
    [('vocals', 0), ('bass', 1)]
    """
    return [
        MidiTrack(
            name,
            notes[name],
            PROGRAMS.get(name, DEFAULT_PROGRAM),
            PITCHED_CHANNELS[index % len(PITCHED_CHANNELS)],
        )
        for index, name in enumerate(notes)
    ]


def drum_track(strokes: Sequence[DrumStroke]) -> MidiTrack:
    """The strokes on a drum kit."""
    notes = [
        NoteEvent(stroke.time_s, stroke.time_s + STROKE_S, DRUM_KEYS[stroke.drum], stroke.velocity)
        for stroke in strokes
    ]
    return MidiTrack("drums", notes, program=0, channel=DRUM_CHANNEL)


def write_midi(
    path: Path,
    tracks: Sequence[MidiTrack | mido.MidiTrack],
    tempo: float | BeatGrid,
    chords: Sequence[ChordSegment] = (),
    tags: Tags | None = None,
    key: Key | None = None,
) -> None:
    """Write a MIDI file; the notes keep their times in seconds whatever the tempo is.

    A note that begins while another of its pitch sounds on the same track ends the other. Bends go
    to ±2 semitones and return to the centre when their note ends; notes that overlap have none.

    Args:
        path: the file to write.
        tracks: one for each instrument; those of mido's are taken as they are.
        tempo: quarter notes per minute, or the song's beats, whose tempi and bars the file then
            has.
        chords: written as markers where they begin.
        tags: the title names the first track, the others are texts there.
        key: becomes key signatures, where it changes too.

    Raises:
        InputError: the tempo cannot be stored in a MIDI file, or a chord's label is not in Harte's
            notation.
    """
    clock = clock_of(tempo)
    file = mido.MidiFile(type=1, ticks_per_beat=clock.ticks_per_quarter, charset="utf-8")
    file.tracks.append(mido.MidiTrack([*_texts(tags or Tags()), *clock.track(chords, key)]))
    for track in tracks:
        ready = isinstance(track, mido.MidiTrack)
        file.tracks.append(track if ready else mido.MidiTrack(_messages(track, clock)))
    file.save(path)


def clock_of(tempo: float | BeatGrid) -> TempoMap:
    """The time of a MIDI file.

    Args:
        tempo: see `write_midi`, as are the errors.
    """
    return TempoMap.of_grid(tempo) if isinstance(tempo, BeatGrid) else TempoMap.steady(tempo)


def _texts(tags: Tags) -> Iterator[mido.MetaMessage]:
    if title := texts_of(tags).get("title"):
        yield mido.MetaMessage("track_name", name=title)
    for name, text in details_of(tags).items():
        yield mido.MetaMessage("text", text=f"{name.replace('_', ' ')}: {text}")


class Span(NamedTuple):
    """When a note sounds, in ticks."""

    start: int
    end: int
    note: NoteEvent


class _Event(NamedTuple):
    """A message at a tick; of those at the same tick, the lowest rank comes first."""

    tick: int
    rank: int
    message: mido.Message


def _messages(track: MidiTrack, clock: TempoMap) -> Iterator[mido.Message]:
    yield mido.MetaMessage("track_name", name=track.name)
    yield mido.Message("program_change", channel=track.channel, program=track.program)
    if track.channel != DRUM_CHANNEL:
        yield from _bend_range(track.channel)
    spans = _spans(track.notes, clock)
    events = [
        *(event for span in _without_collisions(spans) for event in _keys(span, track.channel)),
        *(event for span in _alone(spans) for event in _wheel(span, track.channel, clock)),
    ]
    previous = 0
    for event in sorted(events, key=lambda event: event[:2]):
        yield event.message.copy(time=event.tick - previous)
        previous = event.tick


def sounding(notes: Iterable[NoteEvent], clock: TempoMap) -> list[Span]:
    """When the keys of notes are held, in order; one struck again is let go before."""
    return sorted(_without_collisions(_spans(notes, clock)), key=_order)


def _spans(notes: Iterable[NoteEvent], clock: TempoMap) -> list[Span]:
    starts = ((clock.ticks(note.start_s), note) for note in notes)
    return sorted(
        (Span(start, max(start + 1, clock.ticks(note.end_s)), note) for start, note in starts),
        key=_order,
    )


def _order(span: Span) -> tuple[int, int, int]:
    return span.start, span.end, span.note.pitch


def _bend_range(channel: int) -> Iterator[mido.Message]:
    """Set the wheel's range by its registered parameter; then let go of the parameter."""
    for control, value in BEND_RANGE_CONTROLS:
        yield mido.Message("control_change", channel=channel, control=control, value=value)


def _without_collisions(spans: Sequence[Span]) -> Iterator[Span]:
    """End each span, sorted by start, where the next of its pitch begins; drop those left empty."""
    next_start: dict[int, int] = {}
    for span in reversed(spans):
        end = min(span.end, next_start.get(span.note.pitch, span.end))
        next_start[span.note.pitch] = span.start
        if end > span.start:
            yield span._replace(end=end)


def _alone(spans: Sequence[Span]) -> Iterator[Span]:
    """The spans, sorted by start, that overlap no other."""
    starts_after = [*(span.start for span in spans[1:]), math.inf]
    end_before = 0
    for span, start_after in zip(spans, starts_after, strict=False):
        if end_before <= span.start and span.end <= start_after:
            yield span
        end_before = max(end_before, span.end)


def _keys(span: Span, channel: int) -> Iterator[_Event]:
    pitch, velocity = span.note.pitch, span.note.velocity
    on = mido.Message("note_on", channel=channel, note=pitch, velocity=velocity)
    off = mido.Message("note_off", channel=channel, note=pitch, velocity=0)
    yield _Event(span.start, 3, on)
    yield _Event(span.end, 0, off)


def _wheel(span: Span, channel: int, clock: TempoMap) -> Iterator[_Event]:
    """Where the wheel moves during a note, and its way back."""
    note = span.note
    position = 0
    for index, bend in enumerate(note.bends):
        wanted = round(bend / BEND_RANGE * WHEEL_STEPS)
        wanted = min(WHEEL_STEPS - 1, max(-WHEEL_STEPS, wanted))
        if wanted != position:
            position = wanted
            time_s = note.start_s + (note.end_s - note.start_s) * index / len(note.bends)
            tick = min(span.end - 1, clock.ticks(time_s))
            yield _Event(tick, 2, mido.Message("pitchwheel", channel=channel, pitch=position))
    if position:
        yield _Event(span.end, 1, mido.Message("pitchwheel", channel=channel, pitch=0))
