"""The recordings that the benches listen to."""

import os
from pathlib import Path

import numpy as np
import soundfile

SONG = "lets_go_fishin.ogg"  # 2 min 13 s
SONGS = (SONG, "vibe_ace.ogg")
SHORT = "trumpet_loop_90bpm_f.ogg"
INSTRUMENTAL = ("vibe_ace.ogg", "hungarian_dance_5.ogg")

USUAL_FOLDER = Path("../shared/audio")


def folder() -> Path:
    """The folder of real recordings: UNBRAID_TEST_AUDIO, or the usual one.

    Raises:
        SystemExit: there is none, or it lacks a recording.
    """
    found = Path(os.environ.get("UNBRAID_TEST_AUDIO") or USUAL_FOLDER)
    missing = [name for name in (*SONGS, SHORT) if not (found / name).is_file()]
    if missing:
        raise SystemExit(
            f"bench needs real recordings, but {', '.join(missing)} cannot be found: "
            "set UNBRAID_TEST_AUDIO to the folder that holds them"
        )
    return found


def excerpts() -> dict[Path, dict[str, Path]]:
    """Excerpts and their true stems by name, where UNBRAID_EVAL_AUDIO names a folder of them."""
    named = os.environ.get("UNBRAID_EVAL_AUDIO")
    found: dict[Path, dict[str, Path]] = {}
    for stem in sorted(Path(named).glob("*.*.flac")) if named else ():
        excerpt, name, _ = stem.name.split(".")
        found.setdefault(stem.with_name(f"{excerpt}.flac"), {})[name] = stem
    return found


def loop(minutes: float, path: Path) -> None:
    """Write a song of any length, FLAC: the recordings, over and over.

    Args:
        minutes: its length.
        path: the file to make.
    """
    parts = [soundfile.read(folder() / name, dtype="int16", always_2d=True) for name in SONGS]
    rate = parts[0][1]
    music = np.concatenate([samples for samples, _ in parts])
    left = round(60 * minutes * rate)
    with soundfile.SoundFile(path, "w", rate, music.shape[1], "PCM_16", format="FLAC") as file:
        while left > 0:
            file.write(music[:left])
            left -= len(music)
