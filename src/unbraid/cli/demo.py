"""`unbraid demo`."""

from pathlib import Path

from unbraid import terminal
from unbraid.cli.options import Json, Out, Quiet, Threads
from unbraid.cli.running import Output, run
from unbraid.types import OnProgress


def demo(
    out: Out = Path("out"),
    threads: Threads = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write a short original song, take it apart, and say how well."""
    from unbraid.trial import Trial, run_trial

    def work(path: Path, report: OnProgress) -> Trial:
        return run_trial(out, threads=threads, on_progress=report)

    run([out / "demo.wav"], work, terminal.show_trial, 1, Output(as_json, quiet))
