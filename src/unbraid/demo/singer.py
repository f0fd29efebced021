"""A singing voice: glottal pulses and breath through a moving vocal tract.

Source and filter after Fant, Acoustic Theory of Speech Production (1960). Each cycle of the vocal
folds is one band-limited pulse, so jitter and shimmer are those of a voice; the vocal tract is a
chain of resonances, applied in the frequency domain, frame by frame. The vowels' formants are those
that Peterson and Barney measured for women (1952).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.fft
from scipy.ndimage import gaussian_filter1d
from scipy.signal import get_window

from unbraid.demo.room import RATE, Array
from unbraid.types import NoteEvent

HOP = 256  # samples between two shapes of the vocal tract: 5.8 ms
WINDOW = 4 * HOP
N_FFT = 2 * WINDOW
FRAME_RATE = RATE / HOP

UPPER_FORMANT, SPACING = 3900, 1150  # in Hz: a tube of 15 cm resonates every 1150 Hz

ComplexArray = npt.NDArray[np.complex64]


@dataclass(frozen=True)
class Singer:
    """Who sings.

    Attributes:
        formant_scale: all resonances against those of a woman; 0.85 is a man.
        upper_formants: how many resonances follow the first three; the more, the brighter.
        tilt_hz: where the glottis begins to lose treble; pressed voices lie high, soft ones low.
        dull_hz: where it loses still more.
        breath: noise of the glottis against its pulses.
        air: the same without the bass.
        jitter: standard deviation of a cycle's length, in cycles.
        shimmer: standard deviation of a pulse's level.
        vibrato_semitones: depth of the vibrato on long notes.
        vibrato_hz: its rate.
        scoop_semitones: how far below the first note a phrase begins.
        glide_s: standard deviation of the kernel that joins the pitches of two notes.
        drift: how restless the pitch is.
        consonant_s: length of a consonant.
        unison: how many sing; they share one vocal tract, not their pitch.
    """

    formant_scale: float = 1.0
    upper_formants: int = 10
    tilt_hz: float = 600.0
    dull_hz: float = 7000.0
    breath: float = 0.04
    air: float = 0.0
    jitter: float = 0.006
    shimmer: float = 0.04
    vibrato_semitones: float = 0.45
    vibrato_hz: float = 5.5
    scoop_semitones: float = 1.2
    glide_s: float = 0.03
    drift: float = 0.5
    consonant_s: float = 0.08
    unison: int = 1


WOMAN = Singer()


@dataclass(frozen=True)
class Phone:
    """A speech sound.

    Attributes:
        formants: first three resonances in Hz.
        voice: level of the voice.
        noise: level of the friction.
        noise_hz: where the friction is centred.
    """

    formants: tuple[float, float, float]
    voice: float = 1.0
    noise: float = 0.0
    noise_hz: float = 5000.0


AH, EH, EE = Phone((850, 1220, 2810)), Phone((610, 2330, 2990)), Phone((310, 2790, 3310))
OH, OO = Phone((590, 920, 2710)), Phone((370, 950, 2670))
IH, UH, AE = Phone((430, 2480, 3070)), Phone((760, 1400, 2780)), Phone((860, 2050, 2850))

VOWELS = {  # where each begins, where it ends
    "a": (AH, AH),
    "ah": (AH, AH),
    "ay": (EH, EE),
    "ee": (EE, EE),
    "eh": (EH, EH),
    "ae": (AE, AE),
    "ih": (IH, IH),
    "uh": (UH, UH),
    "oh": (OH, OO),
    "y": (AH, EE),
    "ow": (AH, OO),
    "oo": (OO, OO),
}
CONSONANTS = {
    "b": Phone((300, 1000, 2400), voice=0.08, noise=0.03, noise_hz=1200),
    "d": Phone((300, 1800, 2700), voice=0.08, noise=0.05, noise_hz=4500),
    "f": Phone((300, 1200, 2500), voice=0.0, noise=0.03, noise_hz=8500),
    "g": Phone((300, 2200, 2700), voice=0.08, noise=0.05, noise_hz=2300),
    "h": Phone((600, 1500, 2700), voice=0.0, noise=0.03, noise_hz=1700),
    "k": Phone((300, 2000, 2700), voice=0.0, noise=0.05, noise_hz=2500),
    "l": Phone((360, 1100, 2800), voice=0.4),
    "m": Phone((250, 1000, 2300), voice=0.25),
    "n": Phone((250, 1500, 2600), voice=0.25),
    "p": Phone((300, 1000, 2400), voice=0.0, noise=0.03, noise_hz=1000),
    "r": Phone((350, 1300, 1800), voice=0.4),
    "s": Phone((300, 1800, 2700), voice=0.0, noise=0.06, noise_hz=7500),
    "t": Phone((300, 1800, 2700), voice=0.0, noise=0.05, noise_hz=5000),
    "v": Phone((300, 1200, 2500), voice=0.2, noise=0.02, noise_hz=7000),
    "w": Phone((320, 750, 2400), voice=0.4),
    "y": Phone((290, 2600, 3200), voice=0.4),
}


def sing(
    notes: Sequence[NoteEvent],
    syllables: Sequence[str],
    length: int,
    rng: np.random.Generator,
    singer: Singer = WOMAN,
) -> Array:
    """Sing a line.

    Args:
        notes: the notes, in order of time; vowels begin at their onsets.
        syllables: a consonant and a vowel for each note, such as `lah`.
        length: samples to return.
        rng: source of all that is irregular.
        singer: who sings it.

    Returns:
        float64 [time] at 44.1 kHz.
    """
    frames = length // HOP + 1
    mouth = _articulate(notes, syllables, frames, singer.consonant_s)
    glottis = np.zeros(length)
    for _ in range(singer.unison):
        f0 = intone(notes, frames, rng, singer)
        glottis += _pulses(f0, length, rng, singer)
    noise = rng.standard_normal(length)
    glottis += singer.breath * noise + singer.air * np.diff(noise, prepend=0.0)
    tract = mouth.voice[:, np.newaxis] * _resonances(mouth.formants, f0, singer)
    return _filter(glottis, tract) + _filter(rng.standard_normal(length), _friction(mouth))


@dataclass(frozen=True)
class _Mouth:
    """What the mouth does, frame by frame: formants [frame, 3] in Hz, all else [frame]."""

    formants: Array
    voice: Array
    noise: Array
    noise_hz: Array


def _articulate(
    notes: Sequence[NoteEvent], syllables: Sequence[str], frames: int, consonant_s: float
) -> _Mouth:
    open_wide = np.tile(np.asarray(AH.formants, np.float64), (frames, 1))
    mouth = _Mouth(open_wide, np.zeros(frames), np.zeros(frames), np.ones(frames))
    for note, syllable in zip(notes, syllables, strict=True):
        consonant, (vowel, glide) = CONSONANTS[syllable[0]], VOWELS[syllable[1:]]
        closed, opened, end = (
            round(max(0.0, time) * FRAME_RATE)
            for time in (note.start_s - consonant_s, note.start_s, note.end_s)
        )
        course = np.linspace(-1, 1, end - opened)
        late = course.clip(0)[:, np.newaxis]
        mouth.formants[closed:opened] = consonant.formants
        mouth.formants[opened:end] = (1 - late) * vowel.formants + late * glide.formants
        mouth.formants[end:] = glide.formants
        mouth.voice[closed:opened] = note.amplitude * consonant.voice
        mouth.voice[opened:end] = note.amplitude * (1 - 0.3 * course**2)
        mouth.noise[closed:opened] = note.amplitude * consonant.noise
        mouth.noise_hz[closed:] = consonant.noise_hz
    sluggish = 0.012 * FRAME_RATE
    return _Mouth(
        gaussian_filter1d(mouth.formants, sluggish, axis=0),
        gaussian_filter1d(mouth.voice, sluggish),
        gaussian_filter1d(mouth.noise, sluggish / 2),
        mouth.noise_hz,
    )


def intone(
    notes: Sequence[NoteEvent], frames: int, rng: np.random.Generator, singer: Singer
) -> Array:
    """Fundamental in Hz [frame]: glides, late vibrato, drift, and a scoop after every rest.

    Args:
        notes: the notes, in order of time.
        frames: how many frames of `HOP` samples.
        rng: source of all that is irregular.
        singer: who sings, or plays as if singing.
    """
    pitch = np.full(frames, float(notes[0].pitch))
    vibrato = np.zeros(frames)
    silent_since = -1.0
    for note in notes:
        start = max(0, round((note.start_s - 0.02) * FRAME_RATE))
        age = np.arange(frames - start) / FRAME_RATE
        pitch[start:] = note.pitch
        vibrato[start:] = singer.vibrato_semitones * np.clip((age - 0.25) / 0.3, 0, 1)
        if note.start_s - silent_since > 0.1:
            pitch[start:] -= singer.scoop_semitones * np.exp(-age / 0.05)
        silent_since = note.end_s
    rate = singer.vibrato_hz + 4 * gaussian_filter1d(rng.standard_normal(frames), 80)
    drift = singer.drift * gaussian_filter1d(rng.standard_normal(frames), 12)
    pitch = gaussian_filter1d(pitch, singer.glide_s * FRAME_RATE) + drift
    pitch += gaussian_filter1d(vibrato, 8) * np.sin(2 * np.pi * np.cumsum(rate) / FRAME_RATE)
    return np.asarray(440 * 2 ** ((pitch - 69) / 12))


def _pulses(f0: Array, length: int, rng: np.random.Generator, singer: Singer) -> Array:
    """One windowed sinc per glottal cycle, each a little early or late, a little loud or soft."""
    time = np.arange(length)
    cycles = np.cumsum(np.interp(time / HOP, np.arange(len(f0)), f0)) / RATE
    count = int(cycles[-1])
    at = np.interp(np.arange(count) + singer.jitter * rng.standard_normal(count), cycles, time)
    first = np.floor(at).astype(int)
    taps = np.arange(-16, 17)
    distance = taps - (at - first)[:, np.newaxis]
    level = 1 + singer.shimmer * rng.standard_normal((count, 1))
    source = np.zeros(length + 2 * len(taps))
    np.add.at(
        source,
        first[:, np.newaxis] + taps + len(taps),
        level * np.sinc(distance) * np.cos(np.pi * distance / 36) ** 2,
    )
    return source[len(taps) : len(taps) + length]


def _resonances(formants: Array, f0: Array, singer: Singer) -> ComplexArray:
    """Transfer from glottis to lips [frame, bin], equally strong in all frames."""
    hz = np.fft.rfftfreq(N_FFT, 1 / RATE).astype(np.float32)
    glottis = 1 / ((1 + 1j * hz / singer.tilt_hz) * (1 + 1j * hz / singer.dull_hz))
    fixed = np.asarray(glottis, np.complex64)
    for k in range(singer.upper_formants):
        fixed = fixed * _resonance(singer.formant_scale * (UPPER_FORMANT + k * SPACING), hz)
    centres = (singer.formant_scale * formants).astype(np.float32)
    centres[:, 0] = np.maximum(centres[:, 0], f0)  # sopranos open the mouth for high notes
    response = np.tile(fixed, (len(f0), 1))
    for centre in centres.T[:, :, np.newaxis]:
        response *= _resonance(centre, hz)
    return np.asarray(30 * response / np.linalg.norm(response, axis=1, keepdims=True), np.complex64)


def _resonance(
    centre: float | npt.NDArray[np.float32], hz: npt.NDArray[np.float32]
) -> ComplexArray:
    bandwidth = 60 + 0.04 * centre
    return np.asarray(centre**2 / (centre**2 - hz**2 + 1j * hz * bandwidth), np.complex64)


def _friction(mouth: _Mouth) -> ComplexArray:
    """Spectrum of the hiss between tongue and teeth [frame, bin]."""
    hz = np.fft.rfftfreq(N_FFT, 1 / RATE).clip(20)
    octaves = np.log2(hz / mouth.noise_hz[:, np.newaxis])
    return np.asarray(mouth.noise[:, np.newaxis] * np.exp(-((2 * octaves) ** 2)), np.complex64)


def _filter(source: Array, response: ComplexArray) -> Array:
    """Filter [time] by a response [frame, bin] that changes every `HOP` samples."""
    window = get_window("hann", WINDOW).astype(np.float32)
    padded = np.pad(source.astype(np.float32), WINDOW // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP] * window
    pieces = scipy.fft.irfft(scipy.fft.rfft(frames, N_FFT) * response, N_FFT)
    filtered = np.zeros(HOP * len(frames) + N_FFT)
    for k in range(0, N_FFT, HOP):
        filtered[k : k + HOP * len(frames)] += pieces[:, k : k + HOP].ravel()
    return filtered[WINDOW // 2 :][: len(source)] * (2 * HOP / WINDOW)
