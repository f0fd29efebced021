"""The composition: pickup and AABA in D major, four bars a line, 128 beats per minute.

The parts are written as text. `A4*1.5` is A above middle C for one and a half beats, `-*1` a rest,
`la=A4*1.5` a sung note; drum lines have sixteen steps a bar, from `X` (loud) to `o` (ghost note).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from unbraid.types import ChordSegment

TEMPO_BPM = 128.0
KEY = "D major"
BEATS_PER_BAR = 4
PICKUP_BEATS = 2  # before the first downbeat

MELODY = """
-*1 na=F#4*.5 na=G4*.5
lay=A4*1.5 na=F#4*.5 doh=D4*1 na=E4*.5 mee=F#4*.5
soh=C#5*1.5 na=B4*.5 lah=A4*1.75 -*.25
-*.5 day=B4*.5 dah=B4*.5 na=A4*.5 lee=F#4*1 noh=D4*1
mah=B3*1 noh=D4*1 lay=E4*.75 -*.25 na=F#4*.5 na=G4*.5
lay=A4*1.5 na=F#4*.5 doh=D4*1 na=E4*.5 mee=F#4*.5
soh=C#5*1.5 na=D5*.5 lay=C#5*.5 lah=A4*1.25 -*.25
dee=B4*1 nah=G4*1 dah=G4*.5 na=F#4*.5 lee=E4*1
loh=D4*2.5 -*.5 na=F#4*.5 dah=A4*.5
say=D5*1 na=B4*.5 lay=D5*1 na=B4*.5 noh=G4*1
sah=A4*1 na=F#4*.5 lah=A4*1 na=F#4*.5 noh=D4*.75 -*.25
doo=E4*.5 na=F#4*.5 moh=G4*.5 na=A4*.5 lah=B4*1.5 na=C#5*.5
dee=D5*2 lah=C#5*.75 -*.25 na=F#4*.5 na=G4*.5
lay=A4*1.5 na=F#4*.5 doh=D4*1 na=E4*.5 mee=F#4*.5
soh=C#5*1.5 na=D5*.5 lay=E5*1 lah=A4*.75 -*.25
dee=B4*1.5 na=G4*.5 dah=G4*.5 na=F#4*.5 lee=E4*1
loh=D4*4
"""

BASS = """
-*1 A1*.5 C#2*.5
D2*1.5 D2*.5 A2*1 E2*1
F#2*1.5 F#2*.5 C#2*1 C#2*.5 C2*.5
B1*1.5 B1*.5 F#2*1 A1*1
G1*1.5 G1*.5 A1*1 C#2*1
D2*1.5 D2*.5 A2*1 E2*1
F#2*1.5 F#2*.5 C#2*1 F#2*.5 F2*.5
E2*1.5 B1*.5 A1*1 C#2*1
D2*1.5 A1*.5 D2*.5 E2*.5 F#2*1
G2*1 G2*.5 G2*.5 D2*.5 G2*.5 A2*.5 G2*.5
F#2*1 F#2*.5 F#2*.5 A2*.5 F#2*.5 D2*.5 F#2*.5
E2*1 E2*.5 E2*.5 B1*.5 E2*.5 G2*.5 G#2*.5
A2*1 A2*.5 A2*.5 A1*1 B1*.5 C#2*.5
D2*1.5 D2*.5 A2*1 E2*1
F#2*1.5 F#2*.5 C#2*1 F#2*.5 F2*.5
E2*1.5 B1*.5 A1*1 C#2*1
D2*4
"""

CHORDS = """
D:maj*4 F#:min7*4 B:min*4 G:maj*2 A:maj*2
D:maj*4 F#:min7*4 E:min7*2 A:7*2 D:maj*4
G:maj*4 D:maj/3*4 E:min*4 A:sus4*2 A:7*2
D:maj*4 F#:min7*4 E:min7*2 A:7*2 D:maj*4
"""

VOICINGS = {
    "D:maj": "A3 D4 F#4 A4",
    "D:maj/3": "A3 D4 F#4 A4",
    "E:min": "B3 E4 G4 B4",
    "E:min7": "B3 D4 E4 G4",
    "F#:min7": "A3 C#4 E4 F#4",
    "G:maj": "B3 D4 G4 B4",
    "A:maj": "A3 C#4 E4 A4",
    "A:7": "A3 C#4 E4 G4",
    "A:sus4": "A3 D4 E4 A4",
    "B:min": "B3 D4 F#4 B4",
}

COMPING = {  # beats of a bar on which the chord is struck, and for how long
    "A": ((0.0, 1.4), (2.0, 0.4), (2.5, 1.0)),
    "B": ((0.0, 1.3), (1.5, 0.4), (2.0, 0.9), (3.0, 0.4), (3.5, 0.4)),
    "roll": ((0.0, 1.8), (2.0, 1.8)),
    "end": ((0.0, 4.0),),
}

DRUMS = {
    "pickup": {"snare": "....x.xX", "tom": "X.x.....", "hat": "x...x..."},
    "A": {"kick": "X.....x.x.x.....", "snare": "....X..o....X...", "hat": "X.o.x.o.X.o.x.oo"},
    "B": {"kick": "X..x..x.X..x..x.", "snare": "....X..o.o..X..o", "ride": "X.x.X.x.X.x.X.x."},
    "fill": {
        "kick": "X.....x.x.......",
        "snare": "....X.....xxX.xX",
        "hat": "X.o.x.o.X.......",
        "tom": "............X.x.",
    },
    "roll": {"kick": "X...x...x...x...", "snare": "xoxoxxoxxxxxXXXX", "tom": "........X.x.X.X."},
    "end": {"kick": "X...............", "crash": "X..............."},
}

FORM = (*"AAA", "fill", *"AAA", "fill", *"BBB", "roll", *"AA", "fill", "end")  # bar by bar
CRASHES = (0, 8, 12)  # bars that begin with a crash cymbal

_PITCH_CLASSES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
STEP_LEVELS = {"X": 0.95, "x": 0.65, "o": 0.35}
_STEPS_PER_BEAT = 4


@dataclass(frozen=True)
class Event:
    """Something to play.

    Attributes:
        beat: when, in beats from the beginning of the song.
        beats: for how long.
        what: a note name, a chord label or a drum.
        syllable: text of a sung note.
        level: loudness, 0 to 1.
    """

    beat: float
    beats: float
    what: str
    syllable: str = ""
    level: float = 0.7


def pitches(what: str) -> tuple[int, ...]:
    """MIDI numbers of a note such as `F#4` or of a chord such as `A:7`; C4 is 60."""
    return tuple(
        _PITCH_CLASSES[name[0]] + name.count("#") + 12 * (int(name[-1]) + 1)
        for name in VOICINGS.get(what, what).split()
    )


def seconds(beat: float) -> float:
    """Time of a beat in seconds."""
    return beat * 60 / TEMPO_BPM


def melody() -> tuple[Event, ...]:
    """The sung line."""
    return _accented(_read(MELODY))


def bass() -> tuple[Event, ...]:
    """The bass line."""
    return _accented(_read(BASS))


def chord_segments() -> tuple[ChordSegment, ...]:
    """The harmony, from the first downbeat on."""
    return tuple(
        ChordSegment(seconds(chord.beat), seconds(chord.beat + chord.beats), chord.what)
        for chord in _chords()
    )


def beats_s() -> tuple[float, ...]:
    """Times of all beats in seconds."""
    return tuple(seconds(beat) for beat in range(PICKUP_BEATS + len(FORM) * BEATS_PER_BAR))


def downbeats_s() -> tuple[float, ...]:
    """Times of the first beats of the bars in seconds."""
    return beats_s()[PICKUP_BEATS::BEATS_PER_BAR]


def comping() -> tuple[Event, ...]:
    """The struck chords: the harmony in the rhythm of each part of the form."""
    struck = []
    for bar, part in enumerate(FORM):
        for offset, beats in COMPING.get(part, COMPING["A"]):
            beat = _bar_beat(bar) + offset
            label = next(c.what for c in _chords() if beat < c.beat + c.beats)
            struck.append(Event(beat, beats, label))
    return _accented(struck)


def drums() -> tuple[Event, ...]:
    """The strokes of the drum kit."""
    strokes = _strokes("pickup", 0.0)
    for bar, part in enumerate(FORM):
        strokes += _strokes(part, _bar_beat(bar))
    strokes += [Event(_bar_beat(bar), 4.0, "crash") for bar in CRASHES]
    return tuple(strokes)


def _bar_beat(bar: int) -> float:
    return PICKUP_BEATS + bar * BEATS_PER_BAR


def _chords() -> tuple[Event, ...]:
    return _read(CHORDS, start=PICKUP_BEATS)


def _read(text: str, start: float = 0.0) -> tuple[Event, ...]:
    events = []
    beat = start
    for word in text.split():
        head, _, length = word.rpartition("*")
        syllable, _, what = head.rpartition("=")
        beats = float(length)
        if what != "-":
            events.append(Event(beat, beats, what, syllable))
        beat += beats
    return tuple(events)


def _strokes(part: str, start: float) -> list[Event]:
    return [
        Event(start + step / _STEPS_PER_BEAT, 1 / _STEPS_PER_BEAT, drum, level=STEP_LEVELS[sign])
        for drum, line in DRUMS[part].items()
        for step, sign in enumerate(line)
        if sign in STEP_LEVELS
    ]


def _accented(events: Sequence[Event]) -> tuple[Event, ...]:
    """Stress the strong beats, and let the song grow towards its third phrase."""
    return tuple(replace(e, level=_phrase_level(e.beat) + _stress(e.beat)) for e in events)


def _phrase_level(beat: float) -> float:
    bar = (beat - PICKUP_BEATS) / BEATS_PER_BAR
    return float(np.interp(bar, (0, 7, 8, 12, 13, 16), (0.62, 0.68, 0.78, 0.84, 0.72, 0.7)))


def _stress(beat: float) -> float:
    if beat % 1:
        return -0.06
    return 0.06 if (beat - PICKUP_BEATS) % 2 == 0 else 0.0
