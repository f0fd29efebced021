"""Runs the benches and writes their findings to bench/RESULTS.md.

python -m bench              all of them, about an hour and a half on two cores
python -m bench memory       one or some; the others' findings stay
"""

import sys

from bench import (
    beats,
    crowd,
    demucs,
    exports,
    harmony,
    lengths,
    memory,
    midi,
    overhead,
    process,
    quality,
    quality_score,
    recordings,
    results,
    separation,
    service,
    studio,
    transcription,
)

BENCHES = {
    "separation": separation.bench,
    "transcription": transcription.bench,
    "process": process.bench,
    "memory": memory.bench,
    "htdemucs": demucs.speed_bench,
    "htdemucs-first": demucs.first_bench,
    "bag": demucs.bag_bench,
    "htdemucs-memory": demucs.memory_bench,
    "stems": quality.stems_bench,
    "lite": quality.lite_bench,
    "lengths": lengths.bench,
    "notes": quality.notes_bench,
    "midi": midi.bench,
    "harmony": harmony.bench,
    "quality_score": quality_score.bench,
    "beats": beats.bench,
    "service": service.bench,
    "crowd": crowd.bench,
    "overhead": overhead.bench,
    "studio": studio.bench,
    "exports": exports.bench,
}


def main() -> None:
    """Run the benches named on the command line, or all."""
    chosen = sys.argv[1:] or list(BENCHES)
    if unknown := set(chosen) - set(BENCHES):
        raise SystemExit(f"no bench {', '.join(unknown)}; there are: {', '.join(BENCHES)}")
    recordings.folder()
    for name in chosen:
        section, command = BENCHES[name](), f"python -m bench {name}"
        results.update(section, command)
        print(results.markdown(section, command), flush=True)


if __name__ == "__main__":
    main()
