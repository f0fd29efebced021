"""The notes of a MIDI file moved onto its beats; all else stays when it was."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path

import mido
from mido.midifiles.meta import KeySignatureError

from unbraid.errors import AudioError, resource_error
from unbraid.export.folder import writing
from unbraid.export.tempo_map import TempoMap, check_tempo
from unbraid.transcription.quantise import quantised_s
from unbraid.types import BeatGrid, QuantiseOptions

CLOCK = ("set_tempo", "time_signature")


@dataclass(frozen=True)
class Retiming:
    """What became of a MIDI file.

    Attributes:
        midi: the file that was written.
        notes: how many it has.
        mean_shift_s: how far they were moved, on average.
    """

    midi: Path
    notes: int
    mean_shift_s: float


def quantise_file(
    source: Path,
    target: Path,
    options: QuantiseOptions = QuantiseOptions(),  # noqa: B008  it is frozen
    tempo_bpm: float | None = None,
) -> Retiming:
    """Move the notes of a MIDI file to the steps of its bars, and the bends with them.

    Args:
        source: the file.
        target: the file to write; its folder is made if needed.
        options: which steps there are, and how much of the way notes go.
        tempo_bpm: beats per minute from the beginning on, in the place of the file's own tempi and
            bars, while all sounds when it did; None keeps those.

    Raises:
        InputError: the tempo cannot be stored.
        AudioError: the source is missing, or not a MIDI file whose time is counted in beats.
        ResourceError: the target cannot be written.
    """
    file = _read(source)
    clock = new_clock = TempoMap.of_file(file)
    last_tick = max((sum(message.time for message in track) for track in file.tracks), default=0)
    grid = clock.grid(last_tick)
    if tempo_bpm is not None:
        check_tempo(tempo_bpm)
        grid = BeatGrid.steady(tempo_bpm, clock.seconds(last_tick))
        new_clock = TempoMap.of_grid(grid)
    tracks = [_Track.of(track, clock, grid, options) for track in file.tracks]
    file.tracks = [track.written(new_clock, CLOCK if tempo_bpm else ()) for track in tracks]
    if tempo_bpm is not None:
        file.tracks.insert(0, new_clock.track())
        file.type, file.ticks_per_beat = 1, new_clock.ticks_per_quarter
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with writing(target, target.parent) as unfinished:
            file.save(unfinished)
    except OSError as error:
        raise resource_error(error) from error
    shifts_s = [abs(note.shift_s) for track in tracks for note in track.notes]
    return Retiming(target, len(shifts_s), sum(shifts_s) / max(1, len(shifts_s)))


def retimed_track(source: Path, clock: TempoMap) -> mido.MidiTrack:
    """The last track of a MIDI file in another tempo, in which all sounds when it did.

    Raises:
        AudioError: the source is missing, or not a MIDI file whose time is counted in beats.
    """
    file = _read(source)
    old = TempoMap.of_file(file)
    still = QuantiseOptions(strength=0.0)
    return _Track.of(file.tracks[-1], old, old.grid(0), still).written(clock, ())


def _read(source: Path) -> mido.MidiFile:
    try:
        file = mido.MidiFile(source, clip=True)
    except FileNotFoundError as error:
        raise AudioError(f"{source.name!r} does not exist") from error
    except (OSError, EOFError, ValueError, LookupError, KeySignatureError) as error:
        reason = str(error) or "it ends too early"
        raise AudioError(f"{source.name!r} is not a readable MIDI file: {reason}") from error
    if file.type == 2 or file.ticks_per_beat <= 0:
        raise AudioError(f"{source.name!r} has no beats that all its tracks share")
    return file


@dataclass(frozen=True)
class _Note:
    """A note of a track.

    Attributes:
        on: place in the track of the message that begins it.
        off: place of the message that ends it.
        start_s: when it began.
        end_s: when it ended.
        shift_s: how much later it is to begin and end.
    """

    on: int
    off: int
    start_s: float
    end_s: float
    shift_s: float


_Key = tuple[int, int]  # channel, pitch


@dataclass(frozen=True)
class _Track:
    """A track whose notes are to be moved.

    Attributes:
        messages: in order.
        times_s: when they are sent.
        keys: the notes on each key, in order of their beginnings.
    """

    messages: Sequence[mido.Message]
    times_s: Sequence[float]
    keys: dict[_Key, list[_Note]]

    @classmethod
    def of(
        cls, track: mido.MidiTrack, clock: TempoMap, grid: BeatGrid, options: QuantiseOptions
    ) -> "_Track":
        times_s = [clock.seconds(tick) for tick in accumulate(message.time for message in track)]
        sounding: dict[_Key, list[int]] = defaultdict(list)
        keys: dict[_Key, list[_Note]] = defaultdict(list)
        for k, message in enumerate(track):
            if message.type not in ("note_on", "note_off"):
                continue
            key = (message.channel, message.note)
            if not _ends_note(message):
                sounding[key].append(k)
            elif sounding[key]:
                on = sounding[key].pop(0)
                start_s = times_s[on]
                shift_s = quantised_s(start_s, grid, options) - start_s
                keys[key].append(_Note(on, k, start_s, times_s[k], shift_s))
        return cls(track, times_s, keys)

    @property
    def notes(self) -> list[_Note]:
        """All of them."""
        return [note for notes in self.keys.values() for note in notes]

    def written(self, clock: TempoMap, without: Collection[str]) -> mido.MidiTrack:
        """The track with its notes moved, and without messages of some types."""
        ticks = [clock.ticks(time_s) for time_s in self._moved_s()]
        gone = {k for k, message in enumerate(self.messages) if message.type in without}
        for notes in self.keys.values():
            for note in notes:
                ticks[note.off] = max(ticks[note.off], ticks[note.on] + 1)
            for note, after in pairwise(notes):
                ticks[note.off] = min(ticks[note.off], ticks[after.on])
                if ticks[note.off] <= ticks[note.on]:
                    gone |= {note.on, note.off}
        order = sorted(
            (k for k in range(len(ticks)) if k not in gone),
            key=lambda k: (ticks[k], _rank(self.messages[k])),
        )
        before = [0, *(ticks[k] for k in order)]
        return mido.MidiTrack(
            self.messages[k].copy(time=ticks[k] - tick)
            for tick, k in zip(before, order, strict=False)
        )

    def _moved_s(self) -> list[float]:
        """When the messages are sent now: those of notes, and wheels that move during one."""
        moved_s = list(self.times_s)
        channels: dict[int, list[_Note]] = defaultdict(list)
        for (channel, _), notes in self.keys.items():
            channels[channel] += notes
            for note in notes:
                moved_s[note.on] += note.shift_s
                moved_s[note.off] += note.shift_s
        for notes in channels.values():
            notes.sort(key=lambda note: note.start_s)
        for k, message in enumerate(self.messages):
            if message.type == "pitchwheel":
                # Where one note ends and the next begins, the centre belongs to the former.
                bisect = bisect_right if message.pitch else bisect_left
                notes, time_s = channels[message.channel], self.times_s[k]
                before = bisect(notes, time_s, key=lambda note: note.start_s)
                if before and time_s <= notes[before - 1].end_s:
                    moved_s[k] += notes[before - 1].shift_s
        return moved_s


def _ends_note(message: mido.Message) -> bool:
    return message.type == "note_off" or (message.type == "note_on" and not message.velocity)


def _rank(message: mido.Message) -> int:
    """Of messages at the same tick, the lowest comes first."""
    return 0 if _ends_note(message) else 2 if message.type == "note_on" else 1
