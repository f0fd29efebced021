"""Notes to Standard MIDI Files, one track per stem.

The format is that of "Standard MIDI Files 1.0" (MIDI Association, 1988). A channel has one pitch
wheel for all its notes, so only notes that sound alone are bent.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import mido

from unbraid.errors import InputError
from unbraid.types import NoteEvent, StemName

PROGRAMS: dict[StemName, int] = {  # General MIDI, counted from 0
    "vocals": 53,  # Voice Oohs
    "bass": 33,  # Electric Bass (finger)
    "guitar": 27,  # Electric Guitar (clean)
    "piano": 0,  # Acoustic Grand Piano
}
DEFAULT_PROGRAM = 4  # Electric Piano 1
PITCHED_CHANNELS = [channel for channel in range(16) if channel != 9]  # 9 plays drums

MIN_TEMPO_BPM, MAX_TEMPO_BPM = 4, 1000  # a file stores at most 16.8 s per beat
MIN_TICKS_PER_BEAT = 480
MAX_TICK_US = 1500  # times are at most half of it off

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


def check_tempo(tempo_bpm: float) -> None:
    """Refuse a tempo that a MIDI file cannot store.

    Raises:
        InputError: says which tempi it can.
    """
    if not MIN_TEMPO_BPM <= tempo_bpm <= MAX_TEMPO_BPM:
        raise InputError(
            f"a MIDI file's tempo is between {MIN_TEMPO_BPM} and {MAX_TEMPO_BPM} beats per minute, "
            f"got {tempo_bpm:g}"
        )


def write_midi(path: Path, tracks: Sequence[MidiTrack], tempo_bpm: float) -> None:
    """Write a MIDI file; the notes keep their times in seconds whatever the tempo is.

    A note that begins while another of its pitch sounds on the same track ends the other. Bends go
    to ±2 semitones and return to the centre when their note ends; notes that overlap have none.

    Args:
        path: the file to write.
        tracks: one for each instrument.
        tempo_bpm: beats per minute.

    Raises:
        InputError: the tempo cannot be stored in a MIDI file.
    """
    check_tempo(tempo_bpm)
    clock = _Clock.at(tempo_bpm)
    file = mido.MidiFile(type=1, ticks_per_beat=clock.ticks_per_beat, charset="utf-8")
    file.tracks.append(mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=clock.beat_us)]))
    file.tracks.extend(mido.MidiTrack(_messages(track, clock)) for track in tracks)
    file.save(path)


class _Span(NamedTuple):
    """When a note sounds, in ticks."""

    start: int
    end: int
    note: NoteEvent


@dataclass(frozen=True)
class _Clock:
    """Seconds to ticks.

    Attributes:
        beat_us: microseconds per beat, a whole number as the file stores it; counting ticks by the
            tempo itself would drift from it.
        ticks_per_beat: as few as hold times within a millisecond, for readers refuse large ticks.
    """

    beat_us: int
    ticks_per_beat: int

    @classmethod
    def at(cls, tempo_bpm: float) -> "_Clock":
        beat_us = round(60e6 / tempo_bpm)
        ticks_per_beat = MIN_TICKS_PER_BEAT
        while beat_us > MAX_TICK_US * ticks_per_beat:
            ticks_per_beat *= 2
        return cls(beat_us, ticks_per_beat)

    def ticks(self, time_s: float) -> int:
        return round(time_s * 1e6 * self.ticks_per_beat / self.beat_us)

    def span(self, note: NoteEvent) -> _Span:
        start = self.ticks(note.start_s)
        return _Span(start, max(start + 1, self.ticks(note.end_s)), note)


class _Event(NamedTuple):
    """A message at a tick; of those at the same tick, the lowest rank comes first."""

    tick: int
    rank: int
    message: mido.Message


def _messages(track: MidiTrack, clock: _Clock) -> Iterator[mido.Message]:
    yield mido.MetaMessage("track_name", name=track.name)
    yield mido.Message("program_change", channel=track.channel, program=track.program)
    yield from _bend_range(track.channel)
    spans = sorted(
        map(clock.span, track.notes), key=lambda span: (span.start, span.end, span.note.pitch)
    )
    events = [
        *(event for span in _without_collisions(spans) for event in _keys(span, track.channel)),
        *(event for span in _alone(spans) for event in _wheel(span, track.channel, clock)),
    ]
    previous = 0
    for event in sorted(events, key=lambda event: event[:2]):
        yield event.message.copy(time=event.tick - previous)
        previous = event.tick


def _bend_range(channel: int) -> Iterator[mido.Message]:
    """Set the wheel's range by its registered parameter; then let go of the parameter."""
    for control, value in BEND_RANGE_CONTROLS:
        yield mido.Message("control_change", channel=channel, control=control, value=value)


def _without_collisions(spans: Sequence[_Span]) -> Iterator[_Span]:
    """End each span, sorted by start, where the next of its pitch begins; drop those left empty."""
    next_start: dict[int, int] = {}
    for span in reversed(spans):
        end = min(span.end, next_start.get(span.note.pitch, span.end))
        next_start[span.note.pitch] = span.start
        if end > span.start:
            yield span._replace(end=end)


def _alone(spans: Sequence[_Span]) -> Iterator[_Span]:
    """The spans, sorted by start, that overlap no other."""
    starts_after = [*(span.start for span in spans[1:]), math.inf]
    end_before = 0
    for span, start_after in zip(spans, starts_after, strict=False):
        if end_before <= span.start and span.end <= start_after:
            yield span
        end_before = max(end_before, span.end)


def _keys(span: _Span, channel: int) -> Iterator[_Event]:
    pitch, velocity = span.note.pitch, span.note.velocity
    on = mido.Message("note_on", channel=channel, note=pitch, velocity=velocity)
    off = mido.Message("note_off", channel=channel, note=pitch, velocity=0)
    yield _Event(span.start, 3, on)
    yield _Event(span.end, 0, off)


def _wheel(span: _Span, channel: int, clock: _Clock) -> Iterator[_Event]:
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
