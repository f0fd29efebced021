"""Fetches and makes what the package carries, but the repository does not.

Basic Pitch's network: the `basic-pitch` package pins a TensorFlow that no longer installs, so it
cannot be a dependency. The one file that is needed of it, an ONNX network of 230 KB (Apache-2.0,
Spotify AB), is taken out of the published wheel, checked, and laid beside its licence and notice.

The studio, the page in the browser: built where npm is, unless it is there already. An editable
install leaves it to `make web`, so that it stays quick.
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

REQUIREMENT = "basic-pitch==0.4.0"
TARGET = Path("src/unbraid/data/basic_pitch")
NETWORK_SHA256 = "2c3c1d144bfa61ad236e92e169c13535c880469a12a047d4e73451f2c059a0ec"
STUDIO = Path("src/unbraid/data/studio")
MEMBERS = {
    "nmp.onnx": "basic_pitch/saved_models/icassp_2022/nmp.onnx",
    "LICENSE": "basic_pitch-0.4.0.dist-info/LICENSE",
    "NOTICE": "basic_pitch-0.4.0.dist-info/NOTICE",
}


def is_complete(folder: Path) -> bool:
    """Whether the folder holds the checked network, its licence and its notice."""
    network = folder / "nmp.onnx"
    return (
        all((folder / name).is_file() for name in MEMBERS)
        and hashlib.sha256(network.read_bytes()).hexdigest() == NETWORK_SHA256
    )


def fetch(folder: Path) -> None:
    """Download the published wheel and unpack the three files into `folder`.

    Raises:
        RuntimeError: The download failed, or the network is not the published one.
    """
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--only-binary", ":all:", "--dest", scratch, REQUIREMENT]
        if subprocess.run(command, check=False).returncode:
            raise RuntimeError(
                f"{REQUIREMENT} could not be downloaded. It holds the transcription network; "
                f"allow pip to reach its package index, or lay nmp.onnx, LICENSE and NOTICE "
                f"from that wheel into {TARGET} and build again."
            )
        wheel = next(Path(scratch).glob("*.whl"))
        folder.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(wheel) as archive:
            for name, member in MEMBERS.items():
                (folder / name).write_bytes(archive.read(member))
    if not is_complete(folder):
        raise RuntimeError(f"nmp.onnx of {REQUIREMENT} does not have SHA-256 {NETWORK_SHA256}.")


def build_studio(root: Path) -> str | None:
    """Build the studio from `web/`; gives why that could not be done."""
    npm = shutil.which("npm")
    if npm is None:
        return "npm is not there"
    install = [npm, "install", "--no-save", "--no-audit", "--no-fund"]
    for command in (install, [npm, "run", "build"]):
        if subprocess.run(command, cwd=root / "web", check=False).returncode:
            return f"`{' '.join(command[1:])}` failed in web/"
    return None


class Hook(BuildHookInterface[Any]):
    """Runs before every build, editable ones included; does nothing once the files are there."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Hatchling calls this before it collects files."""
        root = Path(self.root)
        if not is_complete(root / TARGET):
            fetch(root / TARGET)
        if version != "editable" and not (root / STUDIO / "index.html").is_file():
            reason = build_studio(root)
            if reason:
                self.app.display_warning(f"The package will lack its studio: {reason}.")
