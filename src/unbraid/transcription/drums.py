"""The strokes on a drum kit: moments at which something begins, recognised by two small networks.

One says what a moment sounds like. The other is told that, and the same of moments like it and of
those a period of the groove before and after, for drummers repeat themselves. `train.drums` fits
them to composed songs, after M. Cartwright and J. P. Bello, "Increasing Drum Transcription
Vocabulary Using Data Synthesis", DAFx 2018.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from unbraid.inference import open_session
from unbraid.transcription import groove
from unbraid.transcription.drum_patches import (
    COARSE_BANDS,
    STEM_FEATURES,
    Levels,
    Moments,
    band_levels,
)
from unbraid.types import Drum, DrumStroke, Samples

FOLDER = Path(__file__).parents[1] / "data" / "drums"
SOUND, GROOVE = FOLDER / "sound.onnx", FOLDER / "groove.onnx"
INPUT, OUTPUT = "shown", "chances"

STRUCK = ("kick", "snare", "hi-hat", "tom", "ride", "crash")
HOW: tuple[Drum, ...] = ("side stick", "open hi-hat", "low tom", "mid tom", "high tom")
OTHERS = ("shaker", "tambourine", "conga", "cowbell")
KINDS = (*STRUCK, *HOW, *OTHERS)
"""What the networks tell of a moment, each from 0 to 1: what is struck, how or which of it, and
others that are not written."""

BANDS = {  # in which a stroke is as loud as it is hard
    "kick": slice(0, 6),
    "snare": slice(6, 20),
    "hi-hat": slice(18, 24),
    "tom": slice(2, 12),
    "ride": slice(16, 24),
    "crash": slice(16, 24),
}
LOUD_PERCENTILE, AUDIBLE = 99, 10**-1.3  # of the power of a song, that of its drums
LIKELY = 0.5
CLOSEST_FRAMES = 5  # between two strokes on a drum
STRONG_PERCENTILE, STRONG_VELOCITY, LEAST_VELOCITY = 95, 0.9, 0.05


def transcribe_drums(
    drums: Iterable[Samples], song: Iterable[Samples], sample_rate: int
) -> list[DrumStroke]:
    """Find the strokes in a drum stem.

    Args:
        drums: the stem in order, float32 [channel, time] each, in blocks of any size.
        song: the mixture that it was separated from, likewise; the stem itself if there is none.
        sample_rate: samples per second of both.

    Returns:
        Strokes in order of time.

    Raises:
        ModelError: the networks are missing or damaged.
    """
    stem, mixture = (band_levels(blocks, sample_rate) for blocks in (drums, song))
    if not _audible(stem, mixture):
        return []
    moments = Moments(stem, mixture)
    return strokes(moments, recognise(moments)) if len(moments) else []


def _audible(drums: Levels, song: Levels) -> bool:
    """Whether a stem is more than what a separation leaves of others where nobody drums."""
    if not len(drums):
        return False
    power = (
        np.power(10, levels[:, :COARSE_BANDS], dtype=np.float32).sum(axis=1)
        for levels in (drums, song)
    )
    stem, mixture = (np.percentile(each, LOUD_PERCENTILE) for each in power)
    return bool(stem > AUDIBLE * mixture)


def recognise(moments: Moments) -> groove.Chances:
    """What is struck at each moment [moment, kind]."""
    heard, alike = [], []
    for passage in groove.passages(moments.frames):
        patches = moments.patches(passage.part)
        heard.append(_run(SOUND, patches))
        alike.append(groove.likes(patches[:, :STEM_FEATURES], heard[-1]))
    return _run(GROOVE, groove.view(moments.frames, np.concatenate(heard), np.concatenate(alike)))


def _run(network: Path, shown: npt.NDArray[np.float32]) -> groove.Chances:
    (chances,) = open_session(network, 1, plan_memory=False).run([OUTPUT], {INPUT: shown})
    return np.asarray(chances)


def strokes(moments: Moments, chances: groove.Chances) -> list[DrumStroke]:
    """Make strokes of what is likely.

    Args:
        moments: of a stem.
        chances: [moment, kind], as `recognise` gives them.
    """
    times_s, attack = moments.times_s, moments.attack()
    found: list[DrumStroke] = []
    for kind, name in enumerate(STRUCK):
        struck = _apart(moments.frames, chances[:, kind])
        loud = attack[struck, BANDS[name]].max(axis=1)
        strong = np.percentile(loud, STRONG_PERCENTILE) if len(loud) else 0.0
        velocities = STRONG_VELOCITY * 10 ** ((loud - strong) / 2)
        found += [
            DrumStroke(max(0.0, time_s), _drum(name, how), velocity)
            for time_s, how, velocity in zip(
                times_s[struck].tolist(),
                chances[struck, len(STRUCK) : len(STRUCK) + len(HOW)],
                velocities.clip(LEAST_VELOCITY, 1).tolist(),
                strict=True,
            )
        ]
    return sorted(found, key=lambda stroke: stroke.time_s)


def _apart(frames: groove.Frames, chance: groove.Chances) -> npt.NDArray[np.intp]:
    """The likely moments; of those too close to each other, the likeliest."""
    kept: list[int] = []
    for moment in np.flatnonzero(chance >= LIKELY).tolist():
        if kept and frames[moment] - frames[kept[-1]] < CLOSEST_FRAMES:
            kept[-1] = max(kept[-1], moment, key=lambda each: chance[each])
        else:
            kept.append(moment)
    return np.array(kept, int)


def _drum(struck: str, how: groove.Chances) -> Drum:
    side_stick, open_hat = how[:2] >= LIKELY
    match struck:
        case "kick" | "ride" | "crash":
            return struck
        case "snare":
            return "side stick" if side_stick else "snare"
        case "hi-hat":
            return "open hi-hat" if open_hat else "closed hi-hat"
        case _:
            return HOW[2 + int(np.argmax(how[2:]))]
